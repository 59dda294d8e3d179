"""Source code as lines of HTML: Pygments' colours, line numbers, quotations with their call-outs, shapes. Pure text.

Every line is one element, so that a phone scrolls the code and not the page, and a screen reader reads line by line.
"""

from __future__ import annotations

import functools
import html
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, _TokenType

from ..source.find import Span


@dataclass(frozen=True)
class Quote:
    """A quoted place: its number, its span in the file, where its note is (``#id``), and its step's id."""

    number: int
    span: Span
    href: str
    title: str  # plain text of the note, for those who hear the link
    step: str

    @property
    def attributes(self) -> str:
        """What its parts in the code and its call-out have in common."""
        return f'data-note="{self.number}" data-step="{html.escape(self.step)}"'


@dataclass(frozen=True)
class Piece:
    """Characters of one line with one colour; ``opens`` and ``closes`` are quotations that begin and end here."""

    text: str
    css: str
    opens: tuple[Quote, ...] = ()
    closes: tuple[Quote, ...] = ()


def code_html(
    text: str,
    first_line: int,
    quotes: Sequence[Quote],
    margins: Mapping[int, str],
    unused: set[int],
    shown: set[int],
) -> str:
    """The lines of ``text`` that are ``shown``; ``margins`` is HTML beside a line, ``unused`` lines are greyed."""
    rows: list[str] = []
    gap = False
    for number, row in lines_html(text, first_line, quotes, margins, unused):
        if number not in shown:
            gap = bool(rows)
            continue
        if gap:
            rows.append(
                '<span class="cutaway-line cutaway-gap" aria-hidden="true"><span class="cutaway-lineno">⋮</span></span>'
            )
            gap = False
        rows.append(row)
    return "".join(rows)


def lines_html(
    text: str, first_line: int, quotes: Sequence[Quote], margins: Mapping[int, str], unused: set[int], id: str = ""
) -> Iterator[tuple[int, str]]:
    """Number and HTML of each line; with an ``id``, its number is a link to itself, ``#L62``."""
    for number, pieces in _lines(text, first_line, quotes):
        css = f"cutaway-line cutaway-in-{_indent(pieces)}" + (" cutaway-unused" if number in unused else "")
        anchor = f' id="{id}{number}"' if id else ""
        shown = f'<a href="#{id}{number}">{number}</a>' if id else number
        margin = margins.get(number, "")
        margin = f'<span class="cutaway-shape">{margin}</span>' if margin else ""
        code = "".join(_piece(piece, number) for piece in pieces)
        yield (
            number,
            f'<span class="{css}"{anchor}><span class="cutaway-lineno">{shown}</span>'
            f'<span class="cutaway-code">{code}\n</span>{margin}</span>',
        )


def _indent(pieces: list[Piece]) -> int:
    """How far in a line begins, in steps of four: where it is too long for the page, it goes on a little further in."""
    text = "".join(piece.text for piece in pieces)
    return min(6, (len(text) - len(text.lstrip())) // 4)


def _piece(piece: Piece, line: int) -> str:
    opened = "".join(f'<span class="cutaway-quote" {quote.attributes}>' for quote in piece.opens)
    text = html.escape(piece.text, quote=False)
    colour = f'<span class="{piece.css}">{text}</span>' if piece.css and text.strip() else text
    return opened + colour + "".join(_close(quote, line) for quote in piece.closes)


def _close(quote: Quote, line: int) -> str:
    """The end of a quotation's part on a line; its call-out stands where the whole of it ends."""
    if line != quote.span.end_line:
        return "</span>"
    title = html.escape(f"note {quote.number}: {quote.title}", quote=True)
    return (
        f'</span><a class="cutaway-callout" {quote.attributes} href="{html.escape(quote.href)}"'
        f' id="{html.escape(quote.href.rpartition("#")[2])}-code" aria-label="{title}">{quote.number}</a>'
    )


def _lines(text: str, first_line: int, quotes: Sequence[Quote]) -> Iterator[tuple[int, list[Piece]]]:
    """Pieces of each line; a quotation over several lines is closed and opened again at the line's end."""
    coloured = _coloured(text)
    for number, (line, colours) in enumerate(zip(text.split("\n"), coloured, strict=False), first_line):
        here = [
            (quote, *_columns(quote.span, number, line)) for quote in quotes if _touches(quote.span, number)
        ]
        # Wider quotations open first and close last: spans of expressions nest.
        here.sort(key=lambda item: (item[1], -item[2], item[0].number))
        cuts = sorted(
            {0, len(line), *(c for _, start, end in here for c in (start, end)), *(end for end, _ in colours)}
        )
        pieces = []
        for start, end in itertools.pairwise(cuts):
            css = next((css for stop, css in colours if start < stop), "")
            opens = tuple(quote for quote, a, _ in here if a == start)
            closes = tuple(quote for quote, _, b in reversed(here) if b == end)
            pieces.append(Piece(line[start:end], css, opens, closes))
        yield number, pieces


def _touches(span: Span, line: int) -> bool:
    return span.line <= line <= span.end_line


def _columns(span: Span, number: int, line: str) -> tuple[int, int]:
    """The part of a line that a span covers, without its indentation."""
    start = span.col if number == span.line else len(line) - len(line.lstrip())
    return start, span.end_col if number == span.end_line else len(line.rstrip())


@functools.lru_cache(maxsize=128)
def _coloured(text: str) -> list[list[tuple[int, str]]]:
    """For each line the ends of its tokens with their CSS class."""
    lines: list[list[tuple[int, str]]] = [[]]
    column = 0
    for kind, value in PythonLexer(stripnl=False, stripall=False, ensurenl=True).get_tokens(text):
        for i, part in enumerate(value.split("\n")):
            if i:
                lines.append([])
                column = 0
            if part:
                column += len(part)
                lines[-1].append((column, _css(kind)))
    return lines


def _css(kind: _TokenType) -> str:
    while kind not in STANDARD_TYPES:
        kind = kind.parent  # type: ignore[assignment]
    return STANDARD_TYPES[kind]
