"""Draw a scene in a process of its own, with the book's machinery, in a small book that is written for it.

Nothing is left behind but the file that was asked for, and that appears when it is whole.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fieldguide.children import environment
from fieldguide.report import UsageProblem

KINDS = {".mp4": "an MP4 film", ".webm": "a WebM film", ".gif": "a GIF", ".png": "a still"}
SCENES = {"loss": "course.Loss", "scaling": "sizes.Scaling", "architecture": "layers.Architecture",
          "attention": "heads.Attention", "data": "flowing.Data"}  # fmt: skip
STAGE = Path(__file__).with_name("stage")
CONF = 'project = "fieldguide"\nextensions = ["cutaway"]\ncutaway_scenes = "stage"\ncutaway_store = "store"\n'
PARTS = ("cutaway", "manim", "av", "typst")
LIMIT_S = 900
QUALITY = re.compile(r"(\d{2,4})p(\d{1,3})")


@dataclass(frozen=True)
class Made:
    """A file that was written."""

    kind: str
    size: tuple[int, int]
    seconds: float  # 0 of a still
    bytes: int


def refuse_early(out: Path, overwrite: bool, quality: str) -> None:
    """Say what keeps a file from being written before anything is read or drawn; UsageProblem."""
    if out.suffix.lower() not in KINDS:
        raise UsageProblem(f"--out {out}: no known kind of picture; the name ends with {', '.join(KINDS)}")
    if os.path.lexists(out) and (not overwrite or out.is_dir()):
        raise UsageProblem(f"--out {out} is there already: name another file, or say --overwrite")
    if not QUALITY.fullmatch(quality):
        raise UsageProblem(f"--quality {quality}: write the height in pixels and the frames a second, as in 1080p60")
    if not out.parent.is_dir():
        raise UsageProblem(f"--out {out}: there is no folder {out.parent}; make it first")
    with claimed(out):
        pass
    if missing := [name for name in PARTS if find_spec(name) is None]:
        raise UsageProblem(
            f"drawing needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install 'cutaway[clips]' (in a checkout of the book: pip install '.[clips]'), and the system packages "
            "of its apt.txt"
        )


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[Path]:
    """A new empty file beside ``out``, gone at the end; UsageProblem where none can be written."""
    path = out.with_name(f".{out.stem[:100]}.{os.getpid()}.tmp")
    try:
        path.open("xb").close()
    except (OSError, ValueError) as error:
        raise UsageProblem(f"--out {out} can't be written ({error}): name a file where you may write") from error
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def small_book(drawing: dict[str, Any]) -> Iterator[Path]:
    """A folder with a conf.py, our scenes, and what they are to show."""
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as name:
        folder = Path(name)
        shutil.copytree(STAGE, folder / "stage", ignore=shutil.ignore_patterns("__pycache__"))
        given = json.dumps(drawing, allow_nan=False)  # plain ASCII, and a literal in Python: no name runs anything
        (folder / "stage" / "drawing.py").write_text(f"import json\n\nGIVEN = json.loads({given!r})\n", "utf-8")
        (folder / "conf.py").write_text(CONF, encoding="utf-8")
        yield folder


def render(topic: str, drawing: dict[str, Any], out: Path, overwrite: bool, theme: str, quality: str) -> Made:
    """Draw a topic's scene into a file."""
    kind = out.suffix.lower()
    with small_book(drawing) as folder, claimed(out) as temporary:
        film = folder / f"film{kind}"
        words = ["clip", SCENES[topic], f"--{kind[1:]}", str(film), "--theme", theme, "--quality", quality]
        cutaway(folder, words)
        try:
            shutil.copyfile(film, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            made = looked_at(film)
            if overwrite:
                os.replace(temporary, out)
            else:
                os.link(temporary, out)  # fails where somebody was faster
        except OSError as error:
            raise UsageProblem(f"--out {out} can't be written ({error}): is the disk full, or is it there?") from error
    return made


def cutaway(folder: Path, words: list[str]) -> str:
    """What ``python -m cutaway`` prints about the small book; UsageProblem with its last words where it fails."""
    variables = {name: value for name, value in environment().items() if not name.startswith("CUTAWAY_")}
    variables["CUTAWAY_CACHE"] = "off"  # what a reader's file shows is kept nowhere
    command = [sys.executable, "-P", "-m", "cutaway", "--docs", str(folder), *words]
    child = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace")  # fmt: skip
    try:
        said, wrong = child.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise UsageProblem(f"the picture was not done after {LIMIT_S} s: ask for a lower --quality") from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        raise UsageProblem("the picture could not be drawn: " + (wrong.strip()[-1500:] or f"code {child.returncode}"))
    return said


def looked_at(film: Path) -> Made:
    """Size and length of what was drawn, as a player would see them."""
    import av

    with av.open(str(film)) as container:
        video = container.streams.video[0]
        size = (video.width, video.height)
        seconds = float(container.duration or 0) / 1e6 if film.suffix != ".png" else 0.0
    return Made(KINDS[film.suffix], size, seconds, film.stat().st_size)
