"""What changes from step to step: the learning rate, Muon's momentum, Muon's weight decay."""

import math
from dataclasses import dataclass


@dataclass
class Schedule:
    """All three as functions of the step ``it``, from 0 up to ``num_iterations``; as it stands, CLASSIC's.

    A trapezoid: up in ``warmup_steps``, level, down during the last ``warmdown_ratio`` of all steps. The level part
    needs no knowledge of where training ends (Hägele et al., 2024).
    """

    num_iterations: int
    warmup_steps: int = 0
    warmdown_ratio: float = 0.2
    final_lr_frac: float = 0.0           # the last learning rate, as a part of the full one
    momentum_start: float = 0.85
    momentum_peak: float = 0.95
    momentum_steps: int = 300            # from start to peak
    momentum_end: float | None = None    # where the warmdown takes it to; None: it stays at its peak
    cosine_decay: bool = False           # weight decay falls to nothing, else it stays

    @classmethod
    def newest(cls, num_iterations, **options):
        """The schedules of July 2026; any field may be overridden."""
        newest = {
            "warmup_steps": 40, "warmdown_ratio": 0.65, "final_lr_frac": 0.05, "momentum_peak": 0.97,
            "momentum_steps": 400, "momentum_end": 0.90, "cosine_decay": True,
        }  # fmt: skip
        return cls(num_iterations, **{**newest, **options})

    @property
    def warmdown_steps(self):
        """How many of the last steps the rate falls."""
        return round(self.warmdown_ratio * self.num_iterations)

    def warmdown(self, it):
        """How much of the way down is still ahead: 1 until the warmdown starts, 0 at its end."""
        left = self.num_iterations - it
        if left >= self.warmdown_steps:
            return 1.0
        return left / self.warmdown_steps

    def lr_multiplier(self, it):
        """What the full learning rates are multiplied with; never 0 in the first step."""
        if it < self.warmup_steps:
            return (it + 1) / self.warmup_steps
        ahead = self.warmdown(it)
        return ahead + (1 - ahead) * self.final_lr_frac

    def momentum(self, it):
        """Muon's momentum: less while the first gradients say little about the next."""
        if it < self.momentum_steps:
            part = it / self.momentum_steps
            return (1 - part) * self.momentum_start + part * self.momentum_peak
        if self.momentum_end is None:
            return self.momentum_peak
        ahead = self.warmdown(it)
        return ahead * self.momentum_peak + (1 - ahead) * self.momentum_end

    def decay_multiplier(self, it):
        """What the full weight decay is multiplied with: half a cosine from 1 to 0, or 1 throughout."""
        if not self.cosine_decay:
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * it / self.num_iterations))

    def apply(self, optimizer, it):
        """Set the groups of a MuonAdamW for step ``it``; to be called before each ``optimizer.step()``."""
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.lr_multiplier(it)
            if group["kind"] == "muon":
                group["momentum"] = self.momentum(it)
                group["weight_decay"] = group["initial_weight_decay"] * self.decay_multiplier(it)
