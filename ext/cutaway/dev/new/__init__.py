"""``python -m cutaway new mypackage.model:Net``: a small Sphinx project about code that can be imported, which builds.

What it takes to show the code, how it is built and an example input, is given (``--build``, ``--input``) or guessed by
trying; a guess is told, and marked in ``runs.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...store import replacing
from . import texts
from .guess import example_of
from .subject import NewError, Subject, subjects_of


def make(target: str, folder: Path | None, into: Path | None, build: str, given: str) -> str:
    """Write the project, into a folder of its own or an existing project's; return what to do next. NewError."""
    found = subjects_of(target)
    if (build or given) and len(found) > 1:
        names = ", ".join(subject.name for subject in found)
        raise NewError(f"--build and --input are of one thing, and {target} has {names}; write {target}:NAME")
    examples = {subject.name: example_of(subject, build, given) for subject in found}
    package = found[0].package
    if into:
        return _add(into, package, found, examples)
    folder = folder or Path(f"{package}-docs")
    if folder.exists() and any(folder.iterdir()):
        raise NewError(f"{folder} is not empty; name another folder, or add to a Sphinx project with --in {folder}")
    pages = {f"{subject.page}.md": texts.page(subject, examples[subject.name]) for subject in found}
    files = {
        "conf.py": texts.conf(package, _relative(found[0], folder)),
        "runs.py": texts.runs(found, examples),
        "index.md": texts.index(package, found),
        "requirements.txt": texts.REQUIREMENTS,
        "noxfile.py": texts.NOXFILE,
        ".gitignore": texts.IGNORED,
        **pages,
    }
    _write(folder, files)
    _drop_what_can_not_be_drawn(folder, found)
    told = [f"{folder}: {len(files)} files, built into {folder / '_build/html/index.html'}"]
    told += _guesses(examples)
    told.append(f"next: edit {folder / 'runs.py'} and the pages; sphinx-build -W {folder} {folder}/_build/html builds")
    return "\n".join(told)


def _add(into: Path, package: str, found: Sequence[Subject], examples: dict[str, texts.Example]) -> str:
    """Add runs and pages to a Sphinx project; what its conf.py needs is told, for it is its author's."""
    conf = into / "conf.py"
    if not conf.is_file():
        raise NewError(f"no conf.py in {into}; name a Sphinx project's folder, or leave --in out to make a new one")
    text = conf.read_text("utf-8")
    is_markdown = "myst" in text
    suffix, page = (".md", texts.page) if is_markdown else (".rst", texts.rst_page)
    files = {f"{subject.page}{suffix}": page(subject, examples[subject.name]) for subject in found}
    files["runs.py"] = texts.runs(found, examples)
    _write(into, files)
    added = texts.to_add(package, _relative(found[0], into), is_markdown, "cutaway_sources" in text)
    names = "\n".join(f"    {subject.page}" for subject in found)
    told = [f"{into}: wrote {', '.join(files)}", f"add to {conf}:", added, f"and to a toctree:\n{names}"]
    return "\n".join([*told, *_guesses(examples)])


def _guesses(examples: dict[str, texts.Example]) -> list[str]:
    return [
        f"guessed for {name}: {', '.join(example.guessed)} (in runs.py; say otherwise with --build and --input)"
        for name, example in examples.items()
        if example.guessed
    ]


def _relative(subject: Subject, folder: Path) -> str:
    return Path(os.path.relpath(subject.folder, folder.resolve())).as_posix()


def _write(folder: Path, files: dict[str, str]) -> None:
    """All files, or none where one is there already."""
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise NewError(f"{folder} has {', '.join(there)} already; move it, and nothing is lost")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, "utf-8")


def _drop_what_can_not_be_drawn(folder: Path, found: Sequence[Subject]) -> None:
    """Build, and leave out the drawing of code that has none; NewError says what else went wrong."""
    said = _built(folder)
    for subject in found:
        path = folder / f"{subject.page}.md"
        if any(path.name in line and "cutaway.diagram" in line for line in said.splitlines()):
            path.write_text(texts.without_diagram(path.read_text("utf-8")), "utf-8")
    if said and (said := _built(folder)):
        raise NewError(f"{folder} is written, and its build warns:\n{said}")


def _built(folder: Path) -> str:
    """What Sphinx warns of."""
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-j", "2", str(folder), str(folder / "_build/html")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
