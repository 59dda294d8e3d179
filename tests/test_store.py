"""The store: whole files or none."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.store import Store, digest, replacing, sweep

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_different_data_has_different_digests(one: object, other: object) -> None:
    assert (digest(one) == digest(other)) == (repr(one) == repr(other) or _same(one, other))


def _same(one: object, other: object) -> bool:
    """Equal but for the order of dicts' keys; 0.0, -0.0, 0 and False are different data."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


def test_parts_do_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(["a"], "b") != digest(["a", "b"])


def test_no_digest_of_what_is_not_plain() -> None:
    with pytest.raises(TypeError, match="plain data"):
        digest(object())


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def half(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.write("clip", "abc", ".mp4", half)
    assert not store.path("clip", "abc", ".mp4").exists()
    assert list((tmp_path / "clip").iterdir()) == []


def test_a_failed_write_keeps_what_was_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_json("clip", "abc", {"a": 1})
    with pytest.raises(OSError, match="full"):
        store.write("clip", "abc", ".json", lambda path: (_ for _ in ()).throw(OSError("full")))
    assert store.read_json("clip", "abc") == {"a": 1}


def test_a_broken_json_counts_as_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("trace", "abc", ".json", b'{"half": ')
    assert store.read_json("trace", "abc") is None
    assert store.read_json("trace", "other") is None


LEAVES = st.integers() | st.floats(allow_nan=False) | st.none() | st.text(max_size=3)


@given(st.dictionaries(st.text(max_size=3), LEAVES))
def test_json_comes_back_as_it_was(value: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Store(Path(folder)).write_json("trace", "abc", value)
        assert Store(Path(folder)).read_json("trace", "abc") == value


def test_json_under_another_name_counts_as_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.write_json("trace", "abc", {"a": 1})
    store.write("trace", "other", ".json", path.read_bytes())
    assert store.read_json("trace", "other") is None


@pytest.mark.parametrize("damage", [b"wholf", b"whole and more", b""])
def test_a_damaged_file_is_not_whole(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    store.write("clip", "abc", ".js", b"whole")
    store.vouch("clip", "abc", [".js"], frames=3)
    assert store.whole("clip", "abc")["frames"] == 3
    store.write("clip", "abc", ".js", damage)
    assert store.whole("clip", "abc") is None
    store.path("clip", "abc", ".js").unlink()
    assert store.whole("clip", "abc") is None


def changed_long_ago(path: Path, data: bytes) -> None:
    """Write a file as if it had been there; what can't be set back is the time of the inode's last change."""
    stat = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_what_was_whole_is_not_read_again_until_somebody_writes_to_it(tmp_path: Path, monkeypatch: Any) -> None:
    store = Store(tmp_path)
    path = store.write("trace", "a", ".npz", b"one")
    store.vouch("trace", "a", [".npz"])
    assert store.is_whole("trace", "a") and not store.keys("book")  # written just now: it may be again, unseen
    monkeypatch.setattr("cutaway.store.SETTLED_NS", -(10**9))
    assert store.is_whole("trace", "a") and len(store.keys("book")) == 1
    with monkeypatch.context() as patched:
        patched.setattr(Store, "whole", None)  # nobody asks it
        assert store.is_whole("trace", "a")
    time.sleep(0.02)  # a tick of the file system's clock
    changed_long_ago(path, b"two")
    assert not store.is_whole("trace", "a")
    changed_long_ago(path, b"one")
    assert store.is_whole("trace", "a")
    path.with_suffix(".json").unlink()
    assert not store.is_whole("trace", "a")


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive = tmp_path / f"a/.page-{gone.pid}-0123abcd.html", tmp_path / f"a/.page-{os.getpid()}-0123abcd.html"
    other = tmp_path / "a/.page-12-of-a-book.html"
    for path in (dead, alive, other):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    sweep(tmp_path, older_s=3600)
    assert dead.exists()
    sweep(tmp_path)
    assert not dead.exists() and alive.exists() and other.exists()
    with replacing(tmp_path / "a/page.html") as temporary:
        temporary.touch()
        sweep(tmp_path)  # what is being written stays
        assert temporary.exists()
