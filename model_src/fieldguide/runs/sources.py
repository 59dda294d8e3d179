"""What a finished training left, as settings, result and curves: its log, and the checkpoint beside it."""

import ast
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.logs import reading
from fieldguide.loss.judging import prepare
from fieldguide.report import UsageProblem, plain
from fieldguide.watch.follow import Follower

POINTS = 400  # of a curve that is kept
KEPT = ("loss", "smooth_loss", "train_loss", "val_loss", "val_bpb", "reward")
PRINTED = re.compile(r"^(?:Overriding: )?(\w{1,60}) = (.{1,500}?)(?:\s+#.*)?$")
Curves = dict[str, tuple[list[float], list[float]]]


def read_run(path: Path) -> tuple[dict[str, Any], dict[str, Any], Curves, Path]:
    """Settings, result, curves, and the log that they come from."""
    follower = Follower(path)
    follower.read()
    log = follower.log
    reading.rename(log)
    if not log.curves:
        raise UsageProblem(f"{follower.path} holds no losses: name the log of a training, or its folder")
    settings = {**printed(follower.path), **of_checkpoint(follower.path.parent)}
    return settings, result_of(follower), curves_of(follower), follower.path


def result_of(follower: Follower) -> dict[str, Any]:
    """The last and the least of each curve, what the noise is, how fast it was."""
    log = follower.log
    found: dict[str, Any] = {}
    for name in KEPT:
        if (curve := log.curves.get(name)) is None:
            continue
        found["step"] = max(found.get("step", -1), curve.last_step)
        found[f"{name}_last"] = curve.last
        if name.startswith("val"):
            found[f"{name}_least"] = curve.least
        if curve.bad_count:
            found[f"{name}_not_finite"] = curve.bad_count
    case = prepare(log, None, False)
    if case.name and case.curve.count >= 30:
        tail = case.values[-max(1, len(case.values) // 10) :]
        found[f"{case.name}_mean_of_last_tenth"] = float(np.mean(tail))
        if math.isfinite(case.noise):
            found["noise"] = case.noise / math.sqrt(max(10, case.curve.count // 10))
    speed = follower.speed
    found |= {"tokens_per_s": speed.tokens_per_s, "mfu": speed.mfu, "step_seconds": speed.step_seconds}
    if log.failure:
        found["failure"] = log.failure
    return {name: value for name, value in found.items() if value is not None}


def curves_of(follower: Follower) -> Curves:
    """At most ``POINTS`` means of each curve."""
    found: Curves = {}
    for name in KEPT:
        if (curve := follower.log.curves.get(name)) is None:
            continue
        steps, values = curve.course()
        parts = np.array_split(np.arange(len(values)), min(POINTS, max(1, len(values))))
        parts = [part for part in parts if len(part)]
        found[name] = ([int(steps[part[0]]) for part in parts], [float(values[part].mean()) for part in parts])
    return found


def printed(path: Path) -> dict[str, Any]:
    """The settings that nanoGPT prints before it trains: literals alone, nothing is computed."""
    found: dict[str, Any] = {}
    with path.open("rb") as file:
        lines = file.read(1 << 18).decode("utf-8", "replace").splitlines()
    began = next((i for i, line in enumerate(lines) if line.startswith("Overriding")), len(lines))
    for line in lines[began:2000]:
        if line.startswith(("iter ", "step ")):
            break
        if match := PRINTED.match(line):
            try:
                found[match[1]] = plain(ast.literal_eval(match[2]))
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                found[match[1]] = match[2]
    return found


def of_checkpoint(folder: Path) -> dict[str, Any]:
    """The settings in nanochat's newest meta file, or in nanoGPT's ckpt.pt, of the same folder."""
    for meta in sorted(folder.glob("meta_[0-9]*.json"))[-1:]:
        if meta.is_file() and meta.stat().st_size < 1 << 20:
            values = json_of(meta)
            own = values.get("user_config")
            return {**own} if isinstance(own, dict) else {}
    path = folder / "ckpt.pt"
    if not path.is_file():
        return {}
    from fieldguide.checkpoint import layouts
    from fieldguide.checkpoint.pickles import Refused

    try:
        own = layouts.read(layouts.choose(path, None)).meta.get("config")
    except (Refused, UsageProblem, OSError):
        return {}
    return plain(own) if isinstance(own, dict) else {}


def json_of(path: Path) -> dict[str, Any]:
    """An object of JSON; an empty one where the file is something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def asked(files: list[Path], pairs: list[str]) -> dict[str, Any]:
    """Settings that the reader gives: files of JSON, and NAME=VALUE, a literal or text."""
    found: dict[str, Any] = {}
    for path in files:
        if not (values := json_of(path)):
            raise UsageProblem(f"--settings {path}: an object of JSON is needed, {{\"name\": value}}")
        found |= values
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageProblem(f"--set {pair}: NAME=VALUE is needed")
        try:
            found[name] = plain(ast.literal_eval(value))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found[name] = value
    return found
