"""Hand jobs to an executor and take what comes back."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from .job import Job, Parcel, Take, shoot

LOOK_S = 0.2  # between two looks for what has begun
GRACE_S = 60  # to import Manim, and on the way; beyond the limit of a scene
Outcome = tuple[int, "Take | Lost | None"]


class Lost(Exception):
    """A job that brought nothing back, through no fault of its scene."""


def takes(pool: Executor, jobs: Sequence[Job], parcel: Parcel | None) -> Generator[Outcome, None, None]:
    """The number of each job with what came of it, as it comes; with None when it begins. The pool is shut down.

    A pool from which nothing comes for longer than a scene may take has lost the rest.
    """
    patience_s = max(job["limit_s"] for job in jobs) + GRACE_S
    futures: dict[Future[Take], int] = {}
    ended = False
    try:
        for number, job in enumerate(jobs):
            try:
                futures[pool.submit(shoot, job, parcel)] = number
            except Exception as error:  # of whatever kind the pool's own are
                yield number, Lost(f"{type(error).__name__}: {error}")
        yield from _as_they_come(futures, patience_s)
        ended = all(future.done() for future in futures)
    finally:
        pool.shutdown(wait=ended, cancel_futures=not ended)


def _as_they_come(futures: dict[Future[Take], int], patience_s: float) -> Generator[Outcome, None, None]:
    waiting, begun = set(futures), set[Future[Take]]()
    heard = time.monotonic()
    while waiting:
        done, waiting = wait(waiting, LOOK_S, FIRST_COMPLETED)
        for future in sorted({f for f in waiting if f.running()} - begun, key=futures.__getitem__):
            begun.add(future)
            yield futures[future], None
        for future in sorted(done, key=futures.__getitem__):
            yield futures[future], _outcome(future)
        if done:
            heard = time.monotonic()
        elif time.monotonic() - heard > patience_s:
            for future in sorted(waiting, key=futures.__getitem__):
                yield futures[future], Lost(f"nothing came from the pool for {patience_s:.0f} s")
            return


def _outcome(future: Future[Take]) -> Take | Lost:
    if future.cancelled():
        return Lost("the pool gave it up")
    error = future.exception()
    return future.result() if error is None else Lost(f"{type(error).__name__}: {error}")
