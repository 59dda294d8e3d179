"""A case is two ways to get the same thing, each with a cost; they take turns, and what counts is the median ratio.

A shared machine is slow and fast by turns: two costs are only compared where one was found right after the other.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple


class Options(NamedTuple):
    """``folder`` is empty and goes away at the end; ``every`` takes all clips and sizes instead of a sample."""

    folder: Path
    every: bool


@dataclass(frozen=True)
class Case:
    """``ours`` and ``theirs`` return a cost: seconds, bytes, whatever both have; ``aim`` is the ratio wanted."""

    name: str
    aim: float | None  # None: the ratio is told, nothing is wanted
    ours: Callable[[], float]
    theirs: Callable[[], float]
    prepare: Callable[[], object] = lambda: None
    note: Callable[[], str] = lambda: ""


class Row(NamedTuple):
    """What came of a case: the median of the ratios, the least and the most of them; or why there is none."""

    name: str
    aim: float | None
    ratios: tuple[float, ...]
    note: str

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        if not self.ratios:
            return "failed"
        if self.aim is None:
            return "told"
        return "met" if self.ratio <= self.aim else "not met"

    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = {"case": self.name, "aim": self.aim, "verdict": self.verdict, "note": self.note}
        found["date"] = datetime.now(UTC).date().isoformat()
        if self.ratios:
            found |= {"ratio": self.ratio, "least": min(self.ratios), "most": max(self.ratios)}
        return found | {"pairs": len(self.ratios)}

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:.2f}"
        if not self.ratios:
            return f"{self.name:34} {'':7} {aim:>6}  {self.verdict:8} {self.note}"
        spread = f"{min(self.ratios):.3f} to {max(self.ratios):.3f} of {len(self.ratios)}"
        return f"{self.name:34} {self.ratio:7.3f} {aim:>6}  {self.verdict:8} {spread:24} {self.note}"


HEAD = f"{'case':34} {'ratio':>7} {'aim':>6}  {'':8} {'spread, pairs':24} note"


def measure(case: Case, pairs: int) -> Row:
    """Take the pairs in turn, each side first in every other one. What goes wrong is the row's note."""
    found: list[float] = []
    try:
        case.prepare()
        for number in range(pairs):
            first, second = (case.ours, case.theirs) if number % 2 == 0 else (case.theirs, case.ours)
            costs = {first: first()}
            costs[second] = second()
            found.append(costs[case.ours] / costs[case.theirs])
            print(f"  {case.name}: {found[-1]:.3f}", file=sys.stderr)
        return Row(case.name, case.aim, tuple(found), case.note())
    except Exception as error:  # one case says nothing of the others
        return Row(case.name, case.aim, (), " ".join(str(error).split())[-300:])


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
