"""A Manim scene of the book's own, driven by recorded values.

What the author types::

    :::{clip} attention.CausalMask
    :run: sort
    :alt: A T by T grid of scores; the triangle above the diagonal fades.

    Each token may look back, never ahead.
    :::

The argument is a class in a file of the scenes' folder (``cutaway_scenes``), the body the caption. ``:run:``
names the run whose values the scene reads (the first declared one otherwise), ``:name:`` an anchor.

What appears: a film in the colours of the reader's theme that starts when asked to, with controls, captions
from the scene's subcaptions and the same words to read; elsewhere (print, PDF, epub, text) a still with the
caption. Size and rate are the book's decision: ``cutaway_clip_size``, ``cutaway_clip_fps``. A clip is drawn
when its scene, what it imports, or a value that it reads has changed, and comes from the store otherwise.

What can go wrong is a warning ``cutaway.clip`` at the directive's line: no such scene (the nearest are
named), no ``:alt:``, no such run; a scene that raises (with its traceback), takes longer than
``cutaway_clip_limit_s`` or is killed. The page then shows the alt text. A tag that names no step or value is
a warning at the scene's line.
"""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold
from sphinx.util.docutils import SphinxDirective

from . import clip_html
from .build import build_of, warn
from .domain import cutaway_domain, nearest
from .filming.export import render_one
from .filming.recipe import KIND, find_scene
from .render import Clip as Rendered
from .render import Inputs, Wanted, render
from .source import SourceError
from .store import replacing

__all__ = ["Clip", "clip", "render_one", "setup"]

logger = logging.getLogger(__name__)


class clip(nodes.General, nodes.Element):
    """Attributes: ``scene``, ``run``, ``alt``; once resolved ``files``, ``film``; children: the caption."""


class Clip(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "run": directives.unchanged_required,
        "alt": directives.unchanged_required,
        "name": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        node = clip(
            scene=self.arguments[0].strip(),
            run=self._run(),
            alt=" ".join(self.options.get("alt", "").split()),
        )
        node.source, node.line = self.get_source_info()
        self.add_name(node)
        if not node["alt"]:
            message = f"clip {node['scene']}: no :alt:; say in a sentence what is seen"
            warn(self.env, message, node, "clip")
        node += self.parse_content_to_nodes()
        try:
            scene = find_scene(build_of(self.env).book, node["scene"])
        except SourceError as error:
            warn(self.env, str(error), node, "clip")
            return [node]
        self.env.note_dependency(str(scene.path))
        use = {"scene": node["scene"], "run": node["run"], "line": node.line}
        cutaway_domain(self.env).note_use(self.env.current_document.docname, KIND, use)
        return [node]

    def _run(self) -> str:
        """The run's name; empty where none is declared."""
        declared = build_of(self.env).outcomes
        asked = self.options.get("run", next(iter(declared), "")).strip()
        if asked and asked not in declared:
            message = f"no run '{asked}' in {build_of(self.env).book.runs}{nearest(asked, declared)}"
            warn(self.env, message, self.get_location(), "clip")
        return str(asked)


# Between reading and writing: everything that is missing, for all pages together

_clips: weakref.WeakKeyDictionary[BuildEnvironment, dict[Wanted, Rendered]] = weakref.WeakKeyDictionary()


def _render_missing(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Draw what is missing; return the pages whose clips are not those that they were written with."""
    uses = cutaway_domain(env).uses(KIND)
    if not app.builder.supported_image_types:
        return []  # text and man pages show words alone
    build = build_of(env)
    traces = {name: outcome.trace for name, outcome in build.outcomes.items() if not outcome.error}
    inputs = Inputs(traces, {id: step.place for id, step in cutaway_domain(env).steps.items()})
    wanted = [_wanted(use) for _, use in uses]
    without = {name for name, outcome in build.outcomes.items() if outcome.error}
    drawn = [want for want in wanted if want.run not in without]
    found = render(build.book, drawn, inputs, lambda line: logger.info("%s", bold("cutaway: ") + line))
    found |= {
        want: Rendered(error=f"the run '{want.run}' failed; its error is reported above")
        for want in wanted
        if want.run in without
    }
    _clips[env] = found
    for docname, use in uses:
        _warn(env, docname, use, found[_wanted(use)])
    written = _written(app)
    return [name for name, keys in _keys(env).items() if written.get(name) != keys or not _are_out(app, name)]


def _wanted(use: Any) -> Wanted:
    return Wanted(use["scene"], use["run"] or None)


def _warn(env: BuildEnvironment, docname: str, use: dict[str, Any], found: Rendered) -> None:
    lost = [step["step"] for _, step in cutaway_domain(env).uses("unquoted")]
    if any(step in found.error for step in lost):
        logger.info("cutaway: clip %s shows its words alone: the other checkout lacks a step of it", use["scene"])
    elif found.error:
        warn(env, f"clip {use['scene']}: {found.error}", (docname, use["line"]), KIND)
    for place, message in found.notices:
        logger.warning(message, location=place, type="cutaway", subtype=KIND)
        build_of(env).troubled.add(docname)


def _keys(env: BuildEnvironment) -> dict[str, list[str]]:
    """The artifact keys of each page that has clips."""
    keys: dict[str, list[str]] = {}
    for docname, use in cutaway_domain(env).uses(KIND):
        keys.setdefault(docname, []).append(_clips[env][_wanted(use)].key)
    return keys


def _are_out(app: Sphinx, docname: str) -> bool:
    """Whether the output still has the page's files: it may have been cleaned by hand."""
    if app.builder.format != "html":
        return True
    folder = Path(app.outdir, app.builder.imagedir)
    mine = [
        _clips[app.env][_wanted(use)] for name, use in cutaway_domain(app.env).uses(KIND) if name == docname
    ]
    return all((folder / _name(found, suffix)).is_file() for found in mine for suffix in found.suffixes)


def _record(app: Sphinx) -> Path:
    """Where the clips are noted with which each page was last written, for this builder."""
    return Path(app.doctreedir) / f"cutaway-clips-{app.builder.name}.json"


def _written(app: Sphinx) -> dict[str, list[str]]:
    try:
        return dict(json.loads(_record(app).read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.env in _clips:
        with replacing(_record(app)) as temporary:
            temporary.write_text(json.dumps(_keys(app.env)), "utf-8")


# Writing: files are registered here, in the parent process; a visitor of a parallel build would lose them


def _resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(clip)):
        found = _clips.get(app.env, {}).get(_wanted(node))
        if found is None or not found.key:
            node.replace_self(_words(node))
        elif app.builder.format == "html" and app.builder.name != "epub":
            node["files"] = {suffix: _register(app, found, suffix) for suffix in found.suffixes}
            node["film"] = {
                "themes": list(found.themes),
                "size": list(found.size),
                "captions": list(found.captions),
            }
            node["language"] = app.config.language
        else:
            node.replace_self(_still(app, node, found))


def _name(found: Rendered, suffix: str) -> str:
    return f"clip-{found.key}{suffix}"


def _register(app: Sphinx, found: Rendered, suffix: str) -> str:
    """Have the builder copy a file; returns its name in the output."""
    name = _name(found, suffix)
    app.builder.images[str(build_of(app.env).book.store.path(KIND, found.key, suffix))] = name
    return name


def _still(app: Sphinx, node: clip, found: Rendered) -> nodes.Element:
    suffix = clip_html.still(found.suffixes)
    path = str(build_of(app.env).book.store.path(KIND, found.key, suffix))
    _register(app, found, suffix)
    image = nodes.image(uri=path, alt=node["alt"], candidates={"*": path}, width="100%")
    if app.builder.format != "latex":
        return _together(node, image)
    first, *rest = node.children or [nodes.Text("")]
    caption = first.children if isinstance(first, nodes.paragraph) else []
    below = rest if caption else node.children
    return nodes.figure(
        "",
        image,
        nodes.caption("", "", *caption),
        nodes.legend("", *below),
        ids=node["ids"],
        names=node["names"],
    )


def _words(node: clip) -> nodes.Element:
    """What stands for a clip that can't be shown: its alt text, then its caption."""
    return _together(node, nodes.paragraph("", node["alt"] or node["scene"]))


def _together(node: clip, shown: nodes.Element) -> nodes.container:
    return nodes.container(
        "", shown, *node.children, classes=["cutaway-clip"], ids=node["ids"], names=node["names"]
    )


def _plain(translator: Any, node: clip) -> None:
    """Elsewhere the node was replaced before it is printed; inside a table of contents its caption is."""


def setup(app: Sphinx) -> None:
    plain = (_plain, _plain)
    html = (clip_html.visit, clip_html.depart)
    app.add_node(clip, html=html, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive(KIND, Clip)
    app.connect("env-updated", _render_missing)
    app.connect("doctree-resolved", _resolve)
    app.connect("build-finished", _finish)
