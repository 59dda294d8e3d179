"""A walk on a page: the layout as data, and the pictures that stand there without WebGL or script."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from ..walks.cases import Case, case_of
from ..walks.data import described
from ..walks.still import picture, save
from .refusing import refused
from .said import texts
from .script import steps_by_node
from .shown import WALK
from .stops import KIND


@dataclass(frozen=True)
class Walked:
    """``data``: JSON for a script element; ``stills``: names of the pictures' files, by theme; ``rows`` of a table."""

    data: str
    stills: dict[str, str]
    rows: Sequence[Sequence[str]] = ()


def walked(app: Sphinx, model: str) -> Walked:
    """The walk of a pass, ``sort.forward``."""
    run, _, pass_ = model.partition(".")
    return of_case(app, run, pass_ or PASS, case(app, run, pass_ or PASS))


def case(app: Sphinx, run: str, pass_: str) -> Case:
    """What a walk through a pass can show; TraceError where that is nothing."""
    return case_of(trace_of(app.env, run), pass_, build_of(app.env).outcomes[run].warnings, refused)


def of_case(app: Sphinx, run: str, pass_: str, shown: Case) -> Walked:
    """The walk as a page has it: its pictures come from the store, or are drawn."""
    seen, found = shown.seen, shown.found
    held = seen.graph
    steps = cutaway_domain(app.env).steps
    explained = steps_by_node(held, {step.id: (step.place, "") for step in steps.values()})
    data = described(seen, found, explained, texts(app.env, {id: steps[id] for id in explained.values()}))
    store = build_of(app.env).book.store
    trace, stills = Path(build_of(app.env).outcomes[run].trace).stem, {}
    for theme in THEMES:
        key = digest("walk", trace, pass_, theme, own_code("cutaway.walks.cases"))
        path = store.path(KIND, key, ".png")
        if store.whole(KIND, key) is None:
            store.write(KIND, key, ".png", partial(save, picture(seen, found, theme)))
            store.vouch(KIND, key, [".png"])
        stills[theme] = app.builder.images[str(path)] = f"walk-{path.name}"
    return Walked(as_json(data), stills)


def as_json(data: object) -> str:
    """For a script element, which no text in it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages with a walk, where a note has another text than when they were written."""
    now = {"notes": digest({step.id: step.text for step in cutaway_domain(env).steps.values()})}
    before = notes_of(env)[f"walks {app.builder.name}"]
    notes_of(env)[f"walks {app.builder.name}"] = now
    pages = {page for page, use in cutaway_domain(env).uses("live") if use.get("show") == WALK}
    pages |= {page for page, _ in cutaway_domain(env).uses(WALK)}
    return sorted(pages & env.found_docs) if before != now else []
