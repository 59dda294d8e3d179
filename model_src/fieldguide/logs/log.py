"""What a log of a training holds: curves by name, and what its lines say of the training as a whole.

The curves' names: ``loss`` (of a training step), ``train_loss`` (measured on the training part), ``val_loss``,
``val_bpb``, ``lr``, ``lr_multiplier``, ``grad_norm``, ``loss_scale`` (GradScaler's), ``smooth_loss``, ``reward``.
"""

from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.logs.curve import Curve

EMA = 0.9  # of nanochat's printed loss


@dataclass
class Log:
    """What a log holds."""

    path: Path
    curves: dict[str, Curve] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)  # lines by form
    unread: int = 0  # lines that say nothing of these
    too_long: int = 0
    skipped: int = 0  # bytes in the middle of a log that is too long to be read through
    vocabulary: int | None = None
    resumed: str = ""  # the line that says that the first weights came from elsewhere
    resumes: list[int] = field(default_factory=list)  # last step before each line that says so later
    failure: str = ""  # the last error that was printed
    messages: dict[str, str] = field(default_factory=dict)  # the first line of each known message, by its name
    conversations: bool = False  # of a fine-tuning
    cut: bool = False  # a binary log that ends within a record
    smooth: tuple[int, float] | None = None  # step and average of nanochat's printed loss

    def take(self, kind: str, step: int | None, values: dict[str, float]) -> None:
        """Note the values of one line, by canonical names."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        for name, value in values.items():
            curve = self.curves.get(name)
            if curve is None:
                curve = self.curves[name] = Curve(searched=name.endswith("loss") or name == "grad_norm")
            curve.add(curve.count if step is None else step, value)

    def take_smooth(self, step: int, shown: float) -> None:
        """Take nanochat's printed average, and what the step's own loss was: s' = 0.9 s + 0.1 loss, over 1 - 0.9^n."""
        average = shown * (1 - EMA ** (step + 1))
        before = (-1, 0.0) if step == 0 else self.smooth
        self.smooth = (step, average)
        if before is not None and before[0] == step - 1:
            self.take("nanochat's lines", step, {"loss": (average - EMA * before[1]) / (1 - EMA)})
        else:
            self.take("nanochat's lines", step, {"smooth_loss": shown})
