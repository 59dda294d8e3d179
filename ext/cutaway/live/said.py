"""The notes of a listing as plain text, where another page shows them: formulae as they look, facts as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docutils import nodes
from sphinx.environment import BuildEnvironment

from ..domain import Step
from ..math import FormulaError, node_to_text
from ..prose.facts import fact, filled

NOTE = "annotation"  # of a listing; its folder stands above this one


def texts(env: BuildEnvironment, steps: Mapping[str, Step]) -> dict[str, str]:
    """The first paragraph of each step's note."""
    found: dict[str, str] = {}
    for page in sorted({step.docname for step in steps.values()}):
        for node in env.get_doctree(page).findall(nodes.Element):
            step = node.get("step", "") if node.tagname == NOTE else ""
            if step in steps and step not in found:
                first = next(iter(node.findall(nodes.paragraph)), None)
                found[step] = " ".join("".join(_words(env, first, page)).split()) if first is not None else ""
    return found


def _words(env: BuildEnvironment, node: nodes.Node, page: str) -> Iterator[str]:
    if isinstance(node, fact):
        yield filled(env, node, page)
    elif isinstance(node, nodes.math):
        try:
            yield node_to_text(node)
        except FormulaError:
            yield node.astext()
    elif isinstance(node, nodes.Text):
        yield str(node)
    else:
        for child in node.children:
            yield from _words(env, child, page)
