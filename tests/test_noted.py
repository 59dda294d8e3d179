"""Notes: what a cell leaves for the sentences of its page, in the kernel and in the build."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from test_cells import Book

from cutaway.cells import note
from cutaway.cells.notes import GLUE, LONGEST, MIME
from cutaway.cells.page_names import PageNames
from cutaway.trace.names import Names, UnknownName

numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False))
single = st.one_of(st.booleans(), numbers, st.text())


def noted(monkeypatch: pytest.MonkeyPatch, **values: Any) -> dict[str, Any]:
    """What a kernel would send: the values by name."""
    sent: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata: sent.append((data, metadata)))
    note(**values)
    read = ((metadata["scrapbook"]["name"], json.loads(json.dumps(data[GLUE + MIME]))) for data, metadata in sent)
    return {name: data["value"] for name, data in read}


@given(st.dictionaries(st.sampled_from("abc"), st.one_of(single, st.lists(single, max_size=5)), max_size=3))
def test_notes_travel_as_json(values: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert noted(patch, **values) == {f"cell.{name}": value for name, value in values.items()}


def test_arrays_give_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = noted(monkeypatch, share=np.float32(0.5), sure=np.bool_(True), right=np.array([1, 2]), few=(np.int64(3), 4))
    assert found == {"cell.share": 0.5, "cell.sure": True, "cell.right": [1, 2], "cell.few": [3, 4]}
    assert type(found["cell.sure"]) is bool and type(found["cell.few"][0]) is int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "not a finite number"),
        ([1.0, float("inf")], "not a finite number"),
        ({"a": 1}, "a dict; note numbers, truths, texts or flat lists"),
        ([[1], [2]], "a list; note numbers"),
        (np.zeros((2, 2)), "a list; note numbers"),
        (None, "a NoneType; note"),
        ([0] * (LONGEST + 1), "10,001 items, at most 10,000"),
        ("x" * (LONGEST + 1), "a text of 10,001 characters"),
    ],
)
def test_what_can_not_be_noted(value: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=rf"note\(share=.*{message}"):
        noted(monkeypatch, share=value)


def test_names_of_a_page() -> None:
    names = PageNames(Names({}, {}), {"share": 0.3, "right": [3, 1], "word": "x"})
    assert names.resolve("cell.share").scalar == 0.3 and names.resolve("cell.word").scalar == "x"
    assert names.resolve("cell.right[1]").scalar == 1
    with pytest.raises(UnknownName, match="no cell of this page noted 'shar'; did you mean 'share'"):
        names.resolve("cell.shar")
    with pytest.raises(UnknownName, match="out of range"):
        names.resolve("cell.right[2]")
    with pytest.raises(UnknownName, match="no run 'toy'"):
        names.resolve("toy.answer")


PAGE = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A page

{claim}`All but one. <cell.right + 1 == cell.asked and max(cell.each) == 7>` It is {fact}`cell.share:about`.

```{code-cell}
:tags: [remove-cell]
from cutaway.cells import note
note(right=9, asked=10, each=[1, 7, 3])
note(share=1 / 3)
```
"""


@pytest.mark.slow
def test_a_page_knows_what_its_cells_noted(tmp_path: Path) -> None:
    """Whether they ran just now or are remembered, whichever page is read, by however many processes."""
    tmp_path /= "book"
    book = Book(tmp_path)
    book.write("index.md", PAGE)
    book.write("other.md", PAGE.replace("right=9, asked=10", "right=19, asked=20").replace("1 / 3", "1 / 2"))
    book.write("all.md", "# All\n\n:::{claims}\n:::\n")
    conf = (tmp_path / "conf.py").read_text("utf-8")
    book.write("conf.py", conf + 'myst_enable_extensions = ["colon_fence"]\n')

    def words(page: str) -> str:
        html = (tmp_path / f"build/html/{page}.html").read_text("utf-8")
        return " ".join(BeautifulSoup(html, "html.parser").get_text().split())

    book.build("-j", "2")
    assert "It is about a third." in words("index") and "It is about half." in words("other")
    assert "cell.asked = 10" in words("all") and "cell.asked = 20" in words("all")
    assert "vnd.cutaway" not in words("index") and "glue" not in words("index")
    assert "no targets are out of date" in book.build()
    book.write("other.md", (tmp_path / "other.md").read_text("utf-8") + "\nMore prose.\n")
    said = book.build()
    assert "Executed notebook" not in said and "1 changed" in said
    assert "It is about half." in words("other") and "cell.asked = 10" in words("all")
    book.build("-E")  # all pages anew, their cells remembered
    assert "It is about a third." in words("index")
