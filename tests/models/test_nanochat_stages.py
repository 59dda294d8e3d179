"""The commands of the chat stages from folder to folder: what they refuse, what they keep, and how they go on."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_nanochat_finetune import TALK, base, few  # noqa: F401 - base is a fixture
from test_nanochat_gpt import stirred

from nanochat.chat import finetune, tuning
from nanochat.chat.finetune import FINE_TUNING, MIDTRAINING
from nanochat.chat.fitting import refuse_too_long
from nanochat.chat.stages import base_of
from nanochat.cli import chat, chat_rl
from nanochat.cli.base_train import train
from nanochat.gpt import GPTConfig
from nanochat.tasks.sorting import Sorting
from nanochat.tokenizer import get_tokenizer
from nanochat.training.checkpoint import CheckpointError, find_steps, model_name, optim_name, read_meta
from nanochat.training.horizon import make_plan
from nanochat.training.loading import lengthened, load
from nanochat.training.settings import Settings


def stage(which: finetune.Stage) -> Callable[[list[str]], None]:
    return lambda argv: tuning.main(which, None, argv)


def own(path: Path, *contents: str) -> Path:
    """A file of conversations in which the user says these, with an empty line before."""
    lines = [json.dumps([{**TALK[0], "content": content}, TALK[1]]) for content in contents]
    path.write_text("\n" + "\n".join(lines) + "\n")
    return path


# What can't be trained on


def test_a_conversation_that_is_too_long_is_named_before_the_training(base: Path, tmp_path: Path) -> None:  # noqa: F811
    file = own(tmp_path / "own.jsonl", "short", "long " * 400, "short", *["long " * 300] * 4)
    tokens = len(get_tokenizer(base / "tokenizer").encode("long " * 400)) + 5 + len(TALK[1]["content"])
    longest = r"line 3 \([\d,]+ tokens\), line 5 \([\d,]+ tokens\), line 6 \([\d,]+ tokens\) and 2 more"
    for options in ([], ["--num-iterations", "2"]):
        with pytest.raises(SystemExit, match=longest) as told:
            stage(FINE_TUNING)([str(base / "base"), *few(tmp_path / "out"), "--conversations", str(file), *options])
        assert str(told.value).startswith(f"chat_sft: {file}: too long for a row, which takes 257 tokens: ")
        assert not (tmp_path / "out").exists()
    needed = int(str(told.value).partition("--max-seq-len ")[2].split()[0])
    assert needed < tokens
    tokenizer = get_tokenizer(base / "tokenizer")
    refuse_too_long(tokenizer, [file], 0, "train", needed)
    with pytest.raises(ValueError, match="line 3"):
        refuse_too_long(tokenizer, [file], 0, "train", needed - 1)
    stage(MIDTRAINING)([str(base / "base"), *few(tmp_path / "out"), "--conversations", str(file)])  # cut into rows


@pytest.mark.parametrize("which", [MIDTRAINING, FINE_TUNING])
def test_a_conversation_that_is_none_is_named(which, base: Path, tmp_path: Path) -> None:  # noqa: F811
    file = own(tmp_path / "own.jsonl", "short")
    file.write_text(file.read_text() + json.dumps(TALK[:1]) + "\n")
    with pytest.raises(SystemExit, match=rf"^{which.name}: .*own\.jsonl, line 3: the last message is the user's"):
        argv = [str(base / "base"), *few(tmp_path / "out"), "--conversations", str(file), "--num-iterations", "2"]
        stage(which)(argv)
    assert not (tmp_path / "out").exists()


def test_too_few_conversations_are_told_in_one_line(base: Path, tmp_path: Path) -> None:  # noqa: F811
    file = own(tmp_path / "own.jsonl", "short", "shorter")
    few_alone = [*few(tmp_path / "out"), "--conversations", str(file), "--examples", "0", "--total-batch-size", "8192"]
    with pytest.raises(SystemExit, match=r"^chat_sft: 2 conversations are too few: a step takes 16 batches") as told:
        stage(FINE_TUNING)([str(base / "base"), *few_alone])
    assert "\n" not in str(told.value)


# Longer rows


def test_longer_rows_make_a_longer_chat(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    file = own(tmp_path / "own.jsonl", "tell me about " + "ten " * 120)
    ask = ["--prompt", "tell me about " + "ten " * 120, "--max-tokens", "2", "--device", "cpu"]
    with pytest.raises(SystemExit, match="chat: "):
        chat.main([str(base / "base"), *ask])
    more = ["--conversations", str(file), "--max-seq-len", "640", "--num-iterations", "1"]
    stage(FINE_TUNING)([str(base / "base"), *few(tmp_path / "sft"), *more])
    meta = read_meta(tmp_path / "sft")
    assert meta["model_config"]["sequence_len"] == 640
    assert meta["user_config"]["total_batch_size"] == 2 * 640  # as many rows as before
    capsys.readouterr()
    chat.main([str(tmp_path / "sft"), *ask])
    assert "sees" not in capsys.readouterr().err
    stage(FINE_TUNING)([str(tmp_path / "sft"), *few(tmp_path / "next"), "--num-iterations", "1"])
    assert read_meta(tmp_path / "next")["model_config"]["sequence_len"] == 640  # the next stage keeps it


def test_a_lengthened_model_sees_as_far_and_is_the_same_nearby() -> None:
    for options in ({}, {"window_pattern": "SL", "window_tile": 4}):
        short = stirred(GPTConfig(16, 50, 2, 2, 2, 32, **options))
        long = lengthened(short, 64)
        assert long.window_sizes[-1] == 64 and long.config.vocab_size == 50
        assert lengthened(short, 16) is short and lengthened(long, 16) is long
        idx = torch.randint(50, (1, 5))
        torch.testing.assert_close(long(idx), short(idx))
        idx = torch.randint(50, (1, 60))
        changed = idx.clone()
        changed[0, 0] += 1 if idx[0, 0] < 49 else -1
        assert torch.equal(short(idx)[0, -1], short(changed)[0, -1])  # two layers see 32 tokens back
        assert not torch.equal(long(idx)[0, -1], long(changed)[0, -1])


# The tokenizer


def test_the_tokenizer_travels_with_the_checkpoint(base: Path, tmp_path: Path, monkeypatch) -> None:  # noqa: F811
    moved = tmp_path / "elsewhere"
    stage(FINE_TUNING)([str(base / "base"), *few(tmp_path / "sft")])
    for folder in ("base", "sft"):
        shutil.copytree(base / "base" if folder == "base" else tmp_path / folder, moved / folder)
        meta = json.loads((moved / folder / "meta_000002.json").read_text()) if folder == "base" else None
        assert meta is None or meta["user_config"]["tokenizer"] == str(base / "tokenizer")
    words = get_tokenizer(base / "tokenizer").tokens()
    (base / "tokenizer").rename(base / "hidden")
    try:
        for folder in ("base", "sft"):
            assert load(moved / folder, device="cpu")[1].tokens() == words
            (moved / folder / "tokenizer.json").unlink()
            told = rf"no tokenizer in .*{folder}, nor in .*tokenizer, where it was in training: .* --tokenizer"
            with pytest.raises(CheckpointError, match=told):
                load(moved / folder, device="cpu")
            assert load(moved / folder, None, str(base / "hidden"), "cpu")[1].tokens() == words
    finally:
        (base / "hidden").rename(base / "tokenizer")
    assert load(moved / "base", device="cpu")[1].tokens() == words  # beside it no more, but where it was in training


# Rates


def test_rates_are_parts_of_those_of_base_training_whatever_came_between(base: Path, tmp_path: Path) -> None:  # noqa: F811
    stage(FINE_TUNING)([str(base / "base"), *few(tmp_path / "one")])
    stage(FINE_TUNING)([str(tmp_path / "one"), *few(tmp_path / "two")])
    one, two = (read_meta(tmp_path / name)["user_config"] for name in ("one", "two"))
    assert one["matrix_lr"] == two["matrix_lr"] == pytest.approx(0.8 * Settings.matrix_lr)


def test_what_the_newest_base_training_derived_is_taken_over(base: Path, tmp_path: Path) -> None:  # noqa: F811
    settings = Settings.of_newest(
        data=str(base / "data"), tokenizer=str(base / "tokenizer"), depth=2, n_embd=32, head_dim=16, max_seq_len=256,
        device_batch_size=2, total_batch_size=512, num_iterations=1, eval_every=-1, device="cpu", peak_flops=1e9,
    )  # fmt: skip
    train(settings, folder=tmp_path / "base")
    model, _ = load(tmp_path / "base", device="cpu")
    plan = make_plan(settings, model)
    assert plan.lr_scale == (512 / 2**19) ** 0.5
    found = base_of(read_meta(tmp_path / "base"), model)
    assert found.matrix_lr == settings.matrix_lr * plan.lr_scale
    by_law = replace(settings, total_batch_size=-1)
    found = base_of({**read_meta(tmp_path / "base"), "user_config": vars(by_law)}, model)
    assert found.total_batch_size == make_plan(by_law, model).total_batch_size > 0
    stage(MIDTRAINING)([str(tmp_path / "base"), *few(tmp_path / "mid"), "--num-iterations", "1"])
    middle = read_meta(tmp_path / "mid")
    assert base_of(middle, model).matrix_lr == middle["user_config"]["matrix_lr"] == settings.matrix_lr * plan.lr_scale


# Going on


class Stop(Exception):
    """What a power cut does."""


def stopping(take: Callable, after: int) -> Callable:
    """The same function, for so many calls."""
    left = iter(range(after))

    def few_times(*arguments):
        if next(left, None) is None:
            raise Stop
        return take(*arguments)

    return few_times


def commands(base: Path, task: str = "sorting") -> dict[str, tuple[Callable, list[str], object, str]]:  # noqa: F811
    """Each stage: its command, its options for six steps, and the function that takes one of them."""
    tune = [str(base / "base"), "--examples", "60", "--held-out", "2", "--eval-every", "2", "--device", "cpu"]
    tune += ["--num-iterations", "6", "--save-every", "2"]
    reward = [str(base / "base"), "--num-steps", "6", "--questions", "2", "--num-samples", "4", "--max-tokens", "3"]
    reward += ["--save-every", "2", "--device", "cpu", "--task", task, "--init-lr-frac", "1"]
    return {
        "mid_train": (stage(MIDTRAINING), tune, finetune, "take_step"),
        "chat_sft": (stage(FINE_TUNING), tune, finetune, "take_step"),
        "chat_rl": (chat_rl.main, reward, chat_rl, "take_rl_step"),
    }


@pytest.mark.parametrize("after", [1, 3, 4])
@pytest.mark.parametrize("name", ["mid_train", "chat_sft", "chat_rl"])
def test_a_stage_that_was_stopped_goes_on_bit_for_bit(name, after, base: Path, tmp_path: Path, monkeypatch) -> None:  # noqa: F811
    main, options, module, step = commands(base)[name]
    if name == "chat_rl":  # a reward that differs from answer to answer, or nothing would be learned
        monkeypatch.setattr(chat_rl.KINDS["sorting"], "reward", lambda task, _, said: float(len(said)))
    main([*options, "--out", str(tmp_path / "whole")])
    with monkeypatch.context() as patch:
        patch.setattr(module, step, stopping(getattr(module, step), after))
        with pytest.raises(Stop):
            main([*options, "--out", str(tmp_path / "cut")])
    (tmp_path / "cut" / "model_000009.safetensors.1.tmp").write_bytes(b"half")  # it was writing when it was stopped
    assert find_steps(tmp_path / "cut") == ([2, 4][: after // 2])
    main([*options, "--out", str(tmp_path / "cut"), "--resume"])
    assert find_steps(tmp_path / "whole") == find_steps(tmp_path / "cut") == [2, 4, 6]
    for file in (model_name(6), optim_name(6, 0), "meta_000006.json", "log.jsonl", "tokenizer.json"):
        assert (tmp_path / "cut" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
    assert (tmp_path / "cut" / model_name(6)).read_bytes() != (tmp_path / "cut" / model_name(4)).read_bytes()
    assert not list((tmp_path / "cut").glob("*.tmp"))
    main([*options, "--out", str(tmp_path / "cut"), "--resume"])  # it is done: nothing changes
    assert (tmp_path / "cut" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("chat_sft", ["--examples", "61"], r"examples is 60 there, and 61 here"),
        ("chat_sft", ["--num-iterations", "7"], r"num_iterations is 7, the checkpoint's is 6"),
        ("chat_sft", ["--conversations", "OWN"], r"conversations is \[\] there, and \['[0-9a-f]{12}'\] here"),
        ("mid_train", [], r"this is mid_train, the checkpoint is one of chat_sft"),
        ("chat_rl", [], r"this is chat_rl, the checkpoint is one of chat_sft"),
    ],
)
def test_another_training_does_not_go_on(name, change, message, base: Path, tmp_path: Path, tuned: Path) -> None:  # noqa: F811
    main, options, *_ = commands(base)[name]
    change = [str(own(tmp_path / "own.jsonl", "short")) if word == "OWN" else word for word in change]
    with pytest.raises(SystemExit, match=rf"^{name}: can't go on with .*sft: .*{message}"):
        main([*options, *change, "--out", str(tuned), "--resume"])


def test_a_training_that_began_with_another_model_does_not_go_on(base: Path, tuned: Path) -> None:  # noqa: F811
    main, options, *_ = commands(base)["chat_sft"]
    with pytest.raises(SystemExit, match="it began with another model"):
        main([str(tuned), *options[1:], "--out", str(tuned), "--resume"])


def test_without_a_word_nothing_is_overwritten_and_nothing_is_missed(base: Path, tuned: Path, tmp_path, capsys) -> None:  # noqa: F811
    main, options, *_ = commands(base)["chat_sft"]
    with pytest.raises(SystemExit, match=r"sft holds a training that has done 6 steps: go on with it by --resume"):
        main([*options, "--out", str(tuned)])
    main([*options, "--out", str(tmp_path / "new"), "--resume"])
    assert "no checkpoint at" in capsys.readouterr().out
    assert (tmp_path / "new" / model_name(6)).read_bytes() == (tuned / model_name(6)).read_bytes()


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A folder with the checkpoints of a fine-tuning."""
    folder = tmp_path_factory.mktemp("tuned") / "sft"
    main, options, *_ = commands(base)["chat_sft"]
    main([*options, "--out", str(folder)])
    return folder


def test_three_letters_are_what_the_books_run_is_rewarded_for() -> None:
    from runs.assistant import FIRST_LETTERS

    asked, ran = chat_rl.ASKED["three-letters"]("train", 40), Sorting("train", 40, **FIRST_LETTERS)
    assert [asked[i] for i in range(40)] == [ran[i] for i in range(40)]


@pytest.mark.parametrize(("samples", "size"), [(4, 4), (16, 8), (12, 6), (7, 7), (11, 1), (1, 1)])
def test_answers_are_shared_out_evenly_unless_it_is_said_how(samples: int, size: int) -> None:
    given = chat_rl.parse(["x", "--num-samples", str(samples)])
    assert chat_rl.settings_of(given).device_batch_size == size
    asked = chat_rl.parse(["x", "--num-samples", str(samples), "--device-batch-size", str(samples + 1)])
    with pytest.raises(ValueError, match="can't be shared out evenly"):
        chat_rl.settings_of(asked)
