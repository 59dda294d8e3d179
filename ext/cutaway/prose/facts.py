"""Roles for prose that can't disagree with the run.

``{fact}`sort.n_params```            a recorded number: 85,584
``{fact}`sort.accuracy:.1%```        with a format, as in Python's f-strings
``{fact}`sort.share:about```         in words: about a third (:mod:`cutaway.prose.words`)
``{fact}`cell.share```               what a cell of the same page noted
``{fact}`sort/attention-forward-mask.shape```   a shape, coloured by dimension
``{dim}`T```                         a dimension's letter in its colour

A name that names nothing recorded is a warning that lists the nearest ones; the page shows the name.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from ..build import warn
from ..cells.page_names import is_excused, page_names
from ..domain import cutaway_domain, nearest
from ..page_order import page_of
from ..theme import shapes
from ..theme.palette import DIMENSIONS
from ..trace.names import Found, Names, UnknownName
from ..trace.reading import TraceError
from .words import in_words

_TEXT = re.compile(r"^(?P<name>[^:]+?)(?::(?P<format>.+))?$")


class fact(nodes.Inline, nodes.TextElement):
    """A number still to be filled in; attributes ``name`` and ``format``."""


class FactRole(SphinxRole):
    """A recorded number or shape by its name, ``sort.accuracy:.1%`` with a format, ``sort.share:about`` in words."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name, form = asked(self.text)
        node = fact(self.rawtext, name, name=name, format=form)
        node.source, node.line = self.get_source_info()
        cutaway_domain(self.env).note_use(self.env.current_document.docname, "fact", {"name": name})
        return [node], []


def asked(text: str) -> tuple[str, str]:
    """The name and the format in the text of the role."""
    parsed = _TEXT.match(text.strip())
    return (parsed["name"], parsed["format"] or "") if parsed else (text, "")


class DimRole(SphinxRole):
    """A dimension's letter in its colour, ``T``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        found = DIMENSIONS.get(self.text)
        if found is None:
            known = f"there is {', '.join(DIMENSIONS)}; cutaway_dimensions in conf.py adds others"
            message = f"no dimension '{self.text}'{nearest(self.text, DIMENSIONS)}; {known}"
            warn(self.env, message, self.get_location(), "dim")
            return [nodes.inline(self.rawtext, self.text)], []
        classes = ["cutaway-dim", f"cutaway-dim-{found.letter}"]
        return [nodes.inline(self.rawtext, found.letter, classes=classes)], []


def fill(found: Found, form: str = "") -> nodes.inline:
    """The node that shows a value; ``ValueError`` where the format does not fit or there is too much to show."""
    value = found.value
    if found.scalar is not None:
        return nodes.inline("", shown(found.scalar, form), classes=["cutaway-fact"])
    if value is not None and found.is_shape:
        return shapes.inline(value.shape or (), value.axes)
    if value is not None and value.type == "tensor" and value.shape == ():
        return nodes.inline("", shown(value.array().item(), form), classes=["cutaway-fact"])
    if value is not None and value.type == "scalar":
        return nodes.inline("", shown(value.scalar, form), classes=["cutaway-fact"])
    what = f"a tensor of shape {value.shape}" if value is not None and value.shape else "more than one number"
    raise ValueError(f"it is {what}; add .shape or an index such as [0, 2]")


def in_text(names: Names, text: str) -> str:
    """What the role shows, as plain text; LookupError where there is no such value or the format does not fit."""
    name, form = asked(text)
    found = names.resolve(name)
    if found.scalar is None and found.is_shape and found.value is not None:
        return shapes.text(found.value.shape or ())
    try:
        return fill(found, form).astext()
    except ValueError as error:
        raise LookupError(f"{name}: {error}") from error


def filled(env: BuildEnvironment, node: fact, docname: str) -> str:
    """What a fact of a page shows, as plain text; its name where there is no such value."""
    try:
        return in_text(page_names(env, docname), f"{node['name']}:{node['format']}".rstrip(":"))
    except (LookupError, TraceError, ValueError):
        return str(node["name"])


def shown(value: Any, form: str = "") -> str:
    """A number as prose shows it: thousands separated, four significant digits.

    >>> shown(85584), shown(0.123456), shown(0.5, ".0%")
    ('85,584', '0.1235', '50%')
    """
    if form:
        words = in_words(value, form)
        return formatted(value, form) if words is None else words
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def formatted(value: Any, form: str) -> str:
    """A value in a format of Python's; ValueError where it does not fit, or asks for a page full of digits."""
    if re.search(r"\d{3}", form):
        raise ValueError(f"the format '{form[:60]}' asks for a hundred characters or more")
    try:
        return format(value, form)
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    pending = list(doctree.findall(fact))
    if not pending:
        return
    pages = [node.get("page") or page_of(node, docname) for node in pending]  # the glossary has sentences of others
    names = {page: page_names(app.env, page) for page in set(pages)}
    for node, page in zip(pending, pages, strict=True):
        try:
            shown = fill(names[page].resolve(node["name"]), node["format"])
            shown["of"] = node["name"]  # what is live finds it again
            node.replace_self(shown)
        except (UnknownName, TraceError, ValueError) as error:
            if "page" not in node and not is_excused(app.env, page, node["name"]):
                warn(app.env, f"{node['name']}: {error}", node, "fact")
            node.replace_self(nodes.literal("", node["name"]))


def _as_text(translator: Any, node: nodes.Element) -> None:
    """Where nothing was filled in (a heading in the table of contents), the name itself is printed."""


def setup(app: Sphinx) -> None:
    plain = (_as_text, _as_text)
    app.add_node(fact, html=plain, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_role("fact", FactRole())
    app.add_role("dim", DimRole())
