"""The contents: a page's "Next" is the page that comes next, and what is needed is read before."""

import re

import pytest
from conftest import ROOT

DOCS = ROOT / "docs"
ORDER = [
    page
    for contents in re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.DOTALL)
    for page in contents.split("\n\n", 1)[1].split()
]
TEXTS = {page: (DOCS / f"{page}.md").read_text("utf-8") for page in ORDER}
HOME = {label: page for page, text in TEXTS.items() for label in re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)}
NEXT = {page: found[1] for page, text in TEXTS.items() if (found := re.search(r"^Next: \{ref\}`([\w-]+)`", text, re.M))}
# Not read in a row:
LOOKED_UP = {"explain", "playground", "questions", "circulating", "running", "reproducing", "lines"}
LOOKED_UP = {f"start/{name}" for name in LOOKED_UP} | {"model/steps", "guide/agents"}


@pytest.mark.parametrize("page", NEXT)
def test_the_last_line_leads_to_the_next_page(page: str) -> None:
    between = ORDER[ORDER.index(page) + 1 : ORDER.index(HOME[NEXT[page]])]
    assert HOME[NEXT[page]] in ORDER[ORDER.index(page) + 1 :], f"{page} leads back to {HOME[NEXT[page]]}"
    assert LOOKED_UP.issuperset(between), f"{page} leads to {HOME[NEXT[page]]} and leaves out {between}"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("data/digest", "model/overview"),
        ("data/tokenizer", "data/batches"),
        ("model/output", "model/beginning"),
        ("train/loss", "train/first"),
        ("train/first", "train/adamw"),
        ("train/first", "train/loop"),
        ("sample/sampling", "chat/rewards"),
    ],
)
def test_what_is_needed_comes_before(first: str, then: str) -> None:
    assert ORDER.index(first) < ORDER.index(then)


def test_intervals_are_explained_where_they_first_stand() -> None:
    shown = [page for page in ORDER if "interval" in TEXTS[page] and page.startswith("chat/")]
    assert HOME["evaluation-score"] == shown[0]
