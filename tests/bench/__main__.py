"""Measure side by side, interleaved, and print a table: ``python -m tests.bench [pairs]``; build/bench.json keeps it.

Each case is a pair of commands that give the same clips. They run in turn, ours and theirs, several times; what
counts is the median of the ratios, since a shared machine is slow and fast by turns.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOCK = ROOT / "tests/bench/stock.py"
SCENES = ("Scores", "CausalMask", "WeightedSum", "Heads")
ENV = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in (".", "ext", "model_src", "docs")),
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rows = [
        ratio("one clip, whole process, wall", 0.25, pairs, partial(ours, "Scores"), partial(theirs, "Scores")),
        ratio("four clips, cold, wall", 0.15, pairs, partial(ours, *SCENES), partial(theirs, *SCENES)),
        ("bytes of a clip, compressed, to Manim's 720p30 MP4", 0.25, statistics.median(map(sizes, SCENES))),
    ]
    for name, aim, found in rows:
        print(f"{name:55} {found:6.3f}   aim {aim}")
    target = ROOT / "build/bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([{"case": name, "aim": aim, "ratio": found} for name, aim, found in rows], indent=1))


def ratio(
    name: str, aim: float, pairs: int, one: Callable[[], None], other: Callable[[], None]
) -> tuple[str, float, float]:
    found = []
    for _ in range(pairs):
        found.append(seconds(one) / seconds(other))
        print(f"  {name}: {found[-1]:.3f}", file=sys.stderr)
    return name, aim, statistics.median(found)


def seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def ours(*scenes: str) -> None:
    """The clips of a book, from an empty store of clips: recordings, stills of every section, pictures for READMEs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.ours", folder, *scenes]
        subprocess.run(command, cwd=ROOT, env=ENV, check=True, stdout=subprocess.DEVNULL)


def theirs(*scenes: str) -> None:
    """The same by Manim's command, one after the other, as one would."""
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes:
            film(scene, "1080p30", Path(folder))


def film(scene: str, quality: str, folder: Path) -> Path:
    height, fps = quality.split("p")
    size = f"{round(int(height) * 16 / 9)},{height}"
    command = [sys.executable, "-m", "manim", "render", str(STOCK), scene, "-r", size, "--fps", fps]
    command += ["--media_dir", str(folder), "-v", "ERROR", "--progress_bar", "none"]
    subprocess.run(command, cwd=ROOT, env=ENV, check=True, stdout=subprocess.DEVNULL)
    (found,) = folder.glob(f"videos/**/{scene}.mp4")
    return found


def sizes(scene: str) -> float:
    sys.path[:0] = ENV["PYTHONPATH"].split(os.pathsep)
    from cutaway.book import Book
    from cutaway.filming.export import one_clip
    from cutaway.render import RECORDING

    book = Book.read(ROOT / "docs")
    clip = one_clip(book, f"attention.{scene}", "sort")
    recording = gzip.compress(book.store.path("clip", clip.key, RECORDING).read_bytes(), 9)
    with tempfile.TemporaryDirectory() as folder:
        return len(recording) / film(scene, "720p30", Path(folder)).stat().st_size


if __name__ == "__main__":
    main()
