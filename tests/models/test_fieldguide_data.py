"""`fieldguide data`: damage of every kind is found in every kind of shard, whole data are left alone."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldguide.__main__ import main
from fieldguide.data.documents import Digests
from fieldguide.data.tokens import hashes
from nanochat.data.corpus import python_docs
from nanochat.data.manifest import MANIFEST
from nanochat.dataset import write_shards
from nanogpt.data import prepare_char

DOCUMENTS = python_docs()[1]
TEXT = "\n\n".join(DOCUMENTS[:120])
CHAT = [{"role": "user", "content": "how many?"}, {"role": "assistant", "content": "three"}]
Says = Callable[..., dict]


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Says:
    """What the tool reports, as a program reads it."""

    def ask(*arguments: object) -> dict:
        capsys.readouterr()
        code = main(["data", *map(str, arguments), "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["exit_code"] == code
        return report

    return ask


def alarms(report: dict) -> list[str]:
    return [finding["what"] for finding in report["findings"] if finding["level"] in ("warning", "error")]


@pytest.fixture
def chars(tmp_path: Path) -> Path:
    prepare_char(TEXT, tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    write_shards(DOCUMENTS, tmp_path / "shards", "the handbook", 4, 16)
    return tmp_path / "shards"


def change(path: Path, ids: np.ndarray, dtype: str = "<u2") -> None:
    ids.astype(dtype).tofile(path)


def read(path: Path) -> np.ndarray:
    return np.fromfile(path, dtype="<u2").astype(np.int64)


def test_whole_data_of_every_kind_are_left_alone(says: Says, chars: Path, shards: Path, tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text("".join(json.dumps([*CHAT, *CHAT][: 2 * k]) + "\n" for k in (1, 2)))
    (tmp_path / "text.txt").write_text(TEXT)
    report = says(chars, shards, tmp_path / "chat.jsonl", tmp_path / "text.txt", "--block-size", 64)
    assert not alarms(report) and report["exit_code"] == 0
    said = [finding["what"] for finding in report["findings"]]
    assert any("All 4 shards are as manifest.json has them" in what for what in said)
    assert sum("The parts are apart" in what for what in said) == 2
    assert [file["part"] for file in report["files"] if file["file"].endswith("parquet")] == ["train"] * 3 + ["val"]


def odd(folder: Path) -> None:
    with (folder / "train.bin").open("ab") as file:
        file.write(b"x")


def swapped(folder: Path) -> None:
    os.rename(folder / "train.bin", folder / "other")
    os.rename(folder / "val.bin", folder / "train.bin")
    os.rename(folder / "other", folder / "val.bin")


def hole(folder: Path) -> None:
    ids = read(folder / "train.bin")
    ids[-8000:] = 0
    change(folder / "train.bin", ids)


def another_meta(folder: Path) -> None:
    """The table of a text with more characters: the same numbers are other characters."""
    meta = pickle.loads((folder / "meta.pkl").read_bytes())
    table = sorted([*meta["stoi"], *"¡¢£¤¥¦"], key=lambda c: (c not in "¡¢£¤¥¦", c))
    itos = dict(enumerate(table))
    (folder / "meta.pkl").write_bytes(
        pickle.dumps({"vocab_size": len(table), "itos": itos, "stoi": {c: i for i, c in itos.items()}})
    )


def contradiction(folder: Path) -> None:
    meta = pickle.loads((folder / "meta.pkl").read_bytes())
    (folder / "meta.pkl").write_bytes(pickle.dumps({**meta, "vocab_size": meta["vocab_size"] + 3}))


TOKEN_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "odd": (odd, "is cut short"),
    "empty": (lambda folder: (folder / "val.bin").write_bytes(b""), "val.bin is empty"),
    "ids": (lambda folder: change(folder / "val.bin", read(folder / "val.bin") + 60), "ids that are not below"),
    "hole": (hole, "times in a row"),
    "eight bytes": (lambda folder: change(folder / "train.bin", read(folder / "train.bin"), "<i8"), "eight bytes a"),
    "no val": (lambda folder: (folder / "val.bin").unlink(), "There is train.bin, and no val.bin"),
    "pointer": (
        lambda folder: (folder / "train.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "train.bin has no tokens",
    ),
    "four bytes": (lambda folder: change(folder / "train.bin", read(folder / "train.bin"), "<u4"), "four bytes a"),
    "no meta": (lambda folder: (folder / "meta.pkl").unlink(), "there is no meta.pkl"),
    "other meta": (another_meta, "this is no text"),
    "contradiction": (contradiction, "contradicts itself"),
    "swapped": (swapped, "The split is odd"),
    "short": (lambda folder: change(folder / "val.bin", read(folder / "val.bin")[:64]), "not one window of 64"),
    "leak": (
        lambda folder: change(folder / "val.bin", read(folder / "train.bin")[70_001:82_000]), "validation part is in"
    ),
    "half a leak": (
        lambda folder: change(
            folder / "train.bin", np.concatenate([read(folder / "train.bin"), read(folder / "val.bin")[500:3000]])
        ),
        "validation part is in",
    ),
    "repeats": (lambda folder: change(folder / "train.bin", np.tile(read(folder / "train.bin"), 3)), "repeats itself"),
    "llm.c": (
        lambda folder: change(
            folder / "train.bin", np.concatenate([[20240520 % 65536, 20240520 >> 16], read(folder / "train.bin")])
        ),
        "llm.c's header",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_a_fault_of_tokens_is_found(says: Says, chars: Path, fault: str) -> None:
    make, told = TOKEN_FAULTS[fault]
    make(chars)
    report = says(chars, "--block-size", 64)
    assert any(told in alarm for alarm in alarms(report)), alarms(report)


def test_a_refused_meta_is_not_said_to_be_missing(says: Says, chars: Path) -> None:
    (chars / "meta.pkl").write_bytes(b"no pickle")
    assert "there is no meta.pkl" not in json.dumps(says(chars))
    change(chars / "train.bin", read(chars / "train.bin") + 60_000)
    assert "there is no meta.pkl" not in json.dumps(says(chars))
    assert "there is no meta.pkl" not in json.dumps(says(chars, "--vocab-size", 100))


def test_another_tokenizer_of_the_same_size_comes_with_a_way_to_be_sure(says: Says, chars: Path) -> None:
    meta = pickle.loads((chars / "meta.pkl").read_bytes())
    table = sorted(meta["stoi"], reverse=True)
    itos = dict(enumerate(table))
    (chars / "meta.pkl").write_bytes(
        pickle.dumps({"vocab_size": len(table), "itos": itos, "stoi": {c: i for i, c in itos.items()}})
    )
    (found,) = [each for each in says(chars)["findings"] if "this is no text" in each["what"]]
    assert "To be sure, decode a line" in found["advice"] and "compare the sha256" in found["advice"]


def write(path: Path, texts: list[str | None]) -> None:
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path, row_group_size=16)


def truncate(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 255
    path.write_bytes(data)


def shard(number: int) -> Callable[[Path], Path]:
    return lambda folder: folder / f"shard_{number:05d}.parquet"


SHARD_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda f: truncate(shard(1)(f), 0.7), "can't be read as parquet"),
    "cut, by the manifest": (lambda f: truncate(shard(1)(f), 0.7), "cut short or changed"),
    "flipped": (lambda f: flip(shard(1)(f)), "shard_00001.parquet was changed"),
    "empty": (lambda f: shard(0)(f).write_bytes(b""), "shard_00000.parquet is empty"),
    "html": (lambda f: shard(0)(f).write_bytes(b"<html>not found</html>"), "can't be read as parquet"),
    "missing": (lambda f: shard(1)(f).unlink(), "1 shards of the manifest are missing"),
    "stranger": (lambda f: write(f / "shard_00009.parquet", ["a"]), "is not in manifest.json"),
    "manifest": (lambda f: (f / "manifest.json").write_text("{"), "manifest.json can't be read"),
    "nulls": (lambda f: write(shard(0)(f), ["some text", None]), "rows without a text"),
    "empty documents": (lambda f: write(shard(0)(f), ["some text", "", " \n"]), "2 empty documents"),
    "doubles": (lambda f: write(shard(0)(f), [*DOCUMENTS[:40], *DOCUMENTS[:10]]), "10 documents of 50 twice"),
    "copied shard": (lambda f: shard(1)(f).write_bytes(shard(0)(f).read_bytes()), "in several files"),
    "leak": (lambda f: shard(3)(f).write_bytes(shard(0)(f).read_bytes()), "are in the training part"),
    "garbled": (
        lambda f: write(shard(0)(f), [f"{i} cafÃ© â€œquotedâ€\x9d" for i in range(9)]), "decoded wrongly"
    ),
    "another column": (
        lambda f: pq.write_table(pa.table({"content": ["a"]}), shard(0)(f)), "has no column text"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", SHARD_FAULTS)
def test_a_fault_of_shards_is_found(says: Says, shards: Path, fault: str) -> None:
    make, told = SHARD_FAULTS[fault]
    make(shards)
    assert any(told in alarm for alarm in alarms(says(shards))), alarms(says(shards))


def test_a_gap_among_downloaded_shards_is_found_and_the_last_one_may_stand_apart(says: Says, tmp_path: Path) -> None:
    for number in (0, 1, 3, 6542):
        write(tmp_path / f"shard_{number:05d}.parquet", DOCUMENTS[number % 7 * 20 :][:20])
    (tmp_path / "shard_00002.parquet.tmp").write_bytes(b"")
    report = says(tmp_path)
    assert alarms(report) == ["1 shards are missing, the first is number 2"]
    write(tmp_path / "shard_00002.parquet", DOCUMENTS[120:140])
    assert not alarms(says(tmp_path))


CHAT_FAULTS = {
    b'[{"role": "user", "content": "hi"}': "is no JSON",
    b'[{"role": "user", "content": "hi"}]': "has no message of the assistant",
    b'[{"role": "assistant", "content": "hi"}]': "has roles that do not take turns",
    b'[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]':
        "ends with the user",
    b'[{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}]': "has a message without text",
    b'{"prompt": "a"}': "has neither messages nor a text",
    b"[]": "has no message",
    b'["\xff"]': "is no UTF-8",
    b"[" * 100_000: "is no JSON",
}  # fmt: skip


@pytest.mark.parametrize("line", CHAT_FAULTS, ids=range(len(CHAT_FAULTS)))
def test_a_fault_of_conversations_is_found_with_its_line(says: Says, tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_bytes(json.dumps(CHAT).encode() + b"\n\n" + line + b"\n")
    assert any(f"line 3: it {CHAT_FAULTS[line]}" in alarm for alarm in alarms(says(path)))


def test_faults_of_text_are_found(says: Says, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_bytes(TEXT.encode()[:200_000] + b"\xff\xfe")
    (tmp_path / "val.txt").write_text("\n\n".join(TEXT[:150_000].split("\n\n")[:-1]) + "\x00")
    found = alarms(says(tmp_path))
    for told in ("no UTF-8", "null characters", "are in the training part"):
        assert any(told in alarm for alarm in found), found


class Evil:
    """A pickle that would leave a trace if it were executed."""

    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/fieldguide-was-here",)


def test_hostile_files_do_no_harm(says: Says, chars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (chars / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": 3, "x": Evil()}))
    assert [alarm.partition("set/")[2] for alarm in alarms(says(chars))] == ["meta.pkl is not used"]
    assert not Path("/tmp/fieldguide-was-here").exists()
    (tmp_path / "a.txt").write_text("\x1b[2J\x1b]0;owned\x07 cafÃ©\n")
    (tmp_path / "loop.bin").symlink_to(tmp_path / "loop.bin")
    (tmp_path / "s.parquet").write_bytes(b"PAR1" + b"\x00" * 20 + b"\xff\xff\xff\xffPAR1")
    assert main(["data", str(tmp_path)]) == 1
    assert "\x1b" not in capsys.readouterr().out
    assert main(["data", str(tmp_path / "loop.bin")]) == 2
    assert main(["data", "/dev/zero"]) == 2 and main(["data", str(tmp_path / "missing")]) == 2


def test_a_parquet_bomb_is_not_unpacked(says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldguide.data.shards.BIG", 1 << 20)
    pq.write_table(pa.table({"text": ["a" * 1_000_000] * 8}), tmp_path / "s.parquet", compression="zstd",
                   use_dictionary=False)  # fmt: skip
    assert any("it is not unpacked" in alarm for alarm in alarms(says(tmp_path)))


@settings(max_examples=50)
@given(st.binary(max_size=400), st.sampled_from(["a.bin", "a.jsonl", "a.txt", "a.parquet", "meta.pkl", MANIFEST]))
def test_any_bytes_are_reported(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "train.bin").write_bytes(bytes(range(200)))
    (folder / name).write_bytes(data if name != "a.parquet" else b"PAR1" + data + b"PAR1")
    assert main(["data", str(folder)]) in (0, 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 8), st.integers(0, 20))
def test_windows_have_one_hash_if_and_only_if_they_are_the_same(ids: list[int], window: int, moved: int) -> None:
    plain = np.array(ids, dtype=np.uint32)
    found = hashes(plain, window)
    want = [tuple(ids[i : i + window]) for i in range(len(ids) - window + 1)]
    assert len(set(found.tolist())) == len(set(want)) and len(found) == len(want)
    before = np.arange(moved, dtype=np.uint32)
    np.testing.assert_array_equal(hashes(np.concatenate([before, plain]), window)[moved:], found)


def test_short_documents_are_there_twice_by_chance_and_long_ones_are_not(says: Says, tmp_path: Path) -> None:
    def lines(texts: list[str]) -> Path:
        (tmp_path / "train.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        return tmp_path / "train.jsonl"

    answers = ["Yes.", "No.", "I do not know."] * 20
    report = says(lines([*DOCUMENTS[:60], *answers]))
    assert not alarms(report)
    assert any("57 short documents of 120 twice" in finding["what"] for finding in report["findings"])
    assert "10 documents of 130 twice" in alarms(says(lines([*DOCUMENTS[:60], *answers, *DOCUMENTS[:10]])))[0]


def test_bytes_are_a_vocabulary_of_which_a_text_uses_some(says: Says, chars: Path) -> None:
    for name, part in (("train", TEXT[:90_000]), ("val", TEXT[90_000:110_000])):
        change(chars / f"{name}.bin", np.frombuffer(part.encode(), np.uint8))
    (chars / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": 256}))
    assert not alarms(says(chars))


def test_a_tokenizer_of_hugging_faces_has_a_size(says: Says, chars: Path, tmp_path: Path) -> None:
    fields = {"model": {"vocab": {"a": 0, "b": 1}}, "added_tokens": [{"id": 50, "content": "<|end|>"}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(fields))
    (chars / "meta.pkl").unlink()
    assert any("not below the vocabulary of 51" in alarm for alarm in alarms(says(chars, "--tokenizer", tmp_path)))


def test_doubles_are_estimated_in_bounded_memory() -> None:
    digests = Digests(most=1000)
    rng = np.random.default_rng(0)
    for digest in rng.integers(0, 1 << 60, 20_000).tolist():
        digests.add(digest)
        digests.add(digest)
    assert len(digests.seen) <= 1000 and 15_000 < digests.duplicates < 25_000
