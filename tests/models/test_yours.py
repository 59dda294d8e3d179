"""The page "Train it on your own text": its commands are run as they stand there, with small sizes behind them."""

import argparse
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from scalars import read_scalars

from nanochat.__main__ import COMMANDS
from nanochat.cli import base_train
from nanochat.training import presets
from nanochat.training.checkpoint import find_steps, read_meta
from nanochat.training.logs import read_lines
from nanochat.training.presets import PRESETS
from nanochat.training.settings import Settings, settings_from
from nanogpt import sort

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs/train/yours.md").read_text("utf-8")
# What takes long is cut short, by options behind the page's own: the last value of an option wins. nanochat's sizes
# are the page's, so its rows, batches and conversations have to fit together; nanoGPT's are for a GPU.
SMALL = {
    "nanogpt.train": "--device=cpu --compile=False --batch_size=2 --block_size=16 --n_layer=1 --n_head=2 --n_embd=16 "
    "--max_iters=4 --eval_interval=2 --eval_iters=1 --log_interval=1 --always_save_checkpoint=True",
    "nanogpt.sample": "--device=cpu --num_samples=1 --max_new_tokens=6",
    "nanochat base_train": "--num-iterations 4 --eval-every 2 --eval-tokens 2048 --save-every 2 --device cpu "
    "--peak-flops 1e9",
    "nanochat sample": "--tokens 5 --device cpu",
    "nanochat mid_train": "--examples 40 --held-out 4 --eval-every -1 --device cpu",
    "nanochat chat_sft": "--examples 20 --held-out 4 --eval-every -1 --device cpu",
    "nanochat chat_rl": "--num-steps 1 --questions 2 --max-tokens 2 --device cpu",
    "nanochat eval": "--questions 1 --max-tokens 2 --device cpu",
    "nanochat chat": "--max-tokens 2 --device cpu",
}
TEXT = "\n\n".join(f"The value of {i} is {i * i}, and that of its double is {4 * i * i}.\n" * 3 for i in range(400))
LONG = [{"role": "user", "content": "Is it " + "far " * 100 + "?"}, {"role": "assistant", "content": "Yes."}]


def commands(heading: str) -> list[list[str]]:
    """The commands of a section, each as words."""
    section = PAGE.split(f"({heading})=\n", 1)[1].split("\n(yours-", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.replace("\\\n", "").splitlines()]


def run(words: list[str]) -> None:
    """``python -m MODULE ...`` in this process, with small sizes behind it."""
    python, m, module, *arguments = words
    assert (python, m) == ("python", "-m")
    if module == "nanochat":
        arguments += SMALL.get(f"nanochat {arguments[0]}", "").split()
        importlib.import_module("nanochat.__main__").main(arguments)
    else:
        importlib.import_module(module).main([*arguments, *SMALL.get(module, "").split()])


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh folder with a text, and one thread: models as small as these are slower with several."""
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text(TEXT, "utf-8")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(before)


def test_the_model_that_sorts(mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sort, "MAX_ITERS", 30)
    train, sample = commands("yours-sort")
    run([*train, "--tensorboard=True"])
    run(sample)
    written = capsys.readouterr().out.splitlines()[-2]
    assert re.fullmatch(r"CBABBC[ABC]{6}", written)
    assert set(read_scalars(Path("out-sort/tensorboard"))) == {"loss", "grad_norm"}
    with pytest.raises(SystemExit, match=r"train_sort: out-sort/ckpt\.pt is there already: name another folder"):
        run(train)


def test_nanogpt_from_text_to_sample(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare, train, sample, resume = commands("yours-chars")
    for words in (prepare, train, sample):
        run(words)
    assert capsys.readouterr().out.splitlines()[-2]
    loss = read_scalars(Path("out-mine/tensorboard"))
    assert sorted(loss["loss"]) == [0, 1, 2, 3, 4]
    assert sorted(loss["val_loss"]) == [0, 2, 4]
    run(resume)
    assert "iter 4" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"^data: data/mine holds train\.bin, val\.bin, meta\.pkl already"):
        run(prepare)


def test_nanochat_from_text_to_words(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, learn, train, sample = commands("yours-prose")
    for words in (make, learn, train, sample):
        run(words)
    assert capsys.readouterr().out.splitlines()[-2].startswith("The value of")
    model = Path("mine/model")
    rows, steps = read_lines(model / "log.jsonl"), find_steps(model)
    assert steps == [2, 4]
    scalars = read_scalars(model / "tensorboard")
    assert scalars["loss"] == pytest.approx({row["step"]: row["loss"] for row in rows if "loss" in row})
    with pytest.raises(SystemExit, match=r"base_train: mine/model holds a training that has done 4 steps"):
        run(train)
    (model / "meta_000004.json").unlink()
    run([*train, "--resume"])
    assert read_lines(model / "log.jsonl") == rows
    run(make)  # once more, and nothing changes
    run(learn)


def test_a_preset_fits_the_text(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, learn, _, _ = commands("yours-prose")
    (fit,) = commands("yours-preset")
    for words in (make, learn, fit):
        run(words)
    assert "preset laptop: " in capsys.readouterr().out
    meta = read_meta(Path("mine/fitted"))
    rows, length = PRESETS["laptop"].rows, PRESETS["laptop"].sizes["max_seq_len"]
    assert meta["model_config"]["sequence_len"] == length
    assert meta["user_config"]["total_batch_size"] < rows * length  # the text is a short one
    page = PAGE.split("(yours-preset)=", 1)[1]
    laptop, gpu = (re.search(rf"`{name}` \|(.*)\n", page)[1] for name in ("laptop", "gpu"))
    sizes = PRESETS["laptop"].sizes
    assert f" {PRESETS['laptop'].depths[0]} layers of {sizes['n_embd']} numbers, rows of {length} tokens " in laptop
    assert f"| {rows} rows of each process" in laptop and f"| {PRESETS['gpu'].rows} rows of each process" in gpu
    first, *_, last = PRESETS["gpu"].depths
    assert f" {first} to {last} layers, {Settings.aspect_ratio} numbers of width for each, rows of 1,024 tokens " in gpu
    assert PRESETS["gpu"].sizes["max_seq_len"] == 1024
    assert "read five times at most" in page and presets.EPOCHS == 5
    assert "twenty tokens for each parameter" in page and Settings.target_param_data_ratio == 20
    assert f"fewer than {presets.STEPS}." in page


def test_nanochat_from_words_to_an_answer(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, learn, train, _ = commands("yours-prose")
    for words in (make, learn, train):
        run(words)
    middle, tune, reward, score, ask = commands("yours-assistant")
    for words in (middle, tune, reward):
        run(words)
    capsys.readouterr()
    run(score)
    card = capsys.readouterr().out.splitlines()
    assert card[0] == "|  | model | mid | assistant | rewarded |" and len(card) == 7
    assert [line.split("|")[1].strip() for line in card[2:]] == [
        "arithmetic", "letters", "sorting", "choice", "mean, centred",
    ]  # fmt: skip
    run(ask)
    with pytest.raises(SystemExit, match=r"mine/mid holds a training that has done \d+ steps: go on"):
        run(middle)


def test_own_conversations(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, learn, train, _ = commands("yours-prose")
    middle, tune, *_, ask = commands("yours-assistant")
    (longer,) = commands("yours-own")
    for words in (make, learn, train, middle):
        run(words)
    example = PAGE.split("```json\n", 1)[1].splitlines()[0]
    Path("own.jsonl").write_text(f"{example}\n{json.dumps(LONG)}\n")
    told = r"^chat_sft: own\.jsonl: too long for a row, which takes 129 tokens: line 2 \(\d+ tokens\); "
    with pytest.raises(SystemExit, match=told):  # in the page's rows
        run([*tune, "--conversations", "own.jsonl"])
    run(longer)
    assert read_meta(Path("mine/own"))["user_config"]["total_batch_size"] == 8 * 512  # as many rows as before
    capsys.readouterr()
    ask[ask.index("mine/assistant")] = "mine/own"
    run([*ask, "--prompt", LONG[0]["content"]])
    with pytest.raises(SystemExit, match="chat: "):
        run([*(word.replace("mine/own", "mine/mid") for word in ask), "--prompt", LONG[0]["content"]])
    alone = [*tune, "--conversations", "own.jsonl", "--max-seq-len", "512", "--total-batch-size", "65536"]
    with pytest.raises(SystemExit, match=r"^chat_sft: 82 conversations are too few: a step takes 16 batches of 8 rows"):
        run(alone)
    mine.joinpath("mine/mid").rename(mine / "moved")  # with its tokenizer
    mine.joinpath("mine/tokenizer").rename(mine / "hidden")
    run([*(word.replace("mine/own", "moved") for word in ask), "--prompt", "hi"])


def test_the_commands_are_those_of_the_books_run() -> None:
    from runs.handbook import DOCUMENT
    from runs.prose import VOCABULARY, Prose, settings_of

    make, learn, train, sample = commands("yours-prose")
    asked = settings_from(base_train.parse(train[4:]))
    wanted = settings_of(Path("mine"))
    free = {"data", "tokenizer", "device", "save_every", "peak_flops"}
    assert {name for name in vars(wanted) if getattr(asked, name) != getattr(wanted, name)} <= free
    assert make[make.index("--document-chars") + 1] == str(DOCUMENT)
    assert learn[learn.index("--vocab-size") + 1] == str(VOCABULARY)
    assert sample[sample.index("--prompt") + 1] == Prose.PROMPT


def test_several_processes_and_machines(mine: Path) -> None:
    for words in (*commands("yours-prose")[:2], commands("yours-chars")[0]):
        run(words)
    alone, first = commands("yours-many")
    finish(launch(alone, "nanochat base_train"))
    assert find_steps(Path("mine/model2")) == [2, 4]
    assert len(list(Path("mine/model2").glob("optim_000004_rank*"))) == 2
    first = [word.replace("192.0.2.1", "127.0.0.1") for word in first]
    second = [word.replace("node_rank=0", "node_rank=1") for word in first]
    assert second != first
    for machine in [launch(words, "nanogpt.train") for words in (first, second)]:
        finish(machine)
    kept = torch.load("out-mine2/ckpt.pt", weights_only=True)
    assert len(kept["rng"]["ranks"]) == 2


def launch(words: list[str], module: str) -> "subprocess.Popen[str]":
    """``torchrun ...`` of this environment; the model is small, rows and batches are shared out as on the page."""
    assert words[0] == "torchrun" and f" {module} " in " ".join(words)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "model_src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", *words[1:], *SMALL[module].split()]
    command += ["--depth", "1", "--n-embd", "16", "--head-dim", "8"] if module == "nanochat base_train" else []
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(started: "subprocess.Popen[str]") -> None:
    try:
        said, _ = started.communicate(timeout=150)
    except subprocess.TimeoutExpired:
        started.terminate()  # torchrun ends what it has started
        said = started.communicate()[0]
    assert started.returncode == 0, said


# ---- what is wrong is said in one line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"no text at mine\.txt"),
        (b"", r"mine\.txt is empty"),
        (b"\xef\xbb\xbf \n\n", r"mine\.txt is empty"),
        (b"caf\xe9 au lait", r"mine\.txt: byte 3 is no UTF-8 \(.*\); convert it to UTF-8"),
    ],
)
@pytest.mark.parametrize("section", ["yours-chars", "yours-prose"])
def test_what_is_no_text(section: str, content: bytes | None, message: str, mine: Path) -> None:
    Path("mine.txt").unlink() if content is None else Path("mine.txt").write_bytes(content)
    with pytest.raises(SystemExit, match=rf"^(data|dataset): {message}"):
        run(commands(section)[0])
    assert [path for path in mine.iterdir() if path.name != "mine.txt"] == []


def test_texts_that_are_too_short(mine: Path) -> None:
    Path("mine.txt").write_text("A word.")
    prepare, train, *_ = commands("yours-chars")
    run(prepare)
    with pytest.raises(SystemExit, match=r"^train: data/mine/train\.bin is too short.* 6 tokens"):
        run(train)
    make, learn, train, _ = commands("yours-prose")
    with pytest.raises(SystemExit, match=r"^dataset: 1 documents can't make 10 shards"):
        run(make)
    Path("mine.txt").write_text(TEXT[:2000])
    run([*make, "--shards", "3"])  # as the page says of short texts
    run(learn)
    train += ["--max-seq-len", "4096", "--total-batch-size", "32768"]
    with pytest.raises(SystemExit, match=r"^base_train: the training shards have [\d,]+ tokens, and a row takes 4,097"):
        run(train)
    assert not Path("mine/model").exists()


NANOCHAT = [f"nanochat.{COMMANDS[name]}" for name in ("dataset", "tokenizer", "base_train", "scaling", "sample")]


@pytest.mark.parametrize("module", ["nanogpt.data", *NANOCHAT])
def test_every_option_says_what_it_is(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def parse(parser: argparse.ArgumentParser, argv: list[str]) -> None:
        seen.extend(parser._actions)
        raise SystemExit(0)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    with pytest.raises(SystemExit):
        importlib.import_module(module).main([])
    assert len(seen) > 3
    assert [action.dest for action in seen if not action.help or len(action.help) < 8] == []


@pytest.mark.parametrize("module", ["nanogpt.train", "nanogpt.sample", "nanogpt.train_sort"])
def test_nanogpts_commands_list_their_options(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert f"python -m {module}" in told
    assert "out_dir: str =" in told
