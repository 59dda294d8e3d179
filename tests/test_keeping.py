"""What a trace keeps of its arrays, and how they are written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from cutaway.runs import keeping
from cutaway.runs.keeping import kept, write_arrays
from cutaway.runs.recorder import Recorder
from cutaway.trace.reading import Arrays, TraceError, _values


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ROOM", 1000)
    monkeypatch.setattr(keeping, "FEW", 100)


def bytes_(**sizes: int) -> dict[str, np.ndarray]:
    return {name: np.full(size, number, np.uint8) for number, (name, size) in enumerate(sizes.items())}


def test_what_fits_is_kept_whole() -> None:
    arrays = bytes_(a=500, b=500)
    assert kept(arrays, set()) == arrays


def test_the_largest_go_all_of_one_shape_together() -> None:
    assert kept(bytes_(a=300, b=300, c=200, d=200, e=300), set()).keys() == {"c", "d"}
    assert kept(bytes_(a=900, b=300, c=100), set()).keys() == {"b", "c"}


def test_of_equal_sizes_those_go_of_which_there_are_more() -> None:
    arrays = bytes_(a=300, b=300) | {"c": np.zeros((3, 100), np.uint8), "d": np.zeros(50, np.uint8)}
    assert kept(arrays | bytes_(e=200), set()).keys() == {"c", "d", "e"}


def test_parameters_and_what_there_is_little_of_stay() -> None:
    assert kept(bytes_(a=900, b=900, c=900), {"b"}).keys() == {"b"}
    assert kept({f"{n}": np.zeros(1, np.uint8) for n in range(99)} | bytes_(big=950), set()).keys() == {
        *map(str, range(99))
    }
    assert kept(bytes_(a=90, b=950), set()).keys() == {"a"}


@given(st.dictionaries(st.text("abcd", min_size=1), st.integers(0, 600)), st.sets(st.text("abcd", min_size=1)))
def test_it_fits_or_nothing_that_may_go_is_left(sizes: dict[str, int], parameters: set[str]) -> None:
    arrays = bytes_(**sizes)
    left = kept(arrays, parameters)
    assert parameters & arrays.keys() <= left.keys() <= arrays.keys()
    if sum(array.nbytes for array in left.values()) > keeping.ROOM:
        free = [array.nbytes for name, array in left.items() if name not in parameters]
        assert all(free.count(size) * size < keeping.FEW for size in free)


def test_a_value_whose_array_went_says_so(tmp_path: Path) -> None:
    recorder = Recorder()
    small, large = np.arange(3.0), np.arange(300.0)
    numbers = [recorder._value(value) for value in (small, large)]
    path = tmp_path / "trace.npz"
    write_arrays(path, keeping.thin(recorder))
    values = _values(recorder.values, Arrays(path))
    assert values[numbers[0]].array().tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(TraceError, match=r"\(300,\) was not kept.*fewer rows"):
        values[numbers[1]].array()


ANY = arrays_of.arrays(
    st.sampled_from(["float32", "float64", "float16", "int64", "uint16", "bool", "complex64"]),
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(ANY)
def test_arrays_come_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, array: Any) -> None:
    path = tmp_path_factory.mktemp("arrays") / "trace.npz"
    write_arrays(path, {"a": array, "b": array.T})
    for name, was in (("a", array), ("b", array.T)):
        back = Arrays(path)[name]
        assert (back.dtype, back.shape, back.tobytes()) == (was.dtype, was.shape, was.tobytes())


def test_the_same_arrays_make_the_same_bytes_and_fewer(tmp_path: Path) -> None:
    arrays = {"a": np.zeros((100, 100), np.float32), "b": np.eye(3)}
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    write_arrays(one, arrays)
    write_arrays(two, arrays)
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size < 4000
