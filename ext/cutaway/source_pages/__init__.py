"""``cutaway.source_pages``: a page for each explained file of the source, and ``explains.json``.

The index tells which steps explain a line, and which lines a step explains.

``source/nanogpt/model.html`` shows every line, with an id (``#L62``) and beside it the steps that explain it, each a
link to its note. A caption of a listing leads there. Made by the builders ``html`` and ``dirhtml``; for the others
there is neither page nor link.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..build import build_of
from ..domain import NOWHERE, Step, cutaway_domain
from ..parts import SOURCE_PAGES, begin, has
from ..source.find import Module, python_files
from ..state import has_state, hold, notes_of, state_of
from ..store import digest, replacing
from .code_html import lines_html
from .coverage import File, file_name, files, pieces

BUILDERS = ("html", "dirhtml")
INDEX = "explains.json"
VERSION = 1  # of its form

class _Files(dict[str, File]):
    """The explained files, by name."""


def explained_files(env: BuildEnvironment) -> dict[str, File]:
    """The files that some step of the book explains, by their names; complete when all pages were read."""
    if not has_state(env, _Files):
        steps = {step.id: (step.object, step.quotation) for step in _steps(env).values()}
        found = files(build_of(env).book.source, steps)
        hold(env, _Files({name: file for name, file in found.items() if file.steps}))
    return state_of(env, _Files)


def _is_explained(env: BuildEnvironment, module: Module) -> bool:
    """Whether a module's file is one of those, without a look at all that is explained."""
    objects = {step.object for step in _steps(env).values()}
    inside = sorted(dotted for dotted in objects if f"{dotted}.".startswith(f"{module.name}."))
    source = build_of(env).book.source
    if source.module_path(module.name) != module.path:
        return False
    return any(source.find(dotted).path == module.path for dotted in inside)  # not that of a package's module


def _steps(env: BuildEnvironment) -> dict[str, Step]:
    return {step.id: step for step in cutaway_domain(env).steps.values() if step.span != NOWHERE}


def _has_pages(app: Sphinx) -> bool:
    return has(app, SOURCE_PAGES) and app.builder.name in BUILDERS


def _page(file: str) -> str:
    return f"source/{file.removesuffix('.py')}"


def address(app: Sphinx, docname: str, module: Module, line: int) -> str:
    """Where a line is shown in its file, from a page of the book; ``""`` where there is no such page."""
    if not _has_pages(app) or not _is_explained(app.env, module):
        return ""
    return f"{app.builder.get_relative_uri(docname, _page(file_name(module)))}#L{line}"


def coverage(app: Sphinx, docname: str) -> list[nodes.Node]:
    """A sentence for each explained file: how much of it is explained, and a link to it."""
    said: list[nodes.Node] = []
    for name, file in explained_files(app.env).items():
        shown: nodes.TextElement = nodes.literal("", name)
        if _has_pages(app):
            uri = app.builder.get_relative_uri(docname, _page(name))
            shown = nodes.reference("", "", shown, refuri=uri, internal=True)
        said.append(nodes.paragraph("", "", shown, nodes.Text(f": {_share(file)}.")))
    return said


def _share(file: File) -> str:
    return f"{len(file.explained)} of {len(file.filled)} lines are explained"


# The page


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    if app.builder.name in BUILDERS and not _is_written(app):
        for name, file in explained_files(app.env).items():
            yield _page(name), {"title": name, "body": _body(app, file)}, "page.html"


def explained_names(app: Sphinx) -> list[str]:
    """The names of the explained files, when the pages were written."""
    return list(notes_of(app.env)[_section(app)].get("files", ()))


def _is_written(app: Sphinx) -> bool:
    """Whether the pages that are there were made of what they would be made of now."""
    record, out = notes_of(app.env)[_section(app)], Path(app.outdir)
    addresses = (app.builder.get_target_uri(_page(name)) for name in record.get("files", ()))
    there = (out / INDEX, *(out / uri / "index.html" if uri.endswith("/") else out / uri for uri in addresses))
    return record.get("of") == _inputs(app) and all(path.is_file() for path in there)


def _inputs(app: Sphinx) -> str:
    """Digest of what the pages are made of: the source, the steps, and what a page shows of the book around it."""
    env = app.env
    folders = [folder for _, all in sorted(build_of(env).book.source.packages.items()) for folder in all]
    texts = [[str(path.relative_to(folder)), path.read_bytes()] for folder in folders for path in python_files(folder)]
    steps = [[step.id, step.docname, step.object, step.quotation] for step in _steps(env).values()]
    listings = sorted({str(use["name"]) for _, use in cutaway_domain(env).uses("listing")})
    titles = {name: title.astext() for name, title in env.titles.items()}
    config = app.builder.build_info.config_hash  # type: ignore[attr-defined]  # builders with pages have it
    return digest(texts, sorted(steps), listings, titles, env.toctree_includes, config)


def _section(app: Sphinx) -> str:
    """Of the notes: of what the pages were written, and their files."""
    return f"source {app.builder.name}"


def _body(app: Sphinx, file: File) -> str:
    env, page = app.env, _page(file.name)
    steps = _steps(env)
    chapters: dict[str, str] = {}
    for id in sorted(file.steps, key=lambda id: file.steps[id].at):
        chapters.setdefault(steps[id].docname, env.titles[steps[id].docname].astext())
    links = (_link(app.builder.get_relative_uri(page, doc), title) for doc, title in chapters.items())
    beside: dict[int, str] = {}
    for first, _, ids in file.ranges():
        beside[first] = _beside(app, page, [steps[id] for id in ids])
    rows = lines_html("\n".join(file.module.lines).rstrip("\n"), 1, [], beside, set(file.filled - file.explained), "L")
    return (
        f"<h1>{html.escape(file.name)}</h1>\n"
        f"<p>{_share(file)}, by {len(file.steps)} steps. A step’s name beside a line leads to its note, in "
        f"{', '.join(links)}. It stands where its lines begin; blank lines don’t count.</p>\n"
        '<div class="cutaway-listing cutaway-source"><div class="highlight">'
        f'<pre tabindex="0" aria-label="{html.escape(file.name)}">{"".join(row for _, row in rows)}</pre>'
        "</div></div>\n"
    )


def _beside(app: Sphinx, page: str, steps: list[Step]) -> str:
    if not steps:
        return "not explained"
    listings = {use["name"] for _, use in cutaway_domain(app.env).uses("listing")}
    links = []
    for step in steps:
        name = max((name for name in listings if name and step.id.startswith(f"{name}-")), key=len, default="")
        uri = f"{app.builder.get_relative_uri(page, step.docname)}#{step.id}"
        links.append(_link(uri, step.id.removeprefix(f"{name}-"), step.id))
    return " ".join(links)


def _link(uri: str, words: str, title: str = "") -> str:
    said = f' title="{html.escape(title)}"' if title else ""
    return f'<a href="{html.escape(uri)}"{said}>{html.escape(words)}</a>'


# The index


def index(app: Sphinx) -> dict[str, Any]:
    """What ``explains.json`` holds: by file its pieces with the steps that explain them, by step its lines."""
    found: dict[str, Any] = {"version": VERSION, "files": {}, "steps": {}}
    for name, file in explained_files(app.env).items():
        found["files"][name] = {
            "sha256": hashlib.sha256(file.module.path.read_bytes()).hexdigest(),
            "page": app.builder.get_target_uri(_page(name)),
            "lines": len(file.filled),
            "explained": len(file.explained),
            "coverage": round(file.coverage, 4),
            "ranges": [{"first": first, "last": last, "ids": ids} for first, last, ids in file.ranges()],
        }
        for id, step in file.steps.items():
            first, last = step.piece
            page = f"{app.builder.get_target_uri(_steps(app.env)[id].docname)}#{id}"
            found["steps"][id] = {"file": name, "first": first, "last": last, "lines": pieces(step.lines), "page": page}
    return found


def write_index(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name not in BUILDERS or _is_written(app):
        return
    text = json.dumps(index(app), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    write_changed(Path(app.outdir, INDEX), text + "\n")
    notes_of(app.env)[_section(app)] = {"of": _inputs(app), "files": list(explained_files(app.env))}


def write_changed(path: Path, text: str) -> None:
    """Write a file of the site, if it is not the same already."""
    if not path.is_file() or path.read_text("utf-8") != text:
        with replacing(path) as temporary:
            temporary.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    return begin(app)
