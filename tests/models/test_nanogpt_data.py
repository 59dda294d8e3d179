"""Text to tokens on disk and back, in nanoGPT's formats."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from nanogpt import data

TEXT = "to be, or not to be\n" * 5


def test_characters_become_sorted_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "input.txt"
    source.write_text(TEXT)
    data.main(["char", str(source), str(tmp_path / "set")])
    assert "train.bin: 90 tokens" in capsys.readouterr().out
    meta = pickle.loads((tmp_path / "set" / "meta.pkl").read_bytes())
    assert meta["vocab_size"] == len(set(TEXT))
    assert [meta["itos"][i] for i in range(meta["vocab_size"])] == sorted(set(TEXT))
    raw = (tmp_path / "set" / "train.bin").read_bytes()
    assert "".join(meta["itos"][raw[i] + 256 * raw[i + 1]] for i in range(0, len(raw), 2)) == TEXT[:90]
    assert np.fromfile(tmp_path / "set" / "val.bin", dtype="<u2").size == 10


def test_text_survives_the_round_trip(tmp_path: Path) -> None:
    data.prepare_char(TEXT, tmp_path)
    encode, decode = data.codec(tmp_path)
    assert decode(encode("not to be")) == "not to be"
    assert decode(data.read_tokens(tmp_path, "train").tolist()) == TEXT[:90]
    with pytest.raises(ValueError, match="does not know the characters"):
        encode("question")


def test_meta_that_would_run_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": Path("/")}))
    with pytest.raises(ValueError, match=r"it asks for pathlib"):
        data.read_meta(tmp_path)
    (tmp_path / "meta.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(ValueError, match="no vocab_size"):
        data.read_meta(tmp_path)
    assert data.read_meta(tmp_path / "elsewhere") is None


def test_broken_token_files(tmp_path: Path) -> None:
    missing = r"no data at .*train\.bin: make it with 'python -m nanogpt\.data {} INPUT\.txt .*{}'{}"
    for name, tokens, more in (
        ("mine", "char", "$"), ("openwebtext", "gpt2", "$"), ("shakespeare", "gpt2", ".*tinyshakespeare/input.txt$"),
        ("shakespeare_char", "char", ".*tinyshakespeare/input.txt$"),
    ):  # fmt: skip
        with pytest.raises(FileNotFoundError, match=missing.format(tokens, name, more)):
            data.read_tokens(tmp_path / name, "train")
    (tmp_path / "train.bin").write_bytes(b"abc")
    with pytest.raises(ValueError, match="3 bytes: empty or cut off"):
        data.read_tokens(tmp_path, "train")
    with pytest.raises(ValueError, match="token 65536"):
        data.write_tokens(tmp_path, "val", [1, 65536])


class Bytes:
    """Stands in for tiktoken's GPT-2: its files may not be at hand."""

    def encode_ordinary(self, text: str) -> list[int]:
        return list(text.encode())


def test_byte_pairs_split_by_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "gpt2_encoding", Bytes)
    data.prepare_gpt2("0123456789", tmp_path)
    assert bytes(data.read_tokens(tmp_path, "train").tolist()) == b"012345678"
    assert bytes(data.read_tokens(tmp_path, "val").tolist()) == b"9"
    assert data.read_meta(tmp_path) is None


def test_missing_byte_pairs_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    tiktoken = pytest.importorskip("tiktoken")

    def offline(name: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(RuntimeError, match=r"TIKTOKEN_CACHE_DIR.*OSError: no network"):
        data.gpt2_encoding()


def test_command_explains_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        data.main(["--help"])
    assert "python -m nanogpt.data char INPUT.txt OUT_DIR" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        data.main(["words", "a", "b"])
    assert "invalid choice: 'words'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"^data: no text at"):
        data.main(["char", str(tmp_path / "none.txt"), str(tmp_path)])


def test_tokens_of_another_text_are_not_replaced(tmp_path: Path) -> None:
    """A model may have been trained on them: with another table its tokens would be other letters."""
    source = tmp_path / "input.txt"
    source.write_text(TEXT)
    data.main(["char", str(source), str(tmp_path / "set")])
    before = {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()}
    source.write_text("Something else altogether.")
    with pytest.raises(SystemExit, match=r"^data: .*set holds train\.bin, val\.bin, meta\.pkl already: name another"):
        data.main(["char", str(source), str(tmp_path / "set")])
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == before


def test_an_editors_mark_is_no_character(tmp_path: Path) -> None:
    source = tmp_path / "input.txt"
    source.write_text(TEXT, encoding="utf-8-sig")
    data.main(["char", str(source), str(tmp_path / "set")])
    assert data.read_meta(tmp_path / "set")["stoi"].keys() == set(TEXT)
