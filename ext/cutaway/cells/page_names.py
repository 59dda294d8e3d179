"""The names that one page may use: those of the runs, and ``cell.NAME`` of its own cells' notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sphinx.environment import BuildEnvironment

from ..build import build_of, names_of
from ..domain import cutaway_domain, nearest
from ..store import digest
from ..trace.gradients import GradientNames
from ..trace.names import Found, Names, UnknownName
from ..trace.reading import Value
from .execution import failed
from .notes import PREFIX


class PageNames(GradientNames):
    """Resolves names for a page; ``noted`` is what its cells left."""

    def __init__(self, names: Names, noted: Mapping[str, Any]) -> None:
        super().__init__(names.traces, names.steps, names.run)
        self.noted = noted

    def _whole(self, path: str) -> Found:
        if not path.startswith(PREFIX):
            return super()._whole(path)
        name = path.removeprefix(PREFIX)
        if name not in self.noted:
            there = nearest(name, self.noted) or (f"; there is {', '.join(self.noted)}" if self.noted else "")
            raise UnknownName(f"no cell of this page noted '{name}'{there}; write note({name}=...) in one")
        return _found(path, self.noted[name])


def _found(name: str, value: Any) -> Found:
    if not isinstance(value, list):
        return Found(name, scalar=value)
    items = tuple(Value("scalar", digest(item), scalar=item) for item in value)
    return Found(name, Value("tuple", digest(value), items=items))


def page_names(env: BuildEnvironment, docname: str) -> PageNames:
    return PageNames(names_of(env), cutaway_domain(env).data["noted"].get(docname, {}))


def run_of(name: str) -> str:
    """The first part of a name: a run, if one is called so."""
    head = name.partition("/")[0].partition("@")[0]
    return head.partition(".")[0]


def is_excused(env: BuildEnvironment, docname: str, name: str) -> bool:
    """Whether it was said elsewhere why a name has no value: its run failed, or a cell, or its step is not quoted."""
    build = build_of(env)
    lost = [use["step"] for _, use in cutaway_domain(env).uses("unquoted") if use["step"]]
    if any(step in name for step in lost):
        return True  # another checkout lacks the step's quotation: listed once, where the listing is read
    outcome = build.outcomes.get(run_of(name))
    if (outcome and outcome.error) or (name.startswith(PREFIX) and _unrun(env, docname)):
        build.troubled.add(docname)  # the error was reported where it happened
        return True
    return False


def _unrun(env: BuildEnvironment, docname: str) -> bool:
    """Whether a page's cells did not all run: one failed, or none was to run, as in a draft."""
    return docname in failed(env) or getattr(env.config, "nb_execution_mode", "") == "off"
