"""Names of the reader's files and tokens as a stage can show them: no control character, no endless line."""

import re
from pathlib import Path

from fieldguide.report import escaped

LONGEST = 36  # characters of a name on the stage
MARKS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍"}


def name_of(path: Path) -> str:
    """The end of a path: the file's name, or that of its folder where it is a general one."""
    name = path.name or str(path.resolve().name)
    return shortened(name)


def shortened(text: str, most: int = LONGEST) -> str:
    """A text of one line, its end left out where it is long."""
    shown = re.sub(r"\s+", " ", escaped(text)).strip() or "?"
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def token_text(text: str) -> str:
    """A token as one sees it: blanks and line ends as signs."""
    return shortened("".join(MARKS.get(character, character) for character in text), 12)
