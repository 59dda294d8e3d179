"""Every computed drawing of the book, and of models that nobody here wrote, proven: `nox -s nightly -- proofs`.

The table of the others is committed, docs/others.csv; CUTAWAY_OTHERS=write writes it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from cutaway.diagrams.explain import chosen, drawn, function_of
from cutaway.diagrams.graph.flow import FlowError
from cutaway.diagrams.proof.asking import proofs
from cutaway.diagrams.proof.proving import Proof
from cutaway.runs import Outcome, ensure
from cutaway.settings import Book
from cutaway.source.find import SourceError
from cutaway.store import Store
from cutaway.trace.names import Wanted
from cutaway.trace.reading import Call, Trace, load
from tests.conftest import ROOT

pytestmark = pytest.mark.proofs
DIAGRAM = re.compile(r"^:+\{diagram\} (\S+)\n(?::run: (\S+)\n)?", re.M)
# Boxes whose values come to nothing in the book's run, so that nothing feels them: CLASSIC does not decay matrices.
VANISHES = {"nanochat.training.muon.muon_step muon.step": "'shrinking = X * W >= 0'"}
FIGURES = ROOT / "build/proofs.json"


def drawings() -> Iterator[tuple[str, str]]:
    """What the pages draw: function, and RUN.PASS/MODULE as far as it is said."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        yield from DIAGRAM.findall(page.read_text("utf-8"))


def place(trace: Trace, call: Call) -> str:
    return f"{trace.run}.{call.pass_}" + (f"/{call.module_path}" if call.module_path else "")


@pytest.fixture(scope="module")
def proven() -> dict[str, Proof | str]:
    book = Book.read(ROOT / "docs")
    outcomes = ensure(book, lambda line: None)
    traces = {name: load(Path(outcome.trace)) for name, outcome in outcomes.items()}
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for function, of in dict.fromkeys(drawings()):
        dotted = function_of(book.source, function).dotted
        trace, call = chosen(traces, dotted, Wanted.read(of))
        asked[trace.run].append((dotted, place(trace, call)))
    found: dict[str, Proof | str] = {}
    for run, all in asked.items():
        paths = {"trace": outcomes[run].trace, "weights": outcomes[run].weights}
        made = proofs(book, lambda line: None, run, paths, all)
        found |= {f"{dotted} {of}": proof for (dotted, of), proof in zip(all, made, strict=True)}
    return found


def test_every_drawing_of_the_book_is_proven(proven: dict[str, Proof | str]) -> None:
    assert len(proven) > 20
    failed = {name: proof for name, proof in proven.items() if isinstance(proof, str)}
    assert set(failed) <= {name for name in proven if "distributed." in name}  # a copy of a process is in no group
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
    said = [(name, line) for name, proof in good.items() for line in proof.lines() if line.startswith("an arrow")]
    assert not [(name, line) for name, line in said if VANISHES.get(name, line + "?") not in line]


OTHERS = ROOT / "tests/others"
TABLE = ROOT / "docs/others.csv"
PAGE = ROOT / "docs/others.md"
SHOWN = {
    "llama": ("transformers.models.llama.modeling_llama.LlamaAttention.forward", "transformers.llama"),
    "mixtral": ("transformers.models.mixtral.modeling_mixtral.MixtralTopKRouter.forward", "transformers.mixtral"),
    "diffusers": ("diffusers.models.resnet.ResnetBlock2D.forward", "diffusers.unet/down_blocks.0.resnets.0"),
}  # drawn on the page
PACKAGES = {
    "transformers": "transformers", "x_transformers": "x-transformers", "diffusers": "diffusers",
    "local_attention": "local-attention", "linformer": "linformer", "nystrom_attention": "nystrom-attention",
    "small": "",
}  # fmt: skip


def others(folder: Path) -> tuple[Book, dict[str, Outcome]]:
    specs = {name: importlib.util.find_spec(name) for name in PACKAGES if name != "small"}
    missing = [name for name, spec in specs.items() if spec is None]
    assert not missing, f"{missing} are not installed: `nox -s proofs` does that"
    sources = {name: [Path(spec.submodule_search_locations[0])] for name, spec in specs.items()}  # type: ignore[index, union-attr]
    sources["small"] = [OTHERS / "small"]
    book = Book(OTHERS, sources, (OTHERS / "runs.py",), folder / "scenes", Store(folder / "store"))
    return book, ensure(book, lambda line: None)


def calls_to_draw(book: Book, trace: Trace) -> Iterator[Call]:
    """The first call in each pass of each function that there is a drawing of."""
    seen = set[tuple[str, str]]()
    for call in trace.calls():
        if (call.pass_, call.function) not in seen:
            seen.add((call.pass_, call.function))
            try:
                drawn(book.source.find(call.function), trace, call)
            except (FlowError, SourceError):
                continue
            yield call


def test_every_drawing_of_other_people_s_models_is_proven(tmp_path: Path) -> None:
    book, outcomes = others(tmp_path)
    rows: dict[str, dict[str, object]] = {}
    for run, outcome in outcomes.items():
        assert not outcome.error and not outcome.warnings, (outcome.error, outcome.warnings)
        trace = load(Path(outcome.trace))
        calls = list(calls_to_draw(book, trace))
        asked = [(call.function, place(trace, call)) for call in calls]
        found = proofs(book, lambda line: None, run, {"trace": outcome.trace, "weights": outcome.weights}, asked)
        for call, proof in zip(calls, found, strict=True):
            assert isinstance(proof, Proof), f"{call.function}: {proof}"
            assert not proof.missing, f"{call.function} in {call.pass_}: {list(proof.lines())}"
            package = f"{PACKAGES[run]} {version(PACKAGES[run])}" if PACKAGES[run] else "tests/others/small"
            row = rows.setdefault(call.pass_, {"package": package} | dict.fromkeys(COUNTED, 0))
            for name, count in zip(COUNTED, counts(proof), strict=True):
                row[name] = int(str(row[name])) + count
    assert len(rows) >= 12 and len({row["package"] for row in rows.values()}) >= 6
    assert sum(int(str(row["too many"])) for row in rows.values()) <= 8  # of what `**kwargs` holds, not all is used
    rows["all"] = {"package": ""} | {name: sum(int(str(row[name])) for row in rows.values()) for name in COUNTED}
    page = with_drawings(PAGE.read_text("utf-8"), book, outcomes)
    if os.environ.get("CUTAWAY_OTHERS") == "write":
        TABLE.write_text(as_csv(rows), "utf-8")
        PAGE.write_text(page, "utf-8")
    assert TABLE.read_text("utf-8") == as_csv(rows)
    assert PAGE.read_text("utf-8") == page


def with_drawings(page: str, book: Book, outcomes: dict[str, Outcome]) -> str:
    """The page with the drawings as they are now."""
    for name, (function, of) in SHOWN.items():
        wanted = Wanted.read(of)
        trace = load(Path(outcomes[str(wanted.run)].trace))
        obj = book.source.find(function)
        text = drawn(obj, *chosen({trace.run: trace}, obj.dotted, wanted))[1].text
        drawing = re.compile(rf"(?P<head>:name: others-{name}\n:alt: .*\n)(.*\n)*?```")
        page, times = drawing.subn(lambda found, text=text: f"{found['head']}{text.rstrip()}\n```", page)  # type: ignore[misc]
        assert times == 1, name
    return page


def as_csv(rows: dict[str, dict[str, object]]) -> str:
    lines = [["model", "package", *COUNTED], *([name, *row.values()] for name, row in rows.items())]
    return "".join(",".join(map(str, line)) + "\n" for line in lines)


COUNTED = ("drawings", "boxes", "arrows", "boxes changed", "missing", "too many")


def counts(proof: Proof) -> tuple[int, ...]:
    return 1, proof.boxes, proof.arrows, len(proof.moved), len(proof.missing), len(proof.surplus)
