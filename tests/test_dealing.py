"""Pages are dealt out so that no process reads alone at the end."""

from itertools import chain
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sphinx.util.parallel import make_chunks

from cutaway.cells.schedule import dealt, weight

WEIGHTS = st.dictionaries(st.text("abc/", min_size=1, max_size=5), st.integers(1, 100), min_size=1, max_size=60)


@given(WEIGHTS, st.integers(1, 9))
def test_every_page_is_dealt_once(weights: dict[str, int], workers: int) -> None:
    assert sorted(dealt(weights, workers)) == sorted(weights)


@given(WEIGHTS, st.integers(2, 9))
def test_what_is_begun_at_once_is_balanced(weights: dict[str, int], workers: int) -> None:
    slices = [[weights[name] for name in slice] for slice in make_chunks(dealt(weights, workers), workers)]
    first, rest = slices[:workers], slices[workers:]
    assert max(chain([0], *rest)) <= min(chain(*first))
    roomy = [slice for slice in first if len(slice) == len(first[0])]  # the last may be cut short
    assert max(map(sum, roomy)) - min(map(sum, roomy)) <= max(weights.values())


def test_a_heavy_folder_is_shared() -> None:
    """As in the book: 44 pages, the heavy ones under one name. In the order of the alphabet one slice has them all."""
    weights = {f"a{n:02}": 10 for n in range(34)} | {f"z{n}": 60 for n in range(10)}
    alphabet, ours = (
        sorted(sum(weights[name] for name in slice) for slice in make_chunks(order, 2))
        for order in (sorted(weights), dealt(weights, 2))
    )
    assert alphabet[-1] == 540
    assert ours[-1] == ours[-2] == 390


def test_a_page_weighs_what_its_cells_have_of_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```python\nno = 1\n```\n\n```{code-cell}\n:tags: [x]\na = 1\n\nb = 2\n```\n\n"
                    "````{code-cell} python\nprint('''\n```\n''')\n````\n", "utf-8")  # fmt: skip
    assert weight(page) == 1 + 3 + 3
    (tmp_path / "plain.md").write_text("# A\n", "utf-8")
    assert weight(tmp_path / "plain.md") == weight(tmp_path / "gone.md") == 1
