r"""Formulae as MathML, made while building: pages ask no other host for a script, and read the same without.

An author types ``$e^{-\infty} = 0$`` as ever. What cannot be converted is a warning with its place, and the
page shows the LaTeX as it was typed. Other builders get Sphinx's own maths. A project that wants MathJax back
says ``html_math_renderer = "mathjax"``.
"""

from __future__ import annotations

import html
import re
from functools import cache
from xml.etree import ElementTree

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from .build import warn

NAME = "mathml"


class FormulaError(Exception):
    """A formula that is no LaTeX we know."""


@cache
def to_mathml(latex: str, display: bool) -> str:
    r"""``to_mathml(r"\frac{1}{2}", False)`` -> ``<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>``."""
    converter = LatexToMathML(fancy_error=False)
    try:
        return converter.convert_with_local_state(latex, displaystyle=display)
    except LatexError as error:
        offset, _colon, complaint = str(error).partition(": ")
        raise FormulaError(f"{complaint.rstrip('.')} (at character {offset} of '{latex}')") from None


def display_latex(text: str) -> str:
    r"""A displayed formula, its rows aligned at ``&``; as in Sphinx, an empty line ends a row like ``\\``."""
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    rows = r" \\ ".join(parts)
    if len(parts) == 1 and (r"\\" not in rows or rows.startswith(r"\begin{align")):
        return rows
    return rf"\begin{{aligned}} {rows} \end{{aligned}}"


def node_to_mathml(node: nodes.math | nodes.math_block) -> str:
    if isinstance(node, nodes.math):
        return to_mathml(node.astext(), False)
    return to_mathml(display_latex(node.astext()), True)


def node_to_text(node: nodes.math | nodes.math_block) -> str:
    """A formula in one line of plain text: ``softmax(QK^⊤/√D)``."""
    mathml = re.sub(r"&(?!lt;|gt;|amp;|#)\w+;", lambda entity: html.unescape(entity[0]), node_to_mathml(node))
    return " ".join(_text(ElementTree.fromstring(mathml)).split())


def _text(element: ElementTree.Element) -> str:
    parts = [_text(child) for child in element]
    match element.tag.rpartition("}")[2]:
        case "msup":
            return f"{parts[0]}^{_one(parts[1])}"
        case "msub" | "munder":
            return f"{parts[0]}_{_one(parts[1])}"
        case "msubsup" | "munderover":
            return f"{parts[0]}_{_one(parts[1])}^{_one(parts[2])}"
        case "mfrac":
            return f"{_one(parts[0])}/{_one(parts[1])}"
        case "msqrt":
            return f"√{_one(''.join(parts))}"
    return (element.text or "").strip("\u2061 \n") + "".join(parts)


def _one(text: str) -> str:
    """In brackets, where it is more than one thing."""
    return text if len(text) < 2 or text.isalnum() or text.lstrip("−-").isalnum() or text == "−∞" else f"({text})"


def check(app: Sphinx, doctree: nodes.document) -> None:
    """Say which formulae of a page cannot be converted, and where."""
    if app.config.html_math_renderer not in (None, NAME):
        return
    for node in doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)):
        assert isinstance(node, nodes.math | nodes.math_block)
        try:
            node_to_mathml(node)
        except FormulaError as error:
            block = node if node.line else node.parent  # inline nodes do not know their line
            warn(app.env, f"formula: {error}", block, "math")


def print_formula(writer: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    try:
        writer.body.append(node_to_mathml(node))
    except FormulaError:
        writer.body.append(f"<code>{writer.encode(node.astext())}</code>")


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate"))
    print_formula(writer, node)
    writer.body.append("</span>")
    raise nodes.SkipNode


def visit_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate"))
    print_formula(writer, node)
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, _("Link to this equation"))
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer(NAME, (visit_inline, None), (visit_block, None))
    app.connect("doctree-read", check)
