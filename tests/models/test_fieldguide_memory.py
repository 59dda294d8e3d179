"""fieldguide memory: what is counted without computing is what a real step takes, whatever the model."""

import argparse
import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from fieldguide import devices, memory
from fieldguide.memory import machine
from fieldguide.memory.fitting import MOST, largest_batch
from fieldguide.memory.peak import AFTER, FORWARD, Ledger
from fieldguide.memory.trial import Setup, Trial, measure, played, quiet, storages
from fieldguide.models import Subject, add_model_arguments, subject_from
from fieldguide.report import UsageProblem
from nanogpt import train as nanogpt_train
from nanogpt.data import prepare_char, write_tokens
from nanogpt.world import World

GIB = 2**30
# Options of a model, batch, accumulation, and whether blocks are checkpointed.
MODELS = (
    ("--model nanogpt --n-layer 2 --n-head 3 --n-embd 96 --vocab 200 --block 48", 8, 1, False),
    ("--config train_shakespeare_char_bbycroft.py --vocab 65", 16, 2, False),  # with dropout
    ("--model nanochat --depth 2 --n-embd 96 --n-head 3 --vocab 300 --block 40", 5, 2, True),
    ("--model nanochat-newest --depth 2 --n-embd 64 --n-head 4 --vocab 500 --block 64", 6, 1, False),
    ("--model ngpt --n-layer 2 --n-head 2 --n-embd 64 --vocab 120 --block 32", 9, 2, False),
    ("--module test_fieldguide_memory:recurrent --vocab 90 --block 24", 7, 1, False),
)


class Recurrent(nn.Module):
    """A model of another kind: neither blocks nor attention, and no loss of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(90, 32), nn.Linear(32, 90)
        self.mix = nn.Linear(64, 32)

    def forward(self, idx: torch.Tensor) -> torch.Tensor:
        x, state, out = self.embed(idx), torch.zeros(idx.size(0), 32), []
        for t in range(idx.size(1)):
            state = torch.tanh(self.mix(torch.cat((x[:, t], state), -1)))
            out.append(self.head(state))
        return torch.stack(out, 1)


def recurrent() -> nn.Module:
    return Recurrent()


def subject(text: str) -> Subject:
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    return subject_from(parser.parse_args(text.split()))


def options(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    memory.add_arguments(parser)
    return parser.parse_args(text.split())


@pytest.mark.parametrize(("text", "batch", "accumulation", "checkpointing"), MODELS)
def test_what_is_counted_is_what_a_real_step_takes(
    text: str, batch: int, accumulation: int, checkpointing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    model, setup = subject(text), Setup(checkpointing=checkpointing)
    with played(model, setup, batch, model.block) as trial:
        counted = trial.step(batch, model.block, accumulation).peak.bytes
    assert counted == pytest.approx(measure(model, setup, batch, model.block, accumulation), rel=0.02)


def test_nanogpts_own_loop_takes_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not our step but its: batches from a file, gradients added up, clipping, AdamW."""
    from torch.profiler import ProfilerActivity, profile

    monkeypatch.chdir(tmp_path)
    write_tokens(Path("data/some"), "train", [i % 65 for i in range(2000)])
    given_options = nanogpt_train.TrainOptions(
        dataset="some", gradient_accumulation_steps=3, batch_size=8, block_size=32, n_layer=2, n_head=2, n_embd=64,
        device="cpu", dtype="float32", compile=False,
    )  # fmt: skip
    model = subject("--n-layer 2 --n-head 2 --n-embd 64 --block 32 --vocab 50304")
    with played(model, Setup(), 8, 32) as trial:
        counted = trial.step(8, 32, 3).peak.bytes
    with quiet():
        state = nanogpt_train.begin(given_options, World(), None)
        batches = nanogpt_train.Batches(given_options, "cpu")
        for _ in range(2):
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
                nanogpt_train.micro_steps(state, given_options, World(), batches)
                nanogpt_train.update(state, given_options)
    live = most = 0
    for event in sorted(recorded.profiler.kineto_results.events(), key=lambda each: each.start_ns()):
        live += event.nbytes() if event.name() == "[memory]" else 0
        most = max(most, live)
    tensors = [*state.model.parameters(), *(v for s in state.optimizer.state.values() for v in s.values())]
    before = sum({v.untyped_storage()._cdata: v.nbytes for v in tensors}.values())
    assert counted == pytest.approx(before + most, rel=0.02)


@pytest.mark.parametrize(("depth", "alone", "of_eight"), [
    (4, 0.35, 0.20), pytest.param(12, 2.64, 1.62, marks=pytest.mark.slow),
    pytest.param(24, 13.22, 8.54, marks=pytest.mark.slow),
])  # fmt: skip
def test_states_of_nanochat_are_those_that_were_computed_from_its_shapes(
    depth: int, alone: float, of_eight: float
) -> None:
    """Weights, gradients and optimizer in GiB, on one GPU and as one of eight: operations.md, table 1.2."""
    model = subject(f"--model nanochat-newest --depth {depth}")
    for processes, expected in ((1, alone), (8, of_eight)):
        with played(model, Setup("bfloat16", cuda=True, processes=processes)) as trial:
            assert trial.states / GIB == pytest.approx(expected, abs=0.025)


def test_a_block_of_nanogpt_keeps_what_was_measured() -> None:
    """64.2 bytes for each of B T C numbers in float32, 4.02 for each of B T V logits: operations.md, section 1.3."""
    model = subject("--n-layer 4 --n-head 4 --n-embd 128 --block 64 --vocab 5000")
    with played(model, Setup()) as trial:
        kept = trial.step(6, 64, 1).kept.parts
    assert kept[FORWARD, "block 1"] / (6 * 64 * 128) == pytest.approx(64.2, abs=0.2)
    assert kept[FORWARD, AFTER] / (6 * 64 * 5000) == pytest.approx(2 * 4.02, rel=0.03)  # the loop holds on to logits


@pytest.mark.slow
@pytest.mark.parametrize(("text", "fits", "too_many"), [
    ("--model nanochat --depth 20", 16, 32),         # issue 443
    ("--model nanochat --depth 32", 8, 16),          # the discussion of the $1000 model
    ("--model nanochat-newest --depth 24", 16, 32),  # the leaderboard
])  # fmt: skip
def test_reports_of_what_fits_into_80_gb_are_reproduced_without_taking_memory(
    text: str, fits: int, too_many: int
) -> None:
    """Rows of eight GPUs: operations.md, section 1.5."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with played(subject(text), Setup("bfloat16", cuda=True, processes=8)) as trial:
        sizes = [trial.step(batch, 2048, 1).peak.bytes / GIB for batch in (fits, too_many)]
    assert sizes[0] < 80 < sizes[1]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


def test_bytes_that_are_let_go_are_struck_out() -> None:
    with Ledger() as ledger:
        a = torch.zeros(100)
        b = a.view(10, 10)
        assert ledger.live == 400  # a view is nothing new
        c = b + 1
        assert ledger.peak.bytes == 800
        del a, b
        assert ledger.live == 400
        del c
        assert (ledger.live, ledger.peak.bytes) == (0, 800)


@example(room=9, first=4, base=0, slope=3, bend=1)
@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 40), st.integers(1, 20), st.integers(1, 60))
def test_the_largest_batch_is_found_with_few_counts(room: int, first: int, base: int, slope: int, bend: int) -> None:
    def size(batch: int) -> int:
        return max(base + 3 + slope * batch, base + 2 * slope * (batch - bend))

    counts = []

    def need(batch: int) -> int:
        counts.append(batch)
        return size(batch)

    fit = largest_batch(need, room, first, size(first))
    assert fit.batch == max((n for n in range(1, 1000) if size(n) <= room), default=0)
    assert len(counts) <= 8


def test_no_end_is_no_endless_search() -> None:
    assert largest_batch(lambda batch: 10, 100, 4, 10).batch == MOST


def test_what_does_not_fit_is_an_error_with_a_batch_that_does() -> None:
    text = "--n-layer 2 --n-head 2 --n-embd 64 --vocab 500 --block 64 --memory-gb 0.05 --reserve-gb 0 --dtype float32"
    report = memory.run(options(f"{text} --batch 192 --accumulation 2"))
    assert report.exit_code == 1
    assert report.tables[-1].heads == ("change", "needs", "fits", "costs")
    advice = report.findings[0].advice
    batch = int(advice.split("--batch ")[1].split()[0])
    assert 0 < batch <= report.data["largest_batch"] < 192
    assert 384 % batch == 0
    again = memory.run(options(f"{text} --batch {batch} --accumulation {384 // batch}"))
    assert again.exit_code == 0


def test_where_the_states_alone_are_too_large_no_batch_is_advised() -> None:
    text = "--n-layer 1 --n-head 1 --n-embd 64 --block 16 --memory-gb 0.01 --reserve-gb 0 --batch 64"
    report = memory.run(options(text))
    assert "alone" in report.findings[0].what
    assert "no batch helps" in report.findings[0].advice


def test_gradients_are_sent_in_buckets_by_several_processes_of_nanogpt() -> None:
    text = "--n-layer 1 --n-head 1 --n-embd 32 --block 16 --vocab 99 --batch 2 --memory-gb 8 --accumulation 8"
    alone, of_two = (memory.run(options(f"{text} --processes {n}")).data["peak_bytes"] for n in (1, 2))
    model = subject("--n-layer 1 --n-head 1 --n-embd 32 --block 16 --vocab 99")
    with played(model, Setup()) as trial:
        assert of_two - alone == 4 * trial.parameters


def test_half_precision_and_optimizers_change_what_they_should() -> None:
    model = subject("--n-layer 2 --n-head 2 --n-embd 64 --block 32 --vocab 99")
    base = Setup(cuda=True)
    found = {}
    for name, setup in (
        ("float32", base), ("bfloat16", replace(base, dtype="bfloat16")), ("sgd", replace(base, optimizer="sgd")),
        ("momentum", replace(base, optimizer="momentum")), ("adamw", replace(base, optimizer="adamw")),
    ):  # fmt: skip
        with played(model, setup, 4, 32) as trial:
            found[name] = (trial.states / trial.parameters, trial.step(4, 32, 1).kept.of(FORWARD))
    assert [round(found[name][0]) for name in ("sgd", "momentum", "adamw", "float32")] == [8, 12, 16, 16]
    assert found["bfloat16"][1] < 0.8 * found["float32"][1]  # weights are copied in bfloat16, norms stay in float32


def test_inference_keeps_keys_and_values() -> None:
    report = memory.run(options("--model nanochat --depth 2 --n-embd 64 --n-head 2 --vocab 99 --block 32 --inference"
                                " --batch 3 --memory-gb 4 --dtype float32"))  # fmt: skip
    keys_and_values = 2 * 2 * 3 * 32 * 64 * 4
    assert report.data["kept_bytes"] == pytest.approx(keys_and_values, rel=0.05)


def test_a_module_that_fails_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    module = "--module test_fieldguide_memory:{} --block 8 --device cpu --batch 2 --vocab {}"
    with pytest.raises(UsageProblem, match="can't be played through: RuntimeError"):
        memory.run(options(module.format("wrong_shapes", 90)))
    with pytest.raises(UsageProblem, match="neither a loss nor logits"):
        memory.run(options(module.format("no_logits", 90)))


def wrong_shapes() -> nn.Module:
    return nn.Sequential(nn.Embedding(90, 8), nn.Linear(9, 90))


def no_logits() -> nn.Module:
    return nn.Sequential(nn.Embedding(90, 8), nn.Flatten(1))


def test_real_trials_are_counted_by_storages_once() -> None:
    with quiet():
        trial = Trial(subject("--n-layer 1 --n-head 1 --n-embd 32 --block 16 --vocab 99"), Setup(), Ledger())
    held = sum(each.nbytes() for each in storages(trial))
    assert held == pytest.approx(12 * trial.parameters, rel=0.01)  # the shared matrix is one


@pytest.mark.parametrize(("text", "message"), [
    ("--gpu 7090", "no GPU of that name"),
    ("--gpu a100", "which one"),
    ("--gpu H100-SXN", "did you mean H100-SXM"),
    ("--tflops 100", "add --memory-gb"),
    ("--memory-gb nan", "above 0"),
    ("--n-head 5", "can't be shared out"),
    ("--batch 0", "at least 1"),
    ("--device cpu --dtype bfloat16", "float32 on a CPU"),
    ("--model nanochat --config x.py", "no meta_"),
    ("--config nowhere.py", "no such config file"),
    ("--module nowhere:f --vocab 9 --block 9", "can't be had"),
    ("--module nowhere --vocab 9 --block 9", "PACKAGE.MODULE:FACTORY"),
    ("--reserve-gb -1", "0 or more"),
    ("--module os:getcwd --vocab 9 --block 9 --model ngpt", "a model of its own"),
])  # fmt: skip
def test_bad_input_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        memory.run(options(text))


def test_sizes_come_from_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset, a config file that starts from GPT-2's weights, and what nanochat writes beside a checkpoint."""
    monkeypatch.chdir(tmp_path)
    preset = subject("--config train_shakespeare_char.py")
    assert (preset.sizes["n_layer"], preset.sizes["dropout"], preset.block, preset.batch) == (6, 0.2, 256, 64)
    assert "no meta.pkl" in preset.notes[0]
    prepare_char("abcd", tmp_path / "data" / "shakespeare_char")
    assert subject("--config train_shakespeare_char.py").vocab == 4
    assert subject("--config finetune_shakespeare.py").sizes["n_embd"] == 1600
    sizes = {"sequence_len": 64, "vocab_size": 70, "n_layer": 2, "n_head": 2, "n_kv_head": 1, "n_embd": 64}
    meta = tmp_path / "meta_000100.json"
    meta.write_text(json.dumps({"step": 100, "model_config": {**sizes, "window_pattern": "SL"}}))
    found = subject(f"--config {meta}")
    assert (found.name, found.sizes["n_kv_head"], found.sizes["smear"]) == ("nanochat-newest", 1, True)
    meta.write_text(json.dumps({"model_config": sizes}))
    assert subject(f"--config {meta}").name == "nanochat"
    meta.write_text(json.dumps({"model_config": {**sizes, "n_kv_head": 3}}))
    with pytest.raises(UsageProblem, match="can't be made like this"):
        memory.run(options(f"--config {meta} --device cpu"))
    huge = json.dumps({"model_config": {**sizes, "n_layer": 10**9}})
    for wrong in (huge, "{", "[]", '{"model_config": {}}', '{"model_config": {"n_layer": "2"}}'):
        meta.write_text(wrong)
        with pytest.raises(UsageProblem, match=r"meta_000100\.json"):
            subject(f"--config {meta}")


@pytest.mark.parametrize(("text", "message"), [
    ("n_head = 0", "1 or more"), ("n_layer = 10**9", "can't be meant"), ("batch_size = 0", "can't be meant"),
    ("n_embd = (" * 400, "config"), ("n_layer = 4\0", "config"), ("import os", "only 'name = value'"),
    ("n_layer = 1 // 0", "config"), ("x = 1\n" * 200_000, "no config file"),
])  # fmt: skip
def test_a_config_that_makes_no_sense_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.py").write_text(text)
    with pytest.raises(UsageProblem, match=message):
        subject(f"--config {tmp_path / 'config.py'}")


def test_gpus_are_found_as_their_drivers_spell_them() -> None:
    assert devices.find("rtx 4090").memory_gb == 24
    assert devices.find("h100 sxm").tflops == 989
    assert devices.find("4090").name == "RTX-4090"
    own = argparse.Namespace(gpu=None, memory_gb=48.0, tflops=None)
    assert devices.asked(own) == devices.Device("a GPU as described", 48.0, None)
    report = memory.run(options("--gpu list"))
    assert len(report.tables[0].rows) == len(devices.DEVICES)
    assert "nanochat" in report.findings[0].what


def test_memory_that_a_container_leaves_is_read(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert machine.cgroup(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.cgroup(tmp_path) is None
    assert machine.cgroup(tmp_path / "elsewhere") is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    7 kB\n")
    assert machine.meminfo(tmp_path / "meminfo") == 7 * 1024
