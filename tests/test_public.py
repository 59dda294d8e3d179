"""What authors import from ``cutaway`` itself: each name, and nothing heavy before it is asked for."""

import importlib
import subprocess
import sys

import pytest

import cutaway


@pytest.mark.parametrize("name", cutaway.PUBLIC)
def test_a_public_name_is_that_of_its_module(name: str) -> None:
    if name == "RecordedScene":
        pytest.importorskip("manim")
    assert getattr(cutaway, name) is getattr(importlib.import_module(f"cutaway.{cutaway.PUBLIC[name]}"), name)


def test_all_names_are_documented_and_none_else() -> None:
    assert sorted(cutaway.PUBLIC) == sorted(cutaway.PUBLIC)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'loads'"):
        _ = cutaway.loads  # type: ignore[attr-defined]


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, cutaway; cutaway.Run; print({'manim', 'torch', 'matplotlib', 'IPython'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
