"""Group the lines of a file into statements: a step that explains one line explains all. Pure ``tokenize``."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

_DEFINES = {"def", "class", "async"}
_ENDS = {"else", "finally"}  # say nothing by themselves
_GOES_ON = {"elif", "except", *_ENDS}
_LAYOUT = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class Statement(NamedTuple):
    """A simple statement, or the head of a compound one: its lines, with the comments right above it."""

    lines: frozenset[int]
    column: int
    word: str  # its first token
    is_text: bool  # nothing but a string, as a docstring is


def together(text: str) -> dict[int, set[int]]:
    """For each line of code the lines that go with it, itself included.

    A simple statement is whole, with the full-line comments right above it in the same block. The head of a compound
    statement ends with its colon. To that of a definition belong its decorators and its docstring; to that of an
    ``if``, ``for``, ``while`` or ``try`` the lines ``elif``, ``except``, ``else`` and ``finally`` that go on with it
    (an ``elif`` or ``except`` stands for itself, too). A module's docstring goes with its first statement.
    """
    found: dict[int, set[int]] = {}
    chains: dict[int, list[set[int]]] = {}  # by column the statement that may go on there, and its parts so far
    before: Statement | None = None
    group: set[int] = set()
    for one in statements(text):
        chains = {column: chain for column, chain in chains.items() if column <= one.column}
        chain = chains.get(one.column, [])
        docstring = before is not None and before.word in _DEFINES and one.is_text and one.column > before.column
        prelude = before is not None and (before.word == "@" or (before.is_text and len(found) == len(before.lines)))
        if one.word in _GOES_ON and chain:
            group = chain[-1] if one.word in _ENDS else set()
            chain.append(group)
            for part in chain:
                part |= one.lines
        elif docstring or prelude:
            group |= one.lines
        else:
            group = set(one.lines)
        if one.word not in _GOES_ON and not docstring:
            chains[one.column] = [group]
        found |= dict.fromkeys(one.lines, group)
        before = one
    return found


def statements(text: str) -> Iterator[Statement]:
    """The logical lines of a file that parses."""
    comments: dict[int, int] = {}  # line: column
    pending: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not pending:
            comments[token.start[0]] = token.start[1]
        elif token.type == tokenize.NEWLINE:
            yield _statement([part for part in pending if part.type != tokenize.COMMENT], comments)
            pending = []
        elif token.type not in _LAYOUT:
            pending.append(token)


def _statement(tokens: list[tokenize.TokenInfo], comments: dict[int, int]) -> Statement:
    first, column = tokens[0].start
    lines = set(range(first, tokens[-1].end[0] + 1))
    while comments.get(first - 1) == column:
        first -= 1
        lines.add(first)
    is_text = all(token.type == tokenize.STRING for token in tokens)
    return Statement(frozenset(lines), column, tokens[0].string, is_text)
