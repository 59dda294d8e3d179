"""A Manim scene of the book's own, driven by recorded values.

What the author types::

    :::{clip} attention.CausalMask
    :run: sort
    :alt: A T by T grid of scores; the triangle above the diagonal fades.

    Each token may look back, never ahead.
    :::

The argument is a class in a file of the scenes' folder (``cutaway_scenes``), the body the caption. ``:run:``
names the run whose values the scene reads (the first declared one otherwise), ``:name:`` an anchor;
``:download: mp4 gif`` offers these files of it below.

What appears: the scene as a recording, which one script draws in the colours of the reader's theme and starts when
asked to, with controls, captions from the scene's subcaptions, its sections as stills and words to read, and the
statements of the steps that it tags: the one that is shown is lit, and a click on one leads to its frame. A scene
that can't be recorded is a film. Elsewhere (print, PDF, epub, text) a still with the caption. Size and rate are the
book's decision: ``cutaway_clip_size``, ``cutaway_clip_fps``. A clip is made when its scene, what it imports, or a
value that it reads has changed, and comes from the store otherwise.

What can go wrong is a warning ``cutaway.clip`` at the directive's line: no such scene (the nearest are
named), no ``:alt:``, no such run; a scene that raises (with its traceback), takes longer than
``cutaway_clip_limit_s`` or is killed. The page then shows the alt text. A tag that names no step or value is
a warning at the scene's line.
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..build import bounded, build_of, described, warn
from ..domain import cutaway_domain, nearest
from ..options import Option, spec
from ..source.find import SourceError
from . import code, downloads
from . import html as clip_html
from . import resolve as clip_resolve
from .finished import Clip as Rendered
from .keys import KIND, find_scene
from .resolve import clips_showing

__all__ = ["Clip", "clip", "clips_showing", "setup"]


class clip(nodes.General, nodes.Element):
    """Attributes: ``scene``, ``run``, ``alt``, ``download``; once resolved ``files``, ``shown``, ``downloads``.

    Its children are the caption.
    """


OPTIONS = {
    "run": Option(directives.unchanged_required, "whose values the scene reads; the first declared one without it"),
    "alt": Option(directives.unchanged_required, "says in a sentence what is seen; required"),
    "name": Option(directives.unchanged_required, "its address, with which those of its sections begin"),
    "download": Option(directives.unchanged_required, "files that readers can take away: ``mp4``, ``gif``, ``webp``"),
}


class Clip(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        bounded(self, "clip")
        node = clip(scene=self.arguments[0].strip(), run=self._run(), download=self._download())
        described(self, node, "clip", node["scene"])
        self._give_id(node)
        node += self.parse_content_to_nodes()
        if node["run"] and node["run"] not in build_of(self.env).outcomes:
            return [node]  # nothing could be read; the page shows the words
        try:
            scene = find_scene(build_of(self.env).book, node["scene"])
        except SourceError as error:
            warn(self.env, str(error), node, "clip")
            return [node]
        self.env.note_dependency(str(scene.path))
        use = {"scene": node["scene"], "run": node["run"], "line": node.line, "id": node["ids"][0]}
        use["download"] = node["download"]
        cutaway_domain(self.env).note_use(self.env.current_document.docname, KIND, use)
        return [node]

    def _give_id(self, node: clip) -> None:
        """The address that its sections begin with: ``:name:``, else the scene's name."""
        if not node["ids"]:
            document, id = self.state.document, nodes.make_id(f"clip-{node['scene']}")
            more = (f"{id}-{number}" for number in itertools.count(2))
            node["ids"].append(next(new for new in itertools.chain([id], more) if new not in document.ids))
            document.set_id(node)

    def _run(self) -> str:
        """The run's name; empty where none is declared."""
        declared = build_of(self.env).outcomes
        asked = self.options.get("run", next(iter(declared), "")).strip()
        if asked and asked not in declared:
            message = f"no run '{asked}' in {build_of(self.env).book.declared_in}{nearest(asked, declared)}"
            warn(self.env, message, self.get_location(), "clip")
        return str(asked)

    def _download(self) -> list[str]:
        """The kinds of files that are asked for."""
        asked = self.options.get("download", "").split()
        unknown = [kind for kind in asked if kind not in downloads.KINDS]
        if unknown:
            message = f":download: {unknown[0]}: no such kind of file; there is {', '.join(downloads.KINDS)}"
            warn(self.env, message, self.get_location(), "clip")
        return [kind for kind in downloads.KINDS if kind in asked]


# Writing: files are registered here, in the parent process; a visitor of a parallel build would lose them


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(clip)):
        found = clip_resolve.found(app.env, node)
        if found is None or not found.key:
            node.replace_self(_words(node))
        elif app.builder.format == "html" and app.builder.name != "epub":
            node["files"] = {suffix: _register(app, found, suffix) for suffix in found.suffixes}
            node["shown"] = shown_of(found, _links(app, docname, found))
            node["code"] = [] if found.why_film else code.statements(app.env, node["run"], found)
            node["downloads"] = downloads.register(app, node)
            node["language"] = app.config.language
        else:
            node.replace_self(_still(app, node, found))


def _links(app: Sphinx, docname: str, found: Rendered) -> dict[str, list[str]]:
    """Address and words of the step that each tag names."""
    links = {}
    for tag in sorted(found.tags):  # one order, whether the clip was just drawn or found
        step = cutaway_domain(app.env).steps.get(tag)
        if step is not None:
            page = "" if step.docname == docname else app.builder.get_relative_uri(docname, step.docname)
            links[tag] = [f"{page}#{step.id}", step.quotation]
    return links


def shown_of(found: Rendered, links: dict[str, list[str]]) -> dict[str, Any]:
    """What a page prints of a clip, as plain data."""
    return {
        "size": list(found.size),
        "themes": list(found.themes),
        "recording": not found.why_film,
        "frames": found.frames,
        "fps": found.fps,
        "poster": found.poster,
        "sections": [section._asdict() for section in found.sections],
        "links": links,
    }


def _register(app: Sphinx, found: Rendered, suffix: str) -> str:
    """Have the builder copy a file; returns its name in the output."""
    name = found.file(suffix)
    app.builder.images[str(build_of(app.env).book.store.path(KIND, found.key, suffix))] = name
    return name


def _still(app: Sphinx, node: clip, found: Rendered) -> nodes.Element:
    suffix = found.still(found.poster, "light")
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
