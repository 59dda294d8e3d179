"""What the tests share is made once, by one of those who ask, and again where it is not what it was."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kept import OLD_S, digest_of_files, digest_of_tools, kept


class Making:
    """Fills a folder and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path) -> list[str]:
        self.times += 1
        time.sleep(0.1)
        (folder / "html").mkdir(parents=True)
        (folder / "html/index.html").write_text("made", "utf-8")
        return ["said"]


def test_one_makes_it_for_all_who_ask_at_once(tmp_path: Path) -> None:
    making = Making()
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: kept(tmp_path, "key", making)[0], range(4)))
    assert making.times == 1 and found == {tmp_path / "key"}
    assert kept(tmp_path, "key", making) == (tmp_path / "key", ["said"])
    assert kept(tmp_path, "other", making)[0] != tmp_path / "key" and making.times == 2


@pytest.mark.parametrize("harm", ["edited", "removed", "added", "record"])
def test_what_is_not_as_it_was_left_is_made_again(tmp_path: Path, harm: str) -> None:
    making = Making()
    page = kept(tmp_path, "key", making)[0] / "html/index.html"
    if harm == "removed":
        page.unlink()
    else:
        path = {"edited": page, "added": page.with_name("new.html"), "record": tmp_path / "key.json"}[harm]
        path.write_text("other", "utf-8")
    assert kept(tmp_path, "key", making) == (tmp_path / "key", ["said"]) and making.times == 2
    assert page.read_text("utf-8") == "made" and not page.with_name("new.html").exists()


def test_who_fails_leaves_nothing_that_counts(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        folder.mkdir()
        raise AssertionError("no")

    with pytest.raises(AssertionError, match="no"):
        kept(tmp_path, "key", failing)
    making = Making()
    assert kept(tmp_path, "key", making)[1] == ["said"] and making.times == 1


def test_what_nobody_asked_for_in_a_week_is_removed(tmp_path: Path) -> None:
    for key in ("old", "new"):
        kept(tmp_path, key, Making())
    os.utime(tmp_path / "old.json", (time.time() - OLD_S - 60,) * 2)
    kept(tmp_path, "third", Making())
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"new", "third"}


def test_a_key_follows_bytes_names_and_what_a_build_heeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    page, seen = source / "page.md", []
    for text in ("one", "two"):
        page.write_text(text, "utf-8")
        seen.append(digest_of_files([source]))
    page.rename(source / "moved.md")
    seen += [digest_of_files([source]), digest_of_files([source, tmp_path / "gone"])]
    assert len(set(seen[:3])) == 3 and seen[2] == seen[3]
    before = digest_of_tools()
    monkeypatch.setenv("UNHEEDED", "1")
    assert digest_of_tools() == before
    monkeypatch.setenv("CUTAWAY_BASEURL", "https://example.org/")
    assert digest_of_tools() != before
