"""The pages of a book: their order in reading, and which of them a node was written on."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment


def in_order(env: BuildEnvironment) -> list[str]:
    """The pages in the order of reading, as the tables of contents have them; then those that stand in none."""
    return list(dict.fromkeys([*_below(env, env.config.root_doc), *sorted(env.found_docs)]))


def _below(env: BuildEnvironment, page: str) -> Iterator[str]:
    seen, waiting = set[str](), [page]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += reversed(env.toctree_includes.get(name, []))


def page_of(node: nodes.Node, docname: str) -> str:
    """The page that a node was written on; ``docname``: that which is written, into which a builder may join others."""
    at: nodes.Node | None = node
    while at is not None:
        if isinstance(at, nodes.section | addnodes.start_of_file) and "docname" in at:
            return str(at["docname"])  # Sphinx's own note on what it has joined
        at = at.parent
    return docname
