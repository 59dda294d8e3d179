"""A section of a page, or one diagram of it, as text for the terminal.

``#ID`` is the label before a heading, ``(ID)=``, or the ``:name:`` of a diagram. The source of the page is read and no
build is needed: so the terminal says what the page says. Paragraphs and lists have their facts filled in, diagrams are
computed, or are as their author drew them. Listings, clips and cells are left out.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path

from ..cells.page_names import run_of
from ..diagrams import hand_drawn
from ..diagrams.explain import explain as explain_object
from ..diagrams.explain import named
from ..diagrams.layout.ports import WIDTH
from ..domain import nearest
from ..runs import RunError, ensure
from ..settings import Book, places_of_last_build
from ..source.find import is_inside
from ..trace.gradients import GradientNames
from ..trace.names import Names
from ..trace.reading import load
from .facts import in_text

UNBROKEN = "\N{NO-BREAK SPACE}"  # within a shape no line ends
_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\}[ \t]*(?P<argument>.*)|[^`]*)$")
_LABEL = re.compile(r"^\((?P<id>[^()]+)\)=\s*$")
_HEADING = re.compile(r"^(?P<marks>#{1,6}) +(?P<title>.+)$")
_OPTION = re.compile(r"^:(?P<name>[\w-]+):[ \t]*(?P<value>.*)$")
_ITEM = re.compile(r"^ {0,3}(?:[-*+]|\d+[.)])(?= )")
_ROLE = r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]+)`"
_INLINE = re.compile(_ROLE + r"|(?P<code>`+)(?P<inside>.+?)(?P=code)|\[(?P<link>[^\]]+)\]\([^)]*\)|(?P<marks>\*+)")


@dataclass(frozen=True)
class Label:
    id: str


@dataclass(frozen=True)
class Heading:
    level: int
    title: str


@dataclass(frozen=True)
class Words:
    """The lines of a paragraph or of a list."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Directive:
    """What a fence holds; the ``name`` is empty where it holds code."""

    name: str
    argument: str
    options: dict[str, str]
    body: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.options.get("name", "") if self.name == "diagram" else ""


Block = Label | Heading | Words | Directive


def explain(book: Book, asked: str, of: str | None = None) -> str:
    """What ``python -m cutaway explain`` prints of a path, a short name or ``#ID``; runs what is missing."""
    if (blocks := _asked(book, asked, of)) is None:
        return explain_object(book, asked, of)
    names = _names(book, blocks)
    return "\n\n".join(_printed(book, blocks, names))


def drawings(book: Book, asked: str, of: str | None = None) -> list[tuple[str, str | None]]:
    """The computed drawings of what is asked for: dotted path, and RUN.PASS/MODULE as far as it is said.

    LookupError where there is none."""
    if (blocks := _asked(book, asked, of)) is None:
        return [named(book, asked, of)]
    found: list[tuple[str, str | None]] = [
        (block.argument, block.options.get("run")) for block in _diagrams(blocks) if block.argument
    ]
    if not found:
        raise LookupError(f"{asked!r} has no computed drawing: only these can be proven")
    return found


def _asked(book: Book, asked: str, of: str | None) -> list[Block] | None:
    """The blocks of a section or the diagram that is asked for; None where it is no place on a page."""
    what, run = named(book, asked, of)
    if not what.startswith("#"):
        return None
    if run:
        raise LookupError(f"{asked!r} is {what}, on a page that says which runs it draws: leave out --run {run}")
    return section(book.confdir, what[1:])


def section(folder: Path, id: str) -> list[Block]:
    """The blocks of the section with a label, its heading first, or the diagram of that name.

    Looks through the Markdown pages of a folder; LookupError, with the nearest ids, where none has it."""
    known: list[str] = []
    for path in pages(folder):
        blocks = list(read(path.read_text("utf-8", errors="replace")))
        for i, block in enumerate(blocks):
            if isinstance(block, Directive) and block.id == id:
                return [block]
            if block == Label(id) and i + 1 < len(blocks) and isinstance(blocks[i + 1], Heading):
                return _until_next(blocks[i + 1 :])
            known += [block.id] if isinstance(block, Label | Directive) and block.id else []
    raise LookupError(f"no Markdown page in {folder} has a section or a diagram '#{id}'{nearest(id, known)}")


def pages(folder: Path) -> list[Path]:
    """The Markdown pages of a book, without what was built; none that a link leads out of it."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*.md"))
    inside = [folder / path for path in found if not any(part[0] in "._" for part in path.parts)]
    return [path for path in inside if path.is_file() and is_inside(path, folder)]


def _until_next(blocks: Sequence[Block]) -> list[Block]:
    """A section: its heading, and all before the next one that is not below it, or before that one's label."""
    first, *rest = blocks
    assert isinstance(first, Heading)
    ends = (i for i, block in enumerate(rest) if isinstance(block, Heading) and block.level <= first.level)
    inside = rest[: next(ends, len(rest))]
    while inside and isinstance(inside[-1], Label):
        inside.pop()
    return [first, *inside]


# A page's source


def read(text: str) -> Iterator[Block]:
    """The blocks of a page in Markdown, as far as they are told apart here."""
    lines = text.splitlines()
    row = 0
    while row < len(lines):
        line = lines[row]
        if fence := _FENCE.match(line):
            end = _end(lines, row + 1, fence["mark"])
            yield _directive(fence["name"] or "", (fence["argument"] or "").strip(), lines[row + 1 : end])
            row = end + 1
        elif label := _LABEL.match(line):
            yield Label(label["id"])
            row += 1
        elif heading := _HEADING.match(line):
            yield Heading(len(heading["marks"]), heading["title"].strip())
            row += 1
        elif line.strip():
            end = next((i for i in range(row, len(lines)) if _parts(lines[i])), len(lines))
            yield Words(tuple(lines[row:end]))
            row = end
        else:
            row += 1


def _parts(line: str) -> bool:
    """Whether a paragraph ends before this line."""
    return not line.strip() or any(pattern.match(line) for pattern in (_FENCE, _LABEL, _HEADING))


def _end(lines: Sequence[str], row: int, mark: str) -> int:
    """The row of the fence that closes one, or the page's end."""
    closing = re.compile(rf"{re.escape(mark[0])}{{{len(mark)},}}\s*")
    return next((i for i in range(row, len(lines)) if closing.fullmatch(lines[i])), len(lines))


def _directive(name: str, argument: str, lines: Sequence[str]) -> Directive:
    given = list(takewhile(bool, map(_OPTION.match, lines)))
    options = {option["name"]: option["value"].strip() for option in given if option}
    return Directive(name, argument, options, tuple(lines[len(given) :]))


# As text


def _printed(book: Book, blocks: Iterable[Block], names: Names) -> Iterator[str]:
    inline = partial(_INLINE.sub, partial(_plain, names=names))
    for block in blocks:
        if isinstance(block, Heading):
            yield inline(block.title)
        elif isinstance(block, Words):
            yield _wrapped(block, inline)
        elif isinstance(block, Directive) and block.name == "diagram":
            yield _drawing(book, block)


def _drawing(book: Book, block: Directive) -> str:
    if block.argument:
        return explain_object(book, block.argument, block.options.get("run"))
    lines, _ = hand_drawn.split(block.body)
    if problems := hand_drawn.check(lines):
        raise LookupError(f"the diagram {block.id!r}: {problems[0]}")
    return "\n".join(lines)


def _wrapped(block: Words, inline: Callable[[str], str]) -> str:
    """A paragraph, or the items of a list, in lines that are as wide as a drawing may be."""
    items: list[str] = []
    for line in block.lines:
        if not items or _ITEM.match(line):
            items.append(line.strip())
        else:
            items[-1] += f" {line.strip()}"
    indents = ["  " if _ITEM.match(item) else "" for item in items]
    texts = [
        textwrap.fill(inline(item), WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
        for item, indent in zip(items, indents, strict=True)
    ]
    return "\n".join(texts).replace(UNBROKEN, " ")


def _plain(found: re.Match[str], names: Names) -> str:
    """What a role, a code span, a link or a mark of emphasis is in plain text."""
    if found["role"] == "fact":
        return in_text(names, found["text"]).replace(", ", f",{UNBROKEN}")
    if found["role"]:
        return re.sub(r"\s*<.*>$", "", found["text"])  # without a link's target and a claim's condition
    return found["inside"] or found["link"] or ""


def _diagrams(blocks: Iterable[Block]) -> list[Directive]:
    return [block for block in blocks if isinstance(block, Directive) and block.name == "diagram"]


def _names(book: Book, blocks: Iterable[Block]) -> Names:
    """Resolves what the sentences name; RunError where one of their runs failed."""
    text = "\n".join(line for block in blocks if isinstance(block, Words) for line in block.lines)
    asked = [found["text"] for found in re.finditer(_ROLE, text) if found["role"] == "fact"]
    runs = list(dict.fromkeys(map(run_of, asked)))
    outcomes = ensure(book, lambda line: print(line, file=sys.stderr), runs) if runs else {}
    if failed := [f"{name}: {outcome.error}" for name, outcome in outcomes.items() if outcome.error]:
        raise RunError("; ".join(failed))
    traces = {name: load(Path(outcome.trace)) for name, outcome in outcomes.items()}
    return GradientNames(traces, places_of_last_build(book))
