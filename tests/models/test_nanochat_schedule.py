"""The schedules against closed forms."""

import math

import pytest

from nanochat.gpt import GPT, GPTConfig
from nanochat.training.groups import OptimConfig
from nanochat.training.schedule import Schedule


def test_learning_rate_of_the_first_release() -> None:
    schedule = Schedule(1000)
    rates = [schedule.lr_multiplier(it) for it in (0, 400, 800, 850, 900, 999, 1000)]
    assert rates == pytest.approx([1, 1, 1, 0.75, 0.5, 0.005, 0])
    assert [schedule.momentum(it) for it in (0, 150, 300, 999)] == pytest.approx([0.85, 0.9, 0.95, 0.95])
    assert {schedule.decay_multiplier(it) for it in range(1001)} == {1.0}


def test_schedules_of_the_newest_generation() -> None:
    schedule = Schedule.newest(2000)
    for it in range(2001):
        lr = (it + 1) / 40 if it < 40 else 1 if it <= 700 else 0.05 + 0.95 * (2000 - it) / 1300
        mu = 0.85 + 0.12 * it / 400 if it < 400 else 0.97 if it <= 700 else 0.90 + 0.07 * (2000 - it) / 1300
        assert schedule.lr_multiplier(it) == pytest.approx(lr)
        assert schedule.momentum(it) == pytest.approx(mu)
        assert schedule.decay_multiplier(it) == pytest.approx(math.cos(math.pi * it / 4000) ** 2)
    assert Schedule.newest(2000, warmup_steps=10).lr_multiplier(9) == 1


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_short_runs_have_a_schedule_too(steps: int) -> None:
    for schedule in (Schedule(steps), Schedule.newest(steps), Schedule(steps, warmdown_ratio=0.0)):
        rates = [schedule.lr_multiplier(it) for it in range(steps)]
        assert all(0 < rate <= 1 for rate in rates)
        assert all(0.85 <= schedule.momentum(it) <= 0.97 for it in range(steps + 1))


def test_a_schedule_sets_the_groups() -> None:
    model = GPT(GPTConfig.newest(n_layer=2, n_head=2, n_kv_head=1, n_embd=32, vocab_size=70))
    optimizer = model.setup_optimizer(options=OptimConfig.newest(), weight_decay=0.28)
    schedule = Schedule.newest(1000)
    for it in (0, 999, 500):  # always from what the groups began with
        schedule.apply(optimizer, it)
    for group in optimizer.param_groups:
        assert group["lr"] == pytest.approx(group["initial_lr"] * (0.05 + 0.95 * 500 / 650))
    muons = [group for group in optimizer.param_groups if group["kind"] == "muon"]
    assert {group["momentum"] for group in muons} == {schedule.momentum(500)}
    assert [group["weight_decay"] for group in muons] == pytest.approx([0.14] * 5)
    assert {group["weight_decay"] for group in optimizer.param_groups if group["kind"] == "adamw"} == {
        0.01, 0.001, 0.05, 0.0,
    }  # fmt: skip
