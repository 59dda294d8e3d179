"""nGPT's embeddings and its output from near, and the numbers of one token on its way through the model. Used by
scenes/changes.py."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from manim import RIGHT, FadeIn, Line, MoveAlongPath, ReplacementTransform, VGroup, VMobject

from scenes.flow import Flow
from scenes.kit import EASE, HUGE, REST, at, px

TOKEN, LAYER, HEAD = 8, 2, 1
BLOCK = f"ngpt.forward/layers.{LAYER}"
TABLE, CELL, AROUND = (480, 350), (20, 56), 2  # of the table: its corner, a number, rows on either side of the token's
STATE = np.radians(152)  # where the state lies in the plane of its step
LINES = (460, 600, 740)  # heights of the rows of logits


class Inside(Flow):
    """A token on its way, and two pictures; each plays what happens in it, and returns what is to leave with it."""

    def read(self):
        """Lengths of one token's vectors on their way, and those of its step in the plane in which they lie."""
        attention, ff = (f"{BLOCK}.{half}.fn/ngpt" for half in (0, 1))
        q = (self.value(f"{attention}-attention-{name}")[0, HEAD, TOKEN] for name in ("q", "norm-q", "scaled-q"))
        self.q = [long(part) for part in q]
        hidden, gate = (self.value(f"{ff}-ff-{name}")[0, TOKEN].astype(float) for name in ("hidden", "gate"))
        self.gate, self.bent = long(gate), long(hidden * gate / (1 + np.exp(-gate)))
        self.mean = long(self.value(f"{attention}-attend-values")[0, :, TOKEN])
        self.ff_out = long(self.value(f"{ff}-ff-out")[0, TOKEN])
        x, out, moved = (
            self.value(f"{BLOCK}.0/{name}")[0, TOKEN].astype(float) for name in ("x", "out", "ngpt-step-lerp")
        )
        self.out, self.moved, towards = long(out), long(moved), out / long(out)
        aside = towards - (x @ towards) * x
        aside /= long(aside)
        plane = lambda v: complex(v @ x, -(v @ aside)) * np.exp(1j * STATE)  # noqa: E731
        self.in_plane = plane(x), plane(towards), plane(moved)
        self.alpha = float(np.abs(self.value(f"{BLOCK}.0/ngpt-alpha-return")).mean())

    @contextmanager
    def said(self, text: str) -> Iterator[None]:
        """The caption of all that happens inside."""
        began = self.time
        yield
        self.add_subcaption(text, duration=self.time - began, offset=began - self.time)

    def way(self, *places):
        return VMobject().set_points_as_corners([at(*place) for place in places])

    def go(self, *places, length=None, run_time=EASE, beside=()):
        """The token's vector goes on; where it arrives it has another ``length``, and is green where that is 1."""
        path = VMobject().set_points_as_corners([self.dot.get_center(), *(at(*place) for place in places)])
        self.play(MoveAlongPath(self.dot, path), *beside, run_time=run_time)
        if length is not None:
            self.length.set_value(length)
            self.dot.set_fill(self.theme.green if abs(length - 1) < 0.005 else self.theme.ink)

    def embeddings(self):
        token = int(self.value("ngpt.forward/idx")[0, TOKEN])
        name = "ngpt.forward/ngpt-logits-table"
        table, (left, top) = self.value(name), TABLE
        most, rows, marks = float(np.abs(table).max()), VGroup(), VGroup()
        for i, row in enumerate(range(token - AROUND, token + AROUND + 1)):
            y = top + 100 * i
            cells = self.signed(table[None, row], (left, y - CELL[1] / 2), CELL, most)
            rows.add(self.tensor(cells, name, (row,)))
            ink = self.theme.ink if row == token else self.theme.muted
            marks.add(self.code(chr(row), color=ink).move_to(at(left - 50, y)))
            marks.add(self.number(long(table[row]), color=ink).move_to(at(1610, y), aligned_edge=RIGHT))
        middle = (1720, top + 100 * AROUND)
        sizes = VGroup(self.letter("V", f"{len(table)} rows"), self.letter("C", f"{table.shape[1]} numbers"))
        sizes.arrange(RIGHT, buff=px(120)).move_to(at(960, 880))
        letter = self.code(chr(token), HUGE).move_to(at(200, middle[1]))
        arrow, ring = self.main((270, middle[1]), (390, middle[1])), self.boundary(middle)
        picture = VGroup(rows, marks, sizes, letter, arrow, ring)
        self.dot = self.tag(self.disc(middle), "ngpt-logits-x")
        frame = self.focus(rows[AROUND])
        with self.said(f"The row of “{chr(token)}” is the state with which the token sets out."):
            self.play(FadeIn(picture), run_time=0.5)
            self.play(FadeIn(frame), run_time=0.4)
            self.play(ReplacementTransform(rows[AROUND].copy(), self.dot), run_time=0.8)
            self.wait(REST)
        return VGroup(picture, frame)

    def output(self):
        names = [f"ngpt.forward/ngpt-logits-{name}" for name in ("cosines", "return")]
        z, logits = (self.value(name)[0, TOKEN].astype(float) for name in names)
        best = [int(i) for i in np.argsort(-logits)[:3]]
        table = self.box(f"{len(z)} rows", "normalised", (540, 600), (340, 140), "ngpt-logits-cosines")
        picture = VGroup(
            table, self.main((110, 600), (370, 600)), self.boundary((220, 600)), self.main((710, 600), (820, 600))
        )
        letters = VGroup(*(self.code(chr(i)).move_to(at(880, y)) for i, y in zip(best, LINES, strict=True)))
        head = self.words("cosine", color=self.theme.muted)
        cosines = VGroup(letters, self.numbers(1130, head, z[best]))
        head = VGroup(self.formula("times", color=self.theme.muted), self.formula("s_z", color=self.theme.yellow))
        scales = self.numbers(1430, head.arrange(RIGHT, buff=px(90)), (logits / z)[best], self.theme.yellow)
        head = VGroup(self.words("=", color=self.theme.muted), self.words("logit", color=self.theme.muted))
        results = self.numbers(1760, head.arrange(RIGHT, buff=px(90)), logits[best])
        for column, name in ((cosines[1], names[0]), (results, names[1])):
            for number, i in zip(column[1], best, strict=True):
                self.tensor(VGroup(number), name, (0, TOKEN, slice(i, i + 1)))
        frame = self.focus(VGroup(Line(at(850, 412), at(1784, 508))))
        with self.said(
            f"Each cosine is multiplied by its own learned s_z. “{chr(best[0])}” has the largest logit, "
            f"{logits[best[0]]:.2f}."
        ):
            self.play(FadeIn(picture), run_time=0.5)
            self.go((540, 600))
            self.remove(self.dot)
            self.play(FadeIn(cosines), run_time=0.4)
            self.play(FadeIn(scales), run_time=0.4)
            self.play(FadeIn(results), FadeIn(frame), run_time=0.4)
            self.wait(REST)
        return VGroup(picture, cosines, scales, results, frame)

    def numbers(self, right, head, values, color=None):
        """A column of numbers, and what they are."""
        column = VGroup(
            *(
                self.number(value, color=color).move_to(at(right, y), aligned_edge=RIGHT)
                for value, y in zip(values, LINES, strict=True)
            )
        )
        return VGroup(head.move_to(at(right, 320), aligned_edge=RIGHT), column)


def long(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))
