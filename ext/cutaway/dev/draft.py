"""A first look: ``nox -s docs -- --draft`` shows every page soon, and each says what it lacks.

Nothing in a draft is false, some of it is missing. The first run is made (most of a book draws from it), other runs
and clips are there if the store has them, and cells are not run. What a draft makes, it makes as a full build does;
its pages and doctrees stand in folders of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from ..build import build_of
from ..cells.page_names import run_of
from ..clips import resolve as clip_resolve
from ..clips.directive import clip
from ..prose.facts import fact


def leave_cells(app: Sphinx, config: Config) -> None:
    """In a draft, and where nothing but a share of the clips is made."""
    if (config.cutaway_draft or config.cutaway_shard) and "nb_execution_mode" in config.values:
        config.nb_execution_mode = "off"
        config.suppress_warnings = [*config.suppress_warnings, "myst-nb.lexer"]  # a kernel would tell the language


def say(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put what is missing under the page's heading."""
    first = next(iter(doctree.findall(nodes.title)), None)
    if not app.config.cutaway_draft or first is None:
        return
    for cell in _cells(doctree):
        for block in cell.findall(nodes.literal_block):
            block["language"] = "python3"
    missing = "; ".join(_missing(app, doctree)) or "nothing is missing on this page"
    words = nodes.paragraph("", "", nodes.strong("", "A draft: "), nodes.Text(f"{missing}. "))
    words += [nodes.Text("A build without "), nodes.literal("", "cutaway_draft"), nodes.Text(" makes the whole.")]
    note = nodes.admonition("", nodes.title("", "Draft"), words, classes=["cutaway-draft", "warning"])
    first.parent.insert(first.parent.index(first) + 1, note)


def _cells(doctree: nodes.document) -> list[nodes.container]:
    return [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]


def _missing(app: Sphinx, doctree: nodes.document) -> Iterator[str]:
    if cells := _cells(doctree):
        yield f"the output of {_counted(len(cells), 'cell')}"
    found = [clip_resolve.found(app.env, node) for node in doctree.findall(clip)]
    undrawn = sum(one is None or not one.key for one in found)
    if undrawn:
        yield f"{_counted(undrawn, 'clip')}, for which words stand"
    outcomes = build_of(app.env).outcomes
    asked = [run_of(node["name"]) for node in doctree.findall(fact)]
    for run in dict.fromkeys(run for run in asked if run in outcomes and outcomes[run].error):
        yield f"{_counted(asked.count(run), 'number')} of the run “{run}”"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"
