"""Every sentence that says what came out of a run is a claim, or listed in judgements.toml with the reason why not."""

import tomllib

import pytest
from conftest import ROOT
from judgements import judgements, pages

LISTED = tomllib.loads((ROOT / "tests/judgements.toml").read_text("utf-8"))
PAGES = dict(pages())


def exceptions(page: str) -> dict[str, str]:
    """The beginnings of sentences that are no judgements, each with its reason."""
    return {beginning: reason for reason, begun in LISTED.get(page, {}).items() for beginning in begun}


@pytest.mark.parametrize("page", PAGES)
def test_what_judges_a_run_is_checked(page: str) -> None:
    listed = tuple(exceptions(page))
    typed = [found for found in judgements(PAGES[page]) if not found.sentence.startswith(listed)]
    said = "\n".join(f"docs/{page}.md:{found.line}: {found.sentence} {list(found.words)}" for found in typed)
    assert not typed, f"write a claim or compute it; what is no judgement goes into tests/judgements.toml:\n{said}"


@pytest.mark.parametrize("page", LISTED)
def test_what_is_listed_is_there_and_has_a_reason(page: str) -> None:
    found = [one.sentence for one in judgements(PAGES[page])]
    for beginning, reason in exceptions(page).items():
        assert len(reason.split()) >= 3 and len(beginning) >= 12, (beginning, reason)
        assert any(sentence.startswith(beginning) for sentence in found), f"{page}: no sentence begins '{beginning}'"


FINDS = """---
kernelspec: {name: python3}
---
(page)=
# A page

More before any cell says nothing of it.

(part)=
## A part

```{code-cell}
print("more")
```

The loss falls to half. {claim}`It is nearly 0. <a.b < 0.1>` A letter
is a letter. Is it better?

:::{note}
- Twice as many.
- Its {step}`better <a-b>` half, `more` of it and $n$ no longer than `fewer`.
:::

:::{claim} a.b > 3
More in the middle.
:::

(next)=
## Nothing more

Less than nothing.

| a | b |
|---|---|
| 1 | {fact}`a.b` |

It is *hardly* larger.
"""


def test_the_finder() -> None:
    lines = FINDS.split("\n")
    found = [(lines[one.line - 1][:12], one.words) for one in judgements(FINDS)]
    assert found == [
        ("The loss fal", ("falls", "half")),
        ("- Twice as m", ("twice",)),
        ("- Its {step}", ("better", "half")),
        ("It is *hardl", ("hardly", "larger")),
    ]
