"""The committed registry of ids, ``permalinks.json``: the kind, the page and the date of each, or where it leads.

An id never leaves it. One whose thing left the book gets a successor: *moved*, if the same thing has another id now,
*retired*, if it is gone and something else is the nearest. A page that is gone leads to another. The file has a line
for each id, so that changes can be read and merged; only ``python -m cutaway permalinks`` writes it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..address import is_id
from ..domain import nearest
from ..store import replacing
from ..targets import Target


class RegistryError(LookupError):
    """The registry can't be read, or what is asked of it contradicts the book."""


@dataclass(frozen=True)
class Entry:
    """An id; ``page`` is where its thing stands or last stood, ``was`` where it stood before, ``since`` a date."""

    page: str
    title: str
    kind: str
    since: str
    was: tuple[str, ...] = ()
    to: str = ""
    moved: str = ""  # the date
    retired: str = ""  # the date

    def written(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass
class Registry:
    """Ids, and for each page that is gone the one that stands in its place."""

    ids: dict[str, Entry] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Registry:
        """An absent file is an empty registry. Raises RegistryError."""
        if not path.exists():
            return cls()
        try:
            ids, pages = _read(path.read_text("utf-8"))
            return cls(dict(ids), dict(pages))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            then = "take it from the last commit, then run `python -m cutaway permalinks`"
            message = f"{path} can't be read ({error}); {then}"
            raise RegistryError(message) from error

    def write(self, path: Path) -> None:
        with replacing(path) as temporary:
            temporary.write_text(self.text(), "utf-8")

    def text(self) -> str:
        ids = {id: entry.written() for id, entry in sorted(self.ids.items())}
        return f'{{\n"ids": {_lines(ids)},\n"pages": {_lines(dict(sorted(self.pages.items())))}\n}}\n'

    # What it says

    def live(self, id: str) -> str:
        """The id that an id leads to in the end, itself mostly. RegistryError for one that leads nowhere."""
        seen = [id]
        while (entry := self.ids.get(id)) and entry.to:
            id = entry.to
            if id in seen:
                raise RegistryError(f"'{seen[0]}' leads in a circle: {' → '.join([*seen, id])}")
            seen.append(id)
        if id not in self.ids:
            raise RegistryError(f"'{seen[0]}' leads to '{id}', which there is not{nearest(id, self.ids)}")
        return id

    def page(self, page: str) -> str:
        """The page that stands in a page's place, itself mostly."""
        seen = {page}
        while (page := self.pages.get(page, page)) not in seen:
            seen.add(page)
        return page

    def old_addresses(self) -> Iterator[tuple[str, str, str]]:
        """(page, id, id that it leads to) of every place where something stood and stands no longer."""
        for id, entry in self.ids.items():
            try:
                live = self.live(id)
            except RegistryError:
                continue  # a warning of its own
            here = self.ids[live].page
            for page in dict.fromkeys(map(self.page, (*entry.was, entry.page))):
                if (page, id) != (here, live):
                    yield page, id, live

    # What the command changes

    def refresh(self, targets: Mapping[str, Target], pages: Collection[str], today: str) -> list[str]:
        """Take over what the book has; returns the ids that left it and lead nowhere."""
        for id, target in targets.items():
            new = Entry(target.docname, target.title, target.kind, today)
            old = self.ids.get(id, new)
            was = tuple(page for page in dict.fromkeys((*old.was, old.page)) if page != new.page)
            self.ids[id] = replace(new, since=old.since, was=was)
        self._redirect_pages(pages)
        return [id for id, entry in self.ids.items() if id not in targets and not entry.to]

    def _redirect_pages(self, pages: Collection[str]) -> None:
        """A page that is gone leads to where most of what it had is now."""
        self.pages = {old: new for old, new in self.pages.items() if old not in pages}
        heirs: dict[str, Counter[str]] = {}
        for id, entry in self.ids.items():
            for page in {*entry.was, entry.page} - set(pages) - set(self.pages):
                heirs.setdefault(page, Counter())[self._home(id)] += 1
        for page, counted in heirs.items():
            best = next((home for home, _ in counted.most_common() if home in pages), None)
            if best:
                self.pages[page] = best

    def _home(self, id: str) -> str:
        try:
            return self.ids[self.live(id)].page
        except RegistryError:
            return ""

    def lead(self, old: str, new: str, targets: Mapping[str, Target], today: str, retired: bool = False) -> None:
        """Have an id that left the book lead to one that is in it."""
        if old not in self.ids:
            raise RegistryError(f"no id '{old}' in the registry{nearest(old, self.ids)}")
        if old in targets:
            place = targets[old]
            raise RegistryError(f"'{old}' is still in the book ({place.docname}, line {place.line})")
        if new not in targets:
            raise RegistryError(f"no id '{new}' in the book{nearest(new, targets)}")
        moved, retired_on = ("", today) if retired else (today, "")
        self.ids[old] = replace(self.ids[old], to=new, moved=moved, retired=retired_on)


@lru_cache(maxsize=1)  # several parts of a build ask for it
def _read(text: str) -> tuple[dict[str, Entry], dict[str, str]]:
    data = json.loads(text)
    ids = {id: _entry(id, row) for id, row in data["ids"].items()}
    return ids, {_page(old): _page(new) for old, new in data["pages"].items()}


def _entry(id: str, row: dict[str, Any]) -> Entry:
    """An entry as it was read; ValueError where it could not have been written by us."""
    entry = Entry(**{**row, "was": tuple(row.get("was", ()))})
    *texts, was = (getattr(entry, name) for name in ("page", "title", "kind", "since", "to", "moved", "retired", "was"))
    if not is_id(id) or not all(isinstance(text, str) for text in (*texts, *was)):
        raise ValueError(f"'{id}' is no id of words")
    return entry


def _page(name: str) -> str:
    """The name of a page, whose redirect is written in the output and nowhere else."""
    if not name.isprintable() or name.startswith("/") or {"", ".", ".."} & set(name.split("/")):
        raise ValueError(f"'{name}' is no page")
    return name


def _lines(rows: Mapping[str, Any]) -> str:
    written = ",\n".join(f"{json.dumps(key)}: {json.dumps(row, ensure_ascii=False)}" for key, row in rows.items())
    return f"{{\n{written}\n}}" if written else "{}"
