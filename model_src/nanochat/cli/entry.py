"""What stands around a training that is started as a command: a look before it, and its error told to torchrun.

Both are guests: the look is ``fieldguide check``'s, found by name, and left out where that package is not installed.
"""

import argparse
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nanochat.common import World

Function = TypeVar("Function", bound=Callable[..., Any])


def add_check(parser: argparse.ArgumentParser) -> None:
    """The option that leaves the look out."""
    explanation = "don't let `fieldguide check` look first whether memory, disk and data suffice"
    parser.add_argument("--no-check", dest="check", action="store_false", help=explanation)


def look(command: str, settings: Any, out: Path, world: World) -> None:
    """What ``fieldguide check`` says of a training with these settings, as lines; ValueError where it can't start.

    One process of each machine looks, for all of them.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return
    try:
        before = importlib.import_module("fieldguide.check.before")
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("fieldguide"):
            raise
        return
    before.look(command, settings, out, world.size, world.device)


def recorded(function: Function) -> Function:
    """The function, of which torchrun is told the error: it shows that of the first process to fail."""
    if "TORCHELASTIC_ERROR_FILE" not in os.environ:  # no torchrun, and nobody to tell
        return function
    record: Callable[[Function], Function] = importlib.import_module(
        "torch.distributed.elastic.multiprocessing.errors"
    ).record
    return record(function)
