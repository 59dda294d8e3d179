"""Mark the first column of a table as row headers if its upper left corner is empty: screen readers announce them."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def name_rows(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for group in doctree.findall(nodes.tgroup):
        columns, head = list(group.findall(nodes.colspec)), next(iter(group.findall(nodes.thead)), None)
        if head is not None and len(columns) > 1 and not head.next_node(nodes.entry).astext().strip():  # type: ignore[union-attr]
            columns[0]["stub"] = 1
