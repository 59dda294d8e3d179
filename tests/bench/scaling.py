"""How the cold build scales: ``python -m tests.bench.scaling`` measures with 1 and 2 workers and simulates the rest.

All clips of the book are drawn into a store that holds its runs alone. The costs of the clips as they are with one
worker, the time to import Manim and the time that the builder takes to keep a clip then say how long 1 to 64 workers
would need: the schedule is the real one, longest first, each worker takes the next when it is free.
"""

from __future__ import annotations

import heapq
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cutaway.clips import keys as clip_keys
from cutaway.settings import Book
from cutaway.shards import share
from cutaway.store import Store

ROOT = Path(__file__).parents[2]
WORKERS = (1, 2, 4, 8, 16, 32, 64)
DONE = re.compile(r"clip \d+ of \d+ (\S+) done")


class Cold(NamedTuple):
    """A cold drawing of all clips, in seconds."""

    read: float  # Python, Sphinx and the pages, before the first clip
    start: float  # of Manim
    draw: float  # Manim's start and all clips
    keep: float  # to write one clip's files into the store
    costs: dict[str, float]
    peak_mb: int


def measured(workers: int) -> Cold:
    with tempfile.TemporaryDirectory(prefix="cutaway-scaling-") as folder:
        store = Store(Path(folder, "store"))
        kept = Book.read(ROOT / "docs").store.root
        for kind in ("train", "trace"):
            shutil.copytree(kept / kind, store.root / kind)
        began = time.perf_counter()
        times: dict[str, float] = {}
        for line in _build(folder, workers, store.root):
            now = time.perf_counter() - began
            if "clip 1 of " in line:
                times.setdefault("", now)
            elif found := DONE.search(line):
                times[found[1]] = now
            elif " clips drawn in " in line:
                times["drawn"] = now
        first, scenes = times.pop(""), [name for name in times if name != "drawn"]
        learnt = {scene: clip_keys.hint(store, scene) for scene in scenes}
        costs = {scene: float(learnt[scene]["cost"]) for scene in scenes}
        start = times[scenes[0]] - first - costs[scenes[0]]
        peak = max(int(learnt[scene]["peak_mb"]) for scene in scenes)
        return Cold(first, start, times["drawn"] - first, _keeping(store) / len(scenes), costs, peak)


def _build(folder: str, workers: int, store: Path) -> Iterator[str]:
    options = ["-b", "clips", "-D", "nb_execution_mode=off", "-D", f"cutaway_workers={workers}"]
    command = [sys.executable, "-u", "-m", "sphinx", *options, "-d", f"{folder}/doctrees", "docs", f"{folder}/out"]
    env = {**os.environ, "CUTAWAY_STORE": str(store), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = str(ROOT / "ext")
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield from process.stdout
    if process.returncode:
        sys.exit(f"the build ended with {process.returncode}")


def _keeping(store: Store) -> float:
    """Seconds to write all clips' files once more, as the builder does."""
    names = [path for path in (store.root / clip_keys.KIND).iterdir() if path.is_file()]
    data = [(path, path.read_bytes()) for path in names]
    with tempfile.TemporaryDirectory(dir=store.root.parent) as folder:
        began = time.perf_counter()
        for path, content in data:
            Store(Path(folder)).write(clip_keys.KIND, path.stem, path.suffix, content)
        return time.perf_counter() - began


def simulated(costs: Sequence[float], workers: int, start: float, keep: float) -> float:
    """Seconds until the last clip is kept; the builder keeps one at a time, in the order in which they end."""
    free = [start] * workers
    ends = []
    for cost in sorted(costs, reverse=True):
        ends.append(heapq.heappop(free) + cost)
        heapq.heappush(free, ends[-1])
    builder = 0.0
    for end in sorted(ends):
        builder = max(builder, end) + keep
    return builder


def main() -> None:
    found = {workers: measured(workers) for workers in (1, 2)}
    one = found[1]
    costs = list(one.costs.values())
    print(
        f"{len(costs)} clips, {sum(costs):.1f} s of drawing with one worker, the longest {max(costs):.2f} s, "
        f"the median {sorted(costs)[len(costs) // 2]:.2f} s, {one.peak_mb} MB at most\n"
        f"before the first clip {one.read:.1f} s; Manim's import {one.start:.1f} s; "
        f"keeping a clip {one.keep * 1e3:.0f} ms\n"
    )
    print("workers   simulated s   speed-up   measured s   shards of one worker s")
    alone = simulated(costs, 1, one.start, one.keep)
    for workers in WORKERS:
        pooled = simulated(costs, workers, one.start, one.keep)
        shares = [share(one.costs, f"{number + 1}/{workers}") for number in range(workers)]
        longest = max(simulated([one.costs[scene] for scene in part], 1, one.start, one.keep) for part in shares)
        seen = f"{found[workers].draw:10.1f}" if workers in found else " " * 10
        print(f"{workers:7}   {pooled:11.1f}   {alone / pooled:8.1f}   {seen}   {longest:10.1f}")


if __name__ == "__main__":
    main()
