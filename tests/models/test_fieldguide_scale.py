"""fieldguide scale: plans that nanochat's own code and papers' tables confirm."""

import argparse
import json
from typing import Any

import pytest

from fieldguide import scale
from fieldguide.report import Report, UsageProblem
from fieldguide.scale import laws
from nanochat.training.horizon import make_plan
from nanochat.training.settings import Settings

# Hoffmann et al., table A3, approach 2: parameters and tokens.
APPROACH_2 = {400e6: 7.7e9, 1e9: 20.0e9, 10e9: 219.5e9, 67e9: 1.7e12, 175e9: 4.3e12, 280e9: 7.1e12, 1e12: 26.5e12}


def run(text: str) -> Report:
    parser = argparse.ArgumentParser()
    scale.add_arguments(parser)
    return scale.run(parser.parse_args(text.split()))


@pytest.mark.parametrize("newest", [False, True])
def test_nanochats_own_plan_is_the_same(newest: bool) -> None:
    import torch

    from nanochat.gpt import GPT

    settings = (Settings.of_newest if newest else Settings)(depth=6)
    with torch.device("meta"):
        model = GPT(settings.model_config(32768))
    plan = make_plan(settings, model)
    data = run(f"--model nanochat{'-newest' * newest} --depth 6 --vocab 32768").data
    assert data["steps"] == plan.num_iterations
    assert data["tokens_per_step"] == plan.total_batch_size
    assert data["flops_per_token"] == model.estimate_flops()
    assert data["parameters"] == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("depth", "tokens", "batch", "steps", "flops"), [
    (12, 1.321e9, 2**19, 2520, 1.004e18), (24, 8.758e9, 2**20, 8352, 4.18e19), (32, 20.13e9, 2**21, 9600, 2.17e20),
])  # fmt: skip
def test_the_table_of_nanochat_by_depth_is_reproduced(
    depth: int, tokens: float, batch: int, steps: int, flops: float
) -> None:
    """Ratio 12, commit 92d63d4 (2026-07-03): nanochat.md, section 6."""
    data = run(f"--model nanochat-newest --depth {depth}").data
    assert data["tokens"] == pytest.approx(tokens, rel=1e-3)
    assert (data["tokens_per_step"], data["steps"]) == (batch, steps)
    assert data["flops"] == pytest.approx(flops, rel=5e-3)


def test_gpt2_is_counted_as_nanogpts_notebooks_count_it() -> None:
    """874.9e9 operations for a sequence of 1024, 1.49 GB of checkpoint, 2.29e9 tokens: operations.md, 2 and 3."""
    data = run("--model gpt2").data
    assert data["flops_per_token"] * 1024 == pytest.approx(874.9e9, rel=2e-3)
    assert data["checkpoint_bytes"] == pytest.approx(1.49e9, rel=5e-3)
    assert data["tokens"] == pytest.approx(2.29e9, rel=5e-3)
    assert data["tokens_per_step"] == 491_520  # 40 micro-batches of 12 x 1024


@pytest.mark.parametrize("model", ["nanogpt", "nanochat", "nanochat-newest", "ngpt"])
def test_a_checkpoint_is_as_large_as_what_is_in_it(model: str) -> None:
    """All of the optimizer's memories after a step, on the CPU and for real."""
    import torch

    from fieldguide.memory.peak import Ledger
    from fieldguide.memory.trial import Setup, Trial, quiet, storages
    from fieldguide.models import subject_from
    from fieldguide.scale.plans import built, checkpoint_bytes

    parser = argparse.ArgumentParser()
    scale.add_arguments(parser)
    subject = subject_from(parser.parse_args(
        f"--model {model} --n-layer 2 --n-embd 64 --n-head 2 --vocab 99 --block 16".split()
    ))  # fmt: skip
    with quiet():
        trial = Trial(subject, Setup(), Ledger())
    buffers = sum(b.nbytes for b in trial.model.buffers())
    real = sum(each.nbytes() for each in storages(trial)) - buffers
    assert checkpoint_bytes(subject, built(subject, torch.float32)) == pytest.approx(real, rel=0.02)


@pytest.mark.parametrize(("n", "tokens"), APPROACH_2.items())
def test_chinchillas_table_lies_in_the_interval(n: float, tokens: float) -> None:
    found = laws.chinchilla(n)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(tokens, rel=0.07)


def test_the_fit_anew_gives_chinchilla_itself() -> None:
    """70e9 parameters on 1.4e12 tokens."""
    assert laws.refit(70e9) == pytest.approx(1.4e12, rel=0.15)


@pytest.mark.parametrize("law", ["chinchilla", "twenty", "valleys", "nanochat"])
def test_a_budget_is_spent(law: str) -> None:
    n = laws.size_for(laws.LAWS[law], 1e19)
    assert 6 * n * laws.LAWS[law].tokens(n).value == pytest.approx(1e19, rel=1e-6)


def test_kaplans_law_gives_its_own_figures_at_a_petaflop_day() -> None:
    law = laws.LAWS["kaplan"]
    assert laws.size_for(law, laws.PF_DAY) == pytest.approx(1.3e9)
    assert law.tokens(1.3e9).value == pytest.approx(2e10)


def test_a_budget_in_dollars_is_hours_is_operations() -> None:
    text = "--model nanochat-newest --gpu L4 --gpus 2 --mfu 0.4"
    by_money = run(f"{text} --dollars 6 --dollars-per-gpu-hour 3").data
    by_hours = run(f"{text} --hours 1").data
    assert by_money["flops"] == by_hours["flops"] == pytest.approx(3600 * 2 * 121e12 * 0.4)
    depth = by_hours["depth"]
    assert run(f"{text} --depth {depth}").data["flops"] <= by_hours["flops"]
    assert run(f"{text} --depth {depth + 1}").data["flops"] > by_hours["flops"]


def test_time_and_money_are_the_readers() -> None:
    base = "--model gpt2 --tokens 1e9 --tflops 100 --memory-gb 10"
    data = run(f"{base} --mfu 0.5 --gpus 2 --dollars-per-gpu-hour 2").data
    hours = data["flops"] / (100e12 * 2 * 0.5) / 3600
    assert data["hours_between"] == pytest.approx([hours, hours])
    assert data["dollars_between"] == pytest.approx([4 * hours, 4 * hours])
    without = run(base).data
    assert without["dollars_between"] is None
    assert without["hours_between"][1] == pytest.approx(without["hours_between"][0] * 0.5 / 0.3)
    assert run("--model gpt2 --gpu T4").data["hours_between"] is None  # no bfloat16


def test_a_budget_too_small_is_told_and_json_is_json() -> None:
    report = run("--flops 1000")
    assert "pays for no model" in report.findings[0].what
    assert json.loads(report.as_json())["flops"] == 1000


@pytest.mark.parametrize(("text", "message"), [
    ("--dollars 5", "needs your price"),
    ("--hours 5", "name it with --gpu"),
    ("--hours 5 --gpu T4", "say its --tflops"),
    ("--flops -1", "above 0"),
    ("--tokens inf", "above 0"),
    ("--mfu 40", "at most 1"),
    ("--flops 1e9 --hours 2", "the same twice"),
    ("--ratio 8 --tokens 1e9", "the same twice"),
    ("--gpus 0", "above 0"),
])  # fmt: skip
def test_bad_input_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        run(text)


def test_a_ratio_counts_as_its_law_counts() -> None:
    def tokens(**given: Any) -> float:
        words = " ".join(f"--{name} {value}" for name, value in given.items())
        return float(run(f"--model nanochat-newest --depth 24 {words}").data["tokens"])

    assert tokens(ratio=8) == pytest.approx(5.838e9, rel=1e-3)
    assert tokens(ratio=8, law="twenty") == pytest.approx(8 * 1_384_122_122)
    assert tokens(tokens=5e9) == 5e9
