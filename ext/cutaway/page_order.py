"""The pages of a book in the order of reading."""

from __future__ import annotations

from collections.abc import Iterator

from sphinx.environment import BuildEnvironment


def in_order(env: BuildEnvironment) -> list[str]:
    """The pages in the order of reading, as the tables of contents have them; then those that stand in none."""
    return list(dict.fromkeys([*_below(env, env.config.root_doc), *sorted(env.found_docs)]))


def _below(env: BuildEnvironment, page: str) -> Iterator[str]:
    seen, waiting = set[str](), [page]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += reversed(env.toctree_includes.get(name, []))
