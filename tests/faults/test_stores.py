"""A store that was damaged, shared or filled up; the book's, and the user's behind it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .site import Site, rarely

pytestmark = pytest.mark.faults
REPEATS = int(os.environ.get("CUTAWAY_FAULTS_MOMENTS", "20"))


def truncate(path: Path, _other: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swap(path: Path, other: Path) -> None:
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


def foreign(path: Path, _other: Path) -> None:
    path.write_bytes(b"\x00\xffsomebody else's")


def flipped(path: Path, _other: Path) -> None:
    """One bit, the size unchanged."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def unreadable(path: Path, _other: Path) -> None:
    path.unlink()
    path.mkdir()  # root reads whatever its mode is; a folder in the way nobody can


DAMAGES: dict[str, Callable[[Path, Path], None]] = {
    "truncated": truncate,
    "swapped": swap,
    "foreign": foreign,
    "one bit flipped": flipped,
    "unreadable": unreadable,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_made_again(good: Site, warm: Site, attempt, damage: str) -> None:
    """One file of each kind, and with what is swapped another of that kind."""
    by_kind: dict[str, list[str]] = {}
    for name in sorted(good.stored()):
        by_kind.setdefault(f"{name.split('/')[0]}{Path(name).suffix}", []).append(name)
    assert len(by_kind) > 9
    with attempt(f"store: files {damage}"):
        for found in by_kind.values():
            one, other = (warm.folder / "store" / name for name in (found[0], found[-1]))
            DAMAGES[damage](one, other)
        built = warm.build()
        assert built.returncode == 0, built.said
        assert warm.pages() == good.pages()


def test_two_builds_share_a_store(good: Site, tmp_path: Path, attempt) -> None:
    for number in range(min(5, REPEATS)):
        with attempt("two builds at once on one cold store"):
            sites = [Site.write(tmp_path / f"{number}-{name}") for name in "ab"]
            running = [site.start(CUTAWAY_STORE=str(tmp_path / f"store{number}")) for site in sites]
            for site, process in zip(sites, running, strict=True):
                said, _ = process.communicate(timeout=180)
                assert process.returncode == 0, said
                assert site.pages() == good.pages()


def test_parallel_reading_of_a_cold_book(good: Site, tmp_path: Path, attempt) -> None:
    for number in range(REPEATS):
        with attempt("-j 2 on a cold store"):
            site = Site.write(tmp_path / f"book{number}")
            built = site.build("-j", "2")
            assert built.returncode == 0, built.said
            assert site.pages() == good.pages()
            shutil.rmtree(site.folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of so many kilobytes; root alone may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(kilobytes: int) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)
        return folder

    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield mount
    subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.parametrize("kilobytes", [rarely(8), 24, rarely(48), rarely(96), rarely(128), rarely(200)])
@pytest.mark.parametrize("place", ["store", "temporary files"])
def test_a_full_disk_is_named_and_harms_nothing(
    plain: Site, tmp_path: Path, attempt, small_disk: Callable[[int], Path], place: str, kilobytes: int
) -> None:
    with attempt(f"disk full: {place}"):
        disk = small_disk(kilobytes)
        site = Site.write(tmp_path / "book", cells=False)  # a kernel without room says so in a traceback of its own
        variables = {"CUTAWAY_STORE": str(disk)} if place == "store" else {"TMPDIR": str(disk)}
        built = site.build(**variables)
        assert built.returncode != 0 or site.pages() == plain.pages()
        if built.returncode:
            assert "space left" in built.said or "disk" in built.said, built.said
            assert "Traceback" not in built.said, built.said
        again = site.build()  # with room enough
        assert again.returncode == 0, again.said
        assert site.pages() == plain.pages()


@pytest.fixture(scope="module")
def users(good: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's store after a first clone was built; tests get copies of it."""
    folder = tmp_path_factory.mktemp("users")
    first = Site.write(folder / "first")
    built = first.build(CUTAWAY_CACHE=str(folder / "cache"))
    assert built.returncode == 0, built.said
    assert first.pages() == good.pages()
    return folder / "cache"


def is_taken_over(said: str) -> bool:
    return not any(made in said for made in ("training", "tracing", "Executed notebook", "drawn"))


def test_a_second_clone_makes_nothing_anew(good: Site, users: Path, tmp_path: Path, attempt) -> None:
    with attempt("second clone, user's store"):
        second = Site.write(tmp_path / "second")
        built = second.build("-j", "2", CUTAWAY_CACHE=str(users))
        assert built.returncode == 0, built.said
        assert is_taken_over(built.said), built.said
        assert second.pages() == good.pages()
        assert second.stored() == good.stored()


@pytest.mark.parametrize("damage", [next(iter(DAMAGES)), *map(rarely, [*DAMAGES][1:])])
def test_a_damaged_user_s_store_is_not_believed(
    good: Site, users: Path, tmp_path: Path, attempt, damage: str
) -> None:
    """Every file but those that vouch for others."""
    cache = tmp_path / "cache"
    shutil.copytree(users, cache)
    with attempt(f"user's store: files {damage}"):
        found = sorted(path for path in cache.rglob("*") if path.is_file() and path.suffix != ".json")
        for one, other in zip(found, [*found[1:], found[0]], strict=True):
            DAMAGES[damage](one, other)
        second = Site.write(tmp_path / "second")
        built = second.build(CUTAWAY_CACHE=str(cache))
        assert built.returncode == 0, built.said
        assert not is_taken_over(built.said)
        assert second.pages() == good.pages()
        third = Site.write(tmp_path / "third")
        built = third.build(CUTAWAY_CACHE=str(cache))
        assert built.returncode == 0 and is_taken_over(built.said), built.said  # it was replaced
        assert third.pages() == good.pages()


def test_two_clones_share_a_cold_user_s_store(good: Site, tmp_path: Path, attempt) -> None:
    with attempt("two clones at once on one cold user's store"):
        sites = [Site.write(tmp_path / name) for name in "ab"]
        running = [site.start(CUTAWAY_CACHE=str(tmp_path / "cache")) for site in sites]
        for site, process in zip(sites, running, strict=True):
            said, _ = process.communicate(timeout=180)
            assert process.returncode == 0, said
            assert site.pages() == good.pages()


@pytest.mark.parametrize("gigabytes", ["0", "0.00002"])  # nothing fits; something goes all the time
def test_a_user_s_store_that_is_too_small(good: Site, tmp_path: Path, attempt, gigabytes: str) -> None:
    cache = tmp_path / "cache"
    with attempt("user's store too small"):
        site = Site.write(tmp_path / "book")
        built = site.build("-j", "2", CUTAWAY_CACHE=str(cache), CUTAWAY_CACHE_GB=gigabytes)
        assert built.returncode == 0, built.said
        assert site.pages() == good.pages()
        assert sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) <= float(gigabytes) * 1e9


@pytest.mark.parametrize("kilobytes", [8, rarely(48)])
@pytest.mark.parametrize("writable", [True, False])
def test_a_user_s_store_without_room_or_right(
    plain: Site, tmp_path: Path, attempt, small_disk: Callable[[int], Path], writable: bool, kilobytes: int
) -> None:
    with attempt("user's store on a full disk" if writable else "user's store that can't be written"):
        disk = small_disk(kilobytes)
        if not writable:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        site = Site.write(tmp_path / "book", cells=False)
        built = site.build(CUTAWAY_CACHE=str(disk))
        assert built.returncode == 0, built.said
        assert site.pages() == plain.pages()
