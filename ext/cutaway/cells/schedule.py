"""Which pages are read side by side. Sphinx deals them out in slices of the alphabet, and the pages of one folder may
take as long as all the others: its process then works alone.

What takes long is a page's cells, and all that is known of them before they ran is how many lines they have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.parallel import make_chunks

CELL = re.compile(r"^(?P<fence>`{3,}|:{3,})\{code-cell\}[^\n]*\n(.*?)^(?P=fence)", re.MULTILINE | re.DOTALL)


def weight(path: Path) -> int:
    """Lines of a page's cells, and one for the page."""
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    cells = [text] if path.suffix == ".ipynb" else [code for _, code in CELL.findall(text)]
    return 1 + sum(bool(line.strip()) for code in cells for line in code.split("\n"))


def dealt(weights: Mapping[str, int], workers: int) -> list[str]:
    """The names in an order whose slices, as Sphinx will cut them, keep all workers busy.

    The slices that are begun at once are equally heavy, and the lightest pages come in those after them.
    """
    rooms = [len(slice) for slice in make_chunks(list(weights), workers)][:workers]
    order = sorted(weights, key=lambda name: (-weights[name], name))
    hands: list[list[str]] = [[] for _ in rooms]
    for name in order[: sum(rooms)]:
        free = [hand for hand, room in zip(hands, rooms, strict=True) if len(hand) < room]
        min(free, key=lambda hand: sum(weights[other] for other in hand)).append(name)
    return [*(name for hand in hands for name in hand), *order[sum(rooms) :]]


def deal(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    if app.parallel > 1:
        docnames[:] = dealt({name: weight(Path(env.doc2path(name))) for name in docnames}, app.parallel)
