"""What one does with this book. `nox -l` lists it; `nox` alone builds the site into build/html."""

import argparse
import os
import sys
from pathlib import Path

import nox

if sys.version_info < (3, 11):  # noqa: UP036 - here it is where an older Python is told so
    sys.exit(f"Cutaway needs Python 3.11 or newer, and this is {sys.version}: make .venv with a newer one.")

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "virtualenv"  # with pip: it alone finds torch's CPU build in a local index
nox.options.reuse_venv = "yes"
nox.options.sessions = ["docs"]

PROJECT = nox.project.load_toml("pyproject.toml")
TOOL = PROJECT["project"]["dependencies"]
CLIPS = PROJECT["project"]["optional-dependencies"]["clips"]
BIN = Path(".nox/book/bin").resolve()  # of the one environment that `book` makes
SPHINX = ["-n", "-W", "--keep-going", "-d", "build/doctrees", "docs", "build/html"]


def groups(*names: str) -> list[str]:
    return nox.project.dependency_groups(PROJECT, *names)


def enter_book(session: nox.Session) -> list[str]:
    """Put the environment first in PATH; --source PACKAGE=PATH goes to the tool, the rest is returned."""
    parser = argparse.ArgumentParser(prog=f"nox -s {session.name} --", allow_abbrev=False)
    parser.add_argument("--source", action="append", default=[], metavar="PACKAGE=PATH")
    options, rest = parser.parse_known_args(session.posargs)
    session.env["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
    session.env["OMP_NUM_THREADS"] = "1"
    if options.source:
        session.env["CUTAWAY_SOURCE"] = ";".join(options.source)
    return rest


@nox.session
def book(session: nox.Session) -> None:
    """Get what the other sessions need: the system packages of apt.txt, and the Python packages."""
    session.run(sys.executable, "bootstrap.py", external=True)
    session.install(*TOOL, *CLIPS, *groups("book", "live", "test", "tool"))
    session.install("--no-deps", "--no-build-isolation", "-e", ".")  # asks no registry the second time


@nox.session(venv_backend="none", requires=["book"])
def docs(session: nox.Session) -> None:
    """Build the site into build/html; `-- --source nanogpt=PATH` weaves it around another checkout."""
    session.run(BIN / "sphinx-build", *enter_book(session), *SPHINX)
    session.log(f"The site: {Path('build/html/index.html').resolve().as_uri()}")


@nox.session(venv_backend="none", requires=["book"])
def live(session: nox.Session) -> None:
    """Serve the site and build again what an edit touches (Ctrl-C ends it)."""
    watched = ["--watch", "ext", "--watch", "model_src", "--ignore", "build", "--ignore", ".cutaway"]
    session.run(BIN / "sphinx-autobuild", *enter_book(session), *watched, "-n", *SPHINX[3:])


@nox.session(venv_backend="none", requires=["book"])
def tests(session: nox.Session) -> None:
    """Run the tests; `-- tests/test_store.py -k digest` runs some."""
    session.run(sys.executable, "bootstrap.py", "--tests")
    session.run(BIN / "pytest", "-m", "not stages", *enter_book(session))


@nox.session(venv_backend="none", requires=["docs"])
def stages(session: nox.Session) -> None:
    """Run the slower tests of clips: every scene of the book, and a gallery beside stock Manim's frames."""
    session.run(BIN / "pytest", "-m", "stages", *enter_book(session))


@nox.session(venv_backend="none", requires=["book"])
def clips(session: nox.Session) -> None:
    """Show one clip and record it again at each save: `-- attention.CausalMask`; `--gif mask.gif` writes a file."""
    session.run(BIN / "python", "-m", "cutaway", "clip", *enter_book(session))


@nox.session(venv_backend="none", requires=["docs"])
def bench(session: nox.Session) -> None:
    """Measure beside Manim's own command, as ratios: `-- 7` takes the median of 7 pairs."""
    session.run(BIN / "python", "-m", "tests.bench", *enter_book(session))


@nox.session(venv_backend="none", requires=["book"])
def cells(session: nox.Session) -> None:
    """Run a page's cells in the terminal: `-- model/attention`."""
    session.run(BIN / "python", "-m", "cutaway", "cells", *enter_book(session))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    session.install(*TOOL, *groups("lint"))
    session.run("ruff", "check")
    session.run("mypy")
