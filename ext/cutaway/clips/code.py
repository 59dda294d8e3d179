"""The lines of code that a clip shows: which run when, with the shapes they make and their notes.

The steps that a scene tags are the same steps that listings explain, so nothing is written for a clip's sake. They come
in the order in which the clip first shows them, and those of one section in the order in which the run reached them;
steps that stand in one statement share its line.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sphinx.environment import BuildEnvironment

from ..build import build_of, names_of
from ..domain import Step, cutaway_domain
from ..source.find import SourceError, SourceObject, Span
from ..source.quotation import statement
from ..step_order import in_order
from ..theme import shapes
from ..trace.names import Names, UnknownName
from ..trace.reading import TraceError
from .finished import Clip

MOST_LINES = 4  # of a statement; of a longer one, the lines that are quoted
Mark = tuple[int, int, str]  # start and end in the text, and the step that is quoted


class Statement(NamedTuple):
    """A statement of the source, with the quotations in it, what they made and what is said of them."""

    text: str
    marks: list[Mark]
    shapes: list[str]  # as HTML
    notes: list[tuple[str, str]]  # step and words

    @property
    def markup(self) -> str:
        """The text, each quotation as an element that lights up with its step."""
        parts, done = [], 0
        for start, end, step in sorted(self.marks):
            if start >= done:
                parts += [html.escape(self.text[done:start]), _quoted(self.text[start:end], step)]
                done = end
        return "".join([*parts, html.escape(self.text[done:])])


def _quoted(text: str, step: str) -> str:
    return f'<span class="cutaway-quote" data-step="{html.escape(step)}">{html.escape(text)}</span>'


def statements(env: BuildEnvironment, run: str, clip: Clip) -> list[Statement]:
    """The statements behind a clip, in the order in which it shows them."""
    steps = cutaway_domain(env).steps
    order = {ran.step.id: number for number, ran in enumerate(in_order(env, run))}
    tagged = [steps[tag] for tag in clip.tags if tag in steps and tag in order]
    tagged.sort(key=lambda step: (clip.tags[step.id], order[step.id]))
    names = names_of(env, run)
    rows: dict[tuple[str, Span], Statement] = {}
    for step in tagged:
        for obj, lines in _lines(env, step):
            text = _text(obj, lines)
            row = rows.setdefault((step.object, lines), Statement(text, [], [], []))
            row.marks.append((*_within(obj, lines, step.span), step.id))
            row.shapes.extend(shape for shape in _shape(names, step.id) if shape not in row.shapes)
            row.notes.append((step.id, step.text if is_plain(step.text, names.traces) else ""))
    return list(rows.values())


def is_plain(text: str, runs: Iterable[str]) -> bool:
    """Whether a note's first sentence has neither formula nor name of a value, which its own page fills in."""
    named = "|".join(map(re.escape, runs))
    return "\\" not in text and not re.search(rf"\b(?:{named})[./]\w", text)


def _lines(env: BuildEnvironment, step: Step) -> Iterator[tuple[SourceObject, Span]]:
    """The whole lines of a step's statement, in the file that its place is of; none where the source has changed."""
    try:
        found = build_of(env).book.source.shown(step.object)
    except SourceError:
        return
    for obj in found:
        if obj.first_line <= step.span.line and step.span.end_line <= obj.last_line:
            around = statement(obj, step.span)
            first, last = around.line, around.end_line
            if last - first >= MOST_LINES:
                first, last = step.span.line, step.span.end_line
            yield obj, Span(first, 0, last, len(obj.module.lines[last - 1]))
            return


def _rows(obj: SourceObject, lines: Span) -> Sequence[str]:
    return obj.module.lines[lines.line - 1 : lines.end_line]


def _indent(rows: Sequence[str]) -> int:
    return min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)


def _text(obj: SourceObject, lines: Span) -> str:
    rows = _rows(obj, lines)
    return "\n".join(row[_indent(rows) :].rstrip() for row in rows)


def _within(obj: SourceObject, lines: Span, quoted: Span) -> tuple[int, int]:
    """Where a quotation begins and ends in the text of its lines."""
    rows = _rows(obj, lines)
    blanks, starts = _indent(rows), [0]
    for row in rows:
        starts.append(starts[-1] + len(row[blanks:].rstrip()) + 1)

    def place(line: int, column: int) -> int:
        return starts[line - lines.line] + max(0, column - blanks)

    return place(quoted.line, quoted.col), place(quoted.end_line, quoted.end_col)


def _shape(names: Names, step: str) -> list[str]:
    """The shape of what a step left in the clip's run, as HTML; none where it left no tensor."""
    try:
        value = names.resolve(step).value
    except (UnknownName, TraceError):
        return []
    return [shapes.markup(value.shape, value.axes)] if value is not None and value.shape else []

