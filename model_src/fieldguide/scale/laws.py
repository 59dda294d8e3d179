"""Scaling laws: how many tokens a model of some size should read, by those who measured it, each with its source."""

from collections.abc import Callable
from dataclasses import dataclass

PF_DAY = 1e15 * 86400  # operations
CHINCHILLA_EXPONENT = (0.49, 0.462, 0.534)  # of the size in the budget: value, 10th and 90th percentile
REFIT = (482.01, 2085.43, 0.3478, 0.3658)  # A, B, alpha, beta of L = E + A / N^alpha + B / D^beta
HINGE = (1e9, 20.0e9)  # parameters and tokens in the middle of what was measured


@dataclass(frozen=True)
class Size:
    """A model's parameters, by the three ways in which laws count them."""

    total: int
    matrices_and_head: int  # nanochat: what is multiplied
    blocks: int             # Kaplan: without embeddings


@dataclass(frozen=True)
class Tokens:
    """How many, and between what they lie; equal where the source gives no interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Law:
    """One law. ``counts`` is the way it counts parameters."""

    name: str
    counts: str
    tokens: Callable[[float], Tokens]
    source: str
    size: Callable[[float], float] | None = None  # for operations, where the source has a formula of its own

    def of(self, size: Size) -> Tokens:
        """The tokens for a model."""
        return self.tokens(getattr(size, self.counts))


def chinchilla(n: float) -> Tokens:
    """By the valleys of Hoffmann et al.: N ~ C^a and D ~ C^(1 - a), so D ~ N^((1 - a) / a).

    The interval spans the percentiles of a, and the fit of Besiroglu et al. to the same trainings.
    """
    def by(a: float) -> float:
        return HINGE[1] * (n / HINGE[0]) ** ((1 - a) / a)

    value, *ends = (by(a) for a in CHINCHILLA_EXPONENT)
    ends.append(refit(n))
    return Tokens(value, min(value, *ends), max(value, *ends))


def refit(n: float) -> float:
    """Tokens where more parameters and more tokens lower the loss alike: alpha A / N^alpha = beta B / D^beta."""
    a, b, alpha, beta = REFIT
    return float((beta * b / (alpha * a) * n**alpha) ** (1 / beta))


def kaplan(n: float) -> Tokens:
    """N = 1.3e9 C^0.73 and D = 2e10 C^0.27, C in PF-days."""
    budget = (n / 1.3e9) ** (1 / 0.73)
    value = 2e10 * budget**0.27
    return Tokens(value, value, value)


def ratio(value: float, low: float, high: float) -> Callable[[float], Tokens]:
    """So many tokens for each parameter."""
    return lambda n: Tokens(value * n, low * n, high * n)


def kaplan_size(flops: float) -> float:
    """Its own formula: its budget is that of small batches, and not 6 N D."""
    return float(1.3e9 * (flops / PF_DAY) ** 0.73)


LAWS = {
    # Approach 2 and table 2 of the paper; the interval with Besiroglu et al., arXiv 2404.10102 (2024).
    "chinchilla": Law("Chinchilla", "total", chinchilla, "arXiv 2203.15556 (2022), 2404.10102 (2024)"),
    "twenty": Law("20 for each", "total", ratio(20, 20, 20), "Chinchilla's rule of thumb; nanochat in 2025-10"),
    # Table 6. Superseded: its trainings were read off along schedules that were meant for longer ones.
    "kaplan": Law("Kaplan", "blocks", kaplan, "arXiv 2001.08361 (2020), superseded", kaplan_size),
    # The best of 1e18 to 1e19 operations.
    "valleys": Law("nanochat, measured", "matrices_and_head", ratio(10.5, 10.3, 11.2), "dev/LOG.md (2026-01)"),
    # Its fastest trainings, up to March 2026, used 8 to 9.
    "nanochat": Law("nanochat, default", "matrices_and_head", ratio(12, 12, 12), "base_train since 2026-03-24"),
}


def size_for(law: Law, flops: float) -> float:
    """The parameters, as the law counts them, for a budget: by its own formula, or where 6 N D is the budget."""
    if law.size is not None:
        return law.size(flops)
    low, high = 1.0, 1e15
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if 6 * middle * law.tokens(middle).value < flops else (low, middle)
    return low
