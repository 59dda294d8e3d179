"""The first cell of a notebook, by which it runs anywhere, and which runs the page's cells load."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..cells.keys import CellKeys, loaded, parsed
from ..runs.declared import declared
from ..settings import Book
from .fetching import FOLDER

REQUIREMENTS = "requirements.txt"
CELL = """\
# Run this cell first: elsewhere than in a checkout of the book it installs what the other cells import,
# and gets the book's source{and_weights}. In a checkout it does nothing.
SITE = {site!r}{where}
try:
    from cutaway.cells import find_book
    assert find_book().inventory == {name!r}
except Exception:
    if not SITE:
        raise SystemExit("Write the address at which you read the book into SITE, as 'https://...', and run this "
                         "cell again; or open the notebook in a checkout, with the Python that built the book.")
    SITE = SITE.rstrip("/") + "/"
    %env CUTAWAY_SITE=$SITE
    %pip install --quiet --requirement {{SITE}}{folder}/{requirements}
    from cutaway.notebooks import fetch
    fetch(SITE{runs})"""


def first_cell(site: str, name: str, runs: Sequence[str]) -> str:
    """The cell for a book of this name; ``site`` is ``""`` where its address is not known."""
    return CELL.format(
        site=site,
        where="    # the book's address" if site else "    # the address at which you read the book",
        name=name,
        and_weights=f" and the trained weights of {', '.join(runs)}" if runs else "",
        folder=FOLDER,
        requirements=REQUIREMENTS,
        runs="".join(f', "{run}"' for run in runs),
    )


def runs_of(cells: Iterable[str], book: Book) -> list[str]:
    """The pinned runs that cells load; where that can't be told, those whose name they write as a text."""
    sources = list(cells)
    pinned = [run.name for run in declared(book.runs) if run.pinned]
    tree = parsed([[source, []] for source in sources])
    named = None if tree is None else loaded(tree, CellKeys(book, {}).source)
    if named is None:
        text = "\n".join(sources)
        named = {name for name in pinned if re.search(rf"""["']{re.escape(name)}(?=["'./])""", text)}
    return [name for name in pinned if name in named]
