"""What the server offers: the tools that only read, each in a process of its own, and three ways into the book."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fieldguide.__main__ import TOOLS
from fieldguide.children import run_module
from fieldguide.mcp import book, schemas
from fieldguide.parsers import actions_of, parser_of
from fieldguide.report import UsageProblem, escaped

READING: tuple[tuple[str, tuple[str, ...]], ...] = (  # a tool, and options that would run code or write
    ("memory", ("module",)), ("scale", ("module",)), ("check", ("module",)), ("data", ()), ("loss", ()),
    ("checkpoint list", ()), ("checkpoint inspect", ()), ("checkpoint verify", ()), ("checkpoint compare", ()),
    ("runs list", ()), ("runs compare", ()), ("stuck", ()),
)  # fmt: skip
LARGEST = 200_000  # characters of an answer
LINKS = 20_000  # entries of a folder in which links are looked for
NAME = re.compile(r"[\w.,/\[\]:-]{1,200}\Z")
Call = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Offer:
    """One tool of the server. ``call`` raises UsageProblem for what can't be asked."""

    name: str
    told: str
    schema: dict[str, Any]
    call: Call


def offers(root: Path, built: Path | None, docs: Path | None, seconds: float) -> list[Offer]:
    """All that can be offered here; what needs the book or cutaway only where they are."""
    found = [tool(command, without, root.resolve(), seconds) for command, without in READING
             if command.split()[0] in TOOLS]  # fmt: skip
    if docs is not None and find_spec("cutaway"):
        found += [asking("why", "name", docs.resolve(), seconds, "Say which numbers a number that the book's runs "
                         "recorded was made of, as in sort.forward/h.0.attn/att[0,0,5,2]."),
                  asking("explain", "object", docs.resolve(), seconds, "Draw the data flow of a function or class of "
                         "the book: a short name, as attention, or a dotted path. A run that the book has not recorded "
                         "yet is recorded first, into the book's own store.")]  # fmt: skip
    return [*found, book.offer(built)] if built is not None else found


def tool(command: str, without: tuple[str, ...], root: Path, seconds: float) -> Offer:
    """A tool of ours, with --json."""
    parser = parser_of(command.split()[0])
    for word in command.split()[1:]:
        parser = actions_of(parser)[word]

    def call(given: Mapping[str, Any]) -> str:
        words = schemas.words(parser, given, lambda path: guarded(root, path), without)
        return answer("fieldguide", [*command.split(), *words, "--json"], root, seconds, (0, 1))

    told = (f"{parser.description}\nfieldguide {command}: a report as JSON, with findings, their evidence and advice; "
            "exit_code 1 means that something is wrong. Nothing is written.")  # fmt: skip
    return Offer(command.replace(" ", "_"), told, schemas.schema(parser, without), call)


def guarded(root: Path, given: str) -> str:
    """A path below the root, absolute where it exists. UsageProblem if it, or a link in it, leads out."""
    path = (root / given).resolve()
    if not path.is_relative_to(root):
        raise UsageProblem(f"{given}: it is outside of {root}; the server was started for files in there (--root)")
    if path.is_dir():
        refuse_links_out(root, path)
    return str(path) if path.exists() else f"./{given}" if given.startswith("-") else given


def refuse_links_out(root: Path, folder: Path) -> None:
    """UsageProblem where a link in the folder leads out of the root: the tool would follow it."""
    seen = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            seen += 1
            if seen > LINKS:
                raise UsageProblem(f"{folder}: more than {LINKS:,} entries; name a smaller folder")
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise UsageProblem(f"{path} is a link that leads out of {root}; name a folder without it")


def asking(command: str, argument: str, docs: Path, seconds: float, told: str) -> Offer:
    """A command of the book's own, with one argument."""
    schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument],
              "additionalProperties": False}  # fmt: skip

    def call(given: Mapping[str, Any]) -> str:
        value = given.get(argument)
        if set(given) != {argument} or not isinstance(value, str) or not NAME.match(value) or value.startswith("-"):
            raise UsageProblem(f"{command}: one argument is needed, {argument}, a name as the book has it")
        return answer("cutaway", ["--docs", str(docs), command, value], docs, seconds, (0,))

    return Offer(command, told, schema, call)


def answer(module: str, words: list[str], folder: Path, seconds: float, good: tuple[int, ...]) -> str:
    """What a command prints. UsageProblem with what it said, if it failed or took too long."""
    try:
        done = run_module(module, words, folder, seconds)
    except subprocess.TimeoutExpired:
        raise UsageProblem(f"{words[0]}: not done after {seconds:g} s; ask for less, or give --seconds more") from None
    if done.returncode not in good or not done.stdout.strip():
        said = done.stderr.strip()[-2000:] or f"{words[0]} ended with {done.returncode}"
        raise UsageProblem("\n".join(escaped(line) for line in said.splitlines()))
    if len(done.stdout) > LARGEST:
        raise UsageProblem(f"{words[0]}: the answer has {len(done.stdout):,} characters, more than {LARGEST:,}; "
                           "ask about a part")  # fmt: skip
    return done.stdout if module != "fieldguide" else json.dumps(json.loads(done.stdout), ensure_ascii=False)
