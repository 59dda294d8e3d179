"""The kinds of warnings, ``cutaway.KIND``; ``suppress_warnings = ["cutaway.clip"]`` in conf.py silences one."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "answer",
    "card",
    "claim",
    "clip",
    "diagram",
    "dim",
    "executor",
    "fact",
    "listing",
    "live",
    "math",
    "notebooks",
    "permalinks",
    "plotly",
    "reference",
    "runs",
    "search",
    "sequence",
    "step",
    "store",
    "term",
    "walk",
]

WARNINGS: dict[Kind, str] = {
    "answer": "An answer names no recorded value or none that can be typed, one of its wrong answers counts as right, "
    "or it has no solution.",
    "card": "A card, a badge or an animated picture could not be drawn; links show the address alone.",
    "claim": "A claim has no condition or no sentence, its condition can't be computed, or it is false.",
    "clip": "The scene, the run or a kind of file does not exist, ``:alt:`` is missing, the clip or a file of it could "
    "not be made, or an object's tag names nothing.",
    "diagram": "The function can't be found or drawn, the drawing is too large or has no ``:alt:``, or a link in it "
    "leads nowhere or has words that don't occur exactly once.",
    "dim": "The letter is no dimension; ``cutaway_dimensions`` adds others.",
    "executor": "The cluster of ``cutaway_executor`` can't be used; the clips are drawn on this machine.",
    "fact": "The name stands for no recorded value, or for none that the format can print.",
    "listing": "The object or a quotation can't be found, a note has no id or no valid one, two listings define one "
    "step, or the shapes of a step are unknown.",
    "live": "The value or its graph does not exist, ``:alt:`` is missing, or a page can't compute the pass or gets "
    "other numbers than were recorded.",
    "math": "The formula can't be converted to MathML.",
    "notebooks": "A setting of the notebooks is wrong, or what they need to run without a checkout can't be served.",
    "permalinks": "A section has no lasting id, an id is used twice or is no address, or an id left the registry or "
    "its page.",
    "plotly": "A plot is a picture only: a package for interactive plots is missing.",
    "reference": "There is no table of that name.",
    "runs": "A setting or a declaration of a run is wrong, a run failed, or a pinned file can't be used.",
    "search": "The table of synonyms can't be read, or a line of it is none.",
    "sequence": "The run does not exist.",
    "step": "The role names no step.",
    "store": "A file could not be kept; what it holds is made again by the next build.",
    "term": "A term has no name or is defined a second time, or a link names one that no page defines.",
    "walk": "The class can't be found, no run recorded a pass of it, or ``:alt:`` is missing.",
}
