"""Have cards and films drawn in a process of its own, so that Sphinx's stays light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Job = dict[str, Any]


def draw(jobs: Sequence[Job], workers: int, dimensions: Mapping[str, Any]) -> Iterator[tuple[Job, str]]:
    """Have jobs done in a process of their own; each comes back with its error, or an empty text."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    found = {**os.environ, **single, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    request = json.dumps({"jobs": list(jobs), "workers": workers, "dimensions": dimensions})
    command = [sys.executable, "-m", "cutaway.cards.worker"]
    done = subprocess.run(command, input=request, env=found, capture_output=True, text=True, check=False)
    errors = {answer["done"]: answer["error"] for answer in map(json.loads, done.stdout.splitlines())}
    last = done.stderr.strip().rpartition("\n")[2] or "killed"
    lost = f"the process that draws the cards ended before its time: {last}"
    for number, job in enumerate(jobs):
        yield job, errors.get(number, lost)
