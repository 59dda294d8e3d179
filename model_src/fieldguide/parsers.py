"""The tools' own argparse parsers, and their help as text: skills and the MCP server are made of them."""

import argparse
import functools
import importlib
import importlib.util
import os
import subprocess
import sys
from typing import Any

from fieldguide.__main__ import EXITS, TOOLS

WIDTH = 100  # columns of a help, whatever the terminal has
CUTAWAY = "cutaway"  # the book's own command, where it is installed


@functools.cache
def parser_of(tool: str) -> argparse.ArgumentParser:
    """The parser of a tool, as the command makes it."""
    module = importlib.import_module(f"fieldguide.{TOOLS[tool]}")
    parser = argparse.ArgumentParser(prog=f"fieldguide {tool}", description=module.HELP, epilog=EXITS)
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def actions_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of what a tool can be asked to do: ``checkpoint list``, ...; empty where there is one thing."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def is_there(command: str) -> bool:
    """Whether the tool that a command line names is in this version."""
    words = command.split()
    return words[0] != "fieldguide" or words[1] in TOOLS


def help_text(command: str) -> str:
    """What ``--help`` prints for ``fieldguide checkpoint repair``, or for ``python -m cutaway why``."""
    words = command.split()
    if words[0] == "fieldguide":
        parser = parser_of(words[1])
        for word in words[2:]:
            parser = actions_of(parser)[word]
        return formatted(parser)
    if words[:3] == ["python", "-m", CUTAWAY] and importlib.util.find_spec(CUTAWAY):
        return printed(words[3:])
    return ""


def formatted(parser: argparse.ArgumentParser) -> str:
    """The help in WIDTH columns, without colours."""
    plain: dict[str, Any] = {"color": False} if sys.version_info >= (3, 14) else {}
    before = parser.formatter_class
    try:
        parser.formatter_class = functools.partial(
            argparse.HelpFormatter, width=WIDTH, max_help_position=28, **plain
        )  # type: ignore[assignment]
        return parser.format_help().strip()
    finally:
        parser.formatter_class = before


@functools.cache
def _asked(words: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", CUTAWAY, *words, "--help"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "COLUMNS": str(WIDTH + 2), "NO_COLOR": "1"},
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""


def printed(words: list[str]) -> str:
    """The help of the book's own command, from a child process; empty where it has none."""
    return _asked(tuple(words))
