"""The model in the page beside torch: milliseconds for the recorded input, each on one thread of the same machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from .measure import Case, Options, seconds
from .player import ARGUMENTS
from .programs import ROOT

PASSES = ("sort.forward", "prose.inference")
RUNS = 20
# The mean of some runs; cached: the last token alone, with what was kept of those before it.
SCRIPT = """([name, runs]) => {
  const model = cutawayLive.models[name], run = () => model.runNow(), began = (run(), performance.now());
  for (let k = 0; k < runs; k++) run();
  return (performance.now() - began) / runs / 1000;
}"""


def cases(options: Options) -> Iterator[Case]:
    for name in PASSES:
        note = partial("the recorded pass of {}, in the page's JavaScript beside torch".format, name)
        run, ways = name.partition(".")[0], (partial(way, name) for way in (_in_a_page, _in_torch))
        yield Case(f"live-{run}", None, *ways, note=note)


@cache
def _graph(name: str) -> Any:
    from cutaway import runs
    from cutaway.computing.graph import graph_of
    from cutaway.settings import Book
    from cutaway.trace.reading import load

    run, _, pass_ = name.partition(".")
    outcome = runs.ensure(Book.read(ROOT / "docs"), print, [run])[run]
    return graph_of(load(Path(outcome.trace)), pass_)


def _in_a_page(name: str) -> float:
    """Seconds a run."""
    from playwright.sync_api import sync_playwright

    from cutaway.live.making import code
    from cutaway.live.script import script
    from cutaway.settings import Book

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page()
        page.add_script_tag(content=code(""))
        page.add_script_tag(content=script(_graph(name), Book.read(ROOT / "docs").source, {}))
        spent = page.evaluate(SCRIPT, [name, RUNS])
        browser.close()
    return float(spent)


def _in_torch(name: str) -> float:
    """Seconds a run of the exported graph's model, on the same input."""
    sys.path[:0] = [str(ROOT / "model_src")]
    import torch

    from cutaway.cells import load

    torch.set_num_threads(1)
    model = load(name.partition(".")[0]).model()
    given = [torch.tensor(array.reshape(1, -1)) for array in _graph(name).inputs]
    with torch.no_grad():
        model(*given)
        return seconds(lambda: [model(*given) for _ in range(RUNS)]) / RUNS
