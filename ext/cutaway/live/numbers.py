"""Numbers in prose that a page can ask about: a fact that is one number of a tensor gets the address of its cell."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from ..build import names_of, trace_of
from ..trace.names import UnknownName
from ..trace.reading import TraceError
from .making import address, scripts

INDEX = re.compile(r"\[([\d, -]+)\]$")


class cell(nodes.Inline, nodes.TextElement):
    """A number in prose; attribute ``address``."""


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if not scripts(app.env):
        return
    for node in list(doctree.findall(nodes.inline)):
        found = _address(app, node["of"]) if "of" in node else ""
        if found:
            node.replace_self(cell("", "", *node.children, classes=node["classes"], address=found))


def _address(app: Sphinx, name: str) -> str:
    """Of the cell that a fact names, as in ``sort/attention-forward-softmax[0, 2]``."""
    index = INDEX.search(name)
    if index is None or "/" not in name or ".shape" in name:
        return ""
    try:
        trace = trace_of(app.env, re.split(r"[./@]", name, maxsplit=1)[0])
        value = names_of(app.env).resolve(name[: index.start()]).value
    except (TraceError, UnknownName):
        return ""
    if value is None or value.shape is None:
        return ""
    places = [int(one) for one in index[1].split(",") if one.strip()]
    sizes = zip(places, value.shape, strict=True) if len(places) == len(value.shape) else ()
    return address(app.env, trace, value, [place % size for place, size in sizes]) if sizes else ""


def visit(translator: Any, node: cell) -> None:
    translator.body.append(translator.starttag(node, "span", "", **{"data-live": node["address"]}))


def depart(translator: Any, node: cell) -> None:
    translator.body.append("</span>")


def _plain(translator: Any, node: cell) -> None:
    """Its text says it all."""


def setup(app: Sphinx) -> None:
    plain = (_plain, _plain)
    app.add_node(cell, html=(visit, depart), latex=plain, text=plain, man=plain, texinfo=plain)
