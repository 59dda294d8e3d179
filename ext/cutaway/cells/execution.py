"""How myst-nb runs a page's cells here: what they gave is kept in the store, and a kernel that dies spoils its page.

Where conf.py says ``nb_execution_mode = "cache"``, myst-nb would keep outputs in a database, by the text of the cells
alone. :func:`keep` puts the store in its place. A cell that raises or takes too long is caught; one that ends its
process (``os._exit``, a crash in a library, memory full) would go through as an exception and end the build.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sphinx.environment import BuildEnvironment

from ..store import Store, Unkept

KIND = "cells"
SUFFIX = ".nb"  # a notebook by its content; by its name it would be a page, where the store lies among them


def quiet() -> Any:
    """Settings of a kernel that has nothing to warn of: its sockets are encrypted, where it can do so."""
    from traitlets.config import Config

    return Config({"KernelManager": {"transport_encryption": "auto"}})


def survive() -> None:
    """Have myst-nb report a dead kernel as it reports any failing cell."""
    from jupyter_cache.executors import utils
    from myst_nb.core.execute import direct
    from nbclient.exceptions import DeadKernelError

    def execute(nb: Any, cwd: str | None, **options: Any) -> Any:
        begun: list[int] = []
        hook = {"on_cell_start": lambda cell, cell_index: begun.append(cell_index)}
        try:
            return utils.single_nb_execution(nb, cwd=cwd, **options, **hook, config=quiet())
        except DeadKernelError as error:
            cells = [cell for cell in nb.cells[: len(begun)] if cell.cell_type == "code"]
            where = f"in code cell {len(cells)} of the page:\n\n{cells[-1].source}\n" if cells else "at its start"
            said = f"the kernel died {where}"
            return utils.ExecutionResult(nb, cwd, 0.0, error, said)

    direct.single_nb_execution = execute


def keep(store: Store, key_of: Callable[[Any], str]) -> None:
    """Have myst-nb's mode ``cache`` take outputs from the store, and put them there.

    ``key_of`` gives the key of what a client (``notebook``, ``path``, ``nb_config``) is to execute.
    """
    from myst_nb.core import execute
    from myst_nb.core.execute.direct import NotebookClientDirect

    class Kept(NotebookClientDirect):
        """A client of myst-nb's that executes only what the store lacks."""

        def start_client(self) -> None:
            key = key_of(self)  # before the notebook holds outputs
            if store.whole(KIND, key) is not None and self._restore(key):
                self.logger.info(f"Using kept outputs: cells/{key}")
                self.exec_metadata = {
                    "mtime": store.path(KIND, key, SUFFIX).stat().st_mtime,
                    "runtime": None,  # not kept: the same cells are the same bytes in every store
                    "method": self.nb_config.execution_mode,
                    "succeeded": True,
                    "error": None,
                    "traceback": None,
                }
                return
            super().start_client()
            if self.exec_metadata["succeeded"]:
                try:
                    store.write(KIND, key, SUFFIX, outputs_of(self.notebook))
                    store.vouch(KIND, key, [SUFFIX])
                except Unkept as error:
                    self.logger.warning(error.strerror, subtype="exec")

        def _restore(self, key: str) -> bool:
            try:
                restore(self.notebook, store.path(KIND, key, SUFFIX).read_text("utf-8"))
            except OSError:  # gone since
                return False
            return True

    execute.NotebookClientCache = Kept


def outputs_of(notebook: Any) -> bytes:
    """The code cells of an executed notebook as a notebook of its own."""
    import nbformat

    cells = [
        nbformat.v4.new_code_cell(
            cell.source,
            id=f"cell-{number}",
            metadata=cell.metadata,
            outputs=cell.outputs,
            execution_count=cell.execution_count,
        )
        for number, cell in enumerate(_code(notebook))
    ]
    metadata = {name: data for name, data in notebook.metadata.items() if name in ("kernelspec", *_LEFT_BY_KERNEL)}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata)).encode()


_LEFT_BY_KERNEL = ("language_info", "widgets")


def restore(notebook: Any, text: str) -> None:
    """Put the outputs that :func:`outputs_of` wrote into a notebook with the same code cells."""
    import nbformat

    kept = nbformat.reads(text, as_version=4)
    for cell, before in zip(_code(notebook), kept.cells, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    for name in _LEFT_BY_KERNEL:
        if name in kept.metadata:
            notebook.metadata[name] = kept.metadata[name]


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def failed(env: BuildEnvironment) -> list[str]:
    """The pages of which a cell failed when they were last read: they are read again, or a second build hid it."""
    pages: dict[str, Any] = getattr(env, "nb_metadata", {})
    return [
        name
        for name, data in pages.items()
        if name in env.found_docs and (data.get("exec_data") or {}).get("succeeded") is False
    ]
