"""No page prints what is another number on each machine or in each build, but those whose cells measure time."""

import re
from pathlib import Path

import pytest
from test_whole import timed

DOCS = Path(__file__).parents[2] / "docs"
FACTS = re.compile(r"[\d.]+ [KMGT]?i?B free at \S+|\(free now\)|/tmp/tmp\w+")


def facts(site: Path, excused: set[str]) -> list[str]:
    """What the Markdown twins of a site say of the machine that built them."""
    return [
        f"{page}: {found[0]}"
        for path in sorted(site.rglob("*.md"))
        if (page := path.relative_to(site).with_suffix("").as_posix()) not in excused
        for found in FACTS.finditer(path.read_text("utf-8"))
    ]


@pytest.mark.site
def test_pages_print_no_facts_of_the_machine(site: Path) -> None:
    assert facts(site, timed(DOCS)) == []


def test_a_page_that_prints_some_is_named(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide/costs.md").write_text("room: 73.01 GiB free at /tmp/tmp_ikjxxd4; this CPU (free now): 22 GiB")
    found = facts(tmp_path, set())
    assert found == ["guide/costs: 73.01 GiB free at /tmp/tmp_ikjxxd4;", "guide/costs: (free now)"]
    assert facts(tmp_path, {"guide/costs"}) == []
