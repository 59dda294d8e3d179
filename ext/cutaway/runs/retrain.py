"""Train runs anew, beside the book's store; compare what they leave with what is pinned, or pin it.

``python -m cutaway runs [NAME ...] [--check | --pin]``. The trainings lie in the store's folder ``anew`` until the
next time; ``--pin`` takes those that are there and fit the code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import runs
from ..settings import Book
from ..source.find import nearest
from ..store import Store
from . import pinned
from .declared import Declared, declared
from .keys import Keys

Say = Callable[[str], None]
JUDGED = ["-b", "text", "-n", "-W", "--keep-going", "-j", "auto"]  # a build that checks every claim and draws nothing


def train_anew(book: Book, names: Sequence[str], say: Say, keep: bool = False) -> dict[str, runs.Outcome]:
    """Train and trace runs (none named: all) without regard to what is pinned; ``keep`` takes earlier trainings."""
    known = [run.name for run in declared(book.runs)]
    for name in names:
        if name not in known:
            raise runs.RunError(f"no run {name!r} in {book.declared_in}{nearest(name, known, all_if_none=True)}")
    anew = replace(book, store=Store(book.store.root / "anew"))
    if not keep:
        shutil.rmtree(anew.store.root, ignore_errors=True)
    with pinned.ignored(names or ["*"]):
        outcomes = runs.ensure(anew, say, names or None)
    wrong = [f"{outcome.name}: {outcome.error}" for outcome in outcomes.values() if outcome.error]
    if wrong:
        raise runs.RunError("\n".join(wrong))
    return {name: outcome for name, outcome in outcomes.items() if not names or name in names}


def compare(book: Book, names: Sequence[str], say: Say) -> int:
    """Train anew and say how it differs from what is pinned; 0 where that is no fault.

    The machine that pinned a run must get the same bits. Another one gets others: there every claim of the book must
    hold for them.
    """
    kept = {run.name: pinned.read(run) for run in declared(book.runs)}
    outcomes = train_anew(book, names, say)
    here, faults, others = pinned.this_machine(), 0, 0
    for name, outcome in outcomes.items():
        before = kept[name]
        if before is None:
            say(f"{name}: not pinned")
            continue
        same = _content(outcome)["digest"] == before["digest"]
        mine = here == {key: value for key, value in before["made"].items() if key != "date"}
        say(f"{name}: {'the same bits' if same else 'other bits' + _difference(outcome, before)}")
        faults += mine and not same
        others += not same
    if faults:
        say(f"{faults} runs left other bits on the very machine that pinned them")
        return 1
    return _judge(book, list(outcomes), say) if others else 0


def write(book: Book, names: Sequence[str], say: Say) -> int:
    """Pin what the last training left, training what is missing."""
    outcomes = train_anew(book, names, say, keep=True)
    made, size = {**pinned.this_machine(), "date": pinned.today()}, 0
    for run in declared(book.runs):
        if run.name in outcomes and run.pinned:
            given = {name: _content(outcomes[name])["digest"] for name in run.after if name in outcomes}
            given |= {name: (pinned.read(_run(book, name)) or {})["digest"] for name in run.after if name not in given}
            written = pinned.pin(run, Keys(book, run).code(given), Path(outcomes[run.name].weights), made)
            say(f"{run.name}: {written:,} bytes")
            size += written
    say(f"{size:,} bytes in all")
    return 0


def _run(book: Book, name: str) -> Declared:
    return next(run for run in declared(book.runs) if run.name == name)


def _judge(book: Book, names: Sequence[str], say: Say) -> int:
    """Build the book as text from the trainings made anew: a claim that is false for them fails it."""
    say("checking every claim of the book for these trainings")
    out = book.store.root / "anew" / "text"
    env = {**os.environ, "CUTAWAY_STORE": str(book.store.root / "anew"), pinned.VARIABLE: ",".join(names)}
    command = [sys.executable, "-m", "sphinx", *JUDGED, "-d", f"{out}-doctrees", str(book.confdir), str(out)]
    return subprocess.run(command, env=env, check=False).returncode


def _difference(outcome: runs.Outcome, before: Mapping[str, Any]) -> str:
    """The first facts that differ, each cut to a line's length."""
    facts = _content(outcome)["facts"]
    told = [f"{name} {before['facts'].get(name)!r} -> {value!r}" for name, value in facts.items()]
    changed = [text for name, text in zip(facts, told, strict=True) if before["facts"].get(name) != facts[name]]
    return ": " + "; ".join(text[:80] for text in changed[:12]) if changed else ", the same facts"


def _content(outcome: runs.Outcome) -> Any:
    return Store(Path(outcome.weights).parents[1]).read_json("train", Path(outcome.weights).stem)
