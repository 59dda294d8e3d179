"""Where clips are drawn: any executor makes the same bytes and none loses a clip; shards and stores make a whole."""

import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from distributed import LocalCluster
from hypothesis import given
from hypothesis import strategies as st

from cutaway.clips import keys as clip_keys
from cutaway.clips.finished import Clip
from cutaway.clips.pool import ForkPool, PoolError, cluster, open_pool, results
from cutaway.clips.pool.copying import PLACES, CopyError, pull, push
from cutaway.clips.pool.job import Parcel, shoot
from cutaway.clips.render import Inputs, Wanted, render
from cutaway.settings import Book
from cutaway.shards import share
from cutaway.store import Store
from tests.clip_book import write_book, write_trace
from tests.faults.site import Site

pytestmark = pytest.mark.slow

# One that is recorded, one that reads values and has a notice, one that is filmed, one that fails.
NAMES = ("Plain", "Reads", "Filmed", "Raises")
WANTED = [Wanted(f"some.{name}", "tiny") for name in NAMES]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return write_book(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def inputs(book: Book) -> Inputs:
    return write_trace(book.confdir / "tiny.json")


@pytest.fixture(scope="module")
def reference(book: Book, inputs: Inputs) -> tuple[dict[Wanted, Clip], dict[str, bytes]]:
    """The clips, and what is in the store then, made by the pool of this machine."""
    clips = render(book, WANTED, inputs, lambda line: None)
    assert [bool(clip.error) for clip in clips.values()] == [False, False, False, True]
    return clips, artifacts(book.store)


def local_cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
    )


@pytest.fixture(scope="module")
def dask() -> Iterator[LocalCluster]:
    with local_cluster(2) as found:
        yield found


def artifacts(store: Store) -> dict[str, bytes]:
    """Every file but what was learnt of costs and of this machine's places."""
    paths = [path for path in sorted(store.root.rglob("*")) if path.is_file() and path.parent.name not in PLACES]
    found = {path.relative_to(store.root).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in found.items() if not data.startswith(b'{"cost"')}


def elsewhere(book: Book, folder: Path, **changes: object) -> Book:
    return replace(book, store=Store(folder), **changes)


def processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, get_context("forkserver"))


@pytest.mark.parametrize(
    "kind", [lambda: ThreadPoolExecutor(2), processes, lambda: ForkPool(1)], ids=["threads", "processes", "forks"]
)
def test_any_executor_makes_the_same_bytes(
    book: Book, inputs: Inputs, reference, tmp_path: Path, kind: Callable[[], Executor]
) -> None:
    other = elsewhere(book, tmp_path)
    assert render(other, WANTED, inputs, lambda line: None, pool=lambda _: kind()) == reference[0]
    assert artifacts(other.store) == reference[1]


def test_a_cluster_makes_the_same_bytes(book: Book, inputs: Inputs, reference, tmp_path: Path, dask) -> None:
    said: list[str] = []
    address = dask.scheduler_address.replace("tcp://", "dask://")
    other = elsewhere(book, tmp_path, executor=address)
    assert render(other, WANTED, inputs, said.append) == reference[0]
    assert artifacts(other.store) == reference[1]
    assert not [line for line in said if "lost" in line]


def test_the_limits_hold_in_a_cluster(book: Book, inputs: Inputs, tmp_path: Path, dask) -> None:
    address = dask.scheduler_address.replace("tcp://", "dask://")
    other = elsewhere(book, tmp_path, executor=address, clip_limit_s=2)
    clips = render(other, [Wanted("some.Hangs", "tiny"), WANTED[0]], inputs, lambda line: None)
    hangs, plain = clips.values()
    assert "cutaway_clip_limit_s = 2 s and was stopped; it was at " in hangs.error
    assert str(book.scenes) in hangs.error  # the author's path, not the worker's
    assert plain.key


def test_a_cluster_that_goes_away_loses_nothing(book: Book, inputs: Inputs, reference, tmp_path: Path) -> None:
    said: list[str] = []
    with local_cluster(1) as leaving:

        def report(line: str) -> None:
            said.append(line)
            if " of 4 some." in line and ("done" in line or "failed" in line) and len(leaving.workers):
                leaving.close()

        other = elsewhere(book, tmp_path, executor=leaving.scheduler_address.replace("tcp", "dask"))
        assert render(other, WANTED, inputs, report) == reference[0]
    assert artifacts(other.store) == reference[1]
    (line,) = [line for line in said if "were lost" in line]
    assert line.endswith("they are drawn again, on this machine")


def test_a_lost_worker_is_replaced_and_leaves_no_process(book: Book, inputs: Inputs, reference, tmp_path: Path) -> None:
    lasting = Wanted("some.Hangs", "tiny")
    said: list[str] = []
    scenes: list[int] = []
    before = children_of(os.getpid(), "cutaway.clips.scene.worker")

    def report(line: str) -> None:
        said.append(line)
        if "some.Hangs ..." in line and not scenes:
            (worker,) = wait_for(lambda: [*({*children_of(os.getpid(), "cutaway.clips.scene.worker")} - {*before})])
            scenes.extend(wait_for(lambda: children_of(worker, "cutaway.clips.scene.worker")))
            os.kill(worker, signal.SIGKILL)

    other = elsewhere(book, tmp_path, clip_limit_s=4)
    clips = render(other, [lasting, WANTED[0]], inputs, report)
    assert clips[WANTED[0]] == reference[0][WANTED[0]]
    assert "cutaway_clip_limit_s = 4 s" in clips[lasting].error
    # By the worker's end, and not by the patience with a silent pool.
    assert [line for line in said if "were lost (StudioEnded" in line], said
    assert scenes
    assert not [pid for pid in scenes if is_running(pid)]


def children_of(pid: int, command: str) -> list[int]:
    found = [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return [child for child in found if command in Path(f"/proc/{child}/cmdline").read_text()]


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(look: Callable[[], list[int]]) -> list[int]:
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_processes_that_are_killed_lose_nothing(book: Book, inputs: Inputs, reference, tmp_path: Path) -> None:
    pool = processes()
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        if len(said) == 1:
            for process in list(pool._processes.values()):
                process.kill()

    other = elsewhere(book, tmp_path)
    assert render(other, WANTED, inputs, report, pool=lambda _: pool) == reference[0]
    assert any("were lost (BrokenProcessPool" in line for line in said)


class Silent(Executor):
    """Takes jobs and never says a word."""

    def submit(self, fn, /, *args, **kwargs):
        return Future()


def test_a_pool_that_falls_silent_is_given_up(
    book: Book, inputs: Inputs, reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "GRACE_S", -59.5)
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        monkeypatch.undo()

    clips = render(elsewhere(book, tmp_path), WANTED[:1], inputs, report, pool=lambda _: Silent())
    assert clips[WANTED[0]] == reference[0][WANTED[0]]
    assert "1 clips were lost (nothing came from the pool for 0 s)" in said[0]


def test_another_setup_is_refused(book: Book, inputs: Inputs) -> None:
    parcel = Parcel.pack(book.scenes, inputs.traces)
    stale = replace(parcel, setup={**parcel.setup, "manim": "0.1"})
    job = {"scene": "some.Plain", "run": "tiny", "limit_s": 9, "limit_mb": 900, **inputs.plain()}
    assert "manim is 0.22.0 and not 0.1; install there what is here" in shoot(job, stale).facts["error"]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("ray://here:1", "nothing is known of 'ray'; write dask://HOST:PORT"),
        ("8 workers", "nothing is known of '8 workers'"),
        ("dask://127.0.0.1:9", "no scheduler answers"),
        ("dask://", "no scheduler answers"),
    ],
)
def test_an_executor_that_is_not_there(book: Book, setting: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with pytest.raises(PoolError) as caught:
        open_pool(replace(book, executor=setting))
    assert says in str(caught.value)
    assert setting in str(caught.value)


def test_a_book_without_its_executor_is_built_here(tmp_path: Path) -> None:
    site = Site.write(tmp_path / "book", cells=False)
    built = site.build("-b", "clips", "-D", "cutaway_executor=ray://here:1")
    assert built.returncode == 1
    assert built.said.count("WARNING: cutaway_executor = 'ray://here:1'") == 1, built.said
    assert "[cutaway.executor]" in built.said
    assert "2 clips drawn in" in built.said


def test_where_nothing_is_missing_no_pool_is_opened(book: Book, inputs: Inputs, reference) -> None:
    drawn = WANTED[:3]
    assert render(book, drawn, inputs, print, pool=pytest.fail) == {want: reference[0][want] for want in drawn}


def test_the_peak_of_memory_is_told(book: Book, inputs: Inputs, tmp_path: Path) -> None:
    said: list[str] = []
    other = elsewhere(book, tmp_path)
    render(other, WANTED[:1], inputs, said.append)
    (line,) = [line for line in said if " done, " in line]
    peak = clip_keys.hint(other.store, "some.Plain")["peak_mb"]
    assert f"done, {peak} MB in " in line
    assert 30 < peak < other.clip_limit_mb  # a process with Manim in it


# Shards


@given(st.lists(st.text(max_size=5)), st.integers(1, 12))
def test_shards_cover_all_exactly_once(scenes: list[str], count: int) -> None:
    shares = [share(scenes, f"{number + 1}/{count}") for number in range(count)]
    assert Counter(scene for part in shares for scene in part) == Counter(set(scenes))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert shares == [share(reversed(scenes), f"{number + 1}/{count}") for number in range(count)]


@pytest.mark.parametrize("shard", ["0/4", "5/4", "2", "2/0", "a/b", "-1/4", "1/4 ", "１/4"])
def test_a_shard_is_one_of_several(shard: str) -> None:
    with pytest.raises(ValueError, match="write 2/4 for the second share of four"):
        share(["a"], shard)


def test_a_build_says_what_a_shard_is(tmp_path: Path) -> None:
    site = Site.write(tmp_path / "book", cells=False)
    built = site.build("-b", "clips", "-D", "cutaway_shard=5/4")
    assert built.returncode == 1
    assert "WARNING: cutaway_shard = '5/4': write 2/4 for the second share of four [cutaway.runs]" in built.said
    assert "ValueError" not in built.said


def test_stores_of_shards_make_a_build_that_draws_nothing(tmp_path: Path) -> None:
    site = Site.write(tmp_path / "book")
    stores = [tmp_path / f"store{number}" for number in (1, 2)]
    running = []
    for number, store in enumerate(stores, 1):
        options = ["-b", "clips", "-D", f"cutaway_shard={number}/2", "-d", f"out/doctrees{number}"]
        running.append(site.start(*options, CUTAWAY_STORE=str(store)))
    said = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert not list((site.folder / "out/html").glob("*.html"))
    drawn = [scene for text in said for scene in re.findall(r"clip \d+ of \d+ (\S+) done", text)]
    assert sorted(drawn) == ["first.Fades", "first.Grows"], said
    for store in stores:
        assert {name for name in _common(store, tmp_path / "joined") if name} == set()
        shutil.copytree(store, tmp_path / "joined", dirs_exist_ok=True)
    built = site.build(CUTAWAY_STORE=str(tmp_path / "joined"))
    assert built.returncode == 0, built.said
    assert "clip 1 of" not in built.said
    assert (site.folder / "out/html/clips.html").read_text("utf-8").count("data-recording=") == 2


def _common(one: Path, other: Path) -> set[str]:
    """Artifacts that two stores have with different bytes: copying would lose one. A place's own are none."""
    ours, theirs = artifacts(Store(one)), artifacts(Store(other))
    return {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name] and name[:5] != "book/"}


# Stores elsewhere


@pytest.mark.parametrize("scheme", ["file://", "memory://", ""])
def test_a_store_goes_there_and_back(reference, book: Book, tmp_path: Path, scheme: str) -> None:
    url = f"{scheme}{tmp_path}/there"
    count = push(book.store, url, print)
    assert count == len([path for path in book.store.root.glob("*/*") if path.parent.name not in PLACES])
    assert push(book.store, url, print) == 0
    other = Store(tmp_path / "back")
    assert pull(other, url, print) == count
    assert artifacts(other) == reference[1]
    assert pull(other, url, print) == 0
    assert not list(tmp_path.rglob(".*"))


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    here.write("clip", "abc", ".js", b"ours")
    there.write("clip", "abc", ".js", b"theirs")
    there.write("clip", "def", ".js", b"more")
    assert (push(here, str(there.root), print), pull(here, str(there.root), print)) == (0, 1)
    assert artifacts(here) == {"clip/abc.js": b"ours", "clip/def.js": b"more"}
    assert artifacts(there)["clip/abc.js"] == b"theirs"


def test_no_file_of_another_store_stands_outside_ours(tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    files = MemoryFileSystem()
    bad = ("clip/../../../evil.js", "clip/.hidden-1.js", "book/a.json", "x")
    files.pipe({f"/bad/{name}": b"" for name in bad} | {"/bad/clip/abc.js": b"good"})
    assert pull(Store(tmp_path / "store"), "memory://bad", print) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["abc.js"]


@pytest.mark.parametrize("url", ["nothing-like-it://here/there", "s3+x://a"])
def test_a_store_that_nobody_knows(tmp_path: Path, url: str) -> None:
    with pytest.raises(CopyError, match="another URL of fsspec's"):
        push(Store(tmp_path), url, print)
