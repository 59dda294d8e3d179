r"""``cutaway.math``: formulae as MathML, made while building. Pages ask no other host for a script, and need none.

An author types ``$e^{-\infty} = 0$`` as ever. What cannot be converted is a warning with its place, and the
page shows the LaTeX as it was typed. Other builders get Sphinx's own maths. A project that wants MathJax back
says ``html_math_renderer = "mathjax"``. ``\textcolor{red}{x}`` has the red of the page's theme; so have blue, green and
yellow.
"""

from __future__ import annotations

import html
import re
import subprocess
import sys
from functools import cache
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from .build import warn
from .parts import begin

NAME = "mathml"
LONGEST = 10_000  # characters of a formula
PLAIN = 400  # characters of a formula that can't nest too deep for the converter's stack
LIMIT_S = 5  # for any other
_OPENING = re.compile(r"[(\[⟨⟦⌈⌊⎰]|\\(?:[{lLu]|\w*open)")  # and some more: whoever has few of them has few brackets
_COLOUR = re.compile(r'(?<=style="color:)#[0-9A-Fa-f]{6}(?=;")')
HUES = ("blue", "green", "red", "yellow")  # of the palette
_DEFINES = re.compile(r"\\(?:\w*def|\w*command)\b")
_CHILD = """
import sys
from math_core import LatexError, LatexToMathML
try:
    latex, display = sys.stdin.buffer.read().decode(), sys.argv[1] == "True"
    print(LatexToMathML(fancy_error=False).convert_with_local_state(latex, displaystyle=display), end="")
except LatexError as error:
    sys.exit(f"LaTeX {error}")
"""


class FormulaError(Exception):
    """A formula that is no LaTeX we know."""


def to_mathml(latex: str, display: bool) -> str:
    r"""``to_mathml(r"\frac{1}{2}", False)`` -> ``<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>``."""
    mathml = _converted(latex, display)
    if isinstance(mathml, FormulaError):
        raise mathml
    return _COLOUR.sub(lambda found: _hues().get(found[0], found[0]), mathml)


@cache
def _hues() -> dict[str, str]:
    """The converter's colours as those of the theme: ``"#FF0000"`` -> ``"var(--cutaway-red, #FF0000)"``."""
    made = ((hue, _COLOUR.search(str(_converted(rf"\textcolor{{{hue}}}{{x}}", False)))) for hue in HUES)
    return {found[0]: f"var(--cutaway-{hue}, {found[0]})" for hue, found in made if found}


@cache
def _converted(latex: str, display: bool) -> str | FormulaError:
    """A formula that fails is not tried again: it may have taken all the time that it is given."""
    open = sum(map(latex.count, "([")) - sum(map(latex.count, ")]"))
    if len(latex) > LONGEST:
        return FormulaError(f"it has {len(latex):,} characters, at most {LONGEST:,} are read")
    if open > 20:
        return FormulaError(f"{open} of its brackets are left open")
    try:
        if len(latex) > PLAIN or len(_OPENING.findall(latex)) > 14 or _DEFINES.search(latex):
            return _apart(latex, display)
        return LatexToMathML(fancy_error=False).convert_with_local_state(latex, displaystyle=display)
    except LatexError as error:
        return FormulaError(_complaint(str(error), latex))
    except FormulaError as error:
        return error


def _apart(latex: str, display: bool) -> str:
    """In a process of its own: the converter's time doubles with each bracket left open, and its stack is finite."""
    command = [sys.executable, "-c", _CHILD, str(display)]
    try:
        done = subprocess.run(command, input=latex.encode(), capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise FormulaError(f"it took more than {LIMIT_S} s: are all its brackets closed?") from None
    said = done.stderr.decode("utf-8", "replace").strip()
    if said.startswith("LaTeX "):
        raise FormulaError(_complaint(said.removeprefix("LaTeX "), latex))
    if done.returncode:
        raise FormulaError("it can't be converted: is it nested too deep?")
    return done.stdout.decode()


def _complaint(error: str, latex: str) -> str:
    offset, _colon, complaint = error.partition(": ")
    return f"{complaint.rstrip('.')} (at character {offset} of '{latex}')"


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
    try:
        return " ".join(_text(ElementTree.fromstring(mathml)).split())
    except RecursionError:
        raise FormulaError("it is nested too deep") from None
    except ElementTree.ParseError as error:
        raise FormulaError(f"it can't be said as text: {error}") from None


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


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer(NAME, (visit_inline, None), (visit_block, None))
    return begin(app)
