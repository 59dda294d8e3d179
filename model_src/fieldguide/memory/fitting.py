"""The largest batch whose need is within a limit."""

from collections.abc import Callable
from dataclasses import dataclass

MOST = 4096  # sequences; nobody asks about more


@dataclass(frozen=True)
class Fit:
    """The largest batch that fits; 0 where none does."""

    batch: int
    least: int = 0  # bytes that one sequence needs, where it was counted

    @property
    def told(self) -> str:
        return f"{self.batch} or more" if self.batch == MOST else str(self.batch)


def largest_batch(need: Callable[[int], int], room: int, batch: int, needed: int) -> Fit:
    """Search from a batch whose need is known. ``need`` is counted as seldom as can be, because it takes seconds.

    Bytes grow with the batch by a line, or by the highest of several lines: never slower further on. So a line through
    two counts shows where the last batch can be at most, and a count there tells.
    """
    fits, size, slope, too_large, least = batch, needed, needed / batch, MOST + 1, 0
    sure = False  # whether one sequence more needs at least ``slope`` more: it was counted below what fits
    if needed > room:
        least = needed if batch == 1 else need(1)
        if least > room:
            return Fit(0, least)
        fits, size, slope, too_large = 1, least, (needed - least) / (batch - 1), batch
    while fits < too_large - 1:
        ahead = int((room - size) / max(1.0, slope))
        if ahead == 0 and sure:
            break
        probe = min(fits + max(1, ahead), too_large - 1)
        found = need(probe)
        slope, sure = (found - size) / (probe - fits), found <= room
        if sure:
            fits, size = probe, found
        else:
            too_large = probe
    return Fit(fits, least)
