"""Run a few lines of torch code under the recorder, in this process instead of a run's child."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.graph.graph import Graph
from cutaway.runs.child import _content
from cutaway.runs.instrument import RECORDER, instrument
from cutaway.runs.recorder import Recorder
from cutaway.source.find import Source, parse
from cutaway.trace.reading import Arrays, Trace


def compiled(folder: Path, code: str, recorder: Recorder) -> tuple[Source, dict[str, Any]]:
    """The source of a module ``m.code``, and the names of the module, instrumented; ``model`` is its ``Model``."""
    path = folder / "code.py"
    path.write_text("import torch\nfrom torch import nn\n" + textwrap.dedent(code))
    made = ModuleType("m.code")  # a dataclass looks for its module
    sys.modules["m.code"] = made
    names = vars(made)
    names[RECORDER] = recorder
    exec(compile(instrument(parse("m.code", path), recorder.sites), str(path), "exec"), names)
    names["model"] = names["Model"]() if "Model" in names else None
    return Source({"m": [folder]}), names


def record(folder: Path, code: str, run: Callable[[dict[str, Any]], Any]) -> tuple[Source, Trace]:
    """The source of a module ``m.code`` and the trace of ``run(names of the module)``, a pass ``forward``."""
    recorder = Recorder()
    source, names = compiled(folder, code, recorder)
    with recorder("forward", names["model"]):
        run(names)
    return source, Trace(_content("test", recorder, {"facts": {}, "log": {}}), Arrays(folder / "code.py"))


def graph(folder: Path, code: str, run: Callable[[dict[str, Any]], Any], name: str = "f") -> Graph:
    """The flow of the first call of ``m.code.NAME``."""
    source, trace = record(folder, code, run)
    obj = source.find(f"m.code.{name}")
    return flow(obj, trace, trace.calls(obj.dotted)[0])
