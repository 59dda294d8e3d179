"""What it costs to record a pass: the sort model's forward, instrumented and recorded, beside the same without."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from collections.abc import Iterator
from functools import partial

from .measure import Case, Options
from .programs import ROOT, python

TIMES = 20


def cases(options: Options) -> Iterator[Case]:
    yield Case("trace", None, partial(_forward, "recorded"), partial(_forward, "plain"))


def _forward(way: str) -> float:
    return float(python("tests.bench.trace", way))


def main(way: str) -> float:
    """Seconds of some forwards, after one to warm up."""
    sys.path[:0] = [str(ROOT / name) for name in ("ext", "docs")]
    import numpy as np
    import torch

    from cutaway import runs
    from cutaway.runs.importer import install
    from cutaway.runs.recorder import Recorder
    from cutaway.settings import Book

    book = Book.read(ROOT / "docs")
    run = runs.ensure(book, lambda line: None, ["sort"])["sort"]
    recorder = Recorder() if way == "recorded" else None
    install(book.sources, recorder, recorder.sites if recorder else None, [*book.sources])
    declared = importlib.import_module("runs.sort")  # of docs/
    from nanogpt import sort

    with np.load(run.weights, allow_pickle=False) as arrays:
        model = declared.Sort().build({name: arrays[name] for name in arrays.files})
    idx, targets = sort.example(sort.WORD)
    with torch.no_grad():
        for number in range(1 + TIMES):
            if number == 1:
                began = time.perf_counter()
            with recorder(f"pass {number}", model) if recorder else contextlib.nullcontext():
                model(idx, targets)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(main(sys.argv[1]))
