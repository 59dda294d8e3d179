"""The code of a cell is folded, so that a page shows results first; the tag ``show-code`` leaves a cell open.

One button, which ``book.js`` makes, opens the code of all cells, and the reader's choice holds on every page.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

OPEN = "tag_show-code"  # as myst-nb writes a cell's tags


class FoldCode(SphinxPostTransform):
    """Mark the cells whose code nothing hides in another way; myst-nb does the rest."""

    default_priority = 198  # just before myst-nb's HideInputCells
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        for cell in self.document.findall(nodes.container):
            source = next(iter(cell.children), None)
            if not isinstance(source, nodes.container) or source.get("nb_element") != "cell_code_source":
                continue
            if cell.get("hide_mode") not in (None, "", "input") or OPEN in cell["classes"]:
                continue
            lines = len(source.astext().strip().splitlines())
            said = f"Code, {lines} line{'s' if lines > 1 else ''}"
            cell.update_basic_atts({"classes": ["book-cell"]})
            cell["hide_mode"], cell["prompt_show"], cell["prompt_hide"] = "input", said, said


def setup(app: Sphinx) -> None:
    app.add_post_transform(FoldCode)
