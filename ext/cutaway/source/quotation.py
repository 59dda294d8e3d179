"""Find a quotation in an object of the source, compared as tokens.

``match(obj, "masked_fill(")`` finds the one place where those tokens stand and gives the innermost expression that
contains them; ``match(obj, "self.n_head = ... self.dropout =")`` all from the first statement to the last.
"""

from __future__ import annotations

import ast
import difflib
import functools
import io
import tokenize
from collections.abc import Sequence

from .find import Definition, SourceError, SourceObject, Span

RANGE = " ... "  # from one quotation to another
LONGEST = 2000  # characters


def match(obj: SourceObject, quotation: str) -> Span:
    """The innermost expression (else statement) of ``obj`` that contains the one place where the quotation stands.

    Compared as tokens: spaces, comments and line breaks do not count. Two quotations with ``...`` between them are all
    from the statement of the first to the statement of the last. Raises SourceError unless each occurs exactly once.
    """
    if len(quotation) > LONGEST:
        raise SourceError(f"'{quotation[:60]}…' is no quotation: it has {len(quotation)} characters")
    first, dots, last = quotation.partition(RANGE)
    if not dots:
        return _match(obj, quotation)
    start, end = (statement(obj, _match(obj, part.strip())) for part in (first, last))
    if end[:2] < start[:2]:
        raise SourceError(f"'{quotation}': '{last}' (line {end.line}) stands before '{first}' (line {start.line})")
    return Span(*start[:2], *end[2:])


def match_one(obj: SourceObject, quotations: Sequence[str]) -> tuple[str, Span]:
    """The first of the quotations that the object holds, and its place. Raises SourceError where it holds none."""
    errors: list[str] = []
    for quotation in quotations:
        try:
            return quotation, match(obj, quotation)
        except SourceError as error:
            errors.append(str(error))
    raise SourceError("; and ".join(errors))


def statement(obj: SourceObject, place: Span) -> Span:
    """The innermost simple statement around a place."""
    around = [
        obj.module.span(n) for n in ast.walk(obj.node) if isinstance(n, ast.stmt) and not hasattr(n, "body")
    ]
    return min(
        (span for span in around if span.contains(place)), key=lambda s: s.end_line - s.line, default=place
    )


def _match(obj: SourceObject, quotation: str) -> Span:
    return _innermost(obj, place(obj, quotation))


def place(obj: SourceObject, quotation: str) -> Span:
    """Where the tokens of a quotation (no range) stand: what was quoted, not the expression around it."""
    wanted = tokens(quotation)
    if not wanted:
        raise SourceError(f"the quotation '{quotation}' holds no code")
    places = _places(obj, [_meaning(token) for token in wanted])
    if len(places) != 1:
        what = (
            "does not occur"
            if not places
            else f"occurs {len(places)} times (lines {', '.join(str(p.line) for p in places)})"
        )
        advice = "; quote more of the line" if places else _nearest_line(obj, quotation)
        raise SourceError(f"'{quotation}' {what} in {obj.dotted} ({obj.place}){advice}")
    return places[0]


def _places(obj: SourceObject, wanted: list[str]) -> list[Span]:
    found_in = tokens(obj.text)
    strings = [_meaning(token) for token in found_in]
    offset = obj.first_line - 1
    found = []
    for i in range(len(found_in) - len(wanted) + 1):
        if strings[i : i + len(wanted)] == wanted:
            start, end = found_in[i].start, found_in[i + len(wanted) - 1].end
            found.append(Span(start[0] + offset, start[1], end[0] + offset, end[1]))
    return found


def _meaning(token: tokenize.TokenInfo) -> str:
    """What a token says: ``'Inf'`` and ``"Inf"`` are the same string."""
    if token.type == tokenize.STRING:
        try:
            return repr(ast.literal_eval(token.string))
        except (ValueError, SyntaxError):
            pass  # an f-string, or only the start of one
    return token.string


_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@functools.lru_cache(maxsize=128)
def tokens(code: str) -> list[tokenize.TokenInfo]:
    """Significant tokens of a fragment, which may be incomplete: tokens before the error are kept."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in _LAYOUT and token.string.strip():
                found.append(token)
    except (tokenize.TokenError, IndentationError):
        pass  # an open bracket at the end of a fragment, or the indented text of a method: every token was seen
    return found


def _innermost(obj: SourceObject, place: Span) -> Span:
    best: Span | None = None
    for node in ast.walk(obj.node):
        if not isinstance(node, ast.expr | ast.stmt) or isinstance(node, Definition):
            continue  # who quotes the head of a definition does not mean its body
        span = obj.module.span(node)
        if span.contains(place) and (best is None or best.contains(span)):
            best = span
    return best or place


def _nearest_line(obj: SourceObject, quotation: str) -> str:
    lines = [line.strip() for line in obj.text.split("\n") if line.strip()]
    near = difflib.get_close_matches(quotation, lines, n=1, cutoff=0.3)
    return f"; the nearest line is '{near[0]}'" if near else ""
