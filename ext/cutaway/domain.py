"""The registry of a build: every step of the book, and what each page uses. The ``step`` role links to a step.

A step is one quoted place of the source with a note. It has one id, which the listing, the diagram, the clip, the URL
and ``{step}`attention-forward-mask``` share; ``objects.inv`` lists it for other projects.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, ClassVar, NamedTuple

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole
from sphinx.util.nodes import make_refnode

from .source.find import Span
from .trace.names import Place

PARTS = ("steps", "uses", "noted", "cells")  # of the domain's data, each by page
NOWHERE = Span(0, 0, 0, 0)  # of a step whose quotation does not occur


class Step(NamedTuple):
    """One quoted place with a note; ``text`` is the note's first sentence in plain words."""

    id: str
    docname: str
    line: int
    object: str
    span: Span
    quotation: str
    number: int
    text: str

    @property
    def place(self) -> Place:
        return Place(self.object, self.span)


class StepRole(XRefRole):
    """A link to a step by its id, with the code that it quotes or with words of your own.

    The domain need not be named: ``{step}`attention-forward-mask```.
    """

    def process_link(
        self, env: BuildEnvironment, refnode: nodes.Element, has_explicit_title: bool, title: str, target: str
    ) -> tuple[str, str]:
        refnode["refdomain"], refnode["reftype"] = "cutaway", "step"
        return title, target


class Cutaway(Domain):
    """Steps, uses, cells and their notes, by page: a page that is read again or in another process replaces its own."""

    name = "cutaway"
    label = "Cutaway"
    object_types: ClassVar = {"step": ObjType("step", "step")}
    roles: ClassVar = {"step": StepRole(innernodeclass=nodes.inline)}
    initial_data: ClassVar[dict[str, Any]] = {"steps": {}, "uses": {}, "noted": {}, "cells": {}}
    data_version = 3

    @property
    def steps(self) -> dict[str, Step]:
        """The declared steps by id, in the order of pages and lines; the first owner of an id counts."""
        found: dict[str, Step] = {}
        for docname in sorted(self.data["steps"]):
            for step in self.data["steps"][docname]:
                found.setdefault(step.id, step)
        return found

    def owner(self, place: Place) -> Step | None:
        """The step whose quotation stands at a place."""
        return next((step for step in self.steps.values() if step.place == place), None)

    def note_step(self, step: Step) -> None:
        self.data["steps"].setdefault(step.docname, []).append(step)

    def note_use(self, docname: str, kind: str, data: dict[str, Any]) -> None:
        """That a page has a clip, a diagram, … with these settings (plain data)."""
        self.data["uses"].setdefault(docname, []).append((kind, data))

    def uses(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Every (page, settings) of a kind, in the order of pages and lines."""
        return [
            (doc, data)
            for doc in sorted(self.data["uses"])
            for k, data in self.data["uses"][doc]
            if k == kind
        ]

    def clear_doc(self, docname: str) -> None:
        for part in PARTS:
            self.data[part].pop(docname, None)

    def merge_domaindata(self, docnames: Set[str], otherdata: dict[str, Any]) -> None:
        for part in PARTS:
            self.data[part].update({name: rows for name, rows in otherdata[part].items() if name in docnames})

    def second_owners(self, is_ours: Callable[[Step], bool]) -> Iterator[tuple[Step, str]]:
        """Steps that have the id or quote the place of an earlier one, and what is wrong with them.

        What is not ours may say in one place what our source says in two.
        """
        ids: dict[str, Step] = {}
        places: dict[Place, Step] = {}
        for step in (step for docname in sorted(self.data["steps"]) for step in self.data["steps"][docname]):
            owners = [(ids.setdefault(step.id, step), "has the id of")]
            if step.span != NOWHERE and is_ours(step):
                owners.append((places.setdefault(step.place, step), "quotes the place of"))
            for first, what in owners:
                if first is not step:
                    where = f"'{first.id}' ({self.env.doc2path(first.docname, False)}:{first.line})"
                    yield step, f"the step '{step.id}' {what} {where}, which owns it; leave out :name: or the note"

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: pending_xref,
        contnode: nodes.Element,
    ) -> nodes.reference | None:
        step = self.steps.get(target)
        if step is None:
            return None
        shown = contnode if node.get("refexplicit") else nodes.literal("", step.quotation, classes=["code"])
        return make_refnode(builder, fromdocname, step.docname, step.id, shown, step.text)

    def resolve_any_xref(self, *args: Any) -> list[tuple[str, nodes.reference]]:
        env, fromdocname, builder, target, node, contnode = args
        found = self.resolve_xref(env, fromdocname, builder, "step", target, node, contnode)
        return [("cutaway:step", found)] if found is not None else []

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for step in self.steps.values():
            # -1: not for Sphinx's search, whose links would lead to "#" and the quotation; search.py has its own.
            yield step.id, step.quotation, "step", step.docname, step.id, -1


def cutaway_domain(env: BuildEnvironment) -> Cutaway:
    domain = env.get_domain("cutaway")
    assert isinstance(domain, Cutaway)
    return domain


def nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


def setup(app: Sphinx) -> None:
    app.add_domain(Cutaway)
    app.add_role("step", StepRole(innernodeclass=nodes.inline))
