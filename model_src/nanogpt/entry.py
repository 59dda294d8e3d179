"""What stands around a training that is started as a command: a look before it, and its error told to torchrun.

Both are guests: the look is ``fieldguide check``'s, found by name, and left out where that package is not installed.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
OFF = ("False", "false", "0")
ON = ("True", "true", "1")


def without_check(argv: list[str]) -> tuple[list[str], bool]:
    """The other options, and whether to look: ``--check=False`` says no. The last one wins."""
    given = [arg.partition("=")[2] for arg in argv if arg.startswith("--check=")]
    for value in given:
        if value not in ON + OFF:
            raise ValueError(f"--check={value}: True or False is needed")
    return [arg for arg in argv if not arg.startswith("--check=")], not given or given[-1] in ON


def look(command: str, *settings: Any) -> None:
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
    before.look(command, *settings)


def recorded(function: Function) -> Function:
    """The function, of which torchrun is told the error: it shows that of the first process to fail."""
    if "TORCHELASTIC_ERROR_FILE" not in os.environ:  # no torchrun, and nobody to tell
        return function
    record: Callable[[Function], Function] = importlib.import_module(
        "torch.distributed.elastic.multiprocessing.errors"
    ).record
    return record(function)
