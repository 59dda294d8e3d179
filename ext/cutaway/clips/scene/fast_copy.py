"""The copies that Manim makes of mobjects at each play, made faster. Runs where scenes run: it needs Manim.

``copy.deepcopy`` asks of every number and word how it is copied, and each glyph carries the SVG path that it was made
from, a hundred objects that nobody reads again. Here what can't change is shared, as is that path; all else is copied
as before, and what was one object in the original is one in the copy.
"""

from __future__ import annotations

import copy
import enum
from pathlib import PosixPath, WindowsPath
from typing import Any

import numpy as np
import svgelements
from manim import ManimColor, Mobject

# What can't change, and the path of a glyph, which nothing does change.
SHARED = {int, float, bool, complex, str, bytes, type(None), np.float64, np.int64, PosixPath, WindowsPath}
SHARED |= {svgelements.Path}


def copy_fast() -> None:
    """From here on, mobjects of this process are copied so."""
    Mobject.__deepcopy__ = _copied_mobject
    ManimColor.__deepcopy__ = _copied_object  # Manim changes a colour's numbers in place, here and there


def _copied_mobject(mobject: Mobject, memo: dict[int, Any]) -> Mobject:
    made = _copied_object(mobject, memo)
    made.original_id = str(id(mobject))
    return made


def _copied_object(original: Any, memo: dict[int, Any]) -> Any:
    made: Any = object.__new__(type(original))
    memo[id(original)] = made
    made.__dict__.update({name: _copied(value, memo) for name, value in vars(original).items()})
    return made


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in SHARED or isinstance(value, enum.Enum):
        return value
    if kind is np.ndarray and not value.dtype.hasobject:
        if id(value) not in memo:
            memo[id(value)] = value.copy("K")
        return memo[id(value)]
    return copy.deepcopy(value, memo)
