"""One order of painting: every frame's order is part of it, and what moves past another gets a new entry."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from cutaway.clips.scene.z_order import Order

frames = st.lists(st.lists(st.integers(0, 8), unique=True), max_size=12)


@given(frames)
def test_each_frame_is_painted_in_its_own_order(frames):
    numbers = count()
    order = Order(lambda key: (key, next(numbers)))
    for shown in frames:
        entries = order.place(shown)
        assert [key for key, _ in entries.values()] == shown
        ranks = [order.entries.index(entry) for entry in entries.values()]
        assert ranks == sorted(ranks)
    assert len(set(order.entries)) == len(order.entries)


@given(frames)
def test_entries_are_never_moved(frames):
    numbers = count()
    order = Order(lambda key: (key, next(numbers)))
    before = []
    for shown in frames:
        order.place(shown)
        assert [entry for entry in order.entries if entry in before] == before
        before = list(order.entries)


def test_one_that_moves_to_the_front_is_the_only_one_with_a_new_entry():
    numbers = count()
    order = Order(lambda key: (key, next(numbers)))
    first = order.place("abcd")
    second = order.place("bcda")
    assert [second[key] == first[key] for key in "bcda"] == [True, True, True, False]
    assert [key for key, _ in order.entries] == list("abcda")


def test_a_renewed_object_goes_on_in_its_place():
    numbers = count()
    order = Order(lambda key: (key, next(numbers)))
    old = order.place("abc")["b"]
    order.renew("b")
    new = order.place("abc")["b"]
    assert new != old
    assert [key for key, _ in order.entries] == list("abbc")
