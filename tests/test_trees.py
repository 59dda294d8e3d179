"""Threads that parse at once."""

import _pydecimal
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cutaway.source.trees import parsed

TEXT = Path(str(_pydecimal.__file__)).read_text("utf-8")  # the longest file that every Python has


@pytest.fixture
def garbage_everywhere() -> Iterator[None]:
    """Garbage is looked for all the time, and threads take turns at any moment."""
    often, soon = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(50)
    sys.setswitchinterval(1e-6)
    yield
    gc.set_threshold(*often)
    sys.setswitchinterval(soon)


class Finalised:
    """What runs code when it is found to be garbage, which lets another thread in."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        pass


def test_threads_parse_without_ending_each_others_work(garbage_everywhere: None) -> None:
    """With ``ast.parse`` itself, Python 3.11 raises SystemError here."""

    def one(_: int) -> int:
        Finalised()
        return len(parsed(TEXT).body)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(one, range(24)))) == 1
