"""Run a few lines of torch code under the recorder, in this process instead of a run's child."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.graph.graph import Graph
from cutaway.runs.child import _content
from cutaway.runs.instrument import RECORDER, instrument
from cutaway.runs.recorder import Recorder
from cutaway.source.find import Source, parse
from cutaway.trace.reading import Arrays, Trace


def record(folder: Path, code: str, run: Callable[[dict[str, Any]], Any]) -> tuple[Source, Trace]:
    """The source of a module ``m.code`` and the trace of ``run(names of the module)``, a pass ``forward``."""
    path = folder / "code.py"
    path.write_text("import torch\nfrom torch import nn\n" + textwrap.dedent(code))
    recorder = Recorder()
    names: dict[str, Any] = {RECORDER: recorder, "__name__": "m.code"}
    exec(compile(instrument(parse("m.code", path), recorder.sites), str(path), "exec"), names)
    model = names["Model"]() if "Model" in names else None
    with recorder("forward", model):
        run({**names, "model": model})
    source = Source({"m": [folder]})
    return source, Trace(_content("test", recorder, {"facts": {}, "log": {}}), Arrays(path))


def graph(folder: Path, code: str, run: Callable[[dict[str, Any]], Any], name: str = "f") -> Graph:
    """The flow of the first call of ``m.code.NAME``."""
    source, trace = record(folder, code, run)
    obj = source.find(f"m.code.{name}")
    return flow(obj, trace, trace.calls(obj.dotted)[0])
