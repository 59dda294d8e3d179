"""The notebooks that readers download: the cells of a page, to be run, the same in every build.

myst-nb writes a page's notebook when it reads the page, with an id by chance for every cell, and with what the cells
gave only where they ran just then and were not remembered.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..store import replacing


def settled(text: str) -> str:
    """A notebook with its cells numbered, without outputs and what a kernel tells of itself."""
    notebook = json.loads(text)
    kernel = notebook["metadata"].get("kernelspec", {}).get("name", "python3")
    notebook["metadata"] = {"kernelspec": {"name": kernel, "display_name": kernel}}
    for number, cell in enumerate(notebook["cells"]):
        cell |= {"id": f"cell-{number}", "metadata": {}}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def settle(app: Sphinx, env: BuildEnvironment) -> list[str]:
    config = getattr(env, "mystnb_config", None)
    for path in Path(config.output_folder).rglob("*.ipynb") if config else ():
        text = path.read_text("utf-8")
        if '"id": "cell-0"' not in text:
            before = path.stat()
            with replacing(path) as temporary:
                temporary.write_text(settled(text), "utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # its page is not older than it
    return []
