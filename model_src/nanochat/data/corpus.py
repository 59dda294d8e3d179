"""Documents to train on: the handbook that every Python carries, or a text file of the reader's own."""

import hashlib
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

HEADING = re.compile(r"^(\S.*)\n([*=~^\"-])\2{2,}\n", re.MULTILINE)  # a title, underlined
AFTER_BLANK_LINES = re.compile(r"(?<=\n\n)(?!\n)")
MAX_CHARS = 2_000_000_000  # that a tokenizer is trained on, at most
DOC_CAP = 10_000  # characters that count of a document: a few long ones are not to decide


@dataclass(frozen=True)
class Size:
    """How much text there is, and the digest that tells this corpus from any other."""

    documents: int
    characters: int
    bytes: int  # as UTF-8
    digest: str  # sha256 of all documents, in order


def measure(documents: Iterable[str]) -> Size:
    """The size of a corpus. The digest also depends on where each document ends."""
    count = characters = size = 0
    digest = hashlib.sha256()
    for document in documents:
        data = document.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
        count += 1
        characters += len(document)
        size += len(data)
    return Size(count, characters, size, digest.hexdigest())


def python_docs(topics: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """A name for ``pydoc_data.topics``, what ``help("topics")`` shows, and its sections, a little different
    in each Python; of another Python's ``topics`` (name -> text) where these are given.

    Some sections stand under several topics: each is taken once, or validation would ask for what was
    trained on. A heading with no text of its own is left out.
    """
    if topics is None:
        from pydoc_data.topics import topics

    sections: dict[str, str] = {}
    for topic in topics.values():  # type: ignore[union-attr]
        for section in cut_at_headings(topic):
            text = " ".join(HEADING.sub("", section).split())
            if text:
                sections.setdefault(text, section)
    return f"pydoc_data.topics of Python {platform.python_version()}", list(sections.values())


def cut_at_headings(text: str) -> list[str]:
    """The text cut before each underlined title; joined again, it is the text."""
    headings = (match for match in HEADING.finditer(text) if is_underlined(match))
    cuts = sorted({0, len(text), *(match.start() for match in headings)})
    return [text[start:stop] for start, stop in pairwise(cuts)]


def is_underlined(heading: re.Match[str]) -> bool:
    """Whether the line below is as long as the title: a rule below a longer line belongs to a table."""
    title, underline = heading[0].splitlines()
    return len(title) == len(underline)


def cut(text: str, characters: int) -> Iterator[str]:
    """Pieces of at least so many characters (the last may be shorter), cut after blank lines.

    A text without blank lines is cut after any line. Joined again, the pieces are the text.
    """
    paragraphs = AFTER_BLANK_LINES.split(text)
    if len(paragraphs) == 1:
        paragraphs = text.splitlines(keepends=True)
    piece = ""
    for paragraph in paragraphs:
        piece += paragraph
        if len(piece) >= characters:
            yield piece
            piece = ""
    if piece:
        yield piece


def text_file(path: Path, characters: int) -> tuple[str, list[str]]:
    """A name for the file, and its text in documents of about so many characters."""
    if not path.is_file():
        raise FileNotFoundError(f"no text at {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")  # without the mark that some editors put before the text
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start:,} is no UTF-8 ({error.reason}); convert it to UTF-8") from error
    if not text.strip():
        raise ValueError(f"{path} is empty")
    return path.name, [piece for piece in cut(text, characters) if piece.strip()]


def capped(texts: Iterable[str], max_chars: int = MAX_CHARS, doc_cap: int = DOC_CAP) -> Iterator[str]:
    """The beginnings of the documents, to train a tokenizer on, until there are ``max_chars`` characters."""
    seen = 0
    for text in texts:
        beginning = text[:doc_cap]
        yield beginning
        seen += len(beginning)
        if seen >= max_chars:
            return
