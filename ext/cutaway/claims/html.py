"""A claim in HTML: its words, and a tooltip with its condition and the values in it."""

from __future__ import annotations

import html
from typing import Any

from .directive import claim, claim_block
from .verdicts import shown


def visit(translator: Any, node: claim | claim_block) -> None:
    tag = "div" if isinstance(node, claim_block) else "span"
    attributes = {"tabindex": "0", "aria-describedby": f"{node['claim']}-why"}
    translator.body.append(translator.starttag(node, tag, "", CLASS="cutaway-claim", **attributes))


def depart(translator: Any, node: claim | claim_block) -> None:
    tag = "div" if isinstance(node, claim_block) else "span"
    translator.body.append(f"{why(node)}</{tag}>")


def why(node: claim | claim_block) -> str:
    """The tooltip: the condition, whether it holds, and what every name in it stands for."""
    found = node["verdict"]
    word = "holds" if found.holds else "does not hold"
    values = "".join(
        f'<span class="cutaway-claim-value">{html.escape(name)} = {html.escape(shown(value))}</span> '
        for name, value in found.values.items()
    )
    condition = f'<span class="cutaway-claim-condition">{html.escape(node["condition"])}</span>'
    return (
        f'<span class="cutaway-claim-why" role="tooltip" id="{node["claim"]}-why">'
        f"<span>Checked: {condition} {word}.</span> {values}</span>"
    )
