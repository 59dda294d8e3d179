"""A formula in a clip is the one on the page beside it."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import re
from xml.etree import ElementTree

import pytest

from cutaway.math import to_mathml
from scenes.formulae import FORMULAE
from tests.conftest import ROOT

# Where a page has it, and what it looks like there.
ON_PAGES = {
    "step": ("ngpt/steps", r"^\$\$(\\textcolor.*)\$\$$"),
    "products": ("ngpt/changes", r"^\| scores \| \$([^$]*)\$"),
    "cosines": ("ngpt/changes", r"^\| scores \|[^|]*\| \$([^$]*)\$"),
}
SIGNS = {"<-": "←", "compose": "∘", "alpha": "α", "dot": "·", "\\/": "/", "thin": "", "-": "−", 'op("Norm")': "Norm"}
SIGNS |= {"hat(f)": "fˆ", "hat(q)": "qˆ", "hat(k)": "kˆ", "sqrt(D)": "D", "s_(q k)": "sqk"}


def in_signs(typst: str) -> str:
    """Typst's words as the signs that they stand for."""
    text = re.sub(r"\{\{ (.*?) : \w+ \}\}", r"\1", typst)
    for word, sign in SIGNS.items():
        text = text.replace(word, sign)
    return text.replace(" ", "")


@pytest.mark.parametrize("name", ON_PAGES)
def test_the_page_has_the_same_formula(name: str) -> None:
    page, pattern = ON_PAGES[name]
    found = re.search(pattern, (ROOT / "docs" / f"{page}.md").read_text("utf-8"), re.M)
    assert found
    seen = "".join(ElementTree.fromstring(to_mathml(found[1], True).replace("&nbsp;", "")).itertext())
    assert re.sub(r"[\s\u2009\u2062]", "", seen).replace("^", "ˆ").replace("⋅", "·") == in_signs(FORMULAE[name])
