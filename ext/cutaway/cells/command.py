"""Run the cells of a page in the terminal: each cell's code, then what it gives."""

from __future__ import annotations

import os
import sys

from ..settings import Book
from ..source.find import is_inside
from . import VARIABLE
from .execution import quiet
from .notes import GLUE, MIME


def run_page(book: Book, docname: str) -> int:
    """Execute a page's cells in order; 1 where a cell fails, with its traceback."""
    try:
        from myst_nb.core.read import read_myst_markdown_notebook
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        raise LookupError(f"cells need myst-nb ({error}): pip install 'cutaway[cells]'") from error

    path = book.confdir / (docname.removesuffix(".md") + ".md")
    if not path.is_file() or not is_inside(path, book.confdir):
        raise LookupError(f"no page {docname!r} in {book.confdir}; write it as model/attention")
    notebook = read_myst_markdown_notebook(path.read_text("utf-8"), path=str(path))
    os.environ[VARIABLE] = str(book.confdir)
    place = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place, config=quiet())
    try:
        client.execute()
        code = 0
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        code = 1
    for cell in notebook.cells:
        if cell.cell_type == "code":
            print(_shown(cell))
    return code


def _shown(cell: object) -> str:
    """``>>>`` before the code, then text outputs and notes; a picture is named by its type."""
    lines = [f">>> {line}" for line in cell.source.splitlines()]  # type: ignore[attr-defined]
    for output in cell.outputs:  # type: ignore[attr-defined]
        if output.output_type == "stream":
            lines.append(output.text.rstrip("\n"))
        elif GLUE + MIME in output.get("data", {}):
            lines.append(f"{output.metadata['scrapbook']['name']} = {output.data[GLUE + MIME]['value']}")
        elif "data" in output:
            lines.append(output.data.get("text/plain", f"[{', '.join(output.data)}]"))
    return "\n".join(lines) + "\n"
