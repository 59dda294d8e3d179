"""The state of one build, and the notes that it leaves for the next. Neither is kept anywhere else.

While a build runs, a module keeps what it knows in objects of its own classes (:func:`state_of`). What the next build
may rely on are sections of :class:`Notes`: one JSON file beside the doctrees, written whole when a build has finished.
"""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any, TypeVar

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .store import noted, replacing

T = TypeVar("T")
_states: weakref.WeakKeyDictionary[BuildEnvironment, dict[type, Any]] = weakref.WeakKeyDictionary()


def state_of(env: BuildEnvironment, kind: type[T]) -> T:
    """This build's object of a class, made without arguments when it is first asked for."""
    held = _states.setdefault(env, {})
    if kind not in held:
        held[kind] = kind()
    found: T = held[kind]
    return found


def hold(env: BuildEnvironment, value: Any) -> None:
    """Make this the build's object of its class."""
    _states.setdefault(env, {})[type(value)] = value


def has_state(env: BuildEnvironment, kind: type) -> bool:
    return kind in _states.get(env, {})


class Notes:
    """Sections of JSON by name; one that was never written, or whose file is damaged, is empty."""

    def __init__(self, path: Path) -> None:
        self._path, self._sections, self._is_new = path, noted(path), False

    def __getitem__(self, section: str) -> dict[str, Any]:
        found = self._sections.get(section)
        return found if isinstance(found, dict) else {}

    def __contains__(self, section: str) -> bool:
        return section in self._sections

    def __setitem__(self, section: str, content: dict[str, Any]) -> None:
        self._is_new |= self._sections.get(section) != content
        self._sections[section] = content

    def drop(self, section: str) -> None:
        """Forget a section at once: it must not be relied on, should this build be killed."""
        if self._sections.pop(section, None) is not None:
            self._write()

    def write(self) -> None:
        if self._is_new:
            self._write()

    def _write(self) -> None:
        with replacing(self._path) as temporary:
            temporary.write_text(json.dumps(self._sections, ensure_ascii=False), "utf-8")
        self._is_new = False


def notes_of(env: BuildEnvironment) -> Notes:
    """What earlier builds with these doctrees left, of whichever builder: a section's name says of which."""
    held = _states.setdefault(env, {})
    if Notes not in held:
        held[Notes] = Notes(Path(env.doctreedir, "cutaway.json"))
    found: Notes = held[Notes]
    return found


def write_notes(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        notes_of(app.env).write()
