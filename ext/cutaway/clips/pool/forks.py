"""The executor of this machine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from .studio import Studio, work_in


class ForkPool(ThreadPoolExecutor):
    """Threads that wait, each for one fork of a process that has Manim imported. It starts with the first job and ends
    with the pool."""

    def __init__(self, workers: int = 0) -> None:
        self._studio = Studio()
        super().__init__(workers or os.cpu_count() or 1, "cutaway-clip", work_in, (self._studio,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As an executor's; with ``cancel_futures`` what is being drawn is stopped, too."""
        super().shutdown(wait=wait and not cancel_futures, cancel_futures=cancel_futures)
        self._studio.close()
        super().shutdown(wait=True)  # of the threads: nothing is left to wait for
