"""What other places of the book say of an entry: the words of the links that lead to it.

A link's words are often what a reader would type: a question, an error message, another name. A paragraph that begins
in bold says so of its own entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

SECTIONS = ("chapter", "section")


class Linked(NamedTuple):
    """``said``: the words, each once; ``number``: how many sections of the book have such a link."""

    said: str
    number: int


class Place(NamedTuple):
    """An entry as far as links go; ``home`` is the number of the entry that it stands in, -1: none."""

    page: int
    kind: str
    id: str
    title: str | list[int]  # a claim: from where to where in the text of its home
    home: int
    links: Sequence[Sequence[str]]  # words, id
    inner: Sequence[str]


def linked(places: Sequence[Place]) -> list[Linked]:
    """For each entry what the links say that lead to it, or to a place in its text."""
    by_id = {id: number for number, place in reversed([*enumerate(places)]) for id in place.inner}
    for number, place in reversed([*enumerate(places)]):
        if place.kind not in ("claim", "command"):
            by_id[place.id] = number
    first = {place.page: place.title for place in reversed(places)}
    said: dict[int, dict[str, str]] = defaultdict(dict)
    where: dict[int, set[int]] = defaultdict(set)
    for number, place in enumerate(places):
        for words, id in place.links:
            target = by_id.get(id)
            if target is None:
                continue
            if target != number:
                where[target].add(_section(places, number))
            names = {str(places[target].title).casefold(), str(first[places[target].page]).casefold()}
            is_new = words.casefold() not in names
            if is_new and (target == number or _section(places, number) != _section(places, target)):
                said[target].setdefault(words.casefold(), words)
    return [Linked(" · ".join(said[number].values()), len(where[number])) for number in range(len(places))]


def _section(places: Sequence[Place], number: int) -> int:
    while places[number].kind not in SECTIONS:
        number = places[number].home
    return number
