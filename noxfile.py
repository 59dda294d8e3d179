"""What one does with this book. `nox -l` lists it; `nox` alone builds the site into build/html."""

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox

if sys.version_info < (3, 11):  # noqa: UP036 - here it is where an older Python is told so
    sys.exit(f"Cutaway needs Python 3.11 or newer, and this is {sys.version}: make .venv with a newer one.")

nox.needs_version = ">=2026.2"
nox.options.default_venv_backend = "virtualenv"  # with pip: it alone finds torch's CPU build in a local index
nox.options.reuse_venv = "yes"
nox.options.sessions = ["docs"]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed uncompiled would be compiled by every process anew

PROJECT = nox.project.load_toml("pyproject.toml")
TOOL = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
CHOSEN = [package for name in ("clips", "cells", "plots", "live") for package in EXTRAS[name]]
BIN = Path(".nox/book/bin").resolve()  # of the one environment that `book` makes
# What is missing in a draft stands on its pages; folders of its own keep it out of the whole.
DRAFT = ["-n", "-D", "cutaway_draft=1", "-D", "cutaway_cards=0"]
DRAFT += ["-d", "build/draft/doctrees", "docs", "build/draft/html"]
# Without cells; a folder of its own keeps the site's pages as they are.
SHARD = ["-b", "clips", "-W", "--keep-going", "-d", "build/clips/doctrees"]
SPHINX = ["-n", "-W", "--keep-going", "-j", "auto", "-d", "build/doctrees", "docs", "build/html"]
# With the site's doctrees, as nothing is read otherwise; which links are left out stands in docs/conf.py.
LINKS = ["-b", "linkcheck", "-d", "build/doctrees", "docs", "build/links"]
# In folders of their own: what is read for another builder leaves the site's notebooks and doctrees as they are.
EPUB = ["-b", "epub", "-n", "-W", "--keep-going", "-j", "auto", "-d", "build/epub/doctrees", "docs", "build/epub/book"]
BUILT: set[tuple[str, ...]] = set()  # the options with which this call of nox has built the site
LONG = "not stages and not site and not faults and not whole and not proofs and not alone"  # in sessions of their own
FAST = f"not slow and {LONG}"
SLOW = "slow and not faults"
TWO_CORES = ["-n", "2", "--dist", "loadfile"]
# The parts of `nightly`: a session, and what it is given.
NIGHTLY = {
    "faults": ("faults", []),
    "bytes": ("bytes", []),
    "runs": ("runs", ["--check"]),
    "models": ("tests", ["tests/models"]),
    "proofs": ("proofs", []),
    "links": ("links", []),
    "notebooks": ("notebooks", []),
}


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


def models_passed() -> Path:
    """The file that says, if it is there, that the tests of the models have passed with what they read now."""
    names = ("model_src", "tests/models", "docs/runs", "docs/train/yours.md", "pyproject.toml")
    places = [Path(name) for name in names]
    places += sorted(Path("tests").glob("*.py"))
    files = [file for place in places for file in sorted([place, *place.rglob("*")]) if file.is_file()]
    sha = hashlib.sha256("".join(sorted(path.name for path in BIN.parent.glob("lib/*/site-packages/*-info"))).encode())
    for file in files:
        if "__pycache__" not in file.parts:
            sha.update(f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return Path(".cutaway/passed", f"models-{sha.hexdigest()[:32]}")


def build(session: nox.Session, *options: str) -> None:
    """Build the site into build/html, for a session whose own options are not Sphinx's; once for all of one call."""
    if options not in BUILT:
        session.run(BIN / "sphinx-build", *options, *SPHINX, external=True)
        BUILT.add(options)


@nox.session
def book(session: nox.Session) -> None:
    """Get what the other sessions need: the system packages of apt.txt, and the Python packages."""
    session.run(sys.executable, "bootstrap.py", external=True)
    # Half of the install would be compiling modules that nothing imports; Python compiles the others when it does.
    session.install("--no-compile", *TOOL, *CHOSEN, *groups("book", "test", "tool"))
    session.install("--no-deps", "--no-build-isolation", "-e", ".")  # asks no registry the second time


@nox.session(venv_backend="none", requires=["book"])
def docs(session: nox.Session) -> None:
    """Build the site into build/html; `-- --draft`: a first look; `-- --source nanogpt=PATH`: of another checkout.

    `-- --shard 2/4` draws the second quarter of the clips into the store, and builds no site.
    """
    parser = argparse.ArgumentParser(prog="nox -s docs --", allow_abbrev=False)
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--shard", metavar="2/4")
    chosen, options = parser.parse_known_args(enter_book(session))
    if chosen.shard:
        shard = [*SHARD, "-D", f"cutaway_shard={chosen.shard}", "docs", "build/clips/out"]
        session.run(BIN / "sphinx-build", *options, *shard)
        return
    session.run(BIN / "sphinx-build", *options, *(DRAFT if chosen.draft else SPHINX))
    index = Path("build/draft/html/index.html" if chosen.draft else "build/html/index.html")
    session.log(f"The site: {index.resolve().as_uri()}")


@nox.session(venv_backend="none", requires=["book"])
def live(session: nox.Session) -> None:
    """Serve the site and build again what an edit touches; warnings show in the browser (Ctrl-C ends it)."""
    options = ["--watch", "ext", "--watch", "model_src", "-n", "-d", "build/live-doctrees", *enter_book(session)]
    session.run(BIN / "python", "-m", "cutaway.dev.live.server", *options, "docs", "build/live")


@nox.session(venv_backend="none", requires=["book"])
def pdf(session: nox.Session) -> None:
    """Print the whole book into build/cutaway.pdf."""
    session.run(sys.executable, "bootstrap.py", "--tests")  # Chromium prints it
    build(session, *enter_book(session))
    session.run(BIN / "python", "-m", "cutaway.dev.printing", "build/html", "build/cutaway.pdf")


@nox.session(venv_backend="none", requires=["book"])
def epub(session: nox.Session) -> None:
    """Build the book for e-readers, with numbered contents, into build/epub/book."""
    session.run(BIN / "sphinx-build", *enter_book(session), *EPUB)


@nox.session(venv_backend="none", requires=["book"])
def tests(session: nox.Session) -> None:
    """Run the tests, of the models if these changed; `-- tests/test_store.py -k digest` runs some, `-- tests` all."""
    session.run(sys.executable, "bootstrap.py", "--tests")
    options = enter_book(session)
    if options:  # slow ones too, if they are asked for; one after the other, to look closely
        session.run(BIN / "pytest", "-m", LONG, *options)
    else:
        passed = models_passed()
        left_out = ["--ignore", "tests/models"] if passed.exists() else []
        session.run(BIN / "pytest", "-m", FAST, *TWO_CORES, *left_out)
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()


@nox.session(venv_backend="none", requires=["book"])
def slow(session: nox.Session) -> None:
    """Run the tests that take long, books of their own that are built again and again; `-- tests/models` the models'.

    Without options the models' are left out: trainings by two processes, a third of the time, are for `nightly`.
    """
    session.run(sys.executable, "bootstrap.py", "--tests")
    session.run(BIN / "pytest", "-m", SLOW, *(enter_book(session) or [*TWO_CORES, "--ignore", "tests/models"]))


@nox.session(venv_backend="none", requires=["book"])
def stages(session: nox.Session) -> None:
    """Run the slower tests of clips: every scene of the book, and a gallery beside stock Manim's frames."""
    options = enter_book(session) or ["-n", "2", "--dist", "worksteal"]
    build(session)
    session.run(BIN / "pytest", "-m", "stages", *options)


@nox.session(venv_backend="none", requires=["book"])
def faults(session: nox.Session) -> None:
    """Break things on purpose and see what is survived: `-- -k disk` some; without options the table is written.

    CUTAWAY_FAULTS_MOMENTS=1 tries each kill once instead of twenty times and leaves out what is rare, on two cores,
    and writes no table.
    """
    few = "CUTAWAY_FAULTS_MOMENTS" in os.environ
    options = enter_book(session) or (TWO_CORES if few else [])
    session.env["CUTAWAY_FAULTS_TABLE"] = "" if options else "1"
    patient = ["-o", "faulthandler_timeout=3600"]  # a test kills twenty builds
    session.run(BIN / "pytest", "-m", "faults and not rare" if few else "faults", *patient, "tests", *options)


@nox.session(name="bytes", venv_backend="none", requires=["book"])
def same_bytes(session: nox.Session) -> None:
    """Build the whole book twice from nothing, in different folders, and in a second clone; compare every file."""
    options = enter_book(session)
    session.run(BIN / "pytest", "-m", "whole", "-o", "faulthandler_timeout=7200", *options)


@nox.session(venv_backend="none", requires=["book"])
def proofs(session: nox.Session) -> None:
    """Prove every drawing of the book by intervention: change what one box gives, and see which others feel it."""
    options = enter_book(session)
    others = Path("build/others").resolve()  # other people's models, beside the environment and not in it
    wanted = ["--no-deps", "--upgrade", "--target", others, "-r", "tests/others/requirements.txt"]
    session.run(BIN / "python", "-m", "pip", "install", "--quiet", *wanted)
    session.env["PYTHONPATH"] = str(others)
    session.run(BIN / "pytest", "-m", "proofs", "-s", "-o", "faulthandler_timeout=7200", "tests", *options)


@nox.session(venv_backend="none", requires=["book"])
def links(session: nox.Session) -> None:
    """Ask every address outside that the book links to; what does not answer is listed. Needs the network."""
    options = enter_book(session)
    session.run(BIN / "sphinx-build", *options, *LINKS)


@nox.session(venv_backend="none", requires=["book"])
def notebooks(session: nox.Session) -> None:
    """Run every page's notebook as a reader who has nothing but Python: `-- -k attention` some. Needs the network."""
    options = enter_book(session)
    build(session)
    session.run(BIN / "pytest", "-m", "alone", "-o", "faulthandler_timeout=1800", "tests/test_alone.py", *options)


@nox.session(venv_backend="none", requires=["book"])
def nightly(session: nox.Session) -> None:
    """Check what takes long and changes rarely, an hour a part at most: `-- faults`, `-- bytes`, `-- links`, or all."""
    parts = session.posargs or list(NIGHTLY)
    unknown = [part for part in parts if part not in NIGHTLY]
    if unknown:
        session.error(f"nightly has no part {unknown[0]!r}; it has {', '.join(NIGHTLY)}")
    for part in parts:
        name, options = NIGHTLY[part]
        session.notify(name, options)


@nox.session(venv_backend="none", requires=["book"])
def clips(session: nox.Session) -> None:
    """Show one clip and record it again at each save: `-- attention.CausalMask`; `--gif mask.gif` writes a file."""
    session.run(BIN / "python", "-m", "cutaway", "clip", *enter_book(session))


@nox.session(name="site-check", requires=["book"])
def site_check(session: nox.Session) -> None:
    """Check the site: accessibility, validity, links, clips, nothing asked from outside; `-- --site FOLDER` another."""
    session.run(sys.executable, "bootstrap.py", "--tests", external=True)
    session.install(*groups("site"))  # an environment of its own: it only brings node
    packages = Path("build/npm").resolve()
    packages.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path("tests/site", name), packages)
    session.run("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--prefix", packages, silent=True)
    options = enter_book(session) or ["-n", "2", "--dist", "worksteal"]
    if "--site" not in options:
        build(session)
    session.env["PATH"] = os.pathsep.join([session.bin, session.env["PATH"]])  # before any other node
    session.run(BIN / "pytest", "-m", "site", "tests/site", *options, external=True)


@nox.session(venv_backend="none", requires=["book"])
def bench(session: nox.Session) -> None:
    """Measure beside what others use, as ratios: `-- --list` names the cases, `--case clip --pairs 3` takes some."""
    options = enter_book(session)
    build(session)
    session.run(BIN / "python", "-m", "tests.bench", *options)


@nox.session(venv_backend="none", requires=["book"])
def permalinks(session: nox.Session) -> None:
    """Record the ids of all that can be linked to: `-- --move OLD NEW`, `-- --retire ID --to NEAR`."""
    options = enter_book(session)
    build = [option for option in SPHINX if option != "-W"]  # what it warns of is recorded next
    session.run(BIN / "sphinx-build", *build)
    session.run(BIN / "python", "-m", "cutaway", "permalinks", *options)


@nox.session(venv_backend="none", requires=["book"])
def runs(session: nox.Session) -> None:
    """Train all runs anew, beside the store: `-- sort` some; `-- --check` compares with what is pinned.

    `-- --pin` writes them into docs/runs/pinned: rarely, for history keeps every version.
    """
    session.run(BIN / "python", "-m", "cutaway", "runs", *enter_book(session))


@nox.session(venv_backend="none", requires=["book"])
def cells(session: nox.Session) -> None:
    """Run a page's cells in the terminal: `-- model/attention`."""
    session.run(BIN / "python", "-m", "cutaway", "cells", *enter_book(session))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, spelling, workflows, the packages of a release, and what is asked of a repository."""
    session.install("--no-compile", *TOOL, *groups("lint"))
    session.run("ruff", "check")
    session.run("mypy")
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": "ext"})
    texts = sorted(map(str, Path().glob("*.[mp][dy]")))
    session.run("codespell", "docs", "ext", "model_src", "tests", ".github", *texts)
    session.run("zizmor", "--offline", "--quiet", ".github")
    session.run("repo-review", ".", "--show", "err")
    out = Path(session.create_tmp(), "dist")
    shutil.rmtree(out, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(out), silent=True)
    session.run("twine", "check", "--strict", *map(str, out.glob("*")))
    session.run("check-wheel-contents", *map(str, out.glob("*.whl")))
