"""What a new project is about: classes and functions of an importable module, each with the method that is shown."""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

SHOWN = ("forward", "__call__")  # the first that a class has


class NewError(LookupError):
    """The project can't be made; the message says what to do."""


@dataclass(frozen=True)
class Subject:
    """A class or function: ``method`` is shown of a class, and empty for a function."""

    module: ModuleType
    name: str
    object: Any
    method: str

    @property
    def package(self) -> str:
        return self.module.__name__.split(".")[0]

    @property
    def folder(self) -> Path:
        """The package's folder."""
        return Path(sys.modules[self.package].__path__[0]).resolve()

    @property
    def dotted(self) -> str:
        return ".".join(filter(None, [self.module.__name__, self.name, self.method]))

    @property
    def page(self) -> str:
        return self.name.lower()

    @property
    def is_torch(self) -> bool:
        torch = sys.modules.get("torch")
        return bool(torch and inspect.isclass(self.object) and issubclass(self.object, torch.nn.Module))


def subjects_of(target: str) -> list[Subject]:
    """``package.model:Net`` is one thing; ``package.model`` all its classes that can be called, or its functions."""
    dotted, _, name = target.partition(":")
    module = _imported(dotted)
    if not hasattr(sys.modules[dotted.split(".")[0]], "__path__"):
        raise NewError(f"{dotted} is a single file; put it into a package, a folder with an __init__.py")
    if name:
        return [_subject(module, name)]
    own = {name: found for name, found in vars(module).items() if getattr(found, "__module__", "") == dotted}
    classes = [name for name, found in own.items() if inspect.isclass(found) and _method(found)]
    functions = [name for name, found in own.items() if inspect.isfunction(found) and not name.startswith("_")]
    chosen = classes or functions
    if not chosen:
        raise NewError(f"{dotted} has neither a class with {' or '.join(SHOWN)} nor a function; name a module that has")
    return [_subject(module, name) for name in chosen]


def _imported(dotted: str) -> ModuleType:
    for place in (Path.cwd() / "src", Path.cwd()):
        if place.is_dir() and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        what = "write PACKAGE.MODULE:NAME of a package that is installed, or in this folder or its src"
        raise NewError(f"{dotted} can't be imported: {error}; {what}") from error
    except Exception as error:
        raise NewError(f"{dotted} can't be imported: {type(error).__name__}: {error}") from error


def _subject(module: ModuleType, name: str) -> Subject:
    found = getattr(module, name, None)
    if found is None:
        known = [one for one, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        raise NewError(f"no {name!r} in {module.__name__}; there is {', '.join(known) or 'nothing of its own'}")
    if inspect.isfunction(found):
        return Subject(module, name, found, "")
    if not inspect.isclass(found):
        raise NewError(f"{module.__name__}:{name} is a {type(found).__name__}; name a class or a function")
    method = _method(found)
    if not method:
        raise NewError(f"the class {name} has neither {' nor '.join(SHOWN)}; name a class that has, or a function")
    return Subject(module, name, found, method)


def _method(cls: type) -> str:
    return next((name for name in SHOWN if name in vars(cls)), "")
