"""The benchmark's own rules: pairs in turn, medians, and one case that fails harms no other."""

import json
import subprocess
import sys

import pytest
from bench.measure import Case, measure
from bench.plain import _plain
from bench.programs import ENV, ROOT


def test_pairs_take_turns_and_the_median_counts() -> None:
    said: list[str] = []
    costs = {"ours": iter([1.0, 9.0, 2.0]), "theirs": iter([2.0, 1.0, 2.0])}

    def cost(side: str) -> float:
        said.append(side)
        return next(costs[side])

    row = measure(Case("both", 0.9, lambda: cost("ours"), lambda: cost("theirs")), 3)
    assert said == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert row.ratios == (0.5, 9.0, 1.0)
    assert (row.ratio, row.verdict) == (1.0, "not met")
    plain = row.plain()
    assert (plain["ratio"], plain["least"], plain["most"], plain["pairs"]) == (1.0, 0.5, 9.0, 3)


def test_only_ratios_are_kept() -> None:
    """Seconds would say more of the machine than of the tools."""
    row = measure(Case("long", None, lambda: 1234.5, lambda: 2469.0), 1)
    assert row.verdict == "told"
    assert "1234" not in json.dumps(row.plain())
    assert row.ratio == 0.5


def test_a_case_that_fails_is_a_row() -> None:
    def fails() -> float:
        raise RuntimeError("npm\nnot found")

    for case in (Case("a", 1, fails, lambda: 1.0), Case("b", 1, lambda: 1.0, lambda: 1.0, prepare=fails)):
        row = measure(case, 2)
        assert (row.verdict, row.ratios, row.note) == ("failed", (), "npm not found")
        assert "npm not found" in str(row)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (":::{clip} attention.Scores\n:run: sort\n\nA caption.\n:::", "</video>"),
        ("```{listing} nanogpt.model.Block.forward\n:name: b\n\n`x`{#x}\n: A note.\n```", ":pyobject: Block.forward"),
        ("The {dim}`T` of {step}`this <that>`.", "The `T` of `this`."),
    ],
)
def test_a_plain_book_has_what_one_would_write_without_us(ours: str, theirs: str) -> None:
    text = _plain(ours)
    assert theirs in text
    assert "{clip}" not in text and "{listing}" not in text


def test_cases_are_listed_and_an_unknown_one_is_an_error() -> None:
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.bench", *options]
        return subprocess.run(command, cwd=ROOT, env=ENV, capture_output=True, text=True, check=False)

    listed = run("--list")
    names = listed.stdout.split()
    assert listed.returncode == 0 and len(names) == len(set(names)) > 20
    assert {"clip", "clips", "films", "seeds-remotion", "no-change", "scene-edit", "trace", "player"} <= set(names)
    wrong = run("--case", "nothing")
    assert wrong.returncode != 0 and "nothing" in wrong.stderr
