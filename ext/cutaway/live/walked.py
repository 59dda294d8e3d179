"""A walk on a page: the layout as data, and the pictures that stand there without WebGL or script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx

from ..build import build_of, trace_of
from ..domain import cutaway_domain
from ..source.own import own_code
from ..store import digest
from ..theme.palette import THEMES
from ..trace.names import PASS
from ..walks.data import described
from ..walks.still import built, picture, save
from .making import KIND
from .script import steps_by_node
from .shown import graph


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
    texts = {step.id: step.text for step in steps.values()}
    places = {step.id: (step.place, "") for step in steps.values()}
    data = described(seen, found, steps_by_node(held, places), texts)
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
