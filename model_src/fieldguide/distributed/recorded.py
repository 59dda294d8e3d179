"""Run a program so that its error is not lost: ``torchrun ... -m fieldguide.distributed.recorded nanogpt.train ...``.

torchrun shows the error of the first failing rank if that rank has written it to TORCHELASTIC_ERROR_FILE. PyTorch's
``@record`` does so for exceptions, not for ``sys.exit("train: ...")``, with which our programs say what is wrong; this
does so for both. The program is not changed. ``fieldguide stuck`` can ask it where it is.
"""

import json
import os
import runpy
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from fieldguide.stuck import register


def keep(error: BaseException) -> None:
    """Write an error as @record does, unless the program's own @record has."""
    name = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if name and not Path(name).exists():
        calls = "".join(traceback.format_exception(error))
        extra = {"py_callstack": calls, "timestamp": str(int(time.time()))}
        message = {"message": f"{type(error).__name__}: {error}", "extraInfo": extra}
        Path(name).write_text(json.dumps({"message": message}), encoding="utf-8")


def run(target: str, words: Sequence[str]) -> None:
    """Run a module, or a file (FILE.py, or a path), as the main program; its error is kept, and goes on."""
    sys.argv = [target, *words]
    try:
        if target.endswith(".py") or os.sep in target:
            sys.path.insert(0, str(Path(target).resolve().parent))
            runpy.run_path(target, run_name="__main__")
        else:
            sys.path.insert(0, os.getcwd())
            runpy.run_module(target, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code not in (None, 0):
            keep(end)
        raise
    except Exception as error:
        keep(error)
        raise


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        raise SystemExit("usage: python -m fieldguide.distributed.recorded MODULE|FILE.py [words]")
    register()
    run(sys.argv[1], sys.argv[2:])
