"""Two animations that were first written for Remotion (its components stand in ``remotion/src``), and as our scenes.

Remotion comes from npm into ``build/remotion`` and draws with Chromium, a screenshot for each frame.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .growth import CONF
from .measure import Case, Options, seconds
from .programs import ROOT, emptied, sphinx

NAMES = ("TransformerArchitecture", "TrainingLoss")
THEIRS, INSTALLED = ROOT / "tests/bench/remotion", ROOT / "build/remotion"
PATH = os.pathsep.join([os.environ["PATH"], str(ROOT / ".nox/site-check/bin")])  # `nox -s site-check` brings node
CLIP = ":::{{clip}} seeds.{name}\n:name: {lower}\n:alt: As the component {name} shows it.\n:::\n"


def cases(options: Options) -> Iterator[Case]:
    ours, films = options.folder / "seeds", options.folder / "remotion"

    def prepare() -> None:
        _install()
        _write_book(emptied(ours))

    def recorded() -> float:
        for name in ("docs/.cutaway", "html", "html-doctrees"):
            emptied(ours / name)
        return seconds(partial(sphinx, ours / "docs", ours / "html"))

    def rendered() -> float:
        emptied(films)
        return sum(seconds(partial(_render, name, films)) for name in NAMES)

    told = "a build of a book with both, beside Remotion's command for each"
    yield Case("seeds-remotion", 0.1, recorded, rendered, prepare, lambda: told)


def _install() -> None:
    """RuntimeError where something is missing."""
    missing = [name for name in ("npm", "node", "chromium") if not shutil.which(name, path=PATH)]
    if missing:
        raise RuntimeError(f"{' and '.join(missing)} not found; `nox -s site-check` brings node and npm")
    shutil.copytree(THEIRS / "src", INSTALLED / "src", dirs_exist_ok=True)
    shutil.copy(THEIRS / "package.json", INSTALLED)
    _run("npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock")


def _render(name: str, folder: Path) -> None:
    command = "node_modules/@remotion/cli/remotion-cli.js"
    chromium = f"--browser-executable={shutil.which('chromium', path=PATH)}"
    options = [chromium, "--chrome-mode=chrome-for-testing", "--log=error"]
    _run("node", command, "render", "src/index.tsx", name, folder / f"{name}.mp4", *options)


def _run(program: str, *arguments: object) -> None:
    command = [shutil.which(program, path=PATH) or program, *map(str, arguments)]
    env = {**os.environ, "PATH": PATH}
    done = subprocess.run(command, cwd=INSTALLED, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr or done.stdout}")


def _write_book(folder: Path) -> None:
    scenes = folder / "docs/scenes"
    scenes.mkdir(parents=True)
    shutil.copy(THEIRS / "seeds.py", scenes)
    shutil.copy(ROOT / "docs/scenes/moving.py", scenes)  # digits that keep their slots
    (folder / "docs/conf.py").write_text(CONF, "utf-8")
    (folder / "docs/runs.py").write_text("", "utf-8")
    clips = "\n".join(CLIP.format(name=name, lower=name.lower()) for name in NAMES)
    (folder / "docs/index.md").write_text(f"# Two clips\n\n{clips}", "utf-8")
