"""What of a page can be looked for: its sections, and in them steps, listings, clips, commands, claims and terms.

They are taken from the doctree when the page is written, with every number filled in. Each has a title, prose, and
what is not prose (code, output, the words of drawings): the search ranks them in this order.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from sphinx import addnodes

from ..claims.directive import claim, claim_block
from ..clips.directive import clip
from ..diagrams.directive import diagram
from ..listings.directive import annotation, listing
from ..live.directive import live
from ..targets import plain, scene_title

KINDS = ("chapter", "section", "step", "listing", "clip", "command", "claim", "term")
UNSEARCHED = "no-search"  # a class of what repeats other places
_SHELLS = {"sh", "bash", "shell", "console", "shell-session"}
_SILENT = (nodes.raw, nodes.comment, nodes.image, nodes.system_message, nodes.title, addnodes.toctree)
_PROSE = (nodes.paragraph, nodes.rubric, nodes.term, nodes.caption, nodes.line, nodes.attribution, nodes.math_block)
_NUMBER = re.compile(r'<span class="[^"]*(?:lineno|callout|shape)[^"]*">.*?</span>')
_MARKUP = re.compile(r"<[^>]*>")
# What is worth looking for in code and output: names, whole numbers from three digits on, powers of ten.
_WORDS = re.compile(r"[^\W\d]\w*|(?<![\w.])\d+(?:\.\d+)?e[-+]?\d+|(?<![\w.,])\d{3,}(?![\w.,])")


@dataclass
class Entry:
    """``home``: the entry, by its place on the page, whose section this one stands in; -1: none.

    ``links``: what it says of other places of the book, as (words, id). ``inner``: the ids of places in its text.
    """

    kind: str
    id: str
    title: str
    home: int = -1
    text: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)

    def row(self, of: list[Entry]) -> list[Any]:
        """The entry as JSON has it; the title of a claim is a part of its section's text, of which it says which."""
        title, text = _joined([self.title]), _joined(self.text)
        words = _WORDS.findall(" ".join(self.code))
        start = _joined(of[self.home].text).find(title) if self.kind == "claim" and self.home >= 0 else -1
        place = [start, start + len(title)] if start >= 0 else title
        links = [[_joined([words]), id] for words, id in self.links]
        return [self.kind, self.id, place, self.home, text, " ".join(dict.fromkeys(words)), links, self.inner]


def _joined(parts: Iterable[str]) -> str:
    return " ".join(" ".join(parts).split())


def entries_of(doctree: nodes.document, only_title: bool = False) -> list[list[Any]]:
    """A row for each entry of a page, in the order of reading."""
    page = _Page()
    for child in doctree.children:
        page.walk(child, -1)
    if only_title:
        page.entries = [Entry(entry.kind, entry.id, entry.title) for entry in page.entries[:1]]
    return [entry.row(page.entries) for entry in page.entries]


class _Page:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def walk(self, node: nodes.Node, home: int) -> None:
        if not isinstance(node, nodes.Element) or isinstance(node, _SILENT) or UNSEARCHED in node["classes"]:
            return
        if isinstance(node, nodes.section):
            self._section(node, home)
        elif isinstance(node, listing):
            self._listing(node, home)
        elif isinstance(node, clip):
            self._clip(node, home)
        elif isinstance(node, diagram):
            self._code(home, _of_diagram(node))
        elif isinstance(node, live):
            self._code(home, [node["alt"]])
            self._children(node, home)
        elif isinstance(node, nodes.literal_block):
            self._block(node, home)
        elif "cell_output" in node["classes"]:
            self._code(home, [plain(node)])
        elif isinstance(node, nodes.definition_list_item):
            self._definition(node, home)
        elif isinstance(node, nodes.row):
            self._row(node, home)
        elif isinstance(node, _PROSE):
            self._prose(node, home)
        else:
            self._claimed(node, home)
            self._children(node, home)

    def _add(
        self, kind: str, id: str, title: str, home: int, text: Iterable[str] = (), code: Iterable[str] = ()
    ) -> int:
        self.entries.append(Entry(kind, id, title, home, list(text), list(code)))
        return len(self.entries) - 1

    def _children(self, node: nodes.Element, home: int) -> None:
        for child in node.children:
            self.walk(child, home)

    def _section(self, node: nodes.section, home: int) -> None:
        title = next((plain(child) for child in node.children if isinstance(child, nodes.title)), "")
        id = next(iter(node["ids"]), "")
        self._children(node, self._add("section" if home >= 0 else "chapter", id, title, home))

    def _text(self, home: int, text: str) -> None:
        if home >= 0:
            self.entries[home].text.append(text)

    def _code(self, home: int, texts: Iterable[str]) -> None:
        if home >= 0:
            self.entries[home].code += texts

    def _prose(self, node: nodes.Element, home: int) -> None:
        self._text(home, plain(node))
        self._linked(node, home)
        self._claimed(node, home)

    def _linked(self, node: nodes.Element, home: int, words: str = "") -> None:
        """Keep the links of ``node`` with ``words``, or with their own."""
        if home < 0:
            return
        entry = self.entries[home]
        words = entry.title if entry.kind == "term" else words
        for link in node.findall(nodes.reference):
            if id := link.get("refid") or (link.get("internal") and link.get("refuri", "").partition("#")[2]):
                entry.links.append((words or plain(link), id))
        first = node.children[0] if node.children else None
        if isinstance(first, nodes.strong):  # a heading in the line
            entry.links.append((plain(first), entry.id))
        entry.inner += [id for one in node.findall(nodes.emphasis) for id in one["ids"]]

    def _row(self, node: nodes.row, home: int) -> None:
        """A row of a table: its first cell is said of all places to which the others lead."""
        first, *others = node.children
        self.walk(first, home)
        words = plain(first)
        for child in others:
            if isinstance(child, nodes.Element):
                self._children(child, home)
                self._linked(child, home, words)

    def _claimed(self, node: nodes.Element, home: int) -> None:
        """The claims among the words of a paragraph, or around paragraphs."""
        found = [node] if isinstance(node, claim_block) else node.findall(claim) if isinstance(node, _PROSE) else ()
        for one in found:
            if one["ids"]:
                self._add("claim", one["ids"][0], plain(one), home)

    def _definition(self, node: nodes.definition_list_item, home: int) -> None:
        terms = [child for child in node.children if isinstance(child, nodes.term)]
        id = next((id for term in terms for id in term["ids"]), "")
        if not id:
            return self._children(node, home)
        title = ", ".join(map(plain, terms))
        place = self._add("term", id, title, home)
        for child in node.children:
            if child not in terms:
                self.walk(child, place)
        return None

    def _block(self, node: nodes.literal_block, home: int) -> None:
        text = node.astext()
        self._code(home, [text])
        if node.get("language") in _SHELLS and home >= 0:
            for line in commands(text):
                self._add("command", self.entries[home].id, line, home)

    def _listing(self, node: listing, home: int) -> None:
        code = html.unescape(_MARKUP.sub("", _NUMBER.sub("", node.get("code", ""))))
        name = node["object"].partition(".")[2] or node["object"]
        place = home
        if node["ids"]:
            place = self._add("listing", node["ids"][0], name, home, [], [node["object"], code])
        else:
            self._code(home, [node["object"], code])
        for child in node.children:
            if isinstance(child, annotation) and child["step"]:
                inner = self._add("step", child["step"], child["quotation"], home)
                self._children(child, inner)
            elif isinstance(child, annotation):
                self._children(child, place)
            else:
                self.walk(child, home)

    def _clip(self, node: clip, home: int) -> None:
        shown = node.get("shown")
        sections = shown["sections"] if shown else []
        if not node["ids"]:
            self._text(home, node["alt"])
            self._code(home, [word for one in sections for word in (one["name"], *one["captions"])])
            return self._children(node, home)
        said = [plain(child) for child in node.children]
        place = self._add("clip", node["ids"][0], scene_title(node["scene"]), home, [node["alt"], *said])
        for one in sections:
            self._add("clip", f"{node['ids'][0]}-{one['slug']}", one["name"], place, one["captions"])
        return None


def commands(text: str) -> Iterator[str]:
    """What is typed into a terminal, in the words of a block: without prompts, comments and what is printed."""
    lines = text.replace("\\\n", " ").splitlines()
    prompted = [line for line in lines if line.startswith(("$ ", "# "))]
    typed = [line[2:] for line in prompted if line.startswith("$ ")] or lines
    for line in typed:
        command = re.sub(r"\s+#.*", "", " ".join(line.split()))
        if command and not command.startswith("#") and " " in command:
            yield command


def _of_diagram(node: diagram) -> list[str]:
    drawing = node.get("drawing")
    return [node["alt"], node.get("label", ""), drawing.text if drawing is not None else "", *node.get("words", ())]
