"""A figure that computes, in HTML: what was recorded, as a table or a sentence, until the script draws its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from ..walks.still import SIZE
from ..walks.towers import SIZE as ROW
from .making import scripts
from .shown import SHOWS, Shown
from .walked import Walked

USES = ('data-live="', 'data-model="', 'data-asks="')  # of a page that can compute
FILES = '<script type="application/json" class="cutaway-live-files">'


def visit(translator: Any, node: nodes.Element) -> None:
    body = translator.body
    if "shown" not in node:
        body.append(translator.starttag(node, "figure", CLASS="cutaway-live"))
    else:
        body.append(translator.starttag(node, "figure", CLASS="cutaway-live", **_data(node["shown"])))
        walk, alt = node.get("walk"), node["alt"]
        still = _picture(walk, alt, translator.builder.imgpath) + _rows(walk) if walk else _still(node["shown"], alt)
        scrolls = ' tabindex="0"' if "<table" in still else ""  # until the script draws what has its own
        stage = f'<div class="cutaway-live-stage" role="group" aria-label="{escape(alt)}"{scrolls}>'
        body.append(f"{stage}{still}</div>\n{node.get('link', '')}")
        if walk:
            body.append(f'<script type="application/json" class="cutaway-walk-data">{walk.data}</script>\n')
    body.append("<figcaption>\n" if node.children else "")


def depart(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</figcaption>\n</figure>\n" if node.children else "</figure>\n")


def _data(shown: Shown) -> dict[str, str]:
    data = {"data-model": shown.model, "data-show": shown.show}
    if shown.node is None:
        return data
    data["data-node"] = str(shown.node)
    names = _short([path for path, _ in shown.layers])
    data |= {"data-layers": " ".join(str(node) for _, node in shown.layers), "data-layer-names": " ".join(names)}
    if shown.probe:
        data["data-labels"], data["data-matrix"] = (json.dumps(part, separators=(",", ":")) for part in shown.probe)
    if shown.parts:
        named = zip(_short([name for name, _ in shown.parts]), (numbers for _, numbers in shown.parts), strict=True)
        data["data-parts"] = " ".join(f"{name}:{','.join(map(str, numbers))}" for name, numbers in named)
    return data


def _short(paths: Sequence[str]) -> list[str]:
    """Modules' paths without what all begin with, but for its last part: ``h.0.attn`` of ``transformer.h.0.attn``."""
    dotted = [path.split(".") for path in paths if "." in path]
    common = 0
    while len(dotted) > 1 and all(len(parts) > common + 2 for parts in dotted):
        if len({tuple(parts[: common + 2]) for parts in dotted}) > 1:
            break
        common += 1
    return [".".join(path.split(".")[common:]) if "." in path else path for path in paths]


def _picture(walk: Walked, alt: str, folder: str) -> str:
    """The whole walk as it is drawn without a GPU, in both themes."""
    width, height = ROW if walk.rows else SIZE
    size = f'width="{width}" height="{height}" loading="lazy"'
    return "".join(
        f'<img class="cutaway-live-{theme}" src="{folder}/{name}" alt="{escape(alt)}" {size}>'
        for theme, name in walk.stills.items()
    )


def _rows(walk: Walked) -> str:
    """What the picture shows, in numbers."""
    return _table(*([escape(one) for one in row] for row in walk.rows)) if walk.rows else ""


def _still(shown: Shown, alt: str) -> str:
    rows = shown.rows()
    if rows is None:
        return f"<p>{escape(alt)}</p>"
    numbers = ([row, *(f"{number:.3g}" for number in line)] for row, line in enumerate(rows.tolist()))
    return _table(["", *range(rows.shape[1])], *numbers)


def _table(head: Sequence[object], *rows: Sequence[object]) -> str:
    """A table whose rows and columns have names; the corner has none."""
    names = "".join(f'<th scope="col">{name}</th>' for name in head[1:])
    lines = (
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return f'<table class="cutaway-live-recorded"><tr><td></td>{names}</tr>{"".join(lines)}</table>'


def name_files(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.Node | None) -> None:
    """Tell a page that can compute where its scripts are: of the code, the parts that it may need."""
    found, body = scripts(app.env), context.get("body", "")
    if not found or not any(use in body for use in USES):
        return
    folder, pathto = cast(StandaloneHTMLBuilder, app.builder).imagedir, context["pathto"]
    shows = {show for show in SHOWS if f'data-show="{show}"' in body}
    parts = {part: file for part, file in found.parts.items() if part not in SHOWS or part in shows or part == SHOWS[0]}
    files = {
        "code": {part: pathto(f"{folder}/{file}", 1) for part, file in parts.items()},
        "style": pathto(f"{folder}/{found.style}", 1),
        "models": {name: [pathto(f"{folder}/{file}", 1), size] for name, (file, size) in found.items() if name in body},
    }
    context["body"] = f"{body}{FILES}{json.dumps(files)}</script>\n"
