"""Compare the book with its registry of ids: a difference is a warning with the command that settles it.

``cutaway_permalinks`` in conf.py names the registry; without it nothing is checked, nor of an excerpt.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..build import build_of, warn
from ..domain import cutaway_domain, nearest
from ..targets import Target, all_targets, targets
from .registry import Entry, Registry, RegistryError

logger = logging.getLogger(__name__)

RECORD = "`python -m cutaway permalinks` records it"


def is_the_book(app: Sphinx) -> bool:
    """Whether these pages are the whole book, which alone has a say in its registry."""
    return not app.config.cutaway_excerpt


def registry_of(app: Sphinx) -> Registry | None:
    """The registry that this build goes by; None where there is none."""
    path = build_of(app.env).book.permalinks
    if path is None or not is_the_book(app):
        return None
    try:
        return Registry.read(path)
    except RegistryError:
        return None  # said once, below


def unlabelled(app: Sphinx, doctree: nodes.document) -> None:
    """Note the sections of a page that have no id of their own."""
    docname = app.env.current_document.docname
    labelled = {data["id"] for page, data in cutaway_domain(app.env).uses("target") if page == docname}
    for section in doctree.findall(nodes.section):
        if not labelled & set(section["ids"]):
            title = next(iter(section.findall(nodes.title)))
            use = {"line": title.line or section.line or 0, "title": title.astext()}
            cutaway_domain(app.env).note_use(docname, "unlabelled", use)


def check(app: Sphinx, env: BuildEnvironment) -> list[str]:
    path = build_of(env).book.permalinks
    if path is None or not is_the_book(app) or app.builder.format != "html":
        return []
    try:
        registry = Registry.read(path)
    except RegistryError as error:
        _warn(str(error), path, "")
        return []
    here = targets(env)
    _second(env)
    for docname, use in cutaway_domain(env).uses("unlabelled"):
        message = f"the section '{use['title']}' has no id that lasts: write one above it, as in (some-name)="
        warn(env, message, (docname, use["line"]), "permalinks")
    for target in here.values():
        _present(env, target, registry.ids.get(target.id))
    for id, entry in registry.ids.items():
        if id not in here:
            _absent(id, entry, registry, here, path)
    return []


def _second(env: BuildEnvironment) -> None:
    """Two things with one id; of two steps the domain says it."""
    first: dict[str, Target] = {}
    for target in all_targets(env):
        owner = first.setdefault(target.id, target)
        if owner is not target and {owner.kind, target.kind} != {"step"}:
            where = f"{owner.kind} at {env.doc2path(owner.docname, False)}:{owner.line}"
            message = f"the {target.kind} '{target.id}' has the id of the {where}; give it another"
            warn(env, message, (target.docname, target.line), "permalinks")


def _present(env: BuildEnvironment, target: Target, entry: Entry | None) -> None:
    if entry is None:
        message = f"the {target.kind} '{target.id}' is not in the registry: {RECORD}"
    elif entry.to:
        message = f"the {target.kind} '{target.id}' is back in the book, and its id leads to '{entry.to}': {RECORD}"
    elif entry.page != target.docname:
        message = f"the {target.kind} '{target.id}' came from the page '{entry.page}': {RECORD}, and its old address"
    else:
        return
    warn(env, message, (target.docname, target.line), "permalinks")


def _absent(id: str, entry: Entry, registry: Registry, here: dict[str, Target], path: Path) -> None:
    try:
        live = registry.live(id)
    except RegistryError as error:
        _warn(f"{error}; {_how(id, here)}", path, id)
        return
    if not entry.to:
        _warn(left(id, entry, here), path, id)
    elif live == entry.to and live not in here:
        _warn(f"'{id}' leads to '{live}', which has left the book; {_how(id, here)}", path, id)


def left(id: str, entry: Entry, here: Iterable[str]) -> str:
    """What is said of an id whose thing is gone."""
    what = f"the {entry.kind} '{id}' (“{entry.title}”, page {entry.page}, since {entry.since}) has left the book"
    return f"{what}, and links to it are out there; {_how(id, here)}"


def _how(id: str, here: Iterable[str]) -> str:
    move = f"`python -m cutaway permalinks --move {id} NEW` if it has another id now"
    return f"{move}, `--retire {id} --to NEAR` if it is gone{nearest(id, here)}"


def _warn(message: str, path: Path, id: str) -> None:
    """A warning at an id's line in the registry."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    line = next((n for n, text in enumerate(lines, 1) if text.startswith(f'"{id}":')), 1)
    logger.warning(message, location=f"{path}:{line}", type="cutaway", subtype="permalinks")
