"""Pinned runs: what training left, committed beside the file that declares it, like a lock file.

``pinned/sort.safetensors`` holds the weights, ``pinned/sort.json`` the log, the facts, which machine made them, and
the key of the code that did (see ``keys.Keys.code``). A build whose code has that key takes them over and trains
nothing, on any machine; other code trains. ``python -m cutaway runs --pin`` writes them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..store import Store, digest, version
from .declared import Declared

KIND, SUFFIX = "pinned", ".safetensors"
VARIABLE = "CUTAWAY_UNPINNED"  # names of runs that are trained all the same, with commas between; * for all
ARITHMETIC = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS")
ASK_TORCH = "import torch; print(torch.backends.cpu.get_cpu_capability())"


class PinError(Exception):
    """A pinned file can't be used: which one, why, what to do."""


def is_unpinned(name: str) -> bool:
    asked = [each.strip() for each in os.environ.get(VARIABLE, "").split(",")]
    return name in asked or "*" in asked


@contextmanager
def ignored(names: Sequence[str]) -> Iterator[None]:
    """Train runs although they are pinned, here and in children, for the length of the block."""
    before = os.environ.get(VARIABLE, "")
    os.environ[VARIABLE] = ",".join(names)
    try:
        yield
    finally:
        os.environ[VARIABLE] = before


def place(run: Declared) -> Path:
    """Where a run's log, facts and origin are committed; its weights stand beside them."""
    return run.file.parent / KIND / f"{run.name}.json"


def read(run: Declared) -> dict[str, Any] | None:
    """What is pinned of a run but for its weights; None where nothing is. PinError where the file is damaged."""
    if not run.pinned or is_unpinned(run.name) or not place(run).exists():
        return None
    content = Store(run.file.parent).read_json(KIND, run.name)
    if content is None or not {"code", "digest", "kinds", "log", "facts", "made", "files"} <= content.keys():
        raise PinError(_damaged(place(run)))
    return content


def take_over(run: Declared, pinned: Mapping[str, Any], store: Store) -> Path:
    """Put pinned weights into the store as if they had been trained here; the path of the ``.npz``."""
    key = digest(KIND, pinned["code"], pinned["files"], pinned["kinds"])
    path = store.path("train", key, ".npz")
    if store.is_whole("train", key):
        return path
    if Store(run.file.parent).whole(KIND, run.name) is None:
        raise PinError(_damaged(place(run).with_suffix(SUFFIX)))
    import numpy as np

    arrays = _arrays(place(run).with_suffix(SUFFIX), pinned["kinds"])
    if digest({name: array.tobytes() for name, array in arrays.items()}) != pinned["digest"]:
        raise PinError(_damaged(place(run)))
    store.write("train", key, ".npz", lambda temporary: np.savez(temporary, **arrays))
    kept = {name: pinned[name] for name in ("log", "facts", "digest", "made")}
    store.vouch("train", key, [".npz"], **kept)
    return path


def pin(run: Declared, key: str, weights: Path, made: Mapping[str, str]) -> int:
    """Commit what a training left, by the key of its code: the bytes of both files."""
    import numpy as np
    from safetensors.numpy import save_file

    store = Store(run.file.parent)
    with np.load(weights, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    narrow = {name: array.astype(np.float16) for name, array in arrays.items() if _is_half(array)}
    content = Store(weights.parents[1]).read_json("train", weights.stem) or {}
    path = store.write(KIND, run.name, SUFFIX, lambda temporary: save_file(arrays | narrow, temporary))
    path.chmod(0o644)  # safetensors' own is its writer's alone
    kinds = [[name, array.dtype.name] for name, array in arrays.items()]  # in the order in which the run left them
    kept = {name: content[name] for name in ("log", "facts", "digest")}
    store.vouch(KIND, run.name, [SUFFIX], code=key, made=dict(made), kinds=kinds, **kept)
    return sum(path.stat().st_size for path in (place(run), place(run).with_suffix(SUFFIX)))


def _is_half(array: Any) -> bool:
    """Whether single precision holds nothing but what half precision holds exactly: a run that rounded its weights."""
    import numpy as np

    with np.errstate(over="ignore"):
        return array.dtype == np.float32 and np.array_equal(array, array.astype(np.float16))


def _arrays(path: Path, kinds: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The arrays of a file of weights, those that were narrowed in their own type again."""
    from safetensors.numpy import load_file

    found = load_file(path)
    return {name: found[name].astype(kind) for name, kind in kinds if name in found}


def this_machine() -> dict[str, str]:
    """What decides the bits of a training here: processor, vector instructions, versions, system."""
    asked = subprocess.run([sys.executable, "-c", ASK_TORCH], capture_output=True, text=True, check=False)
    limits = [f"{name}={os.environ[name]}" for name in ARITHMETIC if os.environ.get(name)]
    return {
        "processor": _processor(),
        "arithmetic": " ".join([asked.stdout.strip() or "unknown", *limits]),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) or "none" for name in ("torch", "numpy")},
    }


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _damaged(path: Path) -> str:
    return f"{path} is damaged and not used: restore it, or write it anew with `python -m cutaway runs --pin`"
