"""A small book on disk for the tests of clips: scenes that work, scenes that don't, a recorded value."""

import json
import warnings
from pathlib import Path

import numpy as np

from cutaway.clips.render import Inputs
from cutaway.settings import Book
from cutaway.source.find import Span
from cutaway.store import Store
from cutaway.trace.names import Place
from cutaway.trace.reading import FORMAT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Manim imports warns of its own affairs
    import manim  # noqa: F401

SCENES = '''
"""Scenes."""
import os
import time

import numpy as np
from manim import FadeIn, ImageMobject, Scene, Square

from cutaway.clips.scene.scene import RecordedScene

from .shared import box

unused = 1


class Plain(Scene):
    """Moves, then rests."""

    def construct(self):
        self.next_section("Grow", "poster")
        self.play(FadeIn(box()), run_time=0.4, subcaption="A <b>box</b> appears --> here")
        self.next_section("Rest")
        self.wait(2.6)


class Reads(RecordedScene):
    def construct(self):
        size = float(self.value("weights")[0, 1])
        assert self.shape("weights") == (2, 2) and self.fact("n") == 3
        square = self.tag(Square(size, color=self.theme.accent), "the-step")
        self.tag(square, "weigths")
        self.add(square)


class Filmed(RecordedScene):
    """Shows an image, which no recording can hold."""

    def construct(self):
        self.next_section("Grow", "poster")
        image = ImageMobject(np.full((540, 540, 4), 200, np.uint8))
        self.play(FadeIn(image), run_time=0.4, subcaption="A <b>box</b> appears --> here")
        self.next_section("Rest")
        self.wait(2.6)


class Foreign(RecordedScene):
    """Draws in a colour that is none of the palette's."""

    def construct(self):
        self.add(Square(color="#12ff34"))


class Raises(Scene):
    def construct(self):
        box().no_such_method()


class Hangs(Scene):
    def construct(self):
        while True:
            time.sleep(0.05)


class Killed(Scene):
    def construct(self):
        os.kill(os.getpid(), 9)


class Misnamed(RecordedScene):
    def construct(self):
        self.value("weigths")


class NoScene:
    """A class of another kind."""
'''
SHARED = "from manim import Square\n\n\ndef box():\n    return Square(1)\n"


def write_book(folder: Path, limit_s: int = 60) -> Book:
    """A book whose clips are 160 by 90 pixels."""
    scenes = folder / "scenes"
    scenes.mkdir(parents=True)
    (scenes / "some.py").write_text(SCENES)
    (scenes / "shared.py").write_text(SHARED)
    store = Store(folder / "store")
    return Book(folder, {}, (folder / "runs.py",), scenes, store, (160, 90), 10, limit_s, workers=2)


def write_trace(path: Path, weight: float = 2.0) -> Inputs:
    """A recorded run ``tiny``: one function with the variable ``weights``, made by the step ``the-step``."""
    weights = np.array([[1.0, weight], [3.0, 4.0]], dtype=np.float32)
    key = f"weights {weight}"
    np.savez(path.with_suffix(".npz"), **{key: weights})
    data = {
        "format": FORMAT,
        "run": "tiny",
        "facts": {"n": 3},
        "log": {},
        "passes": ["forward"],
        "live": {},
        "values": [
            {
                "type": "tensor",
                "digest": key,
                "shape": [2, 2],
                "dtype": "float32",
                "axes": ["T", "T"],
                "kept": True,
            }
        ],
        "parameters": {},
        "functions": ["m.f"],
        "sites": [[0, "bind", [1, 0, 1, 7], "weights"]],
        "calls": [["forward", 0, "", None, None, 0]],
        "records": [[0, 0, 0, "", []]],
        "tape": [],
        "given": [],
        "strange": [],
        "read": [],
    }
    path.write_text(json.dumps(data))
    return Inputs({"tiny": str(path)}, {"the-step": Place("m.f", Span(1, 0, 1, 7))})
