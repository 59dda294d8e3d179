"""Models to scale on a page: what a cell noted, as data, pictures and a table."""

from __future__ import annotations

import json
from functools import partial

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..build import build_of
from ..cells.notes import PREFIX
from ..cells.page_names import page_names
from ..domain import cutaway_domain
from ..source.own import own_code
from ..store import digest
from ..theme.palette import THEMES
from ..trace.names import UnknownName
from ..walks.still import save
from ..walks.towers import QUANTITIES, Tower, Unreadable, described, picture, towers
from .script import FORMAT
from .shown import rows_of
from .walked import Walked, as_json

SCALE = "scale"  # what the figure shows, and the name of its model, which has no operations
_GRAPH = {
    "format": FORMAT, "name": SCALE, "T": 0, "least": 0, "most": 0, "reads": {}, "inputs": [], "nodes": [],
    "weights": [], "places": [], "steps": {}, "recorded": 0, "checks": [], "checked": 0, "taped": True,
    "said": "Shapes alone, from the source itself on PyTorch's meta device: no model of this figure is loaded.",
}  # fmt: skip
EMPTY = f"cutawayLive.define({json.dumps(SCALE)},{json.dumps(json.dumps(_GRAPH))},\"\");\n"


def is_of_cell(dotted: str) -> bool:
    """Whether a walk's argument names what a cell noted, ``cell.models``."""
    return dotted.startswith(PREFIX)


def has_towers(env: BuildEnvironment) -> bool:
    return any(is_of_cell(use["object"]) for _, use in cutaway_domain(env).uses("walk"))


def noted(app: Sphinx, docname: str, name: str) -> list[Tower]:
    """The models that a cell of the page noted. UnknownName says why there is none."""
    value = page_names(app.env, docname).resolve(name).value
    if value is None or not value.items:
        raise UnknownName(f"{name} is no list: note models=[scaled(...), ...]")
    try:
        return towers([item.scalar for item in value.items])
    except Unreadable as error:
        raise UnknownName(f"{name}: {error}") from error


def drawn(app: Sphinx, kind: str, found: list[Tower]) -> Walked:
    """The figure's data, its pictures from the store, and the table that stands there without a script."""
    store, data, stills = build_of(app.env).book.store, as_json(described(found)), {}
    for theme in THEMES:
        key = digest("towers", data, theme, own_code("cutaway.walks.towers"))
        path = store.path(kind, key, ".png")
        if store.whole(kind, key) is None:
            store.write(kind, key, ".png", partial(save, picture(found, theme)))
            store.vouch(kind, key, [".png"])
        stills[theme] = app.builder.images[str(path)] = f"walk-{path.name}"
    return Walked(data, stills, _rows(found))


def table(found: list[Tower]) -> nodes.table:
    return rows_of(_rows(found))


def _rows(found: list[Tower]) -> list[list[str]]:
    head = ["", "layers", "parameters", f"{QUANTITIES[1]} of a pass", "bytes of the cache"]
    return [head, *([one.name, f"{one.layers}", f"{one.totals[0]:,}", f"{one.totals[1]:.3g}", f"{one.totals[2]:,}"]
                    for one in found)]  # fmt: skip
