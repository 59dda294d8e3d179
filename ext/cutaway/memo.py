"""Remember in the store what is costly to compute, until something changes that decides it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from .digests import digest
from .store import Store, Unkept

KIND = "book"  # of files that know a place of one machine: stores are joined without them


class Memo:
    """Texts by name. All of them count as unknown once ``inputs``, a digest of all that decides them, has changed."""

    def __init__(self, store: Store, name: str, inputs: str) -> None:
        self._store, self._entry, self._inputs = store, digest("memo", name), inputs
        kept = store.read_json(KIND, self._entry) or {}
        self._known: dict[str, str] = dict(kept["known"]) if kept.get("of") == inputs else {}
        self._is_new = False

    def get(self, name: str, compute: Callable[[], str | None]) -> str | None:
        """What is known by this name, else what ``compute`` finds; None is not remembered."""
        if name not in self._known:
            found = compute()
            if found is None:
                return None
            self._known[name], self._is_new = found, True
        return self._known[name]

    def keep(self) -> None:
        """Write down what is new."""
        if self._is_new:
            with suppress(Unkept):  # the next build finds it out once more
                self._store.write_json(KIND, self._entry, {"of": self._inputs, "known": self._known})
            self._is_new = False
