"""The user's store behind a book's: taken over where it is right, never in the way where it is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cutaway.store import Store, Unkept
from cutaway.user_store import Shared, UserStore, open_store, user_folder

ROOM = 10**9


@pytest.fixture
def user(tmp_path: Path) -> UserStore:
    return UserStore(tmp_path / "user", ROOM)


@pytest.fixture
def clone(tmp_path: Path, user: UserStore) -> Callable[[str], Shared]:
    return lambda name: Shared(tmp_path / name, user)


def make(store: Store, key: str = "abc", data: bytes = b"whole", kind: str = "clip") -> None:
    store.write(kind, key, ".js", data)
    store.vouch(kind, key, [".js"], frames=3)


def test_a_second_clone_takes_over_what_the_first_made(clone: Callable[[str], Shared]) -> None:
    one, two = clone("one"), clone("two")
    make(one)
    assert (two.whole("clip", "abc") or {})["frames"] == 3
    assert two.path("clip", "abc", ".js").read_bytes() == b"whole"
    assert two.path("clip", "abc", ".js").stat().st_ino == one.path("clip", "abc", ".js").stat().st_ino  # takes no room
    assert clone("three").is_whole("clip", "abc")
    assert clone("three").whole("clip", "other") is None


def test_what_was_taken_over_stays_without_the_user_s_store(clone: Callable[[str], Shared], user: UserStore) -> None:
    make(clone("one"))
    assert clone("two").whole("clip", "abc")
    user.drop("clip", "abc")
    assert list((user.root / "clip").iterdir()) == []
    assert clone("two").whole("clip", "abc") and not clone("three").whole("clip", "abc")


def test_what_knows_a_place_is_not_shared(clone: Callable[[str], Shared]) -> None:
    one, two = clone("one"), clone("two")
    one.write_json("book", "k", {"a": 1})
    one.write_json("clip", "hint", {"cost": 2.0})  # no artifact
    assert two.read_json("book", "k") is None and two.read_json("clip", "hint") is None


def test_readings_are_listed_and_read_through(clone: Callable[[str], Shared], user: UserStore) -> None:
    one, two = clone("one"), clone("two")
    one.write_json("reads/abc", "x", {"reads": {"a": "1"}})
    two.write_json("reads/abc", "y", {"reads": {"a": "2"}})
    assert two.keys("reads/abc") == ["x", "y"] == one.keys("reads/abc")
    assert two.read_json("reads/abc", "x") == {"reads": {"a": "1"}}
    user.drop("reads/abc", "x")
    assert Store(two.root).read_json("reads/abc", "x") == {"reads": {"a": "1"}}


@pytest.mark.parametrize("damage", [b"wholf", b"who", b""])
def test_a_damaged_file_is_not_taken_over_and_replaced(
    clone: Callable[[str], Shared], user: UserStore, damage: bytes
) -> None:
    make(clone("one"))
    path = user.path("clip", "abc", ".js")
    path.unlink()  # the bytes are the first clone's, too
    path.write_bytes(damage)
    assert clone("two").whole("clip", "abc") is None
    assert not path.exists()
    make(clone("two"))
    assert clone("three").whole("clip", "abc") and path.read_bytes() == b"whole"
    assert clone("one").whole("clip", "abc")


def test_bytes_that_both_stores_share_and_somebody_damaged_are_made_again(clone: Callable[[str], Shared]) -> None:
    one = clone("one")
    make(one)
    one.path("clip", "abc", ".js").write_bytes(b"wholf")  # in place: a link to it is damaged, too
    assert one.whole("clip", "abc") is None and clone("two").whole("clip", "abc") is None
    make(one)
    assert one.whole("clip", "abc") and clone("two").whole("clip", "abc")


def test_a_forged_entry_leads_nowhere(clone: Callable[[str], Shared], user: UserStore, tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_bytes(b"secret")
    user.write_json("clip", "abc", {"files": {"/../../../secret.js": "0" * 32}})
    user.write_json("clip", "abd", {"files": [1, 2]})
    two = clone("two")
    assert two.whole("clip", "abc") is None and two.whole("clip", "abd") is None
    make(clone("one"))
    path = user.path("clip", "abc", ".js")
    path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "secret.js")
    assert two.whole("clip", "abc") is None


def used(user: UserStore, **days_ago: float) -> None:
    for key, days in days_ago.items():
        path = user.path("clip", key, ".json")
        at = path.stat().st_mtime - days * 86_400
        os.utime(path, (at, at))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    user = UserStore(tmp_path / "user", 3500)
    one = Shared(tmp_path / "one", user)
    for key in "abc":
        make(one, key, bytes(900))
    used(user, a=3, b=2, c=1)
    assert Shared(tmp_path / "two", user).whole("clip", "a")  # used just now
    make(one, "d", bytes(900))
    three = Shared(tmp_path / "three", user)
    assert [bool(three.whole("clip", key)) for key in "abcd"] == [True, False, True, True]
    sizes = [path.stat().st_size for path in user.root.rglob("*") if path.is_file()]
    assert sum(sizes) <= 3500


def test_what_the_book_s_store_has_counts_as_used(tmp_path: Path) -> None:
    user = UserStore(tmp_path / "user", 3500)
    one = Shared(tmp_path / "one", user)
    for key in "abc":
        make(one, key, bytes(900))
    used(user, a=3, b=2, c=1)
    assert one.is_whole("clip", "a") and one.whole("clip", "b")
    make(one, "d", bytes(900))
    assert user.keys("clip") == ["a", "b", "d"]


def test_what_is_too_large_for_it_is_not_kept(tmp_path: Path) -> None:
    user = UserStore(tmp_path / "user", 0)
    make(Shared(tmp_path / "one", user))
    assert [path for path in user.root.rglob("*") if path.is_file()] == []


def test_leftovers_of_killed_processes_go_when_they_are_old(tmp_path: Path) -> None:
    user = UserStore(tmp_path / "user", 0)
    left = user.root / "clip/.abc-999999999-0123abcd.js"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    make(Shared(tmp_path / "one", user))
    assert not left.exists()


def test_a_place_that_can_t_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    one = Shared(tmp_path / "one", UserStore(tmp_path / "file/user", ROOM))
    make(one)
    assert one.whole("clip", "abc") and one.is_whole("clip", "abc") and one.whole("clip", "b") is None
    assert one.keys("reads/a") == []


def test_a_folder_in_the_way_is_removed(clone: Callable[[str], Shared], user: UserStore) -> None:
    user.path("clip", "abc", ".js").mkdir(parents=True)
    make(clone("one"))
    two = clone("two")
    two.path("clip", "abc", ".js").mkdir(parents=True)
    assert two.whole("clip", "abc")


def test_a_disk_without_links_gets_copies(
    clone: Callable[[str], Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    make(clone("one"))
    two = clone("two")
    assert two.whole("clip", "abc")
    two.path("clip", "abc", ".js").write_bytes(b"mine")
    assert clone("one").path("clip", "abc", ".js").read_bytes() == b"whole"


def test_a_book_s_store_that_is_full_says_so_and_not_another(
    clone: Callable[[str], Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(clone("one"))
    two = clone("two")
    two.root.write_text("a file where a folder must be")
    assert two.whole("clip", "abc") is None
    with pytest.raises(Unkept, match="set CUTAWAY_STORE"):
        make(two)


AT_ONCE = """
import sys
from pathlib import Path
from cutaway.user_store import Shared, UserStore
me, user, room = sys.argv[1:]
store = Shared(Path(me), UserStore(Path(user), int(room)))
for number in range(200):
    key, data = f"k{number % 40}", bytes(100 + number % 40)
    if store.whole("clip", key) is None:
        store.write("clip", key, ".js", data)
        store.vouch("clip", key, [".js"])
    assert store.path("clip", key, ".js").read_bytes() == data
    if number % 7 == 0:
        store.path("clip", key, ".json").unlink()  # as a new clone would find it
"""


@pytest.mark.parametrize("room", [ROOM, 4000])  # nothing has to go; something goes all the time
def test_several_builds_at_once(tmp_path: Path, room: int) -> None:
    command = [sys.executable, "-c", AT_ONCE]
    running = [
        subprocess.Popen([*command, tmp_path / name, tmp_path / "user", str(room)], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    for process in running:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    user = UserStore(tmp_path / "user", room)
    late = Shared(tmp_path / "late", user)
    kept = [key for key in user.keys("clip") if late.whole("clip", key)]
    assert kept if room == ROOM else True
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]  # nothing half written


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("CUTAWAY_CACHE", raising=False)
    assert user_folder() == tmp_path / ".cache/cutaway"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification has it ignored
    assert user_folder() == tmp_path / ".cache/cutaway"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert user_folder() == tmp_path / "x/cutaway"
    monkeypatch.setenv("CUTAWAY_CACHE", "~/mine")
    assert user_folder() == tmp_path / "mine"
    monkeypatch.setenv("CUTAWAY_CACHE", "OFF")
    assert user_folder() is None and type(open_store(tmp_path)) is Store


def test_a_store_is_not_behind_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTAWAY_CACHE", str(tmp_path))
    assert type(open_store(tmp_path)) is Store
    assert type(open_store(tmp_path / "other")) is Shared


@pytest.mark.parametrize("given", ["much", "-1", "nan", "inf"])
def test_a_size_that_is_none_is_named(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTAWAY_CACHE", str(tmp_path / "user"))
    monkeypatch.setenv("CUTAWAY_CACHE_GB", given)
    with pytest.raises(ValueError, match=f"CUTAWAY_CACHE_GB='{given}': write a number of gigabytes"):
        open_store(tmp_path / "book")
