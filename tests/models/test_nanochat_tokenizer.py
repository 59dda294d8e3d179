"""The tokenizer: round trips, special tokens, masks, its file, its command."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from nanochat import dataset, tokenizer
from nanochat.data import bpe, corpus, vocabulary
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

SOURCE = Path(tokenizer.__file__).parents[1]
SECTIONS = corpus.python_docs()[1]


@pytest.fixture(scope="module")
def tok() -> RustBPETokenizer:
    return RustBPETokenizer.train_from_iterator(SECTIONS, 1000)


def test_special_tokens_come_last_in_order() -> None:
    tok = RustBPETokenizer.train_from_iterator(["hello world, hello tokenizer, hello hello hello"] * 40 + SECTIONS, 300)
    assert tok.get_vocab_size() == 300
    assert [tok.encode_special(name) for name in SPECIAL_TOKENS] == list(range(291, 300))
    assert [tok.id_to_token(i) for i in range(291, 300)] == SPECIAL_TOKENS
    assert tok.get_special_tokens() == set(SPECIAL_TOKENS)
    assert tok.get_bos_token_id() == 291
    with pytest.raises(ValueError, match=r"'<\|pad\|>' is no special token here; there are <\|assistant_end\|>"):
        tok.encode_special("<|pad|>")


@given(text=st.one_of(st.text(), st.sampled_from([*SPECIAL_TOKENS, "<|bos|>hi<|user_start|>"])))
def test_any_text_survives_and_no_text_is_special(tok: RustBPETokenizer, text: str) -> None:
    ids = tok.encode(text)
    assert tok.decode(ids) == text
    assert all(id < tok.get_bos_token_id() for id in ids)
    assert b"".join(map(tok.decode_single_token_bytes, ids)) == text.encode()
    assert tok(text, prepend="<|bos|>", append=5) == [tok.get_bos_token_id(), *ids, 5]


@given(texts=st.lists(st.text(max_size=20), max_size=5), threads=st.integers(1, 4))
def test_a_list_is_its_texts(tok: RustBPETokenizer, texts: list[str], threads: int) -> None:
    bos = tok.get_bos_token_id()
    assert tok.encode(texts, prepend=bos, num_threads=threads) == [[bos, *tok.encode(text)] for text in texts]


def test_encodes_as_tokenizers_does(tok: RustBPETokenizer) -> None:
    """Hugging Face's encoder with our merges."""
    merges = bpe.train(SECTIONS, 1000 - len(SPECIAL_TOKENS))
    tokens = [bytes([i]) for i in range(256)] + [merge.token for merge in merges]
    assert tokens == tok.tokens()
    shown = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    printable = byte_names()
    name = ["".join(printable[byte] for byte in token) for token in tokens]
    pairs = [(name[merge.left], name[merge.right]) for merge in merges]
    other = Tokenizer(models.BPE(vocab={n: i for i, n in enumerate(name)}, merges=pairs))
    split = pre_tokenizers.Split(Regex(bpe.SPLIT_PATTERN), behavior="isolated")
    other.pre_tokenizer = pre_tokenizers.Sequence([split, shown])
    other.decoder = decoders.ByteLevel()
    for text in [*SECTIONS[::5], "naïve café 日本語 🙂 I'LL 12345\r\n\t x"]:
        assert other.encode(text).ids == tok.encode(text)


def byte_names() -> dict[int, str]:
    """GPT-2's printable character for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(rest)}


def test_length_of_every_token(tok: RustBPETokenizer, tmp_path: Path) -> None:
    lengths = tokenizer.token_bytes(tok)
    assert len(lengths) == tok.get_vocab_size()
    assert lengths[:256] == [1] * 256
    assert lengths[-9:] == [0] * 9
    text = "naïve café 日本語"
    assert sum(lengths[id] for id in tok.encode(text, prepend="<|bos|>")) == len(text.encode())
    assert tokenizer.bytes_per_token(tok, [text]) == len(text.encode()) / len(tok.encode(text))
    tok.save(tmp_path)
    tensor = tokenizer.get_token_bytes(folder=tmp_path)
    assert (tensor.tolist(), str(tensor.dtype)) == (lengths, "torch.int32")


# ---- conversations


CHAT = {
    "messages": [
        {"role": "user", "content": "add"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "sure"},
                {"type": "python", "text": "1+1"},
                {"type": "python_output", "text": "2"},
                {"type": "text", "text": "it is 2"},
            ],
        },
    ]
}


def spelled(tok: RustBPETokenizer, ids: list[int], mask: list[int]) -> list[tuple[str, int]]:
    """Tokens joined while their mask is the same and none is special."""
    runs: list[tuple[str, int]] = []
    for id, learned in zip(ids, mask, strict=True):
        text = tok.id_to_token(id)
        special = text in SPECIAL_TOKENS
        if runs and not special and runs[-1][0] not in SPECIAL_TOKENS and runs[-1][1] == learned:
            text = runs.pop()[0] + text
        runs.append((text, learned))
    return runs


def test_the_masks_of_the_measured_conversation(tok: RustBPETokenizer) -> None:
    assert spelled(tok, *tok.render_conversation(CHAT)) == [
        ("<|bos|>", 0), ("<|user_start|>", 0), ("add", 0), ("<|user_end|>", 0), ("<|assistant_start|>", 0),
        ("sure", 1), ("<|python_start|>", 1), ("1+1", 1), ("<|python_end|>", 1),
        ("<|output_start|>", 0), ("2", 0), ("<|output_end|>", 0), ("it is 2", 1), ("<|assistant_end|>", 1),
    ]  # fmt: skip


def test_a_system_message_joins_the_users_first(tok: RustBPETokenizer) -> None:
    system = {"role": "system", "content": "Be brief."}
    conversation = {"messages": [system, *CHAT["messages"]]}
    ids, mask = tok.render_conversation(conversation)
    assert spelled(tok, ids, mask)[2] == ("Be brief.\n\nadd", 0)
    assert conversation["messages"][1] == {"role": "user", "content": "add"}  # not touched
    assert tok.render_conversation(conversation, max_tokens=4) == (ids[:4], mask[:4])


def test_the_completion_is_left_to_the_model(tok: RustBPETokenizer) -> None:
    ids, _ = tok.render_conversation(CHAT)
    prompt = tok.render_for_completion(CHAT)
    assert prompt == ids[: len(prompt)]
    assert tok.decode(prompt) == "<|bos|><|user_start|>add<|user_end|><|assistant_start|>"
    with pytest.raises(ValueError, match="last message is for the assistant to write, this one's role is 'user'"):
        tok.render_for_completion({"messages": CHAT["messages"][:1]})


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "needs 'messages'"),
        (["hi"], "message 0 is a str"),
        ([{"role": "assistant", "content": "hi"}], "message 0 has the role 'assistant': .* so 'user'"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "message 1 has the role 'user'"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}]}], r"message 0 \(user\): the content is a list"),
        ([{"role": "system", "content": "a"}], "a user's must follow"),
        ([{"role": "system", "content": "a"}, "b"], "a user's must follow"),
        ([{"role": "system", "content": "a"}, {"role": "user", "content": None}], "must be strings"),
        (
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "image", "text": ""}]}],
            r"message 1: .* is no part: it needs a 'type' \(text, python, python_output\)",
        ),
    ],
)
def test_what_is_no_conversation(tok: RustBPETokenizer, messages: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tok.render_conversation({"messages": messages})


def test_colours_show_the_mask(tok: RustBPETokenizer) -> None:
    ids = tok.encode("a b")
    shown = tok.visualize_tokenization(ids, [1, 0], with_token_id=True)
    red, green, grey, plain = "\033[91m", "\033[92m", "\033[90m", "\033[0m"
    assert shown == f"{green}a{plain}{grey}({ids[0]}){plain}|{red} b{plain}{grey}({ids[1]}){plain}"


# ---- its file


def test_what_is_saved_is_what_is_loaded(tok: RustBPETokenizer, tmp_path: Path) -> None:
    path = tok.save(tmp_path / "tokenizer")
    loaded = RustBPETokenizer.from_directory(tmp_path / "tokenizer")
    text = "def f(x):\n    return 'naïve' + x * 1234"
    assert loaded.encode(text) == tok.encode(text)
    assert loaded.render_conversation(CHAT) == tok.render_conversation(CHAT)
    before = path.read_bytes()
    loaded.save(tmp_path / "tokenizer")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["tokenizer.json"]


def test_a_file_that_was_changed_is_refused(tok: RustBPETokenizer, tmp_path: Path) -> None:
    path = tok.save(tmp_path)
    text = path.read_text()
    swapped = text.replace(b" t".hex(), b" u".hex(), 1)
    for wrong, message in ((text[:-300], "can't be read"), (swapped, "was changed"), ("[]", "can't be read")):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=message) as caught:
            RustBPETokenizer.from_directory(tmp_path)
        assert str(path) in str(caught.value)
        assert path.read_text() == wrong  # left as it was found


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([b"ab", b"ab"], r"token 257 \(b'ab'\) is there twice"),
        ([b"abc"], r"token 256 \(b'abc'\) is no merge of two earlier ones"),
        ([b""], "token 256 .* no merge"),
    ],
)
def test_tokens_that_can_not_be_merges(tokens: list[bytes], message: str, tmp_path: Path) -> None:
    vocabulary.save([bytes([i]) for i in range(256)] + tokens, bpe.SPLIT_PATTERN, SPECIAL_TOKENS, tmp_path)
    with pytest.raises(ValueError, match=message):
        vocabulary.load(tmp_path)
    vocabulary.save([b"a"], bpe.SPLIT_PATTERN, SPECIAL_TOKENS, tmp_path)
    with pytest.raises(ValueError, match="its first 256 tokens are not the bytes"):
        vocabulary.load(tmp_path)


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"train one with 'python -m nanochat\.tokenizer'"):
        RustBPETokenizer.from_directory(tmp_path)
    (tmp_path / "tokenizer.pkl").write_bytes(pickle.dumps({}))
    with pytest.raises(FileNotFoundError, match="a pickle can run any code"):
        RustBPETokenizer.from_directory(tmp_path)


def test_a_save_that_fails_keeps_the_file(tok: RustBPETokenizer, tmp_path: Path, monkeypatch) -> None:
    path = tok.save(tmp_path)
    before = path.read_bytes()

    def full(self: Path, *args: object, **kwargs: object) -> None:
        with self.open("w") as file:
            file.write("half")
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        tok.save(tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_tiktokens_own_can_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = {bytes([i]): i for i in range(256)}
    stand_in = tiktoken.Encoding("gpt2", pat_str=r".", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 256})
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: stand_in)
    tok = RustBPETokenizer.from_pretrained("gpt2")
    assert (tok.get_bos_token_id(), tok.get_vocab_size()) == (256, 257)
    with pytest.raises(ValueError, match="no special token here"):
        tok.render_conversation(CHAT)

    def offline(name: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(RuntimeError, match=r"TIKTOKEN_CACHE_DIR.*OSError: no network"):
        RustBPETokenizer.from_pretrained("gpt2")


# ---- its command


def command(base: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "NANOCHAT_BASE_DIR": str(base)}
    start = [sys.executable, "-m", "nanochat.tokenizer", *options]
    return subprocess.run(start, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_command_trains_on_the_training_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset.write_shards(SECTIONS, tmp_path / "base_data", "sections")
    done = command(tmp_path, "--vocab-size", "600", "--doc-cap", "900", "--max-chars", "60000")
    assert done.returncode == 0, done.stderr
    assert "600 tokens learned" in done.stdout
    assert "bytes per token on the validation documents" in done.stdout
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path))
    kept, seen = [], 0
    for text in dataset.documents("train"):
        if seen < 60000:
            kept.append(text[:900])
            seen += len(kept[-1])
    assert tokenizer.get_tokenizer().tokens() == RustBPETokenizer.train_from_iterator(kept, 600).tokens()
    before = (tmp_path / "tokenizer" / "tokenizer.json").read_bytes()
    again = command(tmp_path, "--vocab-size", "700")
    assert again.returncode == 1
    assert "holds a tokenizer that was trained otherwise" in again.stderr
    assert (tmp_path / "tokenizer" / "tokenizer.json").read_bytes() == before


def test_command_explains_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tokenizer.main(["--help"])
    assert "--vocab-size" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=f"tokenizer: no shards at {tmp_path}"):
        tokenizer.main(["--data", str(tmp_path)])
    dataset.write_shards(SECTIONS[:20], tmp_path / "data", "sections")
    with pytest.raises(SystemExit, match="vocab_size=264: bytes and special tokens alone are 265"):
        tokenizer.main(["--data", str(tmp_path / "data"), "--out", str(tmp_path), "--vocab-size", "264"])
    tokenizer.main(["--data", str(tmp_path / "data"), "--out", str(tmp_path), "--vocab-size", "50000"])
    assert "note: 50,000 were asked for, but there are no more pairs" in capsys.readouterr().out
    assert json.loads((tmp_path / "tokenizer.json").read_text())["special_tokens"] == SPECIAL_TOKENS
