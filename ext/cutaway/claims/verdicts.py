"""The verdicts of a build: whether each claim holds, and with which values; kept for later builds.

``claims.json`` at the site's root lists them all: for whoever checks a book from outside, as its tests do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..cells.page_names import PageNames, is_excused, page_names, run_of
from ..domain import cutaway_domain
from ..prose.facts import fill
from ..prose.facts import shown as number
from ..settings import replaced_sources
from ..source_pages import BUILDERS, write_changed
from ..state import notes_of, state_of
from ..targets import plain as said
from ..trace.names import UnknownName
from ..trace.reading import TraceError
from ..unchanged import is_quiet
from .evaluate import holds, plain
from .functions import Series
from .syntax import ConditionError, Tree, names, parse

logger = logging.getLogger(__name__)

PUBLISHED = "claims.json"
KEPT = 10_000  # numbers of one value in claims.json
FACT = re.compile("\x01([^\x02]*)\x02([^\x03]*)\x03")  # a fact in a sentence: its name, its format


@dataclass(frozen=True)
class Verdict:
    """``holds`` is None where a value is missing: ``error`` says why, or nothing if that was said elsewhere."""

    holds: bool | None
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    sentence: str = ""


class _Verdicts(dict[tuple[str, str], Verdict]):
    """By page and claim."""


class _Recorded(dict[str, Any]):
    """The claims of the pages that this build writes."""


def claims_of(env: BuildEnvironment) -> dict[str, list[dict[str, str]]]:
    """The claims of each page, in its order: ``id``, ``sentence``, ``condition``."""
    found: dict[str, list[dict[str, str]]] = {}
    for docname, use in cutaway_domain(env).uses("claim"):
        found.setdefault(docname, []).append(use)
    return found


def verdict(env: BuildEnvironment, docname: str, claim: dict[str, str]) -> Verdict:
    known = state_of(env, _Verdicts)
    key = (docname, claim["id"])
    if key not in known:
        known[key] = _judged(env, docname, claim)
    return known[key]


def _judged(env: BuildEnvironment, docname: str, claim: dict[str, str]) -> Verdict:
    using = page_names(env, docname)
    sentence = filled(claim["sentence"], using)
    tree = parse(claim["condition"])
    values: dict[str, Any] = {}
    for name in names(tree):
        try:
            values[name] = plain(using.resolve(name))
        except (UnknownName, TraceError, ConditionError) as error:
            excused = is_excused(env, docname, name)
            return Verdict(None, values, "" if excused else f"{name}: {error}{_hint(name, using)}", sentence)
    return _decided(tree, values, sentence)


def _hint(name: str, using: PageNames) -> str:
    """What to do about two names, or a name and a number, that were read as one."""
    after = [part for part in re.split("[-/]", name)[1:] if part]
    joined = any(part[0].isdecimal() or run_of(part) in (*using.traces, "cell") for part in after)
    return " (as an operator, / or - stands between blanks)" if joined else ""


def _decided(tree: Tree, values: dict[str, Any], sentence: str) -> Verdict:
    try:
        return Verdict(holds(tree, values), values, "", sentence)
    except ConditionError as error:
        return Verdict(None, values, str(error), sentence)


def filled(sentence: str, using: PageNames) -> str:
    """A sentence with its facts as the page shows them; a fact that is not there is named."""

    def shown(found: re.Match[str]) -> str:
        try:
            return said(fill(using.resolve(found[1]), found[2]))
        except (UnknownName, TraceError, ValueError):
            return found[1]

    return FACT.sub(shown, sentence)


# Values in words


def shown(value: Any) -> str:
    """A value as a tooltip and a table have it, short."""
    if isinstance(value, Series):
        return f"{len(value)} values, from {number(value.values[0])} to {number(value.values[-1])}"
    if isinstance(value, list):
        few = ", ".join(number(item) for item in value[:6])
        return f"{few}, … ({len(value):,} values)" if len(value) > 6 else few
    if isinstance(value, str):
        return f"“{value}”"
    return str(value).lower() if isinstance(value, bool) else number(value)


def told(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in values.items())


# The record


def recorded(app: Sphinx) -> dict[str, Any]:
    """The claims of each page as they were when it was last written."""
    return {**notes_of(app.env)[_section(app)], **state_of(app.env, _Recorded)}


def _section(app: Sphinx) -> str:
    return f"claims {app.builder.name}"


def record(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note what a page claims, now that it is written."""
    rows = [_row(claim, verdict(app.env, docname, claim)) for claim in claims_of(app.env).get(docname, [])]
    state_of(app.env, _Recorded)[docname] = rows


def _row(claim: dict[str, str], found: Verdict) -> dict[str, Any]:
    values = {name: _as_json(value) for name, value in found.values.items()}
    return {**claim, "sentence": found.sentence, "holds": found.holds, "values": values}


def _as_json(value: Any) -> Any:
    if isinstance(value, Series):
        return {"steps": list(value.steps[:KEPT]), "values": list(value.values[:KEPT])}
    return value[:KEPT] if isinstance(value, list) else value


def keep(app: Sphinx, error: Exception | None) -> None:
    """Write the record, and publish it where a site is built."""
    if error is not None or (is_quiet(app) and _section(app) in notes_of(app.env)):
        return
    pages = claims_of(app.env)
    rows = {docname: rows for docname, rows in sorted(recorded(app).items()) if docname in pages}
    notes_of(app.env)[_section(app)] = rows
    if app.builder.name in BUILDERS and rows:
        write_changed(Path(app.outdir, PUBLISHED), json.dumps(rows, ensure_ascii=False) + "\n")
    if replaced_sources():
        _list_untrue(rows)


def _list_untrue(pages: dict[str, Any]) -> None:
    """What the book says of its own runs and is not true of those of another checkout."""
    rows = [(page, row) for page in pages for row in pages[page] if row["holds"] is False]
    untrue = [f"  {page}: {row['sentence']} <{row['condition']}>" for page, row in rows]
    if untrue:
        logger.info("cutaway: %d claims do not hold for this source:\n%s", len(untrue), "\n".join(untrue))
