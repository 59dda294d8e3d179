"""Shards: what is written is read, damage is named and refused, a kill at any moment does no harm."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanochat import dataset, files
from nanochat.data import corpus
from nanochat.data.manifest import ShardError, check_shards, read_manifest
from nanochat.dataset import documents, list_parquet_files, write_shards

SOURCE = Path(dataset.__file__).parents[1]
DOCUMENTS = [f"document {i}\n" * (i % 7 + 1) for i in range(50)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five shards of ten documents, in row groups of three."""
    write_shards(DOCUMENTS, tmp_path / "data", "numbers", shard_count=5, row_group_size=3)
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# ---- documents


def test_sections_of_the_handbook() -> None:
    source, sections = corpus.python_docs()
    assert source.startswith("pydoc_data.topics of Python 3.")
    everything = "".join(topics.values())
    assert all(section in everything for section in sections)
    bodies = {" ".join(section.split("\n", 2)[2].split()) for section in sections if re.match(r".+\n\*+\n", section)}
    assert len(bodies) == sum(bool(re.match(r".+\n\*+\n", section)) for section in sections)  # none is there twice
    # Nothing is lost but repetitions: what stands in no section are titles that have no text, and underlines.
    lines = {line for section in sections for line in section.splitlines()}
    lost = {line for line in everything.splitlines() if line not in lines}
    titles = {match[1] for match in corpus.HEADING.finditer(everything)}
    assert all(line in titles or set(line) <= set("*=-~^") for line in lost)


def test_topics_are_cut_before_headings() -> None:
    text = "intro\n\nTitle\n=====\n\nbody\n\na | b\n======\n\nNext\n----\n\nmore\n"
    assert corpus.cut_at_headings(text) == [
        "intro\n\n", "Title\n=====\n\nbody\n\na | b\n======\n\n", "Next\n----\n\nmore\n"
    ]  # fmt: skip
    for topic in topics.values():
        assert "".join(corpus.cut_at_headings(topic)) == topic


@given(st.text("ab\n", max_size=80), st.integers(1, 20))
def test_pieces_are_the_text(text: str, characters: int) -> None:
    pieces = list(corpus.cut(text, characters))
    assert "".join(pieces) == text
    assert all(len(piece) >= characters for piece in pieces[:-1])
    end = "\n\n" if "\n\n" in text.rstrip("\n") else "\n"
    assert all(piece.endswith(end) for piece in pieces[:-1])


def test_the_digest_tells_where_documents_end() -> None:
    size = corpus.measure(["ab", "é"])
    data = b"\x02" + bytes(7) + b"ab" + b"\x02" + bytes(7) + "é".encode()
    assert size == corpus.Size(2, 3, 4, hashlib.sha256(data).hexdigest())
    assert corpus.measure(["a", "bé"]).digest != size.digest


# ---- shards


@given(
    texts=st.lists(st.text(max_size=30), min_size=2, max_size=30),
    shards=st.integers(2, 6),
    rows=st.one_of(st.none(), st.integers(1, 5)),
)
def test_what_is_written_is_read(tmp_path_factory, texts: list[str], shards: int, rows: int | None) -> None:
    folder = tmp_path_factory.mktemp("shards")
    shards = min(shards, len(texts))
    manifest = write_shards(texts, folder, "any", shards, rows)
    shuffled = list(texts)
    random.Random(42).shuffle(shuffled)
    train, val = list(documents("train", folder)), list(documents("val", folder))
    assert train + val == shuffled
    assert val == pq.read_table(folder / f"shard_{shards - 1:05d}.parquet").column("text").to_pylist()
    assert corpus.Size(**manifest.size) == corpus.measure(shuffled)
    assert read_manifest(folder) == manifest


def test_the_format_of_a_shard(folder: Path) -> None:
    for path in list_parquet_files(folder):
        metadata = pq.ParquetFile(path).metadata
        assert metadata.schema.names == ["text"]
        assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [3, 3, 3, 1]
        assert metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_processes_share_row_groups_out(folder: Path, step: int) -> None:
    shares = [list(dataset.parquets_iter_batched("train", start, step, folder)) for start in range(step)]
    seen = [text for share in shares for batch in share for text in batch]
    assert sorted(seen) == sorted(documents("train", folder))
    assert shares[0][0] == list(documents("train", folder))[:3]


def test_row_groups_are_small_in_small_corpora(tmp_path: Path) -> None:
    assert write_shards(DOCUMENTS, tmp_path / "a", "x").row_group_size == 1
    assert write_shards(DOCUMENTS * 400, tmp_path / "b", "x", shard_count=2).row_group_size == 1024
    assert write_shards(DOCUMENTS * 2, tmp_path / "c", "x", shard_count=4).row_group_size == 6


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def swap(path: Path) -> None:
    other = path.with_name("shard_00003.parquet")
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, r"shard_00001\.parquet has [\d,]+ bytes and should have [\d,]+: cut off or changed; delete it"),
        (change, r"shard_00001\.parquet is not what was written: its digest differs"),
        (swap, r"shard_00001\.parquet (has|is not)"),
        (lambda path: path.with_name("shard_00009.parquet").write_bytes(path.read_bytes()), "is not in manifest.json"),
    ],
    ids=["truncated", "changed", "swapped", "one too many"],
)
def test_damage_is_named_and_refused(folder: Path, damage, message: str) -> None:
    damage(folder / "shard_00001.parquet")
    damaged = contents(folder)
    with pytest.raises(ShardError, match=message):
        list_parquet_files(folder)
    with pytest.raises(ShardError, match=message):
        write_shards(DOCUMENTS, folder, "numbers", shard_count=5, row_group_size=3)
    assert contents(folder) == damaged


def test_only_what_is_missing_is_written(folder: Path) -> None:
    whole = contents(folder)
    times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    (folder / "shard_00002.parquet").unlink()
    (folder / "shard_00004.parquet.99.tmp").write_bytes(b"left behind")
    with pytest.raises(ShardError, match=r"lacks shard_00002\.parquet \(1 of 5 shards\)"):
        list_parquet_files(folder)
    write_shards(DOCUMENTS, folder, "numbers", shard_count=5, row_group_size=3)
    assert contents(folder) == whole
    again = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}
    assert [name for name in times if times[name] != again[name]] == ["shard_00002.parquet"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"documents": DOCUMENTS[1:]}, "its size is"),
        ({"source": "letters"}, "its source is numbers, this one's is letters"),
        ({"seed": 1}, "its seed is 42, this one's is 1"),
        ({"shard_count": 4}, "its shard_count is 5"),
        ({"row_group_size": 4}, "its row_group_size is 3"),
    ],
)
def test_another_corpus_is_not_mixed_in(folder: Path, change: dict, message: str) -> None:
    before = contents(folder)
    asked = {"documents": DOCUMENTS, "source": "numbers", "shard_count": 5, "row_group_size": 3} | change
    with pytest.raises(ShardError, match=message):
        write_shards(folder=folder, **asked)
    assert contents(folder) == before


def test_manifests_that_can_not_be_read(folder: Path) -> None:
    path = folder / "manifest.json"
    fields = json.loads(path.read_text())
    for text, message in (
        ("{", "can't be read"),
        ("[]", "can't be read"),
        (json.dumps({**fields, "colour": 1}), "can't be read"),
        (json.dumps({**fields, "format": "other"}), "has the format 'other'"),
    ):
        path.write_text(text)
        with pytest.raises(ShardError, match=message):
            list_parquet_files(folder)
    path.unlink()
    with pytest.raises(ShardError, match=r"no shards at .*: make them with 'python -m nanochat\.dataset'"):
        list_parquet_files(folder)


def test_what_makes_no_shards(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 documents can't make 2 shards"):
        write_shards(["a"], tmp_path, "x", shard_count=2)
    with pytest.raises(ValueError, match="50 documents can't make 1 shards"):
        write_shards(DOCUMENTS, tmp_path, "x", shard_count=1)
    with pytest.raises(ValueError, match="split='test': it is 'train' or 'val'"):
        dataset.split_files("test", tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- killed


KILLED = """
import os, signal, sys
from pathlib import Path
from nanochat.dataset import write_shards

def die_at(moment):
    calls = [0]
    def mortal(function):
        def call(*args):
            if calls[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            calls[0] += 1
            return function(*args)
        return call
    os.fsync, os.replace = mortal(os.fsync), mortal(os.replace)

documents, moment = eval(sys.stdin.readline()), 0
while True:
    child = os.fork()
    if child == 0:
        die_at(moment)
        write_shards(documents, Path(sys.argv[1]) / str(moment), "x", shard_count=3)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    moment += 1
print(moment)
"""


def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    """SIGKILL before each time that something would be made final: until one run gets through."""
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], input=repr(DOCUMENTS), env=env, capture_output=True, text=True,
        timeout=300, check=True,
    )  # fmt: skip
    moments = int(done.stdout)
    assert moments == 3 * 4  # of each shard and its manifest: on the disk, and renamed
    whole = contents(tmp_path / str(moments))
    for moment in range(moments):
        folder = tmp_path / str(moment)
        for path in folder.glob("*.parquet"):
            assert path.read_bytes() == whole[path.name]
        if (folder / "manifest.json").exists():
            check_shards(read_manifest(folder), folder)
        write_shards(DOCUMENTS, folder, "x", shard_count=3)
        assert contents(folder) == whole


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "shard_00002.parquet").unlink()
    before = contents(folder)

    def full(table: object, path: Path, **options: object) -> None:
        path.write_bytes(b"PAR1")
        raise OSError("no space left on device")

    monkeypatch.setattr(dataset.pq, "write_table", full)
    with pytest.raises(OSError, match="no space"):
        write_shards(DOCUMENTS, folder, "numbers", shard_count=5, row_group_size=3)
    assert contents(folder) == before


# ---- the command


def test_base_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path))
    assert files.get_base_dir() == tmp_path
    assert files.get_base_dir("else") == Path("else")
    assert dataset.get_data_dir() == tmp_path / "base_data"
    monkeypatch.delenv("NANOCHAT_BASE_DIR")
    assert files.get_base_dir() == Path.home() / ".cache" / "nanochat"


def test_command_makes_shards_of_the_handbook(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path))
    dataset.main(["--python-docs"])
    _, sections = corpus.python_docs()
    said = capsys.readouterr().out
    assert f"{len(sections):,} documents, {sum(map(len, sections)):,} characters" in said
    found = [*documents("train"), *documents("val")]
    assert sorted(found) == sorted(sections)
    assert corpus.measure(found).digest in said
    dataset.main(["--check"])
    assert capsys.readouterr().out == said
    dataset.main(["--python-docs", "--document-chars", "500", "--folder", str(tmp_path / "short")])
    pieces = [*documents("train", tmp_path / "short"), *documents("val", tmp_path / "short")]
    assert sum(map(len, pieces)) == pytest.approx(sum(map(len, sections)), abs=200)  # without empty pieces
    assert len(pieces) > 2 * len(sections)


def test_command_makes_shards_of_a_text(tmp_path: Path) -> None:
    text = "".join(f"Paragraph {i}, é.\n{'and more. ' * (i % 5)}\n\n" for i in range(100))
    (tmp_path / "mine.txt").write_text(text, encoding="utf-8")
    data = tmp_path / "data"
    dataset.main(["--text", str(tmp_path / "mine.txt"), "--folder", str(data), "--document-chars", "80"])
    assert sorted([*documents("train", data), *documents("val", data)]) == sorted(corpus.cut(text, 80))
    assert read_manifest(data).source == "mine.txt"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text", "none.txt"], "dataset: no text at none.txt"),
        (["--text", "latin.txt"], "dataset: latin.txt: byte 0 is no UTF-8 .* convert it to UTF-8"),
        (["--text", "short.txt"], "dataset: 1 documents can't make 10 shards"),
        (["--check"], "dataset: no shards at data"),
        (["--check", "--row-group", "0"], "2"),
        ([], "2"),
    ],
)
def test_command_says_what_is_wrong(options, message, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.txt").write_bytes(b"\xe9")
    Path("short.txt").write_text("a")
    with pytest.raises(SystemExit, match=message):
        dataset.main([*options, "--folder", "data"])
    assert not Path("data").exists()
