"""Sentences that judge what a run gave: ``judgements(text)`` finds them; ``python tests/judgements.py`` lists them.

A sentence is one if it compares (more, twice, falls, never ...) and stands after a cell, a table or a clip of the same
section, outside of claims, cells and code; questions, and notes of a listing, which are about the code, are left out.
The finder reads words, not meaning: what it finds and is no judgement, ``tests/judgements.toml`` lists with the reason.
"All", "never" and "nothing" are not among the words: of a hundred such sentences of this book two are about a run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
EVIDENCE = ("code-cell", "clip")
OPAQUE = ("claim", "listing", "diagram", "math", "toctree", "literalinclude", "code-block", "sequence", "reference")
FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,}|:{3,})(?P<rest>[^`]*)$")
DIRECTIVE = re.compile(r"^\s*\{(?P<name>[\w-]+)\}")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}(?P<tick>`+)(?P<text>.+?)(?P=tick)(?!`)")
HEADING = re.compile(r"#{1,6} ")
ENDS = re.compile(r"#{1,6} |\s*(?:`{3,}|~{3,}|:{3,})")  # what ends a paragraph without an empty line
LABEL = re.compile(r"\(\S+\)=$")
ANSWER = re.compile(r"^( *):::\{answer\}.*?^\1:::$", re.DOTALL | re.MULTILINE)
HINT = re.compile(r"^ *`[^`\n]+`\n *: [^\n]*$", re.MULTILINE)  # of an answer that the build finds wrong
OPTION = re.compile(r"^\s*:[\w-]+:")
COMPARING = re.compile(
    r"\b("
    r"(?<!any )(?<!no )(?<!once )more|less|fewer|most(?! of)|fewest|nearly|almost|hardly|barely|none|perfect\w*"
    r"|half|halves|halved|twice|thrice|doubl\w+|tripl\w+|three quarters|(?:\w+ )?times (?:as|more|less)"
    r"|(?:a|one|two) (?:third|quarter|fifth|sixth|eighth|tenth|hundredth)s?"
    r"|overlap\w*|falls?|fell|rises?|rose|grows?|grew|shrinks?|shrank|drops?|dropped|climbs?|increas\w+|decreas\w+"
    r"|higher|lower|larger|smaller|bigger|greater|(?<!no )longer|shorter|faster|slower|better|worse|closer|cheaper"
    r"|likelier|rarer|steeper|flatter|stronger|weaker|earlier|sooner|easier|harder|farther|wider|narrower"
    r"|best|worst|highest|lowest|largest|smallest|biggest|greatest|longest|shortest|fastest|slowest|likeliest|closest"
    r"|equally|unchanged|differs?|gains?|gained|loses?|improv\w+|beats?|wins?|outperform\w*|exceed\w*|surpass\w*"
    r"|told apart|noise|significan\w+|converge\w*|diverge\w*|explod\w+|vanish\w*|collaps\w+|flat|steep\w*|slowly"
    r")\b",
    re.IGNORECASE,
)


class Judgement(NamedTuple):
    """A sentence that compares: its line in the page, its text, and the words that compare."""

    line: int
    sentence: str
    words: tuple[str, ...]


class Block(NamedTuple):
    """A piece of a page: a ``heading``, ``evidence``, or ``text`` with the number of its first line."""

    kind: str
    line: int
    text: str = ""


def judgements(text: str) -> list[Judgement]:
    text = ANSWER.sub(lambda found: HINT.sub("\n", found[0]), text)
    found: list[Judgement] = []
    after = False
    for block in blocks(text.split("\n"), 1):
        if block.kind != "text":
            after = block.kind == "evidence"
        elif after:
            found += _in_text(block)
    return found


def _in_text(block: Block) -> Iterator[Judgement]:
    plain = ROLE.sub(_role, block.text)
    for start, sentence in sentences(plain):
        if sentence.rstrip("*_)\"”").endswith("?"):
            continue
        words = tuple(dict.fromkeys(word.lower() for word in COMPARING.findall(_prose(sentence))))
        if words:
            yield Judgement(block.line + plain[:start].count("\n"), " ".join(sentence.split()), words)


def _role(found: re.Match[str]) -> str:
    """A claim is checked and counts for nothing here; what stands in another role is a name or code."""
    if found["role"] == "claim":
        return "\n" * found[0].count("\n")
    return found[0]


def _prose(sentence: str) -> str:
    """Without code, formulae and names, whose words compare nothing."""
    sentence = ROLE.sub(lambda role: role["text"].split("<")[0] if role["role"] in ("ref", "step") else "", sentence)
    return re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", " ", sentence)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a paragraph, each with where it begins; items of a list are sentences of their own."""
    start = 0
    for end in re.finditer(r"(?<=[.!?])[)\"”*]*\s+(?=[^a-z\s])|\n(?=\s*(?:[-*+]|\d+\.)\s)", text):
        if text[start : end.start()].strip():
            yield start + len(text[start:]) - len(text[start:].lstrip()), text[start : end.start()].strip()
        start = end.end()
    if text[start:].strip():
        yield start + len(text[start:]) - len(text[start:].lstrip()), text[start:].strip()


def blocks(lines: list[str], first: int) -> Iterator[Block]:
    """The pieces of a page or of a directive's body; ``first`` is the number of its first line."""
    at = _front_matter(lines) if first == 1 else 0
    while at < len(lines):
        fence = FENCE.match(lines[at].strip())
        if fence:
            end = _closing(lines, at, fence["mark"])
            yield from _fenced(lines[at + 1 : end], first + at, fence)
            at = end + 1
        elif HEADING.match(lines[at]):
            yield Block("heading", first + at)
            at += 1
        elif lines[at].strip():
            end = at + 1
            while end < len(lines) and lines[end].strip() and not ENDS.match(lines[end]):
                end += 1
            yield from _paragraph(lines[at:end], first + at)
            at = end
        else:
            at += 1


def _front_matter(lines: list[str]) -> int:
    return lines.index("---", 1) + 1 if lines[:1] == ["---"] and "---" in lines[1:] else 0


def _closing(lines: list[str], at: int, mark: str) -> int:
    for number in range(at + 1, len(lines)):
        text = lines[number].strip()
        if text and set(text) == {mark[0]} and len(text) >= len(mark):
            return number
    return len(lines)


def _fenced(body: list[str], line: int, fence: re.Match[str]) -> Iterator[Block]:
    directive = DIRECTIVE.match(fence["rest"])
    name = directive["name"] if directive else ""
    if name in EVIDENCE:
        yield Block("evidence", line)
    if not name or name in OPAQUE or name == "code-cell":
        return
    options = 0
    while options < len(body) and OPTION.match(body[options]):
        options += 1
    yield from blocks(body[options:], line + 1 + options)


def _paragraph(lines: list[str], line: int) -> Iterator[Block]:
    if LABEL.match(lines[0].strip()):
        lines, line = lines[1:], line + 1
    if len(lines) > 1 and lines[0].lstrip().startswith("|") and set(lines[1].strip()) <= set("|-: "):
        if "{fact}" in "".join(lines):  # else its cells are typed, and no run gave them
            yield Block("evidence", line)
    elif lines:
        yield Block("text", line, "\n".join(lines))


def pages(folder: Path = ROOT / "docs") -> Iterator[tuple[str, str]]:
    """The name and the text of each page."""
    for path in sorted(folder.rglob("*.md")):
        yield path.relative_to(folder).with_suffix("").as_posix(), path.read_text("utf-8")


def main() -> None:
    asked = set(sys.argv[1:])
    total = 0
    for name, text in pages():
        found = judgements(text) if not asked or name in asked else []
        total += len(found)
        if found:
            print(f"\n{name} ({len(found)})")
        for judgement in found:
            print(f"  {judgement.line}: {judgement.sentence}  [{', '.join(judgement.words)}]")
    print(f"\n{total} sentences")


if __name__ == "__main__":
    main()
