"""Small scenes that between them show every kind of object and animation that Manim has.

A recording must look like stock Manim's own frames for each of ``RECORDED``; each of ``FILMED`` can't be a recording,
and its ``why`` is a part of the reason. No LaTeX anywhere. test_gallery.py runs them at ``FPS``.
"""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

from types import ModuleType

from manim import Scene

from . import animations, charts, filmed, shapes, space, stage, words

FPS = 10


def _scenes(module: ModuleType) -> list[type[Scene]]:
    """The scenes that a module defines, in its order."""
    defined = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, Scene)]
    return [scene for scene in defined if scene.__module__ == module.__name__]


RECORDED = [scene for module in (shapes, words, charts, animations, stage, space) for scene in _scenes(module)]
FILMED = _scenes(filmed)
# Manim goes through sets here (ConvexHull, TransformMatchingShapes): the seed of Python's hashes decides what it draws.
IN_NO_ORDER = {"Shapes", "Formulae", "Matches"}
