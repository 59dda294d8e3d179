"""The options of a directive: what reads each, and what it means, for the table that ``reference`` makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Option(NamedTuple):
    """An option of a directive: what reads its text, and what it means in a few words."""

    read: Callable[[str], Any]
    meaning: str


def spec(options: Mapping[str, Option]) -> dict[str, Callable[[str], Any]]:
    """What docutils calls ``option_spec``."""
    return {name: option.read for name, option in options.items()}
