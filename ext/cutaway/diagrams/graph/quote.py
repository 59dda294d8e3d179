"""A place of the source as one line of text: as it is written there, without comments and line breaks."""

from __future__ import annotations

import tokenize
from collections.abc import Iterable

from ...source.find import Module, Span
from ...source.quotation import tokens

DOTS = "…"


def quote(module: Module, span: Span, without: Iterable[Span] = ()) -> str:
    """The code at ``span``; dots stand for the places ``without``.

    >>> quote(module, span_of_the_sum, [span_of_the_call])
    'x + …'
    """
    holes = [place for place in without if place != span]
    left_out = [
        hole for hole in holes if not any(other != hole and other.contains(hole) for other in holes if other != span)
    ]
    text, last = "", None
    for token in tokens(module.text):
        place = Span(*token.start, *token.end)
        if not span.contains(place):
            continue
        hidden = next((hole for hole in left_out if hole.contains(place)), None)
        if hidden is not None:
            if place[:2] == hidden[:2]:
                text += _gap(last, token) + DOTS
            last = token
            continue
        if token.string in ")]}" and last is not None and last.string == "," and token.start[0] > last.end[0]:
            text = text.removesuffix(",")  # the comma of a last line that stands alone
        text += _gap(last, token) + token.string
        last = token
    return text


def _gap(last: tokenize.TokenInfo | None, token: tokenize.TokenInfo) -> str:
    if last is None:
        return ""
    if last.end[0] == token.start[0]:
        return " " if token.start[1] > last.end[1] else ""
    return "" if last.string in tuple("([{") or token.string in tuple(")]}.") else " "
