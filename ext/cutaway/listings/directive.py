"""An object of the explained source with numbered notes, and the recorded shapes beside its lines.

What the author types::

    :::{listing} nanogpt.model.CausalSelfAttention.forward
    :run: sort
    :name: attention-forward

    `q, k, v =`{#qkv}
    : One matrix multiply makes all three.
    :::

What appears: the code with its own line numbers and Pygments' colours, beside each assignment the shape that the run
recorded, a number at each quotation and the note with the same number. Lines that the run did not reach are greyed.
Each note is a *step* with the id ``attention-forward-qkv``: an anchor, a target of the ``step`` role, and what diagrams
and clips link to; below it stand links to its box and its clips. Whatever stands for the step lights up with it. A
listing without ``:name:`` declares no steps; its notes point to the step that owns the place.

A note may carry other quotations, `` `x, y =` or `x = torch.stack(`{#pair} ``, and stands at the first that the code
holds: so one note explains several checkouts of the source (``--source``). What a checkout lacks is shown from the
book's own.

``:run:`` chooses what the shapes are drawn from: ``sort``, ``sort.generate``, ``sort.forward/h.1.attn``.
``:only:`` shows just the statements that hold a quotation (two, with ``...`` between: from the one to the other).
``:collapse:`` folds the code away.

Mistakes are warnings ``cutaway.listing`` at their line: no such object, a quotation that does not occur exactly once, a
note whose term is no code, a run that failed. The page then shows the note without its place in the code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..address import IDS, is_id
from ..build import bounded, build_of, warn
from ..domain import NOWHERE, Step, cutaway_domain
from ..options import Option, spec
from ..source.find import SourceError, SourceObject, Span
from ..source.quotation import match_one
from .excerpt import only

logger = logging.getLogger(__name__)

# What stands in a term beside its quotations.
_BESIDE = re.compile(r"^(?P<ors>(\s*or\b)*)\s*(\{#(?P<id>[\w-]+)\})?\s*$")


class listing(nodes.General, nodes.Element):
    """Attributes: ``object`` (dotted), ``file`` (its path; none: not found), ``run``, ``collapse``, ``only`` (spans),
    ``name``; children: notes."""


class annotation(nodes.General, nodes.Element):
    """A note; attributes: ``number``, ``quotation``, ``span`` (None where broken), ``step`` (its id, or empty)."""


OPTIONS = {
    "run": Option(directives.unchanged, "whose shapes stand beside the lines: RUN, RUN.PASS or RUN.PASS/MODULE"),
    "name": Option(directives.unchanged, "makes each note a step, whose id is this name and the part in braces"),
    "collapse": Option(directives.flag, "folds the code away"),
    "only": Option(directives.unchanged, "shows just the statements with this quotation; from one ``...`` to another"),
}


class Listing(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        bounded(self, "listing")
        dotted = self.arguments[0].strip()
        here = self.state_machine.get_source_and_line(self.lineno)[1]
        obj, shown = self._chosen(dotted)
        name = nodes.fully_normalize_name(self.options.get("name", "")).replace(" ", "-")
        if name and not is_id(name):
            warn(self.env, f"':name: {name}' is no address: use {IDS}", self.get_location(), "listing")
            name = ""
        if name in self.state.document.ids:
            said = f"':name: {name}' is taken on this page, as by a label ({name})=; choose another name"
            warn(self.env, said, self.get_location(), "listing")
            name = ""
        node = listing(object=dotted, run=self.options.get("run", ""), only=shown, name=name)
        node["collapse"] = "collapse" in self.options
        node["file"] = str(obj.path) if obj else ""
        node.source, node.line = self.get_source_info()
        if name:
            node["ids"].append(name)
            self.state.document.note_explicit_target(node, node)
        if obj is not None:
            self.env.note_dependency(str(obj.path))
        docname = self.env.current_document.docname
        cutaway_domain(self.env).note_use(docname, "listing", {"object": dotted, "name": name, "line": here})
        node += self._notes(obj, dotted, name)
        return [node]

    def _chosen(self, dotted: str) -> tuple[SourceObject | None, list[Span]]:
        """The object, of the first file that has it and the part of it that is asked for; and that part."""
        found: SourceObject | None = None
        said = ""
        try:
            for obj in build_of(self.env).book.source.shown(dotted):
                try:
                    return obj, only(obj, self.options["only"]) if self.options.get("only") else []
                except SourceError as error:
                    found, said = found or obj, said or str(error)
        except SourceError as error:
            said = str(error)
        self._unshown(found, said)
        return None, []

    def _notes(self, obj: SourceObject | None, dotted: str, name: str) -> list[nodes.Node]:
        """The body's definition lists as notes; whatever else it holds stays, above them."""
        result: list[nodes.Node] = []
        number = 0
        for child in self.parse_content_to_nodes():
            if not isinstance(child, nodes.definition_list):
                result.append(child)
                continue
            for item in child.findall(nodes.definition_list_item):
                number += 1
                result.append(self._note(obj, dotted, name, number, item))
        return result

    def _note(
        self, obj: SourceObject | None, dotted: str, name: str, number: int, item: nodes.definition_list_item
    ) -> annotation:
        term, definition = cast("nodes.Element", item[0]), cast("nodes.Element", item[-1])
        quotations, suffix = _term(term)
        text = quotations[0] if quotations else term.astext()
        made = annotation("", *definition.children, number=number, quotation=text, span=None, step="")
        made.source, made.line = self._place(term)
        step: tuple[str, Span] = made["quotation"], NOWHERE  # links lead to the note even so
        if not quotations:
            self._broken(made, f"the note '{term.astext()}' quotes no code; write its term as `code`{{#id}}")
        elif obj is not None:
            step = self._quote(made, obj, quotations, f"{name}-{suffix}")
        if name and not suffix:
            self._broken(
                made, f"the note '{made['quotation']}' has no id; write `{made['quotation']}`{{#id}}"
            )
        elif name and not is_id(f"{name}-{suffix}"):
            self._broken(made, f"the note's id '{name}-{suffix}' is no address: use {IDS}")
        elif name:
            self._declare(made, dotted, f"{name}-{suffix}", *step)
        return made

    def _quote(
        self, made: annotation, obj: SourceObject, quotations: Sequence[str], id: str
    ) -> tuple[str, Span]:
        """Set a note's place in what is shown; what is returned is its step's quotation and place in what runs.

        They differ only where another checkout has a script, which nothing can import.
        """
        ran = build_of(self.env).book.source.find(obj.dotted)
        found: tuple[str, Span] = quotations[0], NOWHERE
        with suppress(SourceError):
            found = match_one(ran, quotations)
        try:
            made["quotation"], made["span"] = match_one(obj, quotations)
        except SourceError as error:
            self._unquoted(made, obj, id if found[1] == NOWHERE else "", str(error))
        return found

    def _declare(self, made: annotation, dotted: str, id: str, quotation: str, span: Span) -> None:
        made["step"] = id
        made["ids"].append(id)
        self.state.document.note_explicit_target(made, made)
        docname = self.env.current_document.docname
        text = " ".join(made.astext().split())
        step = Step(id, docname, made.line or 0, dotted, span, quotation, made["number"], text)
        cutaway_domain(self.env).note_step(step)

    def _broken(self, made: annotation, message: str) -> None:
        warn(self.env, message, (self.env.current_document.docname, made.line), "listing")

    def _unquoted(self, made: annotation, obj: SourceObject, step: str, message: str) -> None:
        """A quotation of our own text must hold; of another checkout it may not: those are reported in one list."""
        if build_of(self.env).book.origin(obj.path):
            docname = self.env.current_document.docname
            cutaway_domain(self.env).note_use(
                docname, "unquoted", {"line": made.line, "step": step, "message": message}
            )
        else:
            self._broken(made, message)

    def _unshown(self, obj: SourceObject | None, message: str) -> None:
        """Neither the object nor its part can be shown: a mistake, or something that another checkout lacks."""
        if obj is not None and build_of(self.env).book.origin(obj.path):
            use = {"line": self.lineno, "step": self.options.get("name", "?"), "message": message}
            cutaway_domain(self.env).note_use(self.env.current_document.docname, "unquoted", use)
        else:
            warn(self.env, message, self.get_location(), "listing")

    def _place(self, term: nodes.Element) -> tuple[str | None, int | None]:
        source, line = self.get_source_info()
        return source, term.line or getattr(term.parent, "line", None) or line


def _term(term: nodes.Element) -> tuple[list[str], str]:
    """The quotations of a note's term and its id: literals with "or" between, ``{#id}`` as attribute or as text."""
    literals = list(term.findall(nodes.literal))
    ids = [id for literal in literals for id in literal["ids"]]
    for literal in literals:
        _forget(term.document, literal)
    beside = "".join("" if child in literals else child.astext() for child in term.children)
    rest = _BESIDE.match(beside)
    if not literals or rest is None or len(rest["ors"].split()) != len(literals) - 1:
        return [], ""
    return [literal.astext() for literal in literals], rest["id"] or (ids[-1] if ids else "")


def _forget(document: nodes.document | None, literal: nodes.literal) -> None:
    """Take back the address that MyST gave to a quotation: its own is longer, and a page may have the short one."""
    mine = {id for id in literal["ids"] if document is not None and document.ids.get(id) is literal}
    if document is not None and mine:
        for id in mine:
            del document.ids[id]
        for name in [name for name, id in document.nameids.items() if id in mine]:
            del document.nameids[name], document.nametypes[name]
    literal["ids"], literal["names"] = [], []


def report(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The quotations that another checkout does not hold."""
    unquoted = cutaway_domain(env).uses("unquoted")
    if unquoted:
        lines = [f"  {env.doc2path(doc, False)}:{use['line']}: {use['message']}" for doc, use in unquoted]
        logger.info("cutaway: %d notes are shown without code:\n%s", len(lines), "\n".join(lines))
    return []


def setup(app: Sphinx) -> None:
    app.add_directive("listing", Listing)
