"""Search in the built book: the sections of the Markdown twins that llms.txt lists, the best first.

Ranked by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, equation 3.15), where a word of
the heading counts as often as HEADING of the text.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.report import UsageProblem

if TYPE_CHECKING:
    from fieldguide.mcp.offers import Offer

LIST = "llms.txt"
K1, B = 1.5, 0.75  # usual values of BM25's two settings
HEADING = 4
LARGEST = 4 << 20  # bytes of a page
MOST = 20  # results
SHOWN = 700  # characters of a section, unless asked otherwise
PAGE = re.compile(r"\]\(([^)\s#]+\.md)\)")
TITLE = re.compile(r"^(#{1,6}) +(.*?)(?: \[#([\w.-]+)\]\([^)]*\))?\s*$")
WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*")


@dataclass(frozen=True)
class Section:
    """A stretch of a page under its heading."""

    page: str
    title: str
    id: str  # of its permanent address; empty: none
    text: str
    counts: Counter[str]

    @property
    def length(self) -> int:
        return self.counts.total()


def terms(text: str) -> list[str]:
    """Words in small letters, without the plural's s; names with underscores also in their parts."""
    found = []
    for word in WORD.findall(text.lower()):
        found += [word, *(word.split("_") if "_" in word else [])]
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in found]


@cache
def sections(folder: Path) -> tuple[Section, ...]:
    """All sections of the pages that llms.txt lists and that lie in the folder."""
    try:
        listed = (folder / LIST).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{folder / LIST}: {error.strerror}; build the book, or name its folder (--book)") from error
    found: list[Section] = []
    for page in dict.fromkeys(PAGE.findall(listed)):
        path = (folder / page).resolve()
        if path.is_relative_to(folder) and path.is_file() and path.stat().st_size <= LARGEST:
            found += cut(page, path.read_text(encoding="utf-8", errors="replace"))
    return tuple(found)


def cut(page: str, text: str) -> list[Section]:
    """A page in sections; a # within a code fence is no heading."""
    found: list[Section] = []
    title, id, lines, fence = page, "", [], ""
    for line in [*text.splitlines(), "# "]:
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
        heading = None if fence else TITLE.match(line)
        if heading is None:
            lines.append(line)
            continue
        body = "\n".join(lines).strip()
        if body or id:
            counts = Counter(terms(body))
            for word in terms(title):
                counts[word] += HEADING
            found.append(Section(page, title, id, body, counts))
        title, id, lines = heading[2], heading[3] or "", []
    return found


def ranked(found: tuple[Section, ...], query: str, count: int) -> list[tuple[float, Section]]:
    """The sections with the highest scores."""
    wanted = list(dict.fromkeys(terms(query)))
    mean = sum(section.length for section in found) / max(len(found), 1) or 1.0
    having = {word: sum(word in section.counts for section in found) for word in wanted}
    rare = {word: math.log(1 + (len(found) - n + 0.5) / (n + 0.5)) for word, n in having.items() if n}
    scored = [(score(section, rare, mean), section) for section in found]
    best = sorted((each for each in scored if each[0] > 0), key=lambda each: -each[0])
    return best[:count]


def score(section: Section, rare: Mapping[str, float], mean: float) -> float:
    norm = K1 * (1 - B + B * section.length / mean)
    return sum(rarity * n * (K1 + 1) / (n + norm) for word, rarity in rare.items() if (n := section.counts[word]))


def search(folder: Path, given: Mapping[str, Any]) -> str:
    """Results as JSON: page, title, id, score and the beginning of the text."""
    query, count, shown = given.get("query"), given.get("count", 5), given.get("characters", SHOWN)
    if not isinstance(query, str) or not terms(query):
        raise UsageProblem(f"search_book: query needs a word, not {query!r}")
    for name, value in (("count", count), ("characters", shown)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageProblem(f"search_book: {name} is a whole number above 0, not {value!r}")
    if set(given) - set(SCHEMA["properties"]):
        raise UsageProblem(f"search_book: there are the arguments {', '.join(SCHEMA['properties'])}")
    best = ranked(sections(folder), query[:400], min(count, MOST))
    results = [{"title": each.title, "page": each.page, "id": each.id, "address": f"s/{each.id}/" if each.id else "",
                "score": round(value, 2), "text": each.text[:shown]} for value, each in best]  # fmt: skip
    return json.dumps({"query": query, "book": str(folder), "results": results}, ensure_ascii=False)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "words, or a question"},
        "count": {"type": "integer", "minimum": 1, "maximum": MOST, "description": "sections (default: 5)"},
        "characters": {"type": "integer", "minimum": 1, "description": f"of each section (default: {SHOWN})"},
    },
    "required": ["query"],
    "additionalProperties": False,
}


def offer(folder: Path) -> "Offer":
    """The search as a tool of the server."""
    from fieldguide.mcp.offers import Offer

    built = folder.resolve()
    told = ("Search the book Cutaway, which explains nanoGPT, nanochat and nGPT, by words.\nThe best sections, with "
            "their page (Markdown, below the folder `book`) and permanent address.")  # fmt: skip
    return Offer("search_book", told, SCHEMA, lambda given: search(built, given))
