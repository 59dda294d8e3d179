"""Every computed drawing of the book, proven by intervention: `nox -s nightly -- proofs`."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from cutaway.diagrams.explain import chosen, function_of
from cutaway.diagrams.proof.asking import proofs
from cutaway.diagrams.proof.proving import Proof
from cutaway.runs import ensure
from cutaway.settings import Book
from cutaway.trace.names import Wanted
from cutaway.trace.reading import load
from tests.conftest import ROOT

pytestmark = pytest.mark.proofs
DIAGRAM = re.compile(r"^:+\{diagram\} (\S+)\n(?::run: (\S+)\n)?", re.M)
FIGURES = ROOT / "build/proofs.json"


def drawings() -> Iterator[tuple[str, str]]:
    """What the pages draw: function, and RUN.PASS/MODULE as far as it is said."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        yield from DIAGRAM.findall(page.read_text("utf-8"))


@pytest.fixture(scope="module")
def proven() -> dict[str, Proof | str]:
    book = Book.read(ROOT / "docs")
    outcomes = ensure(book, lambda line: None)
    traces = {name: load(Path(outcome.trace)) for name, outcome in outcomes.items()}
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for function, of in dict.fromkeys(drawings()):
        dotted = function_of(book.source, function).dotted
        trace, call = chosen(traces, dotted, Wanted.read(of))
        place = f"{trace.run}.{call.pass_}" + (f"/{call.module_path}" if call.module_path else "")
        asked[trace.run].append((dotted, place))
    found: dict[str, Proof | str] = {}
    for run, all in asked.items():
        paths = {"trace": outcomes[run].trace, "weights": outcomes[run].weights}
        made = proofs(book, lambda line: None, run, paths, all)
        found |= {f"{dotted} {of}": proof for (dotted, of), proof in zip(all, made, strict=True)}
    return found


def test_every_drawing_of_the_book_is_proven(proven: dict[str, Proof | str]) -> None:
    assert len(proven) > 20
    failed = {name: proof for name, proof in proven.items() if isinstance(proof, str)}
    assert not failed
    good = {name: proof for name, proof in proven.items() if isinstance(proof, Proof)}
    figures = {
        "drawings": len(good),
        "boxes": sum(proof.boxes for proof in good.values()),
        "arrows": sum(proof.arrows for proof in good.values()),
        "boxes changed": sum(len(proof.moved) for proof in good.values()),
        "missing": sum(len(proof.missing) for proof in good.values()),
        "too many": sum(len(proof.surplus) for proof in good.values()),
        "not felt from far": sum(len(proof.closed) for proof in good.values()),
    }
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print(figures)
    wrong = {name: list(proof.lines()) for name, proof in good.items() if not proof.holds}
    assert not wrong, json.dumps(wrong, indent=1)
