"""An answer in HTML: a field that the script shows, hints that it uncovers, and the solution, which needs none."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from docutils import nodes

ASKED = {
    "number": "Your answer, a number",
    "numbers": "Your answer, numbers with commas",
    "text": "Your answer",
    "truth": "Your answer, yes or no",
}


def visit_answer(translator: Any, node: nodes.Element) -> None:
    translator.body.append('<div class="cutaway-answer">\n')
    found = node.get("found")
    if not found:
        return
    right, wrong = found
    data = {
        "kind": right.kind,
        "value": right.value,
        "within": right.within,
        "wrong": [other.value if other.kind == right.kind else None for other in wrong],
    }
    name = f"answer-{node['key']}"
    field = (
        f'<input id="{name}" type="text" maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false">'
    )
    translator.body.append(
        f'<form hidden data-answer="{escape(json.dumps(data))}"><label for="{name}">{ASKED[right.kind]}</label> '
        f'<span>{field} <button type="submit">Check</button></span>\n<div role="status"><p></p>\n'
    )


def depart_answer(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</div>\n")


def visit_mistake(translator: Any, node: nodes.Element) -> None:
    translator.body.append("<div hidden>\n" if node.parent.get("found") else '<div hidden class="cutaway-unused">\n')


def depart_mistake(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</div>\n")


def visit_solution(translator: Any, node: nodes.Element) -> None:
    end = "</div></form>\n" if node.parent.get("found") else ""
    translator.body.append(f"{end}<details><summary>Solution</summary>\n")


def depart_solution(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</details>\n")
