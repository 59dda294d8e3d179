"""The largest batch whose need is within a limit."""

from collections.abc import Callable
from dataclasses import dataclass

MOST = 4096  # sequences; nobody asks about more


@dataclass(frozen=True)
class Fit:
    """The largest batch that fits; 0 where none does, ``open_end`` where larger ones were not tried."""

    batch: int
    least: int  # bytes that one sequence needs
    open_end: bool = False


def largest_batch(need: Callable[[int], int], room: int) -> Fit:
    """Search by lines through two counts, which is where the bytes of a batch nearly lie; the last word is a count."""
    least = need(1)
    if least > room:
        return Fit(0, least)
    fits, size = 1, least
    too_large: int | None = None
    probe = 2
    while too_large is None or too_large - fits > 1:
        found = need(probe)
        slope = max(1.0, (found - size) / (probe - fits))
        if found <= room:
            if probe == MOST:
                return Fit(MOST, least, open_end=True)
            fits, size = probe, found
        else:
            too_large = probe
        ahead = int((room - size) / slope)  # so many more sequences, if the line goes on
        highest = MOST if too_large is None else too_large - 1
        probe = max(fits + 1, min(fits + max(1, ahead), highest))
    return Fit(fits, least)
