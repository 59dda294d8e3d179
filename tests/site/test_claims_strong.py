"""Every claim of the built book holds, and would not with other values: none says less than its condition seems to."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from built_site import ROOT
from falsified import unfalsified

LISTED = tomllib.loads((ROOT / "tests/weak_claims.toml").read_text("utf-8"))
pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def claims(site: Path) -> list[tuple[str, dict[str, Any]]]:
    """The page and the row of each claim."""
    pages = json.loads((site / "claims.json").read_text("utf-8"))
    return [(page, row) for page, rows in pages.items() for row in rows]


def test_every_claim_holds(claims: list[tuple[str, dict[str, Any]]]) -> None:
    assert len(claims) > 2
    assert [(page, row["sentence"], row["holds"]) for page, row in claims if row["holds"] is not True] == []


def test_no_claim_survives_other_values(claims: list[tuple[str, dict[str, Any]]]) -> None:
    asked = [(page, row) for page, row in claims if row["holds"] and row["condition"] not in LISTED.get(page, {})]
    weak = [(page, row, unfalsified(row["condition"], row["values"])) for page, row in asked]
    said = [f"{page}: “{row['sentence']}” <{row['condition']}>: {names}" for page, row, names in weak if names]
    assert not said, "true whatever these names stand for; write a stronger condition:\n" + "\n".join(said)


def test_what_is_listed_as_weak_is_there_and_is_weak(claims: list[tuple[str, dict[str, Any]]]) -> None:
    values = {(page, row["condition"]): row["values"] for page, row in claims}
    for page, listed in LISTED.items():
        for condition, reason in listed.items():
            assert (page, condition) in values, f"{page} has no claim <{condition}>: take it out of weak_claims.toml"
            assert len(reason.split()) > 3 and unfalsified(condition, values[page, condition]), (page, condition)
