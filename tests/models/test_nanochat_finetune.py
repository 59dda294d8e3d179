"""Midtraining, fine-tuning, rewards and the report card: as functions, and as commands from folder to folder."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_nanochat_gpt import stirred

from nanochat.chat import tuning
from nanochat.chat.finetune import FINE_TUNING, MIDTRAINING, begin_stage, evaluate_conversations, run_stage
from nanochat.cli import chat_rl
from nanochat.cli import eval as evaluation
from nanochat.cli.base_train import train
from nanochat.cli.eval import Score, answer, choose, core, equal_lengths, report_card, score_task
from nanochat.dataset import documents, write_shards
from nanochat.engine import Engine
from nanochat.gpt import GPT
from nanochat.tasks.choice import Choice
from nanochat.tasks.letters import Letters
from nanochat.tasks.mixture import mixture
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import find_steps, read_meta
from nanochat.training.loading import load
from nanochat.training.settings import Settings

TEXTS = [f"The number {i} comes before {i + 1}, and after {i - 1}." for i in range(60)]
TALK = [{"role": "user", "content": "who are you?"}, {"role": "assistant", "content": "a small model"}]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer and checkpoints of a base model of two steps."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("base")
    write_shards(TEXTS, folder / "data", "numbers", shard_count=3)
    RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), 300).save(folder / "tokenizer")
    settings = Settings(
        data=str(folder / "data"), tokenizer=str(folder / "tokenizer"), depth=1, n_embd=32, head_dim=16,
        max_seq_len=256, device_batch_size=2, total_batch_size=512, num_iterations=2, eval_every=-1, device="cpu",
        peak_flops=1e9,
    )  # fmt: skip
    train(settings, folder=folder / "base")
    return folder


@pytest.fixture
def model(base: Path) -> tuple[GPT, RustBPETokenizer, Settings]:
    meta = read_meta(base / "base")
    return *load(base / "base", device="cpu"), Settings(**meta["user_config"])


class Talk:
    """The same conversation again and again."""

    def __len__(self) -> int:
        return 200

    def __getitem__(self, index: int) -> dict:
        return {"messages": TALK}


# Stages


@pytest.mark.parametrize("stage", [MIDTRAINING, FINE_TUNING])
def test_a_stage_teaches_what_is_said(stage, model) -> None:
    gpt, tokenizer, base = model
    training = begin_stage(stage, stage.settings(base, num_iterations=60, eval_every=20), gpt, tokenizer, Talk())
    heard = []
    run_stage(training, Talk(), lambda step, **values: heard.append((step, values)))
    measured = [(step, values["val_bpb"]) for step, values in heard if "val_bpb" in values]
    assert [step for step, _ in measured] == [0, 20, 40, 60]
    assert measured[-1][1] < measured[0][1] / 3
    assert [values["lr_multiplier"] for _, values in heard if "loss" in values][-1] < 0.2
    question = {"messages": TALK}
    (said,) = answer(Engine(gpt.eval(), tokenizer), tokenizer, [question], 20, 1)
    assert said == TALK[1]["content"]


def test_once_through_everything_is_known_before(model) -> None:
    gpt, tokenizer, base = model
    for stage in (MIDTRAINING, FINE_TUNING):
        training = begin_stage(stage, stage.settings(base), gpt, tokenizer, mixture(12))
        batches = training.loader.count_batches()
        assert training.plan.num_iterations == max(1, batches)  # a step is a batch here
        run_stage(training)
        assert training.step == training.plan.num_iterations


def test_a_step_that_conversations_cannot_fill_is_refused(model) -> None:
    gpt, tokenizer, base = model
    four = FINE_TUNING.settings(base, total_batch_size=4 * base.total_batch_size)
    message = (
        r"4 conversations are too few: a step takes 4 batches of 2 rows of 256 tokens from each process, and they make "
        r"(\d); give .* \(total_batch_size=(\d+) instead of 2048\)"
    )
    with pytest.raises(ValueError, match=message) as told:
        begin_stage(FINE_TUNING, four, gpt, tokenizer, mixture(1))
    batches, enough = map(int, re.search(message, str(told.value)).groups())
    assert 0 < batches < 4
    run_stage(begin_stage(FINE_TUNING, replace(four, total_batch_size=enough), gpt, tokenizer, mixture(1)))


def test_rates_are_those_of_the_base_times_a_part(model) -> None:
    gpt, tokenizer, base = model
    training = begin_stage(FINE_TUNING, FINE_TUNING.settings(base), gpt, tokenizer, mixture(4))
    rates = sorted({group["initial_lr"] for group in training.optimizer.param_groups})
    wider = (32 / 768) ** -0.5
    assert rates == pytest.approx(sorted([0.8 * 0.004 * wider, 0.8 * 0.2 * wider, 0.8 * 0.02]))
    assert training.schedule.warmdown_ratio == 0.5 and training.schedule.final_lr_frac == 0


def test_only_what_the_assistant_says_is_measured(model) -> None:
    gpt, tokenizer, base = model
    training = begin_stage(FINE_TUNING, FINE_TUNING.settings(base), gpt, tokenizer, Talk())
    ids, mask = tokenizer.render_conversation({"messages": TALK})
    with torch.no_grad():
        losses = gpt(torch.tensor([ids[:-1]]), torch.tensor([ids[1:]]), loss_reduction="none")
    text = [i for i in range(len(ids) - 1) if mask[i + 1] and ids[i + 1] < tokenizer.get_bos_token_id()]
    nats, size = losses[text].sum().item(), len(TALK[1]["content"].encode())
    # In a row of many conversations each sees those before it, so the row is one conversation long here.
    training.settings = FINE_TUNING.settings(base, max_seq_len=len(ids) - 1)
    found = evaluate_conversations(training, Talk())
    assert found == pytest.approx(nats / size / torch.log(torch.tensor(2.0)).item(), rel=1e-5)


# Scores


def test_choices_are_made_by_the_likeliest_letter(model) -> None:
    gpt, tokenizer, _ = model
    gpt = stirred(gpt.config)
    questions = [Choice("test", 9)[i] for i in range(9)]
    expected = []
    for question in questions:
        with torch.no_grad():
            logits = gpt(torch.tensor([tokenizer.render_for_completion(question)]))[0, -1]
        expected.append(max("ABCD", key=lambda letter: logits[tokenizer.encode(letter)[0]].item()))
    assert choose(gpt, tokenizer, questions, batch=4) == expected
    assert len(set(expected)) > 1


def test_answers_in_batches_are_those_one_by_one(model) -> None:
    gpt, tokenizer, _ = model
    gpt = stirred(gpt.config)
    questions = [Letters("test", 12)[i] for i in range(12)]
    engine, expected = Engine(gpt, tokenizer), []
    for question in questions:
        prompt = tokenizer.render_for_completion(question)
        (sequence,), _ = engine.generate_batch(prompt, max_tokens=6, temperature=0)
        expected.append(tokenizer.decode(sequence[len(prompt) :]))
    assert answer(engine, tokenizer, questions, 6, batch=3) == expected
    score = score_task(gpt, tokenizer, Letters("test", 12), max_tokens=6)
    assert score.right == sum(Letters().evaluate(q, a) for q, a in zip(questions, expected, strict=True))


@given(st.lists(st.integers(1, 4), max_size=30), st.integers(1, 5))
def test_batches_have_one_length(lengths: list[int], batch: int) -> None:
    prompts = [[0] * length for length in lengths]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    found = list(equal_lengths(order, prompts, batch))
    assert [number for few in found for number in few] == order
    assert all(len({lengths[number] for number in few}) == 1 and len(few) <= batch for few in found)


@given(st.integers(1, 300), st.data())
def test_the_interval_has_what_the_score_does_not_exclude(asked: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, asked))
    low, high = Score(right, asked).interval
    assert 0 <= low <= right / asked <= high <= 1
    for p in (low, high):  # where the true accuracy is so low or so high, the score is 1.96 deviations off
        if 0 < p < 1:
            assert abs(right / asked - p) == pytest.approx(1.96 * (p * (1 - p) / asked) ** 0.5, rel=1e-6, abs=1e-9)


def test_centred_scores() -> None:
    guessing, half, all_right = Score(25, 100, 0.25), Score(50, 100), Score(10, 10, 0.5)
    assert (guessing.centred, half.centred, all_right.centred) == (0, 0.5, 1)
    assert core({"a": guessing, "b": half, "c": all_right}) == 0.5


def test_a_report_card_has_a_row_for_each_task() -> None:
    card = report_card({"mid": {"sorting": Score(1, 4)}, "sft": {"sorting": Score(4, 4)}})
    assert card.splitlines() == [
        "|  | mid | sft |", "| --- | --- | --- |", "| sorting | 25 (5-70) | 100 (51-100) |",
        "| mean, centred | 0.250 | 1.000 |",
    ]  # fmt: skip


# Commands


def few(folder: Path) -> list[str]:
    return ["--examples", "6", "--held-out", "2", "--eval-every", "-1", "--device", "cpu", "--out", str(folder)]


def test_from_folder_to_folder(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps(TALK) + "\n")
    mid, sft, rl = tmp_path / "mid", tmp_path / "sft", tmp_path / "rl"
    tuning.main(MIDTRAINING, None, [str(base / "base"), "--conversations", str(own), *few(mid)])
    assert "25 conversations" in capsys.readouterr().out
    tuning.main(FINE_TUNING, None, [str(mid), *few(sft)])
    small = ["--num-steps", "1", "--questions", "1", "--num-samples", "2", "--device-batch-size", "2"]
    chat_rl.main([str(sft), "--out", str(rl), "--max-tokens", "4", "--device", "cpu", *small])
    assert "step 0: reward" in capsys.readouterr().out
    for folder, stage in ((mid, "mid_train"), (sft, "chat_sft"), (rl, "chat_rl")):
        assert read_meta(folder)["stage"] == stage
        assert (folder / "log.jsonl").read_text().count("\n") >= 1
    evaluation.main([str(mid), str(rl), "--questions", "2", "--max-tokens", "2", "--device", "cpu"])
    assert capsys.readouterr().out.startswith("|  | mid | rl |\n")


def test_memories_of_the_training_before_are_taken_unless_refused(base: Path, tmp_path: Path) -> None:
    weights = []
    for name, options in (("with", []), ("without", ["--fresh-optimizer"])):
        tuning.main(FINE_TUNING, None, [str(base / "base"), *few(tmp_path / name), *options])
        weights.append(load(tmp_path / name, device="cpu")[0].lm_head.weight)
    assert not torch.equal(*weights)


def test_the_same_command_writes_the_same_weights(base: Path, tmp_path: Path) -> None:
    weights = []
    for name in ("one", "other"):
        tuning.main(FINE_TUNING, None, [str(base / "base"), *few(tmp_path / name)])
        weights.append(load(tmp_path / name, device="cpu")[0].lm_head.weight)
    assert torch.equal(*weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{base}/nowhere"], "chat_sft: no checkpoint at .*nowhere: train first, or name its folder"),
        (["{base}/base", "--out", "{base}/base"], "chat_sft: .*base holds a training that has done 2 steps: go on"),
        (["{base}/base", "--max-seq-len", "16"], r"conversations of arithmetic: too long for a row, which takes 17"),
        (["{base}/base", "--conversations", "{base}/none.jsonl"], "chat_sft: .*none.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said(base: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    given = [argument.format(base=base) for argument in arguments]
    more = [] if "--out" in given else ["--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=message):
        tuning.main(FINE_TUNING, None, [*given, "--examples", "3", "--device", "cpu", *more])
    assert find_steps(tmp_path / "out") == []


@pytest.mark.parametrize("arguments", [["x", "--examples", "0"], ["x", "--held-out", "0"]])
def test_options_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        tuning.main(FINE_TUNING, None, arguments)
