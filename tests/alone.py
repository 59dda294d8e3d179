"""Readers of notebooks: an empty folder, a Python that has no checkout on its path, the built site on a server.

``reader`` makes one whose Python finds the book's packages, but for the tool, in the environment of the tests; a
``fresh`` one starts from nothing and has pip fetch all of them.
"""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

SITE = re.compile(r"^SITE = '[^']*'", re.MULTILINE)
LIMIT_S = 900


@dataclass(frozen=True)
class Reader:
    """A home, and a Python in it."""

    home: Path
    python: Path

    def environment(self) -> dict[str, str]:
        """Nothing of ours: no path to a checkout, no book, no store but those below this home."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CUTAWAY", "PYTHON", "VIRTUAL_ENV", "MPLBACKEND", "XDG_"))
        }
        # This machine may have no way to the index of torch's own packages: pip shall not wait for it.
        given = {"HOME": self.home, "OMP_NUM_THREADS": 1, "PIP_RETRIES": 0, "MPLCONFIGDIR": self.home}
        return {**kept, **{name: str(value) for name, value in given.items()}}

    def run(self, notebook: Path, site: str) -> Any:
        """The notebook as it is once all of its cells ran, in a folder of their own."""
        whole = nbformat.reads(notebook.read_text("utf-8"), as_version=4)
        first = next(cell for cell in whole.cells if cell.cell_type == "code")
        first.source, found = SITE.subn(f"SITE = {site!r}", first.source)
        assert found == 1, first.source
        folder = self.home / "notebooks"
        folder.mkdir(exist_ok=True)
        path = folder / notebook.name
        path.write_text(nbformat.writes(whole), "utf-8")
        # A process of its own: what a client of a kernel leaves open ends with it.
        command = [sys.executable, __file__, str(path), str(self.python)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return nbformat.reads(path.read_text("utf-8"), as_version=4)


class _Specs(KernelSpecManager):
    """One kernel: the reader's."""

    def __init__(self, python: Path) -> None:
        super().__init__()
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.spec = KernelSpec(argv=argv, display_name="reader", language="python")

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return self.spec


def reader(folder: Path) -> Reader:
    """One whose Python sees the packages beside the tests, but for what is installed from a checkout."""
    python = _python(folder, pip=False)
    # As a path this folder's own .pth files, which lead to the checkout, are not read.
    inside = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=True).stdout.strip()
    Path(inside, "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return Reader(folder, python)


def fresh(folder: Path) -> Reader:
    """One who has Python, and the kernel that any notebook program brings."""
    made = Reader(folder, _python(folder, pip=True))
    subprocess.run([made.python, "-m", "pip", "install", "-q", "ipykernel"], env=made.environment(), check=True)
    return made


ASK = "import sysconfig; print(sysconfig.get_path('purelib'))"


def _python(folder: Path, pip: bool) -> Path:
    venv.EnvBuilder(with_pip=pip, symlinks=True).create(folder / "python")
    return folder / "python/bin/python"


def page_tables(site: Path, page: str) -> list[list[str]]:
    """The numbers of each table that the page's cells gave."""
    html = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser")
    return [_numbers(table.get_text(" ")) for table in html.select(".cell_output table")]


def tables(notebook: Any) -> list[list[str]]:
    """The numbers of each table that the notebook's cells gave."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [output.get("data", {}).get("text/markdown", "") for output in outputs]
    return [_numbers(text) for text in texts if text.startswith("| ") and "\n| ---" in text]


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _execute(path: Path, python: Path) -> None:
    """Run a notebook's cells with a Python, and write what they gave."""
    whole = nbformat.reads(path.read_text("utf-8"), as_version=4)
    manager = AsyncKernelManager(kernel_name="reader")
    manager.kernel_spec_manager = _Specs(python)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(whole, km=manager, timeout=LIMIT_S, resources=place, kernel_name="reader").execute()
    path.write_text(nbformat.writes(whole), "utf-8")


if __name__ == "__main__":
    _execute(*map(Path, sys.argv[1:]))
