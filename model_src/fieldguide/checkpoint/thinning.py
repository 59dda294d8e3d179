"""Delete old checkpoints: never the newest nor the best, nothing that a link leads to, and only when it is asked."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.checkpoint import tensorfiles
from fieldguide.checkpoint.layouts import Files, find
from fieldguide.checkpoint.pickles import Refused
from fieldguide.report import Finding, UsageProblem

VALUES = ("val_bpb", "val_loss", "best_val_loss")


@dataclass
class Plan:
    """Which steps stay, and why; which go."""

    keep: list[tuple[Files, str]] = field(default_factory=list)
    drop: list[Files] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """What is gained."""
        return sum(files.bytes for files in self.drop)


def value_of(files: Files) -> float:
    """What validation gave at a step, as its meta file has it; infinite where that is not known."""
    if files.meta is None:
        return math.inf
    try:
        meta: dict[str, Any] = tensorfiles.read_json(files.meta)
    except Refused:
        return math.inf
    state = meta.get("loop_state")
    for place in (meta, state if isinstance(state, dict) else {}):
        for name in VALUES:
            value = place.get(name)
            if isinstance(value, (int, float)) and math.isfinite(value):
                return float(value)
    return math.inf


def plan(folder: Path, last: int, every: int) -> Plan:
    """What stays: the newest ``last``, the best, those of every ``every``-th step (0: none), and what is not whole."""
    if folder.is_symlink() or not folder.is_dir():
        raise UsageProblem(f"{folder} is {'a link' if folder.is_symlink() else 'no folder'}: name the folder itself")
    if last < 1:
        raise UsageProblem(f"--keep-last {last}: 1 or more; the newest is never deleted")
    steps = [files for files in find(folder) if files.nanochat and files.folder == folder]
    if not steps:
        raise UsageProblem(f"{folder} has no checkpoints of several steps: model_000100.pt or .safetensors and so on")
    whole = [files for files in steps if not files.problem]
    values = {files.step: value_of(files) for files in whole}
    best = min(whole, key=lambda files: values[files.step], default=None)
    newest = {files.step for files in whole[-last:]}
    found = Plan()
    for files in steps:
        if files.problem:
            found.keep.append((files, f"not whole: {files.problem}"))
        elif any(path.is_symlink() for path in files.all):
            found.keep.append((files, "a link is among its files"))
        elif files.step in newest:
            found.keep.append((files, "newest"))
        elif best is not None and files.step == best.step and math.isfinite(values[best.step]):
            found.keep.append((files, f"best: {values[best.step]:.5g}"))
        elif every > 0 and files.step is not None and files.step % every == 0:
            found.keep.append((files, f"every {every:,}"))
        else:
            found.drop.append(files)
    return found


def delete(found: Plan) -> list[Finding]:
    """Delete what is to go. Of each step the file goes first without which the step does not count."""
    done: list[Finding] = []
    for files in found.drop:
        first = files.meta if files.model is not None and files.model.suffix == ".safetensors" else files.model
        try:
            for path in sorted(files.all, key=lambda path: path != first):
                if path.is_symlink():
                    raise OSError(f"{path} has become a link")
                path.unlink()
        except OSError as error:
            done.append(Finding("error", f"Step {files.step} could not be deleted", str(error), "delete it by hand"))
    return done
