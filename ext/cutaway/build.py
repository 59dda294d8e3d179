"""What one Sphinx build shares: the book's settings, its runs, the names of their values, and which pages are stale.

The runs that are missing are made before anything is read (cells need them). A page that draws from a run or from
other pages' steps is written again when those changed, though its own text did not; a page that had a warning is read
again, so that a second build does not hide it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold
from sphinx.util.docutils import SphinxDirective

from . import runs
from .config_values import SETTINGS
from .domain import Step, cutaway_domain, nearest
from .progress import Progress, in_one_line
from .settings import Book, BookError, kinds, replaced_sources, steps_key
from .state import has_state, hold, notes_of, state_of
from .store import digest
from .theme.dimensions import DimensionError, adopt
from .trace.gradients import GradientNames
from .trace.names import Names
from .trace.reading import Trace, TraceError, Traces, load
from .warning_kinds import Kind

logger = logging.getLogger(__name__)
LARGEST = 1_000_000  # characters of a directive's body
LONGEST = 4000  # characters of a message
LISTS = {"claims", "definitions"}  # what a page lists of all others, with the numbers in it
DRAWN = {"fact", "claim", "listing", "diagram", "sequence"}  # what a page draws from runs and from other pages


@dataclass
class Build:
    """The state of one build; plain data that later phases read."""

    book: Book
    outcomes: dict[str, runs.Outcome] = field(default_factory=dict)
    troubled: set[str] = field(default_factory=set)  # pages that had a warning of ours
    inputs: dict[str, str] = field(default_factory=dict)  # of each page, known when all are read


def build_of(env: BuildEnvironment) -> Build:
    return state_of(env, Build)


def trace_of(env: BuildEnvironment, run: str | None) -> Trace:
    """The trace of a run, or of the only one; TraceError says why there is none."""
    outcomes = build_of(env).outcomes
    if not outcomes:
        raise TraceError(f"no run is declared in {build_of(env).book.declared_in}")
    name = run or next(iter(outcomes))
    if name not in outcomes:
        raise TraceError(f"no run '{name}' in {build_of(env).book.declared_in}{nearest(name, outcomes)}")
    if outcomes[name].error:
        raise TraceError(f"the run '{name}' failed; its error is reported above")
    return load(Path(outcomes[name].trace))


def names_of(env: BuildEnvironment, run: str | None = None) -> Names:
    """The names that facts and tags of this build may use; runs that failed are left out."""
    traces = Traces(
        {name: outcome.trace for name, outcome in build_of(env).outcomes.items() if not outcome.error}
    )
    places = {name: step.place for name, step in cutaway_domain(env).steps.items()}
    return GradientNames(traces, places, run)


def bounded(directive: SphinxDirective, kind: Kind) -> None:
    """Leave out a body that nobody typed: it would take minutes to read."""
    size = sum(map(len, directive.content))
    if size > LARGEST:
        message = f"the body has {size:,} characters, at most {LARGEST:,} are read: it is left out"
        warn(directive.env, message, directive.get_location(), kind)
        directive.content = StringList([], source="")


def described(directive: SphinxDirective, node: nodes.Element, kind: Kind, what: str) -> None:
    """Give what a directive shows its place, its address and, from ``:alt:``, its description, which is required."""
    node.source, node.line = directive.get_source_info()
    directive.add_name(node)
    node["alt"] = " ".join(directive.options.get("alt", "").split())
    if not node["alt"]:
        warn(directive.env, f"{kind} {what}: no :alt:; say in a sentence what is seen", node, kind)


def warn(env: BuildEnvironment, message: str, location: Any, kind: Kind) -> None:
    """An author's mistake: a warning with its place; the page counts as unfinished."""
    logger.warning(_printable(message), location=location, type="cutaway", subtype=kind)
    docname = location[0] if isinstance(location, tuple) else _docname(env, location)
    if docname:
        build_of(env).troubled.add(docname)


def _printable(message: str) -> str:
    """What is quoted in a message may be of any length, and must not steer the terminal."""
    cut = message if len(message) <= LONGEST else f"{message[:LONGEST]} … ({len(message):,} characters)"
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in cut)


def _docname(env: BuildEnvironment, location: Any) -> str:
    source = (
        getattr(location, "source", None) if isinstance(location, nodes.Node) else str(location).split(":")[0]
    )
    return (env.path2doc(source) if source else None) or env.current_document.docname


def replace_sources(app: Sphinx, config: Config) -> None:
    """Note another checkout in the settings, so that every page is read again when it comes or goes."""
    try:
        for name, folder in replaced_sources().items():
            given = dict(config.cutaway_sources).get(name, [])
            listed = [given] if isinstance(given, str) else list(given)
            config.cutaway_sources = {**config.cutaway_sources, name: [str(folder), *listed]}
    except (BookError, TypeError, ValueError):
        return  # reported where the settings are settled


def _say(line: str) -> None:
    logger.info("%s", bold("cutaway: ") + line)


def _rewrite(line: str) -> None:
    logger.info("%s", in_one_line(line), nonl=True)


def start(app: Sphinx) -> None:
    """Settle the settings and make the runs that are missing."""
    try:
        book = Book.from_config(app.config, Path(app.confdir))
        adopt(book.dimensions)
        build = Build(book)
        hold(app.env, build)
        draft = app.config.cutaway_draft
        progress = Progress(_say, _rewrite if sys.stdout.isatty() else None)
        build.outcomes = runs.ensure(book, progress, _mentioned(app, book), draft)
        progress.end()
    except (BookError, DimensionError, runs.RunError) as error:
        if not has_state(app.env, Build):
            hold(app.env, Build(_empty(app)))
        logger.warning(str(error), location=_place_of(error, app), type="cutaway", subtype="runs")
        return
    for outcome in build.outcomes.values():
        for warning in outcome.warnings:
            logger.warning(warning, location=f"{outcome.file}:{outcome.line}", type="cutaway", subtype="runs")
        if outcome.error and outcome.error != runs.LEFT_OUT:
            logger.warning(
                outcome.error, location=f"{outcome.file}:{outcome.line}", type="cutaway", subtype="runs"
            )


def _place_of(error: Exception, app: Sphinx) -> str | None:
    """Where in conf.py the setting stands that is wrong; RunError says itself where its run is declared."""
    path = Path(app.confdir, "conf.py")
    if isinstance(error, runs.RunError) or not path.is_file():
        return None
    named = str(error).partition(" ")[0].partition("[")[0]
    lines = path.read_text("utf-8", "replace").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.startswith((named, "cutaway_sources"))), 1)
    return f"{path}:{line}"


def _empty(app: Sphinx) -> Book:
    from .store import Store

    confdir = Path(app.confdir)
    return Book(confdir, {}, (), confdir / "scenes", Store(confdir / ".cutaway"), workers=1)


def _mentioned(app: Sphinx, book: Book) -> set[str] | None:
    """The runs that are made: for an excerpt the first and those that its pages name."""
    if not app.config.cutaway_excerpt:
        return None
    text = "\n".join(path.read_text("utf-8", "replace") for path in Path(app.srcdir).rglob("*.md"))
    return {run.name for number, run in enumerate(runs.declared(book.runs)) if not number or run.name in text}


def missing_step(app: Sphinx, domain: Domain | None, node: pending_xref) -> bool | None:
    """Name the nearest steps where a reference to one leads nowhere."""
    if domain is None or domain.name != "cutaway":
        return None
    target = node["reftarget"]
    warn(app.env, f"no step '{target}'{nearest(target, cutaway_domain(app.env).steps)}", node, "step")
    return True


def second_owners(app: Sphinx, env: BuildEnvironment) -> None:
    book = build_of(env).book

    def is_ours(step: Step) -> bool:
        return not book.origin(book.source.find(step.object).path)

    for step, message in cutaway_domain(env).second_owners(is_ours):
        warn(env, message, (step.docname, step.line), "listing")


# Which pages are stale


def _inputs(env: BuildEnvironment) -> dict[str, str]:
    """For each page the digest of what it draws from beside its own text."""
    domain = cutaway_domain(env)
    traces = {name: outcome.trace or outcome.error for name, outcome in build_of(env).outcomes.items()}
    steps = {name: [step.docname, step.place] for name, step in domain.steps.items()}
    drawings = [[name, use.get("object"), use.get("id"), use.get("run")] for name, use in domain.uses("diagram")]
    drawn = digest(traces, steps, drawings)
    judged = digest(drawn, domain.uses("claim"), domain.data["noted"])  # what lists the claims of all pages
    uses = domain.data["uses"]
    kinds = {name: {kind for kind, _ in uses.get(name, [])} for name in sorted(env.found_docs)}
    return {name: judged if used & LISTS else drawn if used & DRAWN else "" for name, used in kinds.items()}


def _section(app: Sphinx) -> str:
    """Of the notes: the inputs with which this builder last wrote each page."""
    return f"pages {app.builder.name}"


def _written(app: Sphinx) -> dict[str, str]:
    return notes_of(app.env)[_section(app)]


def outdated(
    app: Sphinx, env: BuildEnvironment, added: Set[str], changed: Set[str], removed: Set[str]
) -> list[str]:
    """Pages that are read again: those that had a warning last time, and those whose files changed.

    Sphinx asks whether a file is newer than its last reading; after a clock was set back, an edited file is not.
    """
    written, texts = _written(app), cutaway_domain(env).data.get("texts", {})
    edited = {name for name in env.found_docs if name in texts and texts[name] != _text(env, name)}
    return [
        name
        for name in env.found_docs
        if (written.get(name) == "troubled" or name in edited) and name not in added | changed
    ]


def _text(env: BuildEnvironment, docname: str) -> str:
    """Digest of a page's file and of those that it said it depends on."""
    # A page's executed notebook is a dependency that each reading writes anew.
    named = [Path(name) for name in sorted(env.dependencies[docname]) if "jupyter_execute" not in Path(name).parts]
    paths = [Path(env.doc2path(docname)), *(Path(env.srcdir, name) for name in named)]
    return digest([path.read_bytes() if path.is_file() else None for path in paths])


def updated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages that are written again: those whose inputs changed since."""
    written = _written(app)
    build, steps = build_of(env), cutaway_domain(env).steps
    cutaway_domain(env).data["texts"] = {name: _text(env, name) for name in env.found_docs}
    if not app.config.cutaway_excerpt:
        listed = {id: [step.object, step.quotation] for id, step in steps.items()}
        with contextlib.suppress(OSError):  # a store that can't be written was named where something had to be kept
            build.book.store.write_json("book", steps_key(build.book), listed)  # for the command line
    build.inputs = _inputs(env)
    return [name for name, inputs in build.inputs.items() if written.get(name, "") != inputs]


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and has_state(app.env, Build):
        build = build_of(app.env)
        notes_of(app.env)[_section(app)] = build.inputs | dict.fromkeys(build.troubled, "troubled")


def setup(app: Sphinx) -> None:
    for name, default, rebuild, type_, meaning, _ in SETTINGS:
        app.add_config_value(name, default, rebuild, kinds(type_), meaning)  # type: ignore[arg-type]
