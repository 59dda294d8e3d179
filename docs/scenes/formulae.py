"""Formulae on the stage, typeset by Typst: each is written once, here, and its parts have names.

A page that has the same formula writes it in LaTeX; the two must be the same mathematics.
"""

from functools import cache

from manim import MathTypst, VGroup

from cutaway.theme.palette import Theme
from scenes.kit import LARGE

SMALLER = 0.85  # of the size of words, in Manim's unit for formulae: then an x of both is equally high
FORMULAE = {  # parts are written {{ part : name }}
    "step": '{{ h : new }} <- {{ op("Norm") : norm }}({{ h : h }} + {{ alpha : alpha }} compose '
    "({{ hat(f) : f }} - {{ h : h2 }}))",  # docs/ngpt/steps.md
    "products": "q dot k \\/ {{ sqrt(D) : root }}",  # and the next: docs/ngpt/changes.md, the table
    "cosines": "{{ sqrt(D) : root }} thin ({{ s_(q k) : s }} hat(q)) dot ({{ s_(q k) : s2 }} hat(k))",
    "h": "h",
    "f": "hat(f)",
    "given": "f",
    "alpha": "alpha",
    "s_qk": "s_(q k)",
    "s_u": "s_u",
    "s_nu": "s_nu sqrt(C)",
    "s_z": "s_z",
    "u": "u",
    "nu": "nu",
    "times": "times",
}


class Formula(VGroup):
    """A formula whose parts can be taken by their names: ``formula.part("alpha")``."""

    def __init__(self, typeset: MathTypst, names: list[str]) -> None:
        super().__init__(*typeset.submobjects)
        self.places = {name: [typeset.submobjects.index(glyph) for glyph in typeset.select(name)] for name in names}

    def part(self, name: str) -> VGroup:
        """The glyphs of a part, which a tag, a colour or a frame may be given."""
        return VGroup(*(self.submobjects[place] for place in self.places[name]))


@cache
def _typeset(name: str) -> Formula:
    """A formula, made once: its copies cost little."""
    text = FORMULAE[name]
    names = [piece.split("}}")[0].rsplit(":", 1)[1].strip() for piece in text.split("{{")[1:]]
    return Formula(MathTypst(text, font_size=SMALLER * LARGE), names)


def formula(theme: Theme, name: str, size: int = LARGE, color: str | None = None, **colours: str) -> Formula:
    """The formula of that name in the size of words beside it; ``colours`` are those of its parts, by their names."""
    made = _typeset(name).copy().scale(size / LARGE).set_color(color or theme.ink)
    for part, own in colours.items():
        made.part(part).set_color(own)
    return made
