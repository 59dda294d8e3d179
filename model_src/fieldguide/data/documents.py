"""Documents of any source: empty ones, ones that are there twice, garbled ones, and what two parts share."""

import hashlib
import re
from dataclasses import dataclass, field

KEPT = 1 << 19  # digests that are remembered at most; beyond them, of every second, fourth, ... document
# UTF-8 that was read as Latin-1 or Windows-1252 and written as UTF-8 again; and what stands for bytes that were lost.
GARBLED = re.compile("[ÃÂ][\u0080-¿]|â€[\u0080-¿œž™š“”]|ï»¿|Ã[¤¶¼Ÿ©¨]|\ufffd")
WORDS = re.compile(r"\s+")
SHORT = 40  # characters: a document with fewer may well be there twice by chance. Yes. Thanks!
MARK = 1 << 64  # in the digest of a short one


class Digests:
    """Which documents were seen, in bounded memory: of so many that do not fit, one in 2^k by its digest."""

    def __init__(self, most: int = KEPT) -> None:
        self.seen: dict[int, int] = {}
        self.most, self.every = most, 1

    def add(self, digest: int) -> None:
        """Count a document."""
        if digest % self.every:
            return
        self.seen[digest] = self.seen.get(digest, 0) + 1
        self.forget()

    def join(self, other: "Digests") -> None:
        """Count all that another has counted."""
        self.every = max(self.every, other.every)
        self.seen = {digest: n for digest, n in self.seen.items() if digest % self.every == 0}
        for digest, n in other.seen.items():
            if digest % self.every == 0:
                self.seen[digest] = self.seen.get(digest, 0) + n
        self.forget()

    def forget(self) -> None:
        """Keep fewer, where they are too many."""
        while len(self.seen) > self.most:
            self.every *= 2
            self.seen = {digest: n for digest, n in self.seen.items() if digest % self.every == 0}

    @property
    def duplicates(self) -> int:
        """How many that are not short were there before, as estimated from those that are remembered."""
        return self.every * sum(n - 1 for digest, n in self.seen.items() if not digest & MARK)

    @property
    def short_duplicates(self) -> int:
        """How many short ones were there before."""
        return self.every * sum(n - 1 for digest, n in self.seen.items() if digest & MARK)

    def shared(self, other: "Digests") -> tuple[int, int]:
        """How many of the other's documents are here, too, and how many were compared."""
        every = max(self.every, other.every)
        compared = [digest for digest in other.seen if digest % every == 0]
        return sum(digest in self.seen for digest in compared), len(compared)


def digest_of(text: str) -> int:
    """A number for a document, whatever its case and blanks."""
    plain = WORDS.sub(" ", text).strip().lower()
    digest = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") | (MARK if len(plain) < SHORT else 0)


@dataclass
class Documents:
    """What a file or a part holds."""

    count: int = 0
    characters: int = 0
    empty: int = 0
    first_empty: int = -1
    garbled: int = 0
    garbled_example: str = ""
    nulls: int = 0  # documents with a null character
    longest: int = 0
    digests: Digests = field(default_factory=Digests)

    def add(self, text: str, compared: bool = True) -> None:
        """Take a document; ``compared`` with all others, or only counted."""
        self.count += 1
        self.characters += len(text)
        self.longest = max(self.longest, len(text))
        if not text or text.isspace():
            self.empty += 1
            self.first_empty = self.count if self.first_empty < 0 else self.first_empty
            return
        if not text.isascii() and (found := GARBLED.search(text)):
            self.garbled += 1
            if not self.garbled_example:
                self.garbled_example = text[max(0, found.start() - 15) : found.end() + 15]
        self.nulls += "\x00" in text
        if compared:
            self.digests.add(digest_of(text))

    def join(self, other: "Documents") -> None:
        """Take the documents of another file, too."""
        self.count += other.count
        self.digests.join(other.digests)
