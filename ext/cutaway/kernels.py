"""A kernel that dies spoils its page, not the build: the page is named, and the cell; the others are built.

myst-nb hands a page to jupyter-cache, which catches a cell that raises or takes too long. A cell that ends its
process (``os._exit``, a crash in a library, memory full) goes through as an exception and would end the build.
"""

from __future__ import annotations

from typing import Any

from sphinx.environment import BuildEnvironment


def survive() -> None:
    """Have myst-nb report a dead kernel as it reports any failing cell."""
    from jupyter_cache.executors import utils
    from myst_nb.core.execute import cache, direct
    from nbclient.exceptions import DeadKernelError

    def execute(nb: Any, cwd: str | None, **options: Any) -> Any:
        begun: list[int] = []
        hook = {"on_cell_start": lambda cell, cell_index: begun.append(cell_index)}
        try:
            return utils.single_nb_execution(nb, cwd=cwd, **options, **hook)
        except DeadKernelError as error:
            cells = [cell for cell in nb.cells[: len(begun)] if cell.cell_type == "code"]
            where = f"in code cell {len(cells)} of the page:\n\n{cells[-1].source}\n" if cells else "at its start"
            said = f"the kernel died {where}"
            return utils.ExecutionResult(nb, cwd, 0.0, error, said)

    cache.single_nb_execution = direct.single_nb_execution = execute


def failed(env: BuildEnvironment) -> list[str]:
    """The pages of which a cell failed when they were last read: they are read again, or a second build hid it."""
    pages: dict[str, Any] = getattr(env, "nb_metadata", {})
    return [
        name
        for name, data in pages.items()
        if name in env.found_docs and (data.get("exec_data") or {}).get("succeeded") is False
    ]
