"""What the scene of scaling shows: of each log or checkpoint the size of its model and the loss that it reached."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fieldguide.checkpoint import layouts
from fieldguide.checkpoint.soundness import parameters
from fieldguide.lines import text_lines
from fieldguide.logs.log import Log
from fieldguide.logs.reading import beside, read_log
from fieldguide.report import UsageProblem
from fieldguide.visualize.names import name_of

WEIGHTS = (".pt", ".pth", ".safetensors")
SAID = re.compile(r"(?:number of parameters|num_params|parameters)\W{1,4}([\d,]+(?:\.\d+)?) ?([KMB]?)\b", re.IGNORECASE)
LINES = 20_000  # of a log, in which the size is looked for
UNITS = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9}
MOST = 24  # models that a stage has room for


def sizes_and_losses(files: list[Path], sizes: str | None) -> dict[str, Any]:
    """The drawing of several trainings; UsageProblem where a size or a loss can't be had, or they differ in kind."""
    if not 2 <= len(files) <= MOST:
        raise UsageProblem(f"visualize scaling: {len(files)} files were named, 2 to {MOST} are needed")
    given = given_sizes(sizes, len(files))
    points = [point(path, size) for path, size in zip(files, given, strict=True)]
    units = {each["unit"] for each in points}
    if len(units) > 1:
        raise UsageProblem(f"visualize scaling: some files have {' and others '.join(sorted(units))}; name those of "
                           "one kind")  # fmt: skip
    if len({each["size"] for each in points}) < 2:
        raise UsageProblem(f"visualize scaling: all models have {points[0]['size']:,} parameters; name other sizes")
    return {"points": points, "unit": units.pop(), "line": power_law(points)}


def given_sizes(sizes: str | None, count: int) -> list[int | None]:
    """The numbers of --sizes, or None for each."""
    if sizes is None:
        return [None] * count
    try:
        numbers = [int(float(each)) for each in sizes.split(",")]
    except (ValueError, OverflowError):
        raise UsageProblem(f"--sizes {sizes}: numbers with commas between them are needed, as in 1e6,3e6") from None
    if len(numbers) != count or not all(0 < number < 10**15 for number in numbers):
        raise UsageProblem(f"--sizes {sizes}: a number above 0 is needed for each of the {count} files")
    return list(numbers)


def point(path: Path, size: int | None) -> dict[str, Any]:
    """One model: its name, size, loss, and what kind of loss that is."""
    checkpoint = path if path.suffix in WEIGHTS else None
    if checkpoint is None and path.is_dir() and not (path / "log.jsonl").is_file():
        checkpoint = path
    if checkpoint is not None:
        loss, unit, own = of_checkpoint(checkpoint)
        return {"name": name_of(path), "size": size or own, "loss": loss, "unit": unit}
    log = read_log(path)
    loss, unit = reached(log)
    return {"name": name_of(path), "size": size or size_of(log.path), "loss": loss, "unit": unit}


def of_checkpoint(path: Path) -> tuple[float, str, int]:
    """The loss that is saved beside the weights, its kind, and how many parameters there are."""
    checkpoint = layouts.read(layouts.choose(path, None))
    for name, unit in (("best_val_loss", "validation loss"), ("val_loss", "validation loss"),
                       ("val_bpb", "bits per byte")):  # fmt: skip
        value: Any = checkpoint.meta.get(name)
        if isinstance(value, torch.Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, (int, float)) and 0 < value < 1e6:
            return float(value), unit, parameters(checkpoint)
    raise UsageProblem(f"{path} has no validation loss beside its weights: name the training's log, with --sizes")


def reached(log: Log) -> tuple[float, str]:
    """The last validation loss of a log, or else the mean of the last tenth of its losses."""
    for name, unit in (("val_bpb", "bits per byte"), ("val_loss", "validation loss")):
        if name in log.curves and log.curves[name].count:
            return positive(log.path, log.curves[name].last), unit
    curve = next((log.curves[name] for name in ("loss", "smooth_loss", "train_loss") if name in log.curves), None)
    if curve is None or not curve.count:
        raise UsageProblem(f"{log.path} has no loss: name the log of a training")
    _, values = curve.course()
    return positive(log.path, float(values[-max(1, len(values) // 10) :].mean())), "training loss"


def positive(path: Path, loss: float) -> float:
    """The loss, which has a logarithm."""
    if not 0 < loss < 1e6:
        raise UsageProblem(f"{path}: a loss of {loss:g} has no place on logarithmic axes; leave this file out")
    return loss


def size_of(log: Path) -> int:
    """The parameters that a log prints, or those of the checkpoint beside it."""
    log = beside(log)
    with log.open("rb") as file:
        for number, line in enumerate(text_lines(file)):
            if line and (found := SAID.search(line[:4000])):
                size = round(float(found[1].replace(",", "")) * UNITS[found[2].upper()])
                if size > 0:
                    return size
            if number > LINES:
                break
    for files in layouts.find(log.parent)[-1:]:
        if files.model is not None:
            return parameters(layouts.read(files))
    raise UsageProblem(f"{log} does not say how many parameters the model has, and no checkpoint is beside it: "
                       "say --sizes")  # fmt: skip


def power_law(points: list[dict[str, Any]]) -> dict[str, float] | None:
    """factor * size^-exponent, a straight line in logarithms by least squares; None for fewer than three sizes."""
    if len({each["size"] for each in points}) < 3:
        return None
    sizes, losses = (np.log([each[name] for each in points]) for name in ("size", "loss"))
    slope, shift = np.polyfit(sizes, losses, 1)
    return {"exponent": float(-slope), "factor": float(np.exp(shift))}
