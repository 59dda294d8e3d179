"""Everything of a book that a link can lead to: its sections, steps, listings, clips and diagrams, by id.

An id is chosen once and means one thing in the whole book: it is the last part of the address
``/s/attention-forward-mask/``. A section's is the label that its author gave it, ``(attention)=`` above the heading.

``targets(env)`` lists them after reading; :func:`said` has, for each that was written, a description in plain words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .address import IDS, is_id
from .build import build_of, warn
from .clips.directive import clip
from .diagrams.directive import diagram
from .domain import cutaway_domain
from .listings.directive import annotation, listing
from .listings.excerpt import listed
from .math import FormulaError, node_to_text
from .state import has_state, hold, notes_of, state_of
from .unchanged import is_quiet

KINDS = ("section", "listing", "step", "diagram", "clip")
_LONGEST = 200  # characters of a description

_PROSE = (nodes.paragraph, nodes.bullet_list, nodes.enumerated_list, nodes.definition_list)


class Target(NamedTuple):
    """One thing to link to; ``title`` is plain text, ``object`` the dotted path of what it shows of the source."""

    id: str
    kind: str
    docname: str
    line: int
    title: str
    object: str = ""


def targets(env: BuildEnvironment) -> dict[str, Target]:
    """Every target of the book by its id, in the order of pages and lines; of two with one id, the first."""
    found: dict[str, Target] = {}
    for target in all_targets(env):
        found.setdefault(target.id, target)
    return found


def all_targets(env: BuildEnvironment) -> list[Target]:
    return [Target(**use) for _, use in cutaway_domain(env).uses("target")]


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Note what a page has to link to, when it was read."""
    docname = app.env.current_document.docname
    for target in _of_page(doctree, docname):
        if is_id(target.id):
            cutaway_domain(app.env).note_use(docname, "target", target._asdict())
        else:
            message = f"the id '{short(target.id, 60)}' of the {target.kind} is no address: use {IDS}"
            warn(app.env, message, (docname, target.line), "permalinks")


def _of_page(doctree: nodes.document, docname: str) -> Iterator[Target]:
    for node in doctree.findall(nodes.Element):
        line = node.line or 0
        if isinstance(node, nodes.section) and (id := _label(doctree, node)):
            heading = next(iter(node.findall(nodes.title)))
            yield Target(id, "section", docname, heading.line or line, plain(heading))
        elif isinstance(node, listing) and node["name"]:
            yield Target(node["name"], "listing", docname, line, _name(node["object"]), node["object"])
        elif isinstance(node, annotation) and node["step"]:
            owner = node.parent["object"] if isinstance(node.parent, listing) else ""
            yield Target(node["step"], "step", docname, line, node["quotation"], owner)
        elif isinstance(node, clip) and node["ids"]:
            yield Target(node["ids"][0], "clip", docname, line, scene_title(node["scene"]))
        elif isinstance(node, diagram) and node["ids"]:
            title = f"Data flow of {_name(node['object'])}" if node["object"] else short(node["alt"], 80)
            yield Target(node["ids"][0], "diagram", docname, line, title, node["object"])


def _label(doctree: nodes.document, section: nodes.section) -> str:
    """The id that an author gave to a section; of several, the first. A heading's slug is none: it may change."""
    explicit = {id for name, id in doctree.nameids.items() if id and doctree.nametypes.get(name)}
    return next((id for id in section["ids"] if id in explicit), "")


def _name(dotted: str) -> str:
    """``GPT.forward`` of ``nanogpt.model.GPT.forward``."""
    parts = dotted.split(".")
    return ".".join(parts[2:]) or dotted


def scene_title(scene: str) -> str:
    """``attention.CausalMask`` -> ``Causal mask``."""
    name = scene.rpartition(".")[2]
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]", name)
    lowered = [word if word.isupper() and len(word) > 1 else word.lower() for word in words]
    return " ".join([lowered[0] if lowered[0].isupper() else lowered[0].capitalize(), *lowered[1:]]) if words else name


class _Said(dict[str, str]):
    """The description of each target, by id."""


# Descriptions: known when a page is written, kept for the builds that don't write it again


def said(app: Sphinx) -> dict[str, str]:
    """A description of each target in plain words, by id; complete from ``build-finished`` on."""
    if not has_state(app.env, _Said):
        hold(app.env, _Said(notes_of(app.env)[_section(app)]))
    return state_of(app.env, _Said)


def _section(app: Sphinx) -> str:
    return f"descriptions {app.builder.name}"


def describe(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note what each target of a page says, now that facts and drawings are filled in."""
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.section):
            text = _of_section(node)
        elif isinstance(node, annotation):
            text = " ".join(plain(child) for child in node.children)
        elif isinstance(node, listing):
            text = _of_listing(app, node)
        elif isinstance(node, clip):
            text = " ".join(plain(child) for child in node.children) or node["alt"]
        elif isinstance(node, diagram):
            text = " ".join(node.get("words") or [node["alt"]])
        else:
            continue
        said(app).update((id, short(text.replace("\\", ""))) for id in node["ids"])


def _of_section(node: nodes.section) -> str:
    """What it begins with: its first paragraph or list, else that of the first section in it, else its title."""
    own = [child for child in node.children if isinstance(child, _PROSE)]
    return plain(own[0] if own else next(node.findall(nodes.paragraph), node[0]))


def _of_listing(app: Sphinx, node: listing) -> str:
    """The first paragraph of the object's docstring, and where it stands."""
    if not node["file"]:
        return str(node["object"])
    obj = listed(build_of(app.env).book.source, node)
    summary = (ast.get_docstring(obj.node) or "").partition("\n\n")[0]
    where = f"{'/'.join(obj.module.name.split('.'))}.py, lines {obj.first_line}–{obj.last_line}"
    return f"{summary} ({where})" if summary else where


def note_said(app: Sphinx, error: Exception | None) -> None:
    if error is None and not (is_quiet(app) and _section(app) in notes_of(app.env)):
        notes_of(app.env)[_section(app)] = dict(said(app))


# In plain words


def plain(node: nodes.Node) -> str:
    """What a reader sees of a node, as text: formulae as they look, no markup, single blanks."""
    if isinstance(node, nodes.math | nodes.math_block):
        return _formula(node)
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, nodes.raw | nodes.comment | nodes.system_message | nodes.image):
        return ""
    if isinstance(node, nodes.subscript) and "cutaway-dim" in node.parent.get("classes", ()):
        return ""  # the letter of a size: "192" and "4C" would read as one number
    parts = (plain(child) for child in node.children)
    joined = (" " if isinstance(node, nodes.Element) and not isinstance(node, nodes.TextElement) else "").join(parts)
    return " ".join(joined.split()) if isinstance(node, nodes.Structural | nodes.Body) else joined


def _formula(node: nodes.math | nodes.math_block) -> str:
    try:
        return node_to_text(node)
    except FormulaError:
        return node.astext().replace("\\", "")


def short(text: str, longest: int = _LONGEST) -> str:
    """A text's first sentences, as many as fit; a sentence too long is cut between words."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    kept = text[: longest + 1]
    end = max(kept.rfind(mark) for mark in (". ", "? ", "! "))
    return kept[: end + 1] if end > longest // 3 else kept[: kept.rfind(" ")].rstrip(",;:") + " …"
