"""Make the scripts that pages compute with: one of code for all, one of data for each pass that ``record.live`` named.

Before a graph is published it is computed here, by NumPy, from the very data that pages get: where it differs from the
recording, a warning says so and nothing of it is shown. What is made is kept in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..build import build_of, trace_of
from ..computing.graph import INPUT, WEIGHT, Graph, graph_of
from ..computing.interpret import UnknownOperation, compare, run
from ..domain import NOWHERE, cutaway_domain
from ..source.own import own_code
from ..state import has_state, hold, notes_of, state_of
from ..store import Store, digest
from ..trace.names import Place
from ..trace.reading import Trace, Value
from .addresses import address_of
from .known import KNOWN
from .script import script

logger = logging.getLogger(__name__)
KIND = "live"
STATIC = Path(__file__).with_name("static")
# The code in parts, each in the order in which its files build upon each other: what every figure needs, then what a
# page loads where it has such a figure, a model that reads text, or a reader who asks why.
SHARED = ""
PARTS = {
    SHARED: ("tensors", "numbers", "model", "text", "sampling", "drawing", "naming", "session", "figure"),
    "grid": ("cells", "grid"),
    "bars": ("going", "bars"),
    "lens": ("answers", "lens"),
    "ablation": ("answers", "ablation"),
    "softmax": ("answers", "softmax"),
    "probe": ("probe",),
    "plane": ("plane",),
    "cache": ("going", "cached", "steps"),
    "walk": ("space", "flight", "building", "told", "walk"),
    "text": ("bpe",),
    "why": ("why", "reasons", "panel"),
}
TOLERANCE = 2e-5  # of a tensor's largest number


class Scripts(dict[str, tuple[str, int]]):
    """By a pass's name, ``sort.forward``, its script's name in the output and how many bytes it has.

    ``parts`` of the code and the ``style`` have names, too."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, str] = {}
        self.style = ""


def scripts(env: BuildEnvironment) -> Scripts:
    return state_of(env, Scripts) if has_state(env, Scripts) else Scripts()


def address(env: BuildEnvironment, trace: Trace, value: Value | None, index: Sequence[int] = ()) -> str:
    """Where a page computes a recorded value, ``sort.forward#71``; "" where it can't."""
    if not scripts(env):
        return ""
    found = address_of(trace, value, index)
    return found if found.partition("#")[0] in scripts(env) else ""


def make(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Make what is missing; return the pages that name scripts of before."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return []
    try:
        found = _made(app, env)
    except OSError as error:  # which the store has worded
        logger.warning("pages go without the model: %s", error.strerror or error, type="cutaway", subtype="store")
        found = Scripts()
    hold(env, found)
    return _outdated(app, env, found)


def _made(app: Sphinx, env: BuildEnvironment) -> Scripts:
    """The scripts of all passes, and the code and the style if there is any; OSError where they can't be kept."""
    store, steps = build_of(env).book.store, _steps(app, env)
    found = Scripts()
    for name, outcome in build_of(env).outcomes.items():
        for pass_ in [] if outcome.error else _passes(env, store, name, outcome.trace):
            key = digest(Path(outcome.trace).stem, pass_, steps, own_code(f"{__package__}.script"))
            path = store.path(KIND, key, ".js")
            if store.whole(KIND, key) is None and not _publish(env, store, key, name, pass_, steps):
                continue
            found[f"{name}.{pass_}"] = _register(app, path)
    if found:
        found.parts = {part: _register(app, _kept(store, code(part), ".js"))[0] for part in PARTS}
        found.style = _register(app, _kept(store, style(), ".css"))[0]
    return found


def code(part: str) -> str:
    """The script of a part of the code, without comments and blanks."""
    return str(jsmin("\n".join((STATIC / f"{name}.js").read_text("utf-8") for name in PARTS[part])))


def style() -> str:
    """How figures and the panel look, which pages load together with the code."""
    return "\n".join(path.read_text("utf-8") for path in sorted(STATIC.glob("*.css")))


def _kept(store: Store, text: str, suffix: str) -> Path:
    key = digest(text)
    if store.whole(KIND, key) is None:
        store.write(KIND, key, suffix, text.encode())
        store.vouch(KIND, key, [suffix])
    return store.path(KIND, key, suffix)


def _register(app: Sphinx, path: Path) -> tuple[str, int]:
    name = f"live-{path.name}"
    app.builder.images[str(path)] = name
    return name, path.stat().st_size


def _steps(app: Sphinx, env: BuildEnvironment) -> dict[str, tuple[Place, str]]:
    """Where each step stands, and its address from the site's root."""
    steps = cutaway_domain(env).steps.values()
    address = app.builder.get_target_uri
    return {step.id: (step.place, f"{address(step.docname)}#{step.id}") for step in steps if step.span != NOWHERE}


def _passes(env: BuildEnvironment, store: Store, run: str, trace: str) -> list[str]:
    """The passes with a graph; a trace is large, so that this is remembered beside it."""
    key = digest("live passes", Path(trace).stem)
    kept = store.read_json(KIND, key)
    if kept is None:
        kept = {"passes": list(trace_of(env, run).live)}
        store.write_json(KIND, key, kept)
    return [str(name) for name in kept["passes"]]


def _publish(
    env: BuildEnvironment, store: Store, key: str, run_: str, pass_: str, steps: dict[str, tuple[Place, str]]
) -> bool:
    """Write a graph's script, if it computes what was recorded."""
    graph = graph_of(trace_of(env, run_), pass_)
    wrong = _wrong(graph)
    if wrong:
        logger.warning("%s can't be computed in the page: %s", graph.name, wrong, type="cutaway", subtype="live")
        return False
    store.write(KIND, key, ".js", script(graph, build_of(env).book.source, steps).encode())
    store.vouch(KIND, key, [".js"])
    return True


def _wrong(graph: Graph) -> str:
    """Why a graph does not give what was recorded; "" if it does."""
    lacking = sorted({node.op for node in graph.nodes if node.op.partition(".")[0] not in KNOWN | {WEIGHT, INPUT}})
    if lacking:
        return f"no operation {', '.join(lacking)}"
    try:
        worst, node = compare(graph, run(graph, graph.inputs))
    except UnknownOperation as error:
        return str(error)
    if worst > TOLERANCE:
        where = f"{graph.label(node)} (node {node})"
        return f"{where} differs by {worst:.1e} of its largest number, where {TOLERANCE:.0e} is allowed"
    return ""


def _outdated(app: Sphinx, env: BuildEnvironment, found: Scripts) -> list[str]:
    """Pages written with the names of other scripts."""
    section, names = f"live {app.builder.name}", {name: file for name, (file, _) in found.items()}
    names |= {f"/{part}": file for part, file in found.parts.items()} | ({"/style": found.style} if found else {})
    before: dict[str, Any] = notes_of(env)[section]
    notes_of(env)[section] = names
    if before == names:
        return []
    showing = {docname for kind in ("listing", "live", "fact") for docname, _ in cutaway_domain(env).uses(kind)}
    return sorted(showing & env.found_docs)
