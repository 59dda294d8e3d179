"""A resolved page as Markdown: CommonMark, with tables and with ``$`` for formulae.

``blocks(node, page)`` gives the paragraphs of a block; what has no words gives none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import singledispatch
from html import unescape

from docutils import nodes
from sphinx import addnodes

from ..math import display_latex
from .spans import Page, around, escaped, inline, latex, link, plainly

LANGUAGES = {"ipython3": "python", "ipython": "python", "none": "text", "default": "text", "myst-ansi": "text"}


@singledispatch
def blocks(node: nodes.Node, page: Page) -> Iterator[str]:
    if isinstance(node, nodes.TextElement):
        text = "".join(inline(child, page) for child in node.children).strip()
        if text:
            yield f"**{text}**" if "sd-summary-title" in node.get("classes", ()) else plainly(text)
    else:
        yield from inside(node.children, page)


def inside(children: Iterable[nodes.Node], page: Page) -> Iterator[str]:
    for child in children:
        yield from blocks(child, page)


@blocks.register(nodes.comment)
@blocks.register(nodes.target)
@blocks.register(nodes.system_message)
@blocks.register(nodes.substitution_definition)
@blocks.register(addnodes.toctree)
def _no_block(node: nodes.Node, page: Page) -> Iterator[str]:
    return iter(())


@blocks.register
def _raw(node: nodes.raw, page: Page) -> Iterator[str]:
    words = dict.fromkeys(re.findall(r'<img [^>]*?alt="([^"]*)"', node.astext()))
    if words:
        yield from (f"**Picture:** {escaped(unescape(alt))}" for alt in words)
    elif isinstance(node.parent, nodes.Element) and node.parent.get("nb_element") == "cell_code_output":
        yield "*(What the cell shows is on the page alone.)*"


@blocks.register
def _section(node: nodes.section, page: Page) -> Iterator[str]:
    depth, above = 1, node.parent
    while isinstance(above, nodes.section):
        depth, above = depth + 1, above.parent
    for child in node.children:
        if isinstance(child, nodes.title):
            words = "".join(inline(part, page) for part in child.children)
            yield f"{'#' * min(depth, 6)} {words}{address(node, page)}"
        else:
            yield from blocks(child, page)


def address(node: nodes.Element, page: Page) -> str:
    """The id of a thing as a link to its permanent address."""
    found = ((id, page.permanent(id)) for id in node["ids"])
    return next((f" {link(f'#{id}', lasting)}" for id, lasting in found if lasting), "")


@blocks.register
def _rubric(node: nodes.rubric, page: Page) -> Iterator[str]:
    yield around("**", node, page)


@blocks.register
def _transition(node: nodes.transition, page: Page) -> Iterator[str]:
    yield "---"


@blocks.register
def _bullets(node: nodes.bullet_list, page: Page) -> Iterator[str]:
    yield items([("-", inside(item.children, page)) for item in node.children])


@blocks.register
def _numbered(node: nodes.enumerated_list, page: Page) -> Iterator[str]:
    first = node.get("start", 1)
    yield items([(f"{number}.", inside(item.children, page)) for number, item in enumerate(node.children, first)])


@blocks.register(nodes.definition_list_item)
@blocks.register(nodes.field)
def _definition(node: nodes.Element, page: Page) -> Iterator[str]:
    term, *rest = node.children
    yield items([("-", [f"**{inline(term, page)}**", *inside(rest, page)])])


def items(rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A list of what has a mark and blocks; tight where each is one block."""
    printed = []
    for mark, parts in rows:
        first, *more = "\n\n".join(parts).split("\n")
        indent = " " * (len(mark) + 1)
        printed.append("\n".join([f"{mark} {first}".rstrip(), *(indent + row if row else "" for row in more)]))
    return ("\n\n" if any("\n\n" in text for text in printed) else "\n").join(printed)


@blocks.register
def _quotation(node: nodes.block_quote, page: Page) -> Iterator[str]:
    yield from _quoted(node, page, [])


def _admonition(node: nodes.Element, page: Page) -> Iterator[str]:
    titled = isinstance(node.children[0], nodes.title)
    yield from _quoted(node, page, [] if titled else [f"**{node.tagname.capitalize()}**"])


for kind in (
    *(nodes.admonition, nodes.attention, nodes.caution, nodes.danger, nodes.error, nodes.hint, nodes.important),
    *(nodes.note, nodes.tip, nodes.warning, addnodes.seealso),
):
    blocks.register(kind)(_admonition)


@blocks.register(nodes.title)
def _title(node: nodes.title, page: Page) -> Iterator[str]:
    yield around("**", node, page)


def _quoted(node: nodes.Element, page: Page, title: list[str]) -> Iterator[str]:
    lines = "\n\n".join([*title, *inside(node.children, page)]).split("\n")
    yield "\n".join(f"> {line}".rstrip() for line in lines)


@blocks.register(nodes.literal_block)
@blocks.register(nodes.doctest_block)
def _code_block(node: nodes.Element, page: Page) -> Iterator[str]:
    language = str(node.get("language", "text"))
    yield fenced(node.astext(), LANGUAGES.get(language, language))


def fenced(text: str, language: str = "text") -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


@blocks.register
def _math_block(node: nodes.math_block, page: Page) -> Iterator[str]:
    tag = rf" \tag{{{node['number']}}}" if node.get("label") else ""
    yield f"$$\n{latex(display_latex(node.astext()))}{tag}\n$$"


@blocks.register
def _picture(node: nodes.image, page: Page) -> Iterator[str]:
    yield from filter(None, [inline(node, page)])


@blocks.register
def _container(node: nodes.container, page: Page) -> Iterator[str]:
    before = node.parent.children[: node.parent.index(node)] if node.parent else []
    if node.get("nb_element") == "cell_code_output" and before and node.children:
        yield "Output:"  # of the cell above; where that is not shown, nothing is to be told apart
    yield from inside(node.children, page)


@blocks.register
def _table(node: nodes.table, page: Page) -> Iterator[str]:
    title = [f"*{inline(child, page)}*" for child in node.children if isinstance(child, nodes.title)]
    head = [_row(row, page) for part in node.findall(nodes.thead) for row in part.children]
    body = [_row(row, page) for part in node.findall(nodes.tbody) for row in part.children]
    width = max((len(row) for row in [*head, *body]), default=0)
    first = head[0] if head else [""] * width
    rows = [first, ["---"] * width, *head[1:], *body]
    yield from title
    yield "\n".join(f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows)


def _in_cell(node: nodes.Node, page: Page) -> Iterator[str]:
    """A block in one line: a cell has no room for a list."""
    if isinstance(node, nodes.bullet_list | nodes.enumerated_list):
        yield "; ".join(" ".join(inside(item.children, page)) for item in node.children)
    else:
        yield from blocks(node, page)


def _row(row: nodes.Node, page: Page) -> list[str]:
    cells: list[str] = []
    for entry in row.children:
        text = " ".join(" ".join(part for child in entry.children for part in _in_cell(child, page)).split())
        cells += [re.sub(r"(?<!\\)\|", r"\\|", text), *[""] * entry.get("morecols", 0)]  # type: ignore[attr-defined]
    return cells
