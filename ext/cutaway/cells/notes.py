"""Values that a cell leaves for the sentences of its page: written in the kernel, read in the build.

In a cell::

    from cutaway import note
    note(share=right / asked, answers=[3, 1, 2])

On the page ``cell.share`` is then a name as any other. A note shows nothing; it is an output of its cell, so that it
is remembered with the others. myst-nb takes such outputs out of a page, whatever the cell's tags say ("glue").
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

MIME = "application/vnd.cutaway.note+json"
GLUE = "application/papermill.record/"  # what myst-nb collects and does not show
PREFIX = "cell."
LONGEST = 10_000  # items of a list, and characters of a text


def note(**values: Any) -> None:
    """Leave numbers, truths, texts, or flat lists of them, for facts and claims of this page."""
    from IPython.display import display

    for name, value in values.items():
        data = {GLUE + MIME: {"value": _plain(name, value)}}
        display(data, raw=True, metadata={"scrapbook": {"name": PREFIX + name, "mime_prefix": GLUE}})


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it; arrays and tensors give their numbers. ValueError where it is more than a flat list."""
    if hasattr(value, "tolist"):  # of NumPy, of torch
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return _single(name, value)
    if len(value) > LONGEST:
        raise ValueError(f"note({name}=...): {len(value):,} items, at most {LONGEST:,} are kept")
    return [_single(name, item.item() if hasattr(item, "item") else item) for item in value]


def _single(name: str, value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError(f"note({name}=...): a text of {len(value):,} characters, at most {LONGEST:,} are kept")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"note({name}={value}): not a finite number; note what is to be said of it, as {name}=True")
    if not isinstance(value, bool | int | float | str):
        kind = type(value).__name__
        raise ValueError(f"note({name}=...): a {kind}; note numbers, truths, texts or flat lists of them")
    return value


# The build's side


def read(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what the cells of a page noted, when the page was read."""
    from ..domain import cutaway_domain

    env = app.env
    docname = env.current_document.docname
    keys = getattr(env, "nb_metadata", {}).get(docname, {}).get("glue", [])
    if not any(key.startswith(PREFIX) for key in keys):
        return
    path = Path(env.mystnb_config.output_folder, f"{docname}.glue.json")  # type: ignore[attr-defined]
    outputs = json.loads(path.read_text("utf-8"))
    found = {key.removeprefix(PREFIX): outputs[key]["data"] for key in keys if key.startswith(PREFIX)}
    cutaway_domain(env).data["noted"][docname] = {
        name: data[MIME]["value"] for name, data in found.items() if MIME in data
    }
