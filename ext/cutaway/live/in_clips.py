"""Cells in clips that a page can ask about: for each thing that a clip shows, where the page computes its numbers."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from ..build import names_of, trace_of
from ..clips import resolve as clip_resolve
from ..clips.directive import clip
from ..trace.names import UnknownName
from ..trace.reading import TraceError
from .making import address, scripts


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if not scripts(app.env):
        return
    for node in doctree.findall(clip):
        found = clip_resolve.found(app.env, node)
        if found is not None and "shown" in node:
            places = {tag: _where(app, node["run"], tag) for tag in sorted(found.tags)}
            node["shown"]["asks"] = {tag: where for tag, where in places.items() if where}


def _where(app: Sphinx, run: str, tag: str) -> str:
    """Of what a tag names, a step or a value; "" where no page computes it."""
    try:
        names = names_of(app.env, run)
        value = names.resolve(tag).value
        named = tag.partition("/")[0].partition(".")[0]
        return address(app.env, trace_of(app.env, named if named in names.traces else run), value)
    except (TraceError, UnknownName):
        return ""
