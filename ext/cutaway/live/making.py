"""Make the scripts that pages compute with: one of code for all, one of data for each pass that ``record.live`` named.

Before a graph is published it is computed here, by NumPy, from the very data that pages get: where it differs from the
recording, a warning says so and nothing of it is shown. What is made is kept in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..build import build_of, trace_of
from ..computing.graph import Graph
from ..domain import NOWHERE, cutaway_domain
from ..source.own import own_code
from ..state import has_state, hold, notes_of, state_of
from ..store import Store, digest
from ..trace.names import Place
from ..trace.reading import Trace, TraceError, Value
from ..walks.taped import Taped
from .addresses import address_of
from .refusing import refused
from .scaling import EMPTY, SCALE, has_towers
from .script import script
from .shown import graph
from .stops import stops, walked_graph, walks

logger = logging.getLogger(__name__)
KIND = "live"
STATIC = Path(__file__).with_name("static")
# The code in parts, each in the order in which its files build upon each other: what every figure needs, then what a
# page loads where it has such a figure, a model that reads text, or a reader who asks why.
SHARED = ""
SPACE = "space"  # what figures in three dimensions share, see theme/static/ask.js
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
    SPACE: ("space", "flight", "building", "hands"),
    "walk": ("told", "placed", "walk"),
    "beams": ("beams",),
    SCALE: ("scale",),
    "text": ("bpe",),
    "why": ("why", "reasons", "panel"),
}


class Scripts(dict[str, tuple[str, int]]):
    """By a pass's name, ``sort.forward``, its script's name in the output and how many bytes it has.

    ``parts`` of the code and the ``style`` have names, too."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, str] = {}
        self.walks: dict[str, str] = {}  # by step, the page on which a walk stops there
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
            path = _script(env, name, pass_, steps)
            if path is not None:
                found[f"{name}.{pass_}"] = _register(app, path)
    for name, pass_ in sorted({(run_, pass_) for _, run_, pass_ in walks(env)}):
        if name not in build_of(env).outcomes or build_of(env).outcomes[name].error:
            continue
        with suppress(TraceError):  # a pass in which nothing is to be seen, as the page says
            held, _ = walked_graph(env, name, pass_)
            if isinstance(held, Taped):
                found[held.name] = _register(app, _script_of(env, held, steps))
    if has_towers(env):
        found[SCALE] = _register(app, _kept(store, EMPTY, ".js"))
    found.walks = stops(env, steps)
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


def _script(env: BuildEnvironment, run_: str, pass_: str, steps: dict[str, tuple[Place, str]]) -> Path | None:
    """The script of a pass with a graph, if it computes what was recorded."""
    store = build_of(env).book.store
    key = _key(env, run_, pass_, steps)
    if store.whole(KIND, key) is None:
        held = graph(trace_of(env, run_), pass_)
        wrong = refused(held)
        if wrong:
            logger.warning("%s can't be computed in the page: %s", held.name, wrong, type="cutaway", subtype="live")
            return None
        _write(env, key, held, steps)
    return store.path(KIND, key, ".js")


def _script_of(env: BuildEnvironment, taped: Taped, steps: dict[str, tuple[Place, str]]) -> Path:
    """The script of what was recorded of a pass, where nothing is computed."""
    store, key = build_of(env).book.store, digest("taped", _key(env, taped.trace.run, taped.pass_, steps))
    if store.whole(KIND, key) is None:
        _write(env, key, taped, steps)
    return store.path(KIND, key, ".js")


def _key(env: BuildEnvironment, run_: str, pass_: str, steps: dict[str, tuple[Place, str]]) -> str:
    trace = Path(build_of(env).outcomes[run_].trace).stem
    return digest(trace, pass_, steps, own_code(f"{__package__}.script", "cutaway.walks.inside"))


def _write(env: BuildEnvironment, key: str, held: Graph, steps: dict[str, tuple[Place, str]]) -> None:
    store = build_of(env).book.store
    store.write(KIND, key, ".js", script(held, build_of(env).book.source, steps).encode())
    store.vouch(KIND, key, [".js"])


def _outdated(app: Sphinx, env: BuildEnvironment, found: Scripts) -> list[str]:
    """Pages written with the names of other scripts."""
    section, names = f"live {app.builder.name}", {name: file for name, (file, _) in found.items()}
    names |= {f"{step} in 3D": page for step, page in found.walks.items()}
    names |= {f"/{part}": file for part, file in found.parts.items()} | ({"/style": found.style} if found else {})
    before: dict[str, Any] = notes_of(env)[section]
    notes_of(env)[section] = names
    if before == names:
        return []
    showing = {docname for kind in ("listing", "live", "walk", "fact") for docname, _ in cutaway_domain(env).uses(kind)}
    return sorted(showing & env.found_docs)
