"""Import the explained packages from the folders that the book names, in a child process.

``install({"nanogpt": [theirs, ours]})`` makes ``import nanogpt.model`` take the first folder that has ``model.py``, so
that what another checkout lacks comes from ours. With ``sites`` the modules are instrumented on their way in; of a
large package only those that are named, ``big.models.small.*``, so that it costs what is looked at.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..source.find import Module, Source, SourceError, parse
from .instrument import RECORDER, Sites, instrument


def install(
    packages: Mapping[str, Sequence[Path]],
    recorder: Any = None,
    sites: Sites | None = None,
    recorded: Sequence[str] = (),
) -> None:
    """Put the packages first on ``sys.meta_path``; where a recorder and its sites are given, instrument what is to be
    ``recorded``: packages, or modules by patterns."""
    sys.meta_path.insert(0, _Finder(Source(packages), recorder, sites, recorded))


def is_recorded(module: str, patterns: Sequence[str]) -> bool:
    """Whether a module is one of a run's ``sources``."""
    return any(module.split(".")[0] == pattern or fnmatchcase(module, pattern) for pattern in patterns)


def author_s_class(file: Path | str, name: str) -> Any:
    """A class of the author's file, which is executed: in a child or a kernel, never in the builder."""
    spec = importlib.util.spec_from_file_location("cutaway_declared_runs", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, source: Source, recorder: Any, sites: Sites | None, recorded: Sequence[str]) -> None:
        self.source = source
        self.recorder = recorder
        self.sites = sites
        self.recorded = recorded

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, *rest = name.split(".")
        folders = self.source.packages.get(package)
        if folders is None:
            return None
        file = self.source.module_path(name)
        inside = [str(folder.joinpath(*rest)) for folder in folders if folder.joinpath(*rest).is_dir()]
        if file is None and not inside:
            return None
        is_package = file is None or file.name == "__init__.py"
        loader: importlib.abc.Loader = _Loader(name, file, self.recorder, self.sites)
        if file is not None and self.sites is not None and not is_recorded(name, self.recorded):
            loader = importlib.machinery.SourceFileLoader(name, str(file))  # with Python's cache of compiled modules
        spec = importlib.machinery.ModuleSpec(
            name, loader, origin=str(file) if file else None, is_package=is_package
        )
        spec.has_location = file is not None
        if is_package:
            spec.submodule_search_locations = inside
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, name: str, file: Path | None, recorder: Any, sites: Sites | None) -> None:
        self.name = name
        self.file = file
        self.recorder = recorder
        self.sites = sites

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        if self.file is None:
            return  # a folder without __init__.py
        parsed = self._parse(self.file)
        tree = parsed.tree
        if self.sites is not None:
            module.__dict__[RECORDER] = self.recorder
            tree = instrument(parsed, self.sites)
        exec(compile(tree, str(self.file), "exec"), module.__dict__)

    def _parse(self, file: Path) -> Module:
        try:
            return parse(self.name, file)
        except SourceError as error:
            raise ImportError(str(error)) from error.__cause__
