"""Keep the outputs of pages' cells in the store, by the keys of ``keys.py``.

A second clone with the same store, or a continuous integration that restores one, executes no cell. A page is read
again when its cells would give something else: when what they import or load has changed.
"""

from __future__ import annotations

import os
from collections.abc import Set
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from .. import runs
from ..build import build_of
from ..domain import cutaway_domain
from . import VARIABLE
from .execution import failed, keep, survive
from .keys import CellKeys, asked_of


def configure(app: Sphinx, config: Config) -> None:
    """Give kernels the book and one thread."""
    os.environ[VARIABLE] = str(app.confdir)
    os.environ.setdefault("OMP_NUM_THREADS", str(runs.THREADS))


def keep_outputs(app: Sphinx) -> None:
    """Put the store where myst-nb would have its own cache, and note what each page asks of its kernel."""
    if "nb_execution_mode" not in app.config.values:
        return
    survive()
    env, build = app.env, build_of(app.env)
    keys = CellKeys(build.book, build.outcomes)

    def key_of(client: Any) -> str:
        config = client.nb_config
        asked = asked_of(client.notebook, config.execution_allow_errors, config.execution_in_temp)
        key = keys.key(asked, note=True)
        docname = env.path2doc(str(client.path)) if client.path else None
        if docname:
            cutaway_domain(env).data["cells"][docname] = (key, asked)
        return key

    keep(build.book.store, key_of)


def outdated(
    app: Sphinx, env: BuildEnvironment, added: Set[str], changed: Set[str], removed: Set[str]
) -> list[str]:
    """Pages whose cells would give something else than when they were read, and those whose cells failed."""
    data, build = cutaway_domain(env).data, build_of(env)
    keys, stale = CellKeys(build.book, build.outcomes), failed(env)
    if data.get("cells_of") != keys.state:
        data["cells_of"] = keys.state
        stale += [name for name, (key, asked) in data["cells"].items() if keys.key(asked) != key]
    return [name for name in dict.fromkeys(stale) if name in env.found_docs and name not in added]
