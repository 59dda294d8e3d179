"""What stands out in a series of losses: spikes and plateaus, by rules that are stated before anybody looks."""

import numpy as np

BEFORE = 50   # steps that say what the next one should be
SPREADS = 4   # so far above it is a spike
ERRORS = 2    # a fall of fewer standard errors can't be told from noise


def spikes(values: np.ndarray, before: int = BEFORE) -> np.ndarray:
    """Indices of values (n,) far above the straight line through the ``before`` values before them.

    Far is ``SPREADS`` times the spread around that line, taken from the median so that one outlier does not hide
    the next. In nothing but normal noise a value in about 2,000 is marked.
    """
    if len(values) <= before:
        return np.array([], dtype=int)
    past = np.lib.stride_tricks.sliding_window_view(values, before)[:-1]  # (n - before, before)
    design = np.column_stack([np.ones(before), np.arange(before)])
    lines = past @ np.linalg.pinv(design).T                               # (n - before, 2): level, slope
    spread = 1.4826 * np.median(np.abs(past - lines @ design.T), axis=1)  # of normal noise: its standard deviation
    expected = lines @ [1, before]
    return before + np.flatnonzero(values[before:] > expected + SPREADS * spread)


def plateaus(values: np.ndarray, length: int) -> np.ndarray:
    """Stretches (k, 2), first and last index, made of windows of ``length`` values in which no fall can be seen."""
    falls, errors = falls_of_windows(values, length)
    flat = np.zeros(len(values), dtype=bool)
    for start in np.flatnonzero(falls < ERRORS * errors):
        flat[start : start + length] = True
    edges = np.flatnonzero(np.diff(flat, prepend=False, append=False))
    return edges.reshape(-1, 2) - [0, 1]


def falls_of_windows(values: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """How far a straight line falls in each window of ``length`` values, and the standard error of that fall."""
    if len(values) < length:
        return np.array([]), np.array([])
    t = np.arange(length) - (length - 1) / 2
    windows = np.lib.stride_tricks.sliding_window_view(values, length)
    slopes = windows @ t / (t @ t)
    rest = windows - windows.mean(axis=1, keepdims=True) - np.outer(slopes, t)
    errors = np.sqrt((rest**2).sum(axis=1) / (length - 2) / (t @ t))
    return -slopes * length, errors * length
