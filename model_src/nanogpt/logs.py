"""A training's log for TensorBoard."""

import importlib
from pathlib import Path
from typing import Any


class TensorBoard:
    """Writes what is reported as scalars; ``tensorboard --logdir FOLDER`` shows them.

    Where a training goes on from a checkpoint, points of its first step and later, of a process that was killed, are
    hidden.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.open = importlib.import_module("tensorboardX").SummaryWriter
        except ImportError as error:
            raise ValueError("TensorBoard's log needs the package tensorboardX: pip install tensorboardX") from error
        self.folder = folder
        self.writer: Any = None  # opened by the first report, which knows the first step

    def __call__(self, step: int, **values: float) -> None:
        if self.writer is None:
            self.writer = self.open(str(self.folder), purge_step=step)
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
