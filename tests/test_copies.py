"""A fast copy of a mobject is the copy that Python would make: as deep, and what was one object is one again."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import copy

import numpy as np
import pytest
import svgelements
from manim import RED, Arrow, Circle, Integer, ManimColor, Mobject, NumberLine, Square, Text, ValueTracker, VGroup
from manim.mobject.graphing.scale import _ScaleBase as ScalingBase

from cutaway.clips.scene import fast_copy
from cutaway.clips.scene.scene import Tag


def grouped():
    """One child twice, one that knows its parent, and one array that two mobjects have."""
    group, child = VGroup(Square(), Text("ab")), Circle(color=RED)
    group.marked, group.also_marked, child.of = child, child, group
    group.add(child)
    group[0].points = child.points
    return group


def moving():
    square, tracker = Square().set_color([RED, "#00ff0080"]), ValueTracker(2.0)
    square.tracker = tracker
    square.add_updater(lambda mobject: mobject.set_x(tracker.get_value()))
    square.generate_target().shift(1)
    square.save_state()
    square.cutaway_tag = Tag("step", "0, 1", "0.5")
    return square


CHANGING = (list, dict, np.ndarray, Mobject, ManimColor)
MADE = {
    "text": lambda: Text("a = b", gradient=(RED, "#123456")),
    "number": lambda: Integer(37, mob_class=Text),
    "arrow": Arrow,
    "numbers": lambda: NumberLine(x_range=[0, 3], include_numbers=False),
    "group": grouped,
    "moving": moving,
    "objects": lambda: Square().set(kept={"a": [Square()], "b": (RED, {1, 2})}, more=np.array([[1], Square()], object)),
}  # fmt: skip


def plainly(mobject, memo):
    """A deep copy in so many words: everything that there is, copied in turn."""
    made = type(mobject).__new__(type(mobject))
    memo[id(mobject)] = made
    for name, value in vars(mobject).items():
        setattr(made, name, copy.deepcopy(value, memo))
    made.original_id = str(id(mobject))
    return made


def deep_copy(found, how, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Mobject, "__deepcopy__", how)
        patched.delattr(ManimColor, "__deepcopy__", raising=False)
        if how is not plainly:
            fast_copy.copy_fast()
        try:
            return copy.deepcopy(found)
        finally:
            if "__deepcopy__" in vars(ManimColor):
                del ManimColor.__deepcopy__


def told(value, met):
    """All that there is of a value, as plain data; what was met before is told by its number."""
    if id(value) in met:
        return met[id(value)][0]
    if isinstance(value, svgelements.Path):
        return value.d()
    if isinstance(value, ScalingBase):
        return type(value), vars(value)
    if not isinstance(value, (tuple, *CHANGING)):
        return value
    met[id(value)] = (f"number {len(met)}", value)
    if isinstance(value, Mobject | ManimColor):
        return type(value), told(vars(value), met)
    if isinstance(value, dict):
        return {key: told(part, met) for key, part in value.items()}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.shape, value.dtype, value.tobytes()
    return type(value), [told(part, met) for part in value]


def changing(value):
    """The objects of a value that can be changed."""
    met = {}
    told(value, met)
    return [found for _, found in met.values() if isinstance(found, CHANGING)]


@pytest.mark.parametrize("name", MADE)
def test_a_fast_copy_is_a_deep_copy(name, monkeypatch):
    original = MADE[name]()
    plain, fast = (deep_copy(original, how, monkeypatch) for how in (plainly, fast_copy._copied_mobject))
    assert told(fast, {}) == told(plain, {})


@pytest.mark.parametrize("name", MADE)
def test_nothing_that_changes_is_shared_with_the_original(name, monkeypatch):
    original = MADE[name]()
    ours, theirs = changing(deep_copy(original, fast_copy._copied_mobject, monkeypatch)), changing(original)
    assert not {id(part) for part in ours} & {id(part) for part in theirs}
    mine, its = ([part for part in parts if isinstance(part, np.ndarray) and part.size] for parts in (ours, theirs))
    assert not any(np.shares_memory(one, other) for one in mine for other in its)


def test_what_was_one_object_is_one_in_the_copy(monkeypatch):
    made = deep_copy(grouped(), fast_copy._copied_mobject, monkeypatch)
    assert made.marked is made.also_marked is made[2]
    assert made.marked.of is made
    assert made[0].points is made.marked.points
    made.marked.points += 1
    assert (made[0].points == made[2].points).all()
