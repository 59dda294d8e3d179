"""Who listens to a training: a file of JSON lines, TensorBoard, a progress bar. Each is called with a step and values.

``log.jsonl`` has what is the same in every training with the same settings; what a clock measured is in
``speed.jsonl``. A training that was killed and goes on leaves the same ``log.jsonl`` as one that never stopped.
"""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nanochat.files import replacing

Listener = Callable[..., None]  # listener(step, loss=..., ...)


def silent(step: int, **values: float) -> None:
    """Tells nobody."""


def tell(*listeners: Listener) -> Listener:
    """One listener that tells all of these."""

    def all_of_them(step: int, **values: float) -> None:
        for listener in listeners:
            listener(step, **values)

    return all_of_them


class JsonLines:
    """Append a line for each report: ``{"step": 3, "loss": 5.1, ...}``."""

    def __init__(self, path: Path, first: int) -> None:
        """Lines of step ``first`` and later are dropped: a training that goes on there will write them again."""
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_lines(path) if line["step"] < first]
        with replacing(path) as new:
            new.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self.file = path.open("a", encoding="utf-8", buffering=1)  # a line is written when it is complete

    def __call__(self, step: int, **values: float) -> None:
        self.file.write(json.dumps({"step": step, **values}) + "\n")

    def close(self) -> None:
        self.file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, but for a last one that was cut off when its training was killed."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if text.endswith("\n"):
            lines.append(json.loads(text))
    return lines


class TensorBoard:
    """Write values as scalars; ``tensorboard --logdir`` shows them."""

    def __init__(self, folder: Path, first: int) -> None:
        """Points of step ``first`` and later, of a training that was killed, are hidden."""
        try:
            tensorboardx = importlib.import_module("tensorboardX")
        except ImportError as error:
            raise ValueError("--tensorboard needs the package tensorboardX: pip install tensorboardX") from error
        self.writer = tensorboardx.SummaryWriter(str(folder), purge_step=first)

    def __call__(self, step: int, **values: float) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        self.writer.close()


class Bar:
    """A bar on the terminal with the last values; where there is none, lines for measurements alone."""

    SHOWN = ("smooth_loss", "val_bpb", "tokens_per_s", "mfu")

    def __init__(self, steps: int, first: int) -> None:
        self.bar = tqdm(total=steps, initial=first, unit="step", disable=None)
        self.values: dict[str, str] = {}

    def __call__(self, step: int, **values: float) -> None:
        self.values.update({name: f"{values[name]:.4g}" for name in self.SHOWN if name in values})
        self.bar.set_postfix(self.values, refresh=False)
        if "loss" in values:
            self.bar.update()
        if "val_bpb" in values:
            self.bar.write(f"step {step}: {values['val_bpb']:.4f} bits per byte on the validation shard")

    def close(self) -> None:
        self.bar.close()
