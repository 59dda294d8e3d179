"""Programs that the cases start: all as a user would, in processes of their own, with one thread for numbers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOCK = ROOT / "tests/bench/stock.py"
ENV = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in (".", "ext", "model_src", "docs")),
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}


def python(module: str, *arguments: object, cwd: Path = ROOT, env: Mapping[str, str] = ENV) -> str:
    """Run a module, and return what it prints; RuntimeError with its last words where it fails."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module}: {done.stderr or done.stdout}")
    return done.stdout


def sphinx(source: Path, out: Path, *options: object) -> None:
    python("sphinx", "-q", *options, "-d", f"{out}-doctrees", source, out)


def film(scene: str, quality: str, folder: Path) -> Path:
    """One scene of the book by Manim's command, its cache of partial films unused: every film is a cold one."""
    height, fps = quality.split("p")
    size = f"{round(int(height) * 16 / 9)},{height}"
    name = scene.replace(".", "_")
    options = ["-r", size, "--fps", fps, "--media_dir", folder, "-v", "ERROR", "--progress_bar", "none"]
    python("manim", "render", STOCK, name, *options, env={**ENV, "CUTAWAY_BENCH_SCENE": name})
    (found,) = folder.glob(f"videos/**/{name}.mp4")
    return found


def films(scenes: Sequence[str], quality: str, folder: Path) -> None:
    for scene in scenes:
        film(scene, quality, emptied(folder))


def emptied(folder: Path) -> Path:
    """The folder, new."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
