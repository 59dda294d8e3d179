"""A whole little book in a folder of its own: source, a run, scenes, a page of each kind, and how it is built."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    "conf.py": """
project = "Faults"
copyright = "2026, nobody"
extensions = [
    "myst_nb",
    "cutaway.math",
    "cutaway.cells",
    "cutaway.search",
    "cutaway.source_pages",
    "cutaway.cards",
    "cutaway.markdown",
]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
cutaway_sources = {"toy": ["../src/toy"]}
cutaway_store = "../store"
cutaway_clip_size = (160, 90)
cutaway_clip_fps = 10
cutaway_clip_limit_s = 20
nb_execution_mode = "cache"
nb_execution_timeout = 20
nb_execution_show_tb = True
nb_render_markdown_format = "myst"
html_theme = "basic"
""",
    "runs.py": """
from cutaway.runs import Run


class Tiny(Run):
    name = "tiny"
    sources = ("toy",)
    limit_s = 20

    def train(self, log):
        import numpy as np

        weights = np.linspace(0, 1, 12).reshape(3, 4)
        log(0, loss=1.0)
        return {"w": weights}

    def trace(self, weights, record):
        import numpy as np
        from toy.model import mix

        with record("forward"):
            mix(np.eye(3), weights["w"])
        record.fact(answer=42)
""",
    "scenes/__init__.py": "",
    "scenes/first.py": '''
"""Scenes."""
from manim import Create, FadeIn, Square

from cutaway.clips.scene.scene import RecordedScene


class Grows(RecordedScene):
    def construct(self):
        size = 1 + float(self.value("scores")[0, 1])
        self.next_section("Grow")
        self.play(Create(Square(size, color=self.theme.accent)), run_time=0.5, subcaption="It grows")


class Fades(RecordedScene):
    def construct(self):
        self.next_section("Fade")
        self.play(FadeIn(Square(2, color=self.theme.ink)), run_time=0.5, subcaption="It fades in")
''',
    "index.md": """# Faults

```{toctree}
code
clips
cells
```
""",
    "code.md": """(code)=
# Code

:::{listing} toy.model.mix
:name: mix

`x @ w`{#scores}
: Each row meets each column: {fact}`tiny/mix-scores.shape`.
:::

:::{diagram} toy.model.mix
:name: diagram-mix
:::

The answer is {fact}`tiny.answer`.
""",
    "clips.md": """(clips)=
# Clips

:::{clip} first.Grows
:name: clip-grows
:alt: A square grows to the size of a recorded number.
:::

:::{clip} first.Fades
:name: clip-fades
:alt: A square fades in.
:::
""",
    "cells.md": """---
file_format: mystnb
kernelspec: {name: python3}
---
(cells)=
# Cells

```{code-cell}
from cutaway.cells import load

print("the answer is", load("tiny").facts["answer"])
```
""",
}
MODEL = '''"""A model."""


def mix(x, w):
    """Rows of x meet columns of w."""
    scores = x @ w
    return scores * 2
'''
PLAIN = ("index", "code", "clips")  # a book without cells starts no kernel, and builds in half the time


@dataclass(frozen=True)
class Built:
    """What came of a build."""

    returncode: int
    said: str  # standard output and error


def rarely(*values: Any) -> Any:
    """A case for the night: a landing tries the one beside it."""
    return pytest.param(*values, marks=pytest.mark.rare)


class Site:
    """A book below ``folder``: docs/, src/, store/, out/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def write(cls, folder: Path, cells: bool = True) -> Site:
        site = cls(folder)
        for name, text in FILES.items():
            if cells or name != "cells.md":
                site.put(f"docs/{name}", text if cells else text.replace("clips\ncells", "clips"))
        site.put("src/toy/__init__.py", "")
        site.put("src/toy/model.py", MODEL)
        return site

    def copy(self, folder: Path) -> Site:
        """The same book elsewhere, with its store; not its output, which knows where it stands."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("out"))
        return Site(folder)

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        self.put(name, text.replace(old, new))

    def start(self, *options: str, **env: str) -> subprocess.Popen[str]:
        """Begin a build in a process group of its own."""
        return subprocess.Popen(
            self._command(options),
            env=self._env(env),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job of a shell ignores it
        )

    def build(self, *options: str, timeout: float = 300, **env: str) -> Built:
        with self.start(*options, **env) as process:
            try:
                said, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return Built(process.returncode, said)

    def _command(self, options: tuple[str, ...]) -> list[str]:
        fixed = ["-n", "-W", "--keep-going", "-d", "out/doctrees"]
        return [sys.executable, "-m", "sphinx", *fixed, *options, "docs", "out/html"]

    def _env(self, more: Mapping[str, str]) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("CUTAWAY_")}
        ours = {"PYTHONPATH": str(ROOT / "ext"), "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "CUTAWAY_CACHE": "off"}
        return {**env, **ours, **more}

    def pages(self, exact: bool = False) -> dict[str, str]:
        """Every file of the output with the digest of its bytes; Sphinx's own bookkeeping and the reports of
        errors that cells once had are left out.

        An incremental build of Sphinx's leaves traces of its own: words without a page stay in the search index, and a
        stylesheet that was there before gets its checksum. They are looked over unless ``exact``.
        """
        return digests(self.folder / "out/html", exact)

    def clean(self) -> None:
        shutil.rmtree(self.folder / "out", ignore_errors=True)

    def stored(self) -> dict[str, bytes]:
        """Every artifact of the store; what is learnt of a book by its place, and of costs, is none."""
        store = self.folder / "store"
        whole = (path for path in sorted(store.rglob("[!.]*")) if path.is_file() and path.parent.name != "book")
        found = {str(path.relative_to(store)): path.read_bytes() for path in whole}
        return {name: data for name, data in found.items() if not re.match(rb'\{"cost":', data)}

    def leftovers(self) -> list[str]:
        """Temporary files in the store, which nobody will ever read."""
        return [path.name for path in (self.folder / "store").rglob(".*") if path.is_file()]


def digests(html: Path, exact: bool = True) -> dict[str, str]:
    """The digest of each file of a site that a reader may load, by its path."""
    found = {
        str(path.relative_to(html)): path.read_bytes()
        for path in sorted(html.rglob("*"))
        if path.is_file() and not path.name.startswith(".buildinfo") and path.parent.name != "reports"
    }
    lasting = found if exact else {name: _lasting(name, data) for name, data in found.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in lasting.items()}


def _lasting(name: str, data: bytes) -> bytes:
    """A file without what an earlier build may have left in it."""
    if name.endswith(".html"):
        return re.sub(rb"\?v=[0-9a-f]{8}", b"", data)
    return re.sub(rb'"?[^"{},:\[\]]+"?:\[\],?', b"", data).replace(b",}", b"}") if name == "searchindex.js" else data
