"""Where clips are drawn: any ``concurrent.futures.Executor`` that is handed :func:`cutaway.clips.pool.job.shoot`.

On this machine it is :class:`cutaway.clips.pool.forks.ForkPool`; ``cutaway_executor = "dask://HOST:PORT"`` names a
cluster.
Whichever it is, a job runs in a process of its own with its limits, the bytes come back, and the builder alone writes
the store.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING

from .forks import ForkPool

if TYPE_CHECKING:
    from ...settings import Book

DASK = "dask"


class PoolError(LookupError):
    """The executor that the settings name can't be had: which, why, what to do."""


def open_pool(book: Book) -> Executor:
    """The executor of ``cutaway_executor``; PoolError says why there is none."""
    if not book.executor:
        return ForkPool(book.workers)
    scheme, _, address = book.executor.partition("://")
    if scheme != DASK:
        hint = "write dask://HOST:PORT, or nothing for this machine"
        raise PoolError(f"cutaway_executor = {book.executor!r}: nothing is known of '{scheme}'; {hint}")
    from .cluster import Cluster  # few need it, and Dask takes long to load

    return Cluster(address)
