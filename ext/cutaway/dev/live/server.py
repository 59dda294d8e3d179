"""``python -m cutaway.dev.live.server docs build/live``: sphinx-autobuild whose builds tell the browser what is wrong.

sphinx-autobuild serves the last good page of a build that failed, without a sign. Here each build leaves
``build-status.json`` beside the pages, and ``banner.js`` shows it. A build that died before it wrote a page leaves one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sphinx_autobuild import __main__ as autobuild
from sphinx_autobuild.build import Builder

from ...store import replacing
from . import BANNER

TOOL = Path(__file__).parents[2]
# Half a build's start is the import of these; the server does it once, and each build is a fork of it.
LOADED_ONCE = ("sphinx.cmd.build", "sphinx.builders.html", "myst_nb.sphinx_ext", "sphinx_book_theme", "sphinx_design")
LAST_LINES = 25  # of what a build says that dies
# Written by what runs, or by an editor; none is a source.
NO_SOURCES = r"/__pycache__(/|$)|\.pyc$|~$|\.sw[a-z]$|/\.#|/#[^/]*#$|/4913$|/\.[^/]*$"
_WARNING = re.compile(r"(?:(?P<file>[^:\n]+?)(?::(?P<line>\d+))?: )?(?P<kind>WARNING|ERROR|CRITICAL): (?P<message>.*)")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNBUILT = (
    '<!doctype html><html lang="en"><title>Not built yet</title><body><p>Not built yet.</p>{script}</body></html>'
)


class Problem(NamedTuple):
    """One warning or error of a build, and its place if it has one."""

    file: str
    line: str
    message: str


class TellingBuilder(Builder):
    """Builds as sphinx-autobuild does, and writes down what it said."""

    def __call__(self, *, changed_paths: Sequence[Path]) -> None:
        given, outdir = self.sphinx_args, Path(self.sphinx_args[-1])
        with tempfile.TemporaryDirectory(prefix="cutaway-live-") as folder:
            said = Path(folder, "warnings.txt")
            fresh = ["-E"] if any(path.is_relative_to(TOOL) and path.suffix == ".py" for path in changed_paths) else []
            name = ", ".join(path.name for path in changed_paths[:5])
            print(f"[cutaway] building{f' after a change of {name}' if name else ''}", flush=True)
            code, last = _run(["-w", str(said), *fresh, *given])
            problems = list(warnings(said.read_text("utf-8"))) if said.is_file() else []
        if code:  # without -W, warnings alone are no failure
            problems.append(death(last))
        tell(outdir, problems)
        print(f"[cutaway] built: {len(problems) or 'no'} problem(s). Serving on {self.uri}", flush=True)


def _run(arguments: list[str]) -> tuple[int, list[str]]:
    """Build in a fork; its exit status and the last lines that it complained with, which the terminal sees, too."""
    last: list[str] = []
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_sphinx, args=(arguments, writing))
    process.start()
    os.close(writing)
    with open(reading, encoding="utf-8", errors="replace") as complaints:
        for line in complaints:
            sys.stderr.write(line)
            last = [*last, _COLOUR.sub("", line.rstrip())][-LAST_LINES:]
    process.join()
    return process.exitcode or 0, last


def _sphinx(arguments: list[str], complaints: int) -> None:
    """In the fork: forget what belongs to the server, load our own modules as they are now, and build."""
    os.dup2(complaints, 2)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    asyncio.set_event_loop(asyncio.new_event_loop())  # kernels are waited for in it
    for name in [name for name in sys.modules if name.partition(".")[0] == TOOL.name]:
        del sys.modules[name]
    from sphinx.cmd.build import main

    sys.exit(main(arguments))


def warnings(text: str) -> Iterator[Problem]:
    """What Sphinx wrote with ``-w``: a line for each warning, and the lines that continue it."""
    found: list[dict[str, Any]] = []
    for line in _COLOUR.sub("", text).splitlines():
        match = _WARNING.fullmatch(line)
        if match:
            found.append({name: value or "" for name, value in match.groupdict().items()})
        elif found:
            found[-1]["message"] += f"\n{line}"
    for each in found:
        yield Problem(_short(each["file"]), each["line"], each["message"].rstrip())


def death(last: Sequence[str]) -> Problem:
    """Why a build died: its last words, and the last of our files that its traceback names."""
    frames = [match for line in last for match in _FRAME.finditer(line)]
    own = [match for match in frames if Path(match["file"]).is_relative_to(Path.cwd())]
    place = own[-1] if own else None
    words = "\n".join(last).strip() or "the build ended without a word"
    return Problem(_short(place["file"]) if place else "", place["line"] if place else "", words)


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def tell(outdir: Path, problems: Sequence[Problem]) -> None:
    """Leave the problems where the pages look for them; and a page to show them, where there is none."""
    with replacing(outdir / "build-status.json") as temporary:
        temporary.write_text(json.dumps({"problems": [problem._asdict() for problem in problems]}), "utf-8")
    if not (outdir / "index.html").is_file():
        static = outdir / "_static"
        static.mkdir(exist_ok=True)
        (static / BANNER.name).write_bytes(BANNER.read_bytes())
        script = f'<script src="_static/{BANNER.name}"></script>'
        (outdir / "index.html").write_text(_UNBUILT.format(script=script), "utf-8")
        os.utime(outdir / "index.html", (0, 0))  # older than its source: the next build writes it


def main(argv: list[str]) -> None:
    """sphinx-autobuild's options, then Sphinx's; the output folder comes last."""
    autobuild.Builder = TellingBuilder
    for name in LOADED_ONCE:
        with contextlib.suppress(ImportError):  # a book without it
            importlib.import_module(name)
    autobuild.main(["--re-ignore", NO_SOURCES, "-D", "cutaway_live=1", *argv])


if __name__ == "__main__":
    main(sys.argv[1:])
