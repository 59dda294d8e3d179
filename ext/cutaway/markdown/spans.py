"""Inline nodes as Markdown: text, code, formulae, links.

``inline(node, page)`` gives the text; what has no words (a theme's markup, targets, comments) gives none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from docutils import nodes
from sphinx import addnodes


@dataclass(frozen=True)
class Page:
    """What a page's Markdown needs to know of the site."""

    link: Callable[[str], str]  # from an address in the page to one in its Markdown, "" if that has no such place
    permanent: Callable[[str], str]  # the permanent address of an id, "" where it has none
    root: str = ""  # leads to the site's root


@singledispatch
def inline(node: nodes.Node, page: Page) -> str:
    return "".join(inline(child, page) for child in node.children)


@inline.register(nodes.raw)
@inline.register(nodes.comment)
@inline.register(nodes.target)
@inline.register(nodes.system_message)
def _nothing(node: nodes.Node, page: Page) -> str:
    return ""


@inline.register
def _text(node: nodes.Text, page: Page) -> str:
    return escaped(str(node))


@inline.register
def _literal(node: nodes.literal, page: Page) -> str:
    return code(node.astext())


@inline.register
def _emphasis(node: nodes.emphasis, page: Page) -> str:
    return around("*", node, page)


@inline.register
def _strong(node: nodes.strong, page: Page) -> str:
    return around("**", node, page)


def around(mark: str, node: nodes.Element, page: Page) -> str:
    """The text of a node between marks, if it has any."""
    text = "".join(inline(child, page) for child in node.children).strip()
    return f"{mark}{text}{mark}" if text else ""


@inline.register
def _subscript(node: nodes.subscript, page: Page) -> str:
    return f"_{node.astext()}"


@inline.register
def _superscript(node: nodes.superscript, page: Page) -> str:
    return f"^{node.astext()}"


@inline.register
def _math(node: nodes.math, page: Page) -> str:
    return f"${latex(' '.join(node.astext().split()))}$"


def latex(text: str) -> str:
    """A formula as it stands in Markdown, where ``<b`` would begin an element; LaTeX takes no notice of the space."""
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", text)


@inline.register
def _image(node: nodes.image, page: Page) -> str:
    return f"*Picture: {escaped(node['alt'])}*" if node.get("alt") else ""


@inline.register
def _reference(node: nodes.reference, page: Page) -> str:
    text = "".join(inline(child, page) for child in node.children)
    href = page.link(node["refuri"] if "refuri" in node else f"#{node['refid']}" if "refid" in node else "")
    return linked(text, href)


@inline.register
def _download(node: addnodes.download_reference, page: Page) -> str:
    text = escaped(node.astext())
    return linked(text, page.link(f"{page.root}_downloads/{node['filename']}") if "filename" in node else "")


def linked(text: str, href: str) -> str:
    """A link, or the text alone where there is nothing that it could lead to."""
    return link(text, href) if href else text


def link(text: str, href: str) -> str:
    return f"[{text}](<{href}>)" if re.search(r"[\s()]", href) else f"[{text}]({href})"


def code(text: str) -> str:
    """A code span, fenced by more backticks than it holds."""
    text = " ".join(text.split("\n"))
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    blank = " " if text.strip() and re.search("^[` ]|[` ]$", text) else ""
    return f"{fence}{blank}{text}{blank}{fence}"


# An underscore is one's own between letters alone, not beside another.
SPECIAL = re.compile(
    r"([`*$]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|\](?=\()|<(?=[\w/!?])|&(?=#?\w+;))"
)


def escaped(text: str) -> str:
    """Text that means itself: what Markdown would take for its own gets a backslash."""
    return SPECIAL.sub(r"\\\1", text)


def plainly(text: str) -> str:
    """A paragraph none of whose lines begins a list, a heading, a quotation or a fence, or underlines the one above."""
    text = re.sub(r"^(\s*\d{1,9})(?=[.)](\s|$))", r"\1\\", text, flags=re.MULTILINE)
    return re.sub(r"^(\s*)(?=>|~~~|#{1,6}(\s|$)|[+-](\s|$)|[=-]+\s*$)", r"\1\\", text, flags=re.MULTILINE)
