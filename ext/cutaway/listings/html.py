"""A listing that was filled in, in HTML: a figure with the code, and the notes as a list beside it."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from ..theme import shapes
from ..trace.reading import Value
from .directive import annotation, listing
from .excerpt import Margin

WORDS_A_LINE = 6  # of notes, beside each line of code: as high as the code


def margin(found: Margin, address: Callable[[Value], str]) -> str:
    """What stands beside a line: the names of what it made, and their shapes; ``address``: how a page computes it."""
    parts = []
    for beside in found:
        named = zip(beside.names, beside.lasts, strict=True)
        shown, value = ", ".join(_name(name, address(last)) for name, last in named), beside.values[-1]
        if beside.shape is not None:
            kind = shapes.markup(beside.shape, value.axes)
        elif value.type == "tuple":
            kind = " ".join(shapes.markup(v.shape or (), v.axes) for v in value.items if v.type == "tensor")
        else:
            kind = html.escape(beside.text)
        times = f' <small title="rounds of a loop">{beside.times}</small>' if beside.times else ""
        parts.append(f"{shown} {kind}{times}")
    return " ".join(f"<span>{part}</span>" for part in parts)


def _name(name: str, address: str) -> str:
    asked = f' data-live="{html.escape(address)}"' if address else ""
    return f"<i{asked}>{html.escape(name)}</i>"


def visit(translator: Any, node: listing) -> None:
    body = translator.body
    body.append(translator.starttag(node, "figure", "", CLASS="cutaway-listing"))
    caption = f"<code>{html.escape(node['caption'])}</code> <span>lines {node['lines']}</span>"
    caption = f'<a href="{html.escape(node["source"])}">{caption}</a>' if node["source"] else caption
    caption += f" <span>{html.escape(node['origin'])}</span>" if node["origin"] else ""
    body.append(f'<figcaption class="cutaway-listing-caption">{caption}{node.get("link", "")}</figcaption>\n')
    is_open = not node["collapse"] or translator.builder.name == "epub"  # where not every reader can unfold
    body.append(f"<details{' open' if is_open else ''}><summary>{_told(node)}<i>Fold</i></summary>\n")
    css = "cutaway-listing-body cutaway-wordy" if _is_wordy(node) else "cutaway-listing-body"
    body.append(f'<div class="{css}">')
    code = f'<pre tabindex="0" aria-label="{html.escape(node["summary"])}">{node["code"]}</pre>'
    body.append(f'<div class="highlight-python notranslate"><div class="highlight">{code}</div></div>\n')
    if _has_notes(node):
        body.append('<ol class="cutaway-notes">\n')


def depart(translator: Any, node: listing) -> None:
    end = "</ol>" if _has_notes(node) else ""
    translator.body.append(end + "</div></details></figure>\n")


def _told(node: listing) -> str:
    """What the line says that stands for a folded listing."""
    notes = sum(isinstance(child, annotation) for child in node.children)
    many = f", {notes} note{'s' if notes > 1 else ''}" if notes else ""
    return f"<code>{html.escape(node['summary'])}{many}</code>"


def _is_wordy(node: listing) -> bool:
    """Whether the notes are longer than the code beside them, and get more room."""
    words = sum(len(child.astext().split()) for child in node.children if isinstance(child, annotation))
    return words > WORDS_A_LINE * node["code"].count("cutaway-lineno")


def _has_notes(node: listing) -> bool:
    return any(isinstance(child, annotation) for child in node.children)


def visit_note(translator: Any, node: annotation) -> None:
    broken = node["span"] is None
    attributes = {"data-note": str(node["number"]), "data-step": node["stands_for"], "value": str(node["number"])}
    css = "cutaway-note" + (" cutaway-broken" if broken else "")
    translator.body.append(translator.starttag(node, "li", "", CLASS=css, **attributes))
    back = "" if broken else f' href="{html.escape(node["href"])}-code"'
    parts = [
        f'<a class="cutaway-note-number"{back} aria-label="{node["number"]}, to the code">{node["number"]}</a>',
        f'<code class="cutaway-quotation">{html.escape(node["quotation"])}</code>',
    ]
    if node["owner"]:
        parts.append(f'<a class="cutaway-owner" href="{html.escape(node["owner"])}">explained here</a>')
    translator.body.append(f'{node.get("link", "")}<p class="cutaway-note-term">{" ".join(parts)}</p>\n')


def depart_note(translator: Any, node: annotation) -> None:
    links = "".join(f'<a href="{html.escape(href)}">{html.escape(words)}</a>\n' for words, href in node["elsewhere"])
    for rel, code, href in node["ways"]:
        words = "← before" if rel == "prev" else "after →"
        links += f'<a rel="{rel}" href="{html.escape(href)}" title="{html.escape(code)}">{words}</a>\n'
    seen = f'<p class="cutaway-elsewhere">{links}</p>\n' if links else ""
    translator.body.append(f"{seen}</li>\n")
