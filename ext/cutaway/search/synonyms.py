"""The table of other words: what readers type, and what the book says.

A line of the file that ``cutaway_synonyms`` names::

    # what readers type: what the book says
    backprop, chain rule: backward pass, gradient

Whoever looks for one of the left is shown what has one of the right, too, behind what has his own word.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

HOW = "write `what readers type: what the book says`, with commas between several"


class SynonymError(Exception):
    """A line that can't be read, or no file; ``place`` says where."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


def synonyms(app: Sphinx) -> list[list[list[str]]]:
    """Pairs of what is typed and what is said instead; raises SynonymError."""
    name = app.config.cutaway_synonyms
    if not name:
        return []
    path = Path(app.confdir, name)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cutaway_synonyms = {name!r} can't be read ({error}); name a text file beside conf.py"
        raise SynonymError(message, str(Path(app.confdir, "conf.py"))) from error
    return [_pair(line, f"{path}:{number}") for number, line in enumerate(text.splitlines(), 1) if _says(line)]


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _pair(line: str, place: str) -> list[list[str]]:
    sides = [[word.strip() for word in side.split(",")] for side in line.split(":")]
    if len(sides) != 2 or not all(word for side in sides for word in side):
        raise SynonymError(f"'{line.strip()}' is no line of synonyms; {HOW}", place)
    return sides
