"""A Dask cluster as an executor: ``cutaway_executor = "dask://HOST:PORT"``, the address of its scheduler."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from . import DASK, PoolError
from .job import Parcel

CONNECT_S = 10


class Cluster(Executor):
    """Dask's own executor, to which a parcel is sent once and not with each job."""

    def __init__(self, address: str) -> None:
        asked = f"cutaway_executor = '{DASK}://{address}'"
        try:
            from distributed import Client
        except ImportError as error:
            raise PoolError(f"{asked} needs Dask ({error}): pip install 'cutaway[cluster]'") from error
        todo = "start `dask scheduler` and `dask worker` there, or empty the setting to draw here"
        try:
            self._client = Client(f"tcp://{address}", timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise PoolError(f"{asked}: no scheduler answers ({error}); {todo}") from error
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            self._client.close()
            raise PoolError(f"{asked}: the scheduler had no worker for {CONNECT_S} s; {todo}") from error
        self._executor = self._client.get_executor()
        self._sent: dict[str, Any] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor.submit(fn, *map(self._once, args), **kwargs)

    def _once(self, argument: Any) -> Any:
        """A parcel as what stands for it in the cluster: every worker has it, and Dask hands it to the job."""
        if not isinstance(argument, Parcel):
            return argument
        if argument.key not in self._sent:
            self._sent[argument.key] = self._client.scatter(argument, broadcast=True)
        return self._sent[argument.key]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close(timeout=CONNECT_S if wait else 1)
