"""A walk on a page: the layout as data, and the pictures that stand there without WebGL or script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of
from ..domain import cutaway_domain
from ..source.own import own_code
from ..state import notes_of
from ..store import digest
from ..theme.palette import THEMES
from ..trace.names import PASS
from ..walks.data import described
from ..walks.still import built, picture, save
from .making import KIND
from .said import texts
from .script import steps_by_node
from .shown import WALK, graph


@dataclass(frozen=True)
class Walked:
    """``data``: JSON for a script element; ``stills``: names of the pictures' files, by theme."""

    data: str
    stills: dict[str, str]


def walked(app: Sphinx, model: str) -> Walked:
    """The walk of a pass, ``sort.forward``: its pictures come from the store, or are drawn."""
    run, _, pass_ = model.partition(".")
    held = graph(trace_of(app.env, run), pass_ or PASS)
    seen, found = built(held)
    steps = cutaway_domain(app.env).steps
    explained = steps_by_node(held, {step.id: (step.place, "") for step in steps.values()})
    shown = {id: steps[id] for id in explained.values()}
    data = described(seen, found, explained, texts(app.env, shown))
    store = build_of(app.env).book.store
    trace, stills = Path(build_of(app.env).outcomes[run].trace).stem, {}
    for theme in THEMES:
        key = digest("walk", trace, pass_, theme, own_code("cutaway.walks.still"))
        path = store.path(KIND, key, ".png")
        if store.whole(KIND, key) is None:
            store.write(KIND, key, ".png", partial(save, picture(seen, found, theme)))
            store.vouch(KIND, key, [".png"])
        stills[theme] = app.builder.images[str(path)] = f"walk-{path.name}"
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/").replace("<!--", "<\\!--")
    return Walked(text, stills)


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages with a walk, where a note has another text than when they were written."""
    now = {"notes": digest({step.id: step.text for step in cutaway_domain(env).steps.values()})}
    before = notes_of(env)[f"walks {app.builder.name}"]
    notes_of(env)[f"walks {app.builder.name}"] = now
    pages = {page for page, use in cutaway_domain(env).uses("live") if use.get("show") == WALK}
    return sorted(pages & env.found_docs) if before != now else []
