"""The book's settings as plain data, the same for Sphinx, the command line and child processes."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .address import base, is_id
from .config_values import SETTINGS
from .shards import share
from .source.find import Source, SourceError
from .source.quotation import match
from .store import Store, digest
from .trace.names import Place
from .user_store import open_store


class BookError(Exception):
    """The book's settings name something that is not there."""


@dataclass(frozen=True)
class Book:
    """Where everything is."""

    confdir: Path
    sources: dict[str, list[Path]]
    runs: tuple[Path, ...]  # files that declare them
    scenes: Path
    store: Store
    clip_size: tuple[int, int] = (1280, 720)
    clip_fps: int = 30
    clip_limit_s: int = 300
    clip_limit_mb: int = 3000
    workers: int = 0
    permalinks: Path | None = None
    base: str = ""  # the site's public address
    dimensions: Mapping[str, Any] = field(default_factory=dict)  # as conf.py says; theme.dimensions reads it
    inventory: str = "book"  # what others call it in their intersphinx_mapping
    executor: str = ""
    shard: str = ""
    explain: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # short name -> program or "" -> what it is

    @property
    def source(self) -> Source:
        return Source(self.sources)

    @property
    def declared_in(self) -> str:
        """The files that declare the runs, for messages."""
        return ", ".join(map(str, self.runs)) or "conf.py's cutaway_runs"

    def origin(self, path: Path) -> str:
        """Where a file of the source comes from, if CUTAWAY_SOURCE weaves its package from another checkout."""
        for name, folder in replaced_sources().items():
            if path.is_relative_to(folder):
                why = self.source.unusable(path)
                return f"from {folder}, {why}: the book’s own ran in its place" if why else f"from {folder}"
            if any(path.is_relative_to(other) for other in self.sources.get(name, [])):
                return f"the book's own: {folder} has none"
        return ""

    @classmethod
    def from_config(cls, config: Any, confdir: Path) -> Book:
        """From Sphinx's configuration (or anything with its attributes)."""
        _check(config)
        folders = _sources(config.cutaway_sources, confdir)
        size = config.cutaway_clip_size
        if len(size) != 2 or not all(isinstance(pixels, int) and pixels > 0 for pixels in size):
            raise BookError(f"cutaway_clip_size = {size!r}: write (width, height) in pixels")
        try:
            share((), config.cutaway_shard)
        except ValueError as error:
            raise BookError(str(error)) from error
        root = os.environ.get("CUTAWAY_STORE")
        try:
            store = open_store(Path(root).absolute() if root else (confdir / config.cutaway_store).resolve())
        except ValueError as error:
            raise BookError(str(error)) from error
        return cls(
            confdir=confdir,
            sources=folders,
            runs=_files(config.cutaway_runs, confdir),
            scenes=confdir / config.cutaway_scenes,
            store=store,
            clip_size=(size[0], size[1]),
            clip_fps=config.cutaway_clip_fps,
            clip_limit_s=config.cutaway_clip_limit_s,
            clip_limit_mb=config.cutaway_clip_limit_mb,
            workers=config.cutaway_workers or os.cpu_count() or 1,
            permalinks=(confdir / config.cutaway_permalinks).resolve() if config.cutaway_permalinks else None,
            base=base(config),
            dimensions=dict(config.cutaway_dimensions),
            inventory=inventory(config),
            executor=config.cutaway_executor,
            shard=config.cutaway_shard,
            explain=_short_names(config.cutaway_explain),
        )

    @classmethod
    def read(cls, confdir: Path) -> Book:
        """From a folder with a conf.py, for the command line and for cells."""
        from sphinx.config import Config
        from sphinx.errors import SphinxError
        from sphinx.util.tags import Tags

        confdir = confdir.resolve()  # Sphinx changes into it
        if not (confdir / "conf.py").is_file():
            raise BookError(f"no conf.py in {confdir}; name the book's folder with --docs")
        try:
            config = Config.read(confdir, overrides={}, tags=Tags())
        except SphinxError as error:
            raise BookError(f"{confdir / 'conf.py'}: {error}") from error
        for name, default, rebuild, type_, meaning, _ in SETTINGS:
            config.add(name, default, rebuild, kinds(type_), meaning)  # type: ignore[arg-type]
        config.add("html_baseurl", "", "html", [str])
        return cls.from_config(config, confdir)


def inventory(config: Any) -> str:
    """The project's name as others may write it in their ``intersphinx_mapping``: ``My Book`` -> ``my-book``."""
    return re.sub(r"[^a-z0-9._-]+", "-", str(config.project).lower()).strip("-") or "book"


def kinds(setting: type) -> list[type]:
    """What Sphinx may find in conf.py: a list of one thing may be written as that thing."""
    others: dict[type, list[type]] = {list: [tuple, str], tuple: [list]}
    return [setting, *others.get(setting, [])]


def _check(config: Any) -> None:
    """Raise BookError where a setting is of another type than it can be, or is no path, no count, no address."""
    for name, _, _, type_, _, _ in SETTINGS:
        value = getattr(config, name)
        if type_ is int and not (isinstance(value, int) and value >= (0 if name == "cutaway_workers" else 1)):
            raise BookError(f"{name} = {value!r}: write a whole number")
        if type_ is str and not (isinstance(value, str) and value.isprintable()):
            raise BookError(f"{name} = {value!r}: write a text of one line")
        if type_ is dict and not isinstance(value, Mapping):
            raise BookError(f"{name} = {value!r}: write {{...: ...}}")
        if type_ is tuple and not isinstance(value, tuple | list):
            raise BookError(f"{name} = {value!r}: write (width, height) in pixels")
    if config.cutaway_color_scheme not in ("", "light", "dark", "auto"):
        raise BookError(f"cutaway_color_scheme = {config.cutaway_color_scheme!r}: write 'light', 'dark' or 'auto'")
    if config.html_baseurl and not base(config):
        raise BookError(f"html_baseurl = {config.html_baseurl!r}: write an address, as in https://example.org/book/")


def _sources(setting: Mapping[str, str | Sequence[str]], confdir: Path) -> dict[str, list[Path]]:
    if not isinstance(setting, Mapping):
        raise BookError(f'cutaway_sources = {setting!r}: write {{"package": ["folder"]}}')
    folders: dict[str, list[Path]] = {}
    for name, given in setting.items():
        listed = [given] if isinstance(given, str) else given
        if not _is_words(listed) or not isinstance(name, str):
            raise BookError(f"cutaway_sources[{name!r}] = {given!r}: write a list of folders")
        folders[name] = [(confdir / path).resolve() for path in listed]
    for name, folder in replaced_sources().items():
        folders[name] = list(dict.fromkeys([folder, *folders.get(name, [])]))
    for name, paths in folders.items():
        for folder in paths:
            if not folder.is_dir():
                raise BookError(f"the source folder {folder} of the package {name!r} does not exist")
    return folders


def _files(setting: str | Sequence[str], confdir: Path) -> tuple[Path, ...]:
    listed = [setting] if isinstance(setting, str) else setting
    if not _is_words(listed):
        raise BookError(f'cutaway_runs = {setting!r}: write the names of files, as in ["runs.py"]')
    return tuple(confdir / name for name in listed)


def _short_names(setting: Any) -> dict[str, dict[str, str]]:
    """For each short name what it stands for, by program; by "" where none is named."""
    names = {}
    for name, shown in (setting if isinstance(setting, Mapping) else {"": setting}).items():
        by_program = dict(shown) if isinstance(shown, Mapping) else {"": shown}
        if not _is_words([name, *by_program]) or not re.fullmatch(r"[^.#]+", name):
            raise BookError(f"cutaway_explain[{name!r}] = {shown!r}: write a name without dots and without #")
        if not by_program or (isinstance(shown, Mapping) and not all(map(str.isidentifier, by_program))):
            raise BookError(
                f"cutaway_explain[{name!r}] = {shown!r}: write {{program: what is drawn}}, a program as one word, as "
                "in {'mypackage': 'mypackage.model.Mixer'}"
            )
        for what in by_program.values():
            if not _is_drawn(what):
                raise BookError(
                    f"cutaway_explain[{name!r}] = {what!r}: write a dotted path, a path and a run, as in "
                    "'mypackage.model.Mixer.forward mix', or '#ID' for a section or a diagram of a page"
                )
        names[name] = by_program
    return names


def _is_drawn(what: Any) -> bool:
    """Whether it is a path, a path and a run, or the ``#ID`` of a place on a page."""
    if not _is_words([what]):
        return False
    words = what.split()
    return len(words) == 1 and is_id(words[0][1:]) if what.startswith("#") else len(words) in (1, 2)


def _is_words(value: Any) -> bool:
    words = isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
    return words and "".join(value).isprintable()


def steps_key(book: Book) -> str:
    """Key of the file in the store that lists the steps of a book's last build, each by object and quotation."""
    return digest("steps", str(book.confdir))


def steps_of_last_build(book: Book) -> dict[str, tuple[str, str]]:
    """Object and quotation of each step; none where nothing was built."""
    return book.store.read_json("book", steps_key(book)) or {}


def places_of_last_build(book: Book) -> dict[str, Place]:
    """The steps of the last build, where their quotations stand now."""
    places = {}
    for id, (dotted, quotation) in steps_of_last_build(book).items():
        with contextlib.suppress(SourceError):
            places[id] = Place(dotted, match(book.source.find(dotted), quotation))
    return places


def replaced_sources() -> dict[str, Path]:
    """``CUTAWAY_SOURCE="nanogpt=/path;other=/path"``: the checkouts that the book is to be woven around."""
    result = {}
    for part in filter(None, os.environ.get("CUTAWAY_SOURCE", "").split(";")):
        name, equals, path = part.partition("=")
        if not (name and equals and path):
            raise BookError(f"--source {part!r}: write PACKAGE=PATH, as in nanogpt=../nanoGPT")
        result[name.strip()] = Path(path.strip()).expanduser().resolve()
    return result
