"""Measure side by side and print a table: ``python -m tests.bench [--case NAME] [--pairs 5] [--all] [--list]``.

``build/bench.json`` keeps it: ratios and no bare seconds, which would say more of the machine than of the tools.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cutaway.store import replacing

from . import clips, growth, live, model, player, seeds, site, trace
from .measure import HEAD, Case, Options, Row, measure
from .programs import ROOT

FAMILIES = (clips, seeds, site, growth, trace, model, player, live)
TARGET = ROOT / "build/bench.json"


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--case", action="append", default=[], help="a case or the beginning of several (default: all)")
    parser.add_argument("--pairs", type=int, default=5, help="of which the median is taken")
    parser.add_argument("--all", action="store_true", help="every clip and size; by Manim's command that takes hours")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cutaway-bench-") as folder:
        chosen = list(_chosen(Options(Path(folder), options.all), options.case))
        if options.list or not chosen:
            print(*(case.name for case in _chosen(Options(Path(folder), options.all), [])), sep="\n")
            return 0 if options.list else f"no case begins with {options.case}"
        rows = []
        for case in chosen:
            rows.append(measure(case, options.pairs))
            print(f"{HEAD}\n{rows[-1]}" if len(rows) == 1 else rows[-1], flush=True)
            _keep(rows)  # whoever stops it keeps what was measured
    return int(any(not row.ratios for row in rows))


def _keep(rows: list[Row]) -> None:
    """Replace what was found of these cases before, and leave the others."""
    try:
        kept = {row["case"]: row for row in json.loads(TARGET.read_text("utf-8"))}
    except (OSError, ValueError, TypeError, KeyError):
        kept = {}
    kept |= {row.name: row.plain() for row in rows}
    with replacing(TARGET) as temporary:
        temporary.write_text(json.dumps(list(kept.values()), indent=1) + "\n", "utf-8")


def _chosen(options: Options, names: list[str]) -> Iterator[Case]:
    for family in FAMILIES:
        yield from (case for case in family.cases(options) if not names or case.name.startswith(tuple(names)))


if __name__ == "__main__":
    sys.exit(main())
