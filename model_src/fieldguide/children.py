"""Tools in processes of their own: what they import, print or use up stays there."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


def environment() -> dict[str, str]:
    """Our variables, with a PYTHONPATH that finds this package and nothing relative to where the child stands."""
    given = [os.path.abspath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(SOURCE), *given])), "NO_COLOR": "1",
            "COLUMNS": "100"}  # fmt: skip


def run_module(
    module: str, words: Sequence[str], folder: Path | str, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE`` in a folder; no module is taken from that folder (-P), and nothing can be typed.

    Raises subprocess.TimeoutExpired, after which the child has been ended.
    """
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *words], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=seconds,
    )  # fmt: skip
