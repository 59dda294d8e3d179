"""Power laws through measured points, and how sure they are: curves in logarithms, fitted by least squares.

    y = a x^b   is   log y = log a + b log x

The uncertainty comes from the residuals (Efron, 1979): the same points with residuals dealt out anew are fitted again
and again. It knows what scatters about the curve; a curve of the wrong kind it can't know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
LEVEL = 0.9  # of the intervals


@dataclass(frozen=True)
class Interval:
    """A number, and between what it lies by the bootstrap at ``LEVEL``."""

    value: float
    low: float
    high: float


def fit(x: Sequence[float], y: Sequence[float], degree: int) -> np.ndarray:
    """Coefficients (degree + 1,) of log y as a polynomial of log x, the constant first."""
    if len(set(x)) < degree + 2:
        raise ValueError(f"{len(set(x))} different x: a curve of degree {degree} needs {degree + 2} to have residuals")
    return np.polynomial.polynomial.polyfit(np.log(x), np.log(y), degree)


def bootstrap(x: Sequence[float], y: Sequence[float], degree: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Coefficients (draws, degree + 1) of as many fits to points whose residuals are drawn with replacement.

    Residuals are smaller than the errors they come from, because the curve follows the points: they are scaled up.
    """
    best = fit(x, y, degree)
    smooth = np.polynomial.polynomial.polyval(np.log(x), best)
    residuals = np.log(y) - smooth
    residuals = residuals - residuals.mean()
    residuals *= np.sqrt(len(x) / (len(x) - degree - 1))
    drawn = np.random.default_rng(seed).choice(residuals, (draws, len(x)))
    return np.polynomial.polynomial.polyfit(np.log(x), (smooth + drawn).T, degree).T


def interval(value: float, draws: np.ndarray) -> Interval:
    """The value, and the middle ``LEVEL`` of the draws."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


def exponent(x: Sequence[float], y: Sequence[float], seed: int = 0) -> Interval:
    """The b of y = a x^b."""
    return interval(fit(x, y, 1)[1], bootstrap(x, y, 1, seed=seed)[:, 1])


def lowest(coefficients: np.ndarray) -> np.ndarray:
    """Where parabolas (..., 3) in logarithms are lowest, as x; NaN where they open downwards and have no lowest."""
    _, b, c = np.moveaxis(np.asarray(coefficients), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(c > 0, np.exp(-b / (2 * c)), np.nan)


@dataclass(frozen=True)
class Optimum:
    """Where a measured valley is lowest, and how often a draw had no lowest place at all."""

    at: Interval
    draws: np.ndarray
    undetermined: float


def optimum(x: Sequence[float], y: Sequence[float], seed: int = 0) -> Optimum:
    """The x with the smallest y, by a parabola; ValueError where the points don't make a valley."""
    best = float(lowest(fit(x, y, 2)))
    if np.isnan(best):
        raise ValueError("these points make no valley: measure smaller and larger sizes")
    draws = lowest(bootstrap(x, y, 2, seed=seed))
    found = draws[~np.isnan(draws)]
    return Optimum(interval(best, found), draws, 1 - len(found) / len(draws))


def exponent_of_optima(x: Sequence[float], optima: Sequence[Optimum]) -> Interval:
    """The b of optimum = a x^b, each draw of all optima giving one; draws without an optimum are left out."""
    values = np.log([[each.at.value, *each.draws] for each in optima])
    values = values[:, ~np.isnan(values).any(axis=0)]
    slopes = np.polynomial.polynomial.polyfit(np.log(x), values, 1)[1]
    return interval(slopes[0], slopes[1:])
