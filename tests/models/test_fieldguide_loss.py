"""`fieldguide loss`: what is planted in a log is found, healthy logs are left alone, nothing in a log does harm."""

import argparse
import json
import math
import struct
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide import loss
from fieldguide.__main__ import main
from fieldguide.logs.curve import BUCKETS, Curve
from fieldguide.logs.events import masked_crc
from fieldguide.logs.reading import read_log
from fieldguide.loss.judging import spikes
from fieldguide.report import Report, UsageProblem

PINNED = Path(__file__).parents[2] / "docs/runs/pinned"
# Curves of healthy trainings, with what their logs would have said of their stage.
REAL = [
    ("chars", "loss", "auto"), ("prose", "loss", "auto"), ("muon", "loss", "auto"), ("adamw", "loss", "auto"),
    ("sort", "loss", "auto"), ("mid", "loss", "finetune"), ("sft", "loss_direct", "finetune"),
    ("sft", "loss_alone", "auto"), ("sft", "loss_masked_1", "auto"), ("sft", "loss_masked_2", "auto"),
    ("sft", "loss_masked_3", "auto"), ("sft", "loss_unmasked_1", "auto"), ("sft", "loss_unmasked_2", "auto"),
    ("distributed", "loss_alone", "auto"), ("distributed", "half_loss_alone", "auto"),
]  # fmt: skip
Record = dict[str, float]


def records(name: str, curve: str) -> list[Record]:
    """The lines of a log.jsonl of a pinned run."""
    log = json.loads((PINNED / f"{name}.json").read_text())["log"]
    kept = log if curve == "loss" else {curve: log[curve]}
    lines = [({"step": step, "loss" if key == curve else key: value}) for key in kept for step, value in kept[key]]
    return sorted(lines, key=lambda line: line["step"])


def as_json(lines: Iterable[Record]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def as_nanogpt(lines: Iterable[Record]) -> str:
    text, train = ["tokens per iteration will be: 12,288"], {}
    for line in lines:
        if "loss" in line:
            text.append(f"iter {line['step']}: loss {line['loss']:.4f}, time 12.34ms, mfu 1.20%")
        train.update({line["step"]: line["train_loss"]} if "train_loss" in line else {})
        if "val_loss" in line and line["step"] in train:
            text.append(f"step {line['step']}: train loss {train[line['step']]:.4f}, val loss {line['val_loss']:.4f}")
    return "\n".join(text)


def as_nanochat(lines: Iterable[Record]) -> str:
    """nanochat prints its loss averaged: 0.9 of the last average and 0.1 of the new loss, over 1 - 0.9^n."""
    text, average = [], 0.0
    for line in lines:
        step = int(line["step"])
        if "loss" in line:
            average = 0.9 * average + 0.1 * line["loss"]
            shown = average / (1 - 0.9 ** (step + 1))
            text.append(
                f"step {step:05d}/00700 (0.00%) | loss: {shown:.6f} | lrm: 1.00 | dt: 9.10ms | tok/sec: 1,024 | "
                "bf16_mfu: 0.00 | epoch: 1 pq: 0 rg: 0 | total time: 0.00m | eta: 0.1m"
            )
        if "val_bpb" in line:
            text.append(f"Step {step:05d} | Validation bpb: {line['val_bpb']:.6f}")
    return "\x1b[1m\n".join(text)


def as_csv(lines: Iterable[Record]) -> str:
    rows = [f"{line['step']},{line['loss']},{line.get('lr', '')}" for line in lines if "loss" in line]
    return "\n".join(["step,loss,lr", *rows])


def read(tmp_path: Path, text: str, stage: str = "auto", vocabulary: int = 0) -> Report:
    path = tmp_path / "log"
    path.write_text(text)
    return loss.run(argparse.Namespace(file=path, stage=stage, vocab_size=vocabulary))


def alarms(report: Report) -> list[str]:
    return [finding.what for finding in report.findings if finding.level in ("warning", "error")]


def healthy(seed: int, n: int = 700, vocabulary: int = 50304, tails: str = "normal") -> np.ndarray:
    """A power law from ln V to a third of it, with noise."""
    rng = np.random.default_rng(seed)
    top = math.log(vocabulary)
    low, power, scale = rng.uniform(0.25, 0.45) * top, rng.uniform(0.2, 0.7), rng.uniform(5, 60)
    noise = rng.normal(size=n) if tails == "normal" else rng.standard_t(5, size=n)
    return low + (top - low) * (1 + np.arange(n) / scale) ** -power + rng.uniform(0.005, 0.04) * low * noise


def steps(values: Iterable[float], **more: Iterable[float]) -> str:
    lines: list[Record] = [{"step": step, "loss": float(value)} for step, value in enumerate(values)]
    for name, series in more.items():
        every = len(lines) // len(list(series))
        lines += [{"step": every * k, name: float(value)} for k, value in enumerate(series)]
    return as_json(sorted(lines, key=lambda line: line["step"]))


@pytest.mark.parametrize("write", [as_json, as_nanogpt, as_nanochat, as_csv])
@pytest.mark.parametrize(("name", "curve", "stage"), REAL)
def test_no_alarm_on_real_healthy_trainings(
    tmp_path: Path, name: str, curve: str, stage: str, write: Callable[[Iterable[Record]], str]
) -> None:
    report = read(tmp_path, write(records(name, curve)), stage)
    assert not alarms(report) and report.exit_code == 0


def test_no_alarm_on_power_laws_with_normal_noise(tmp_path: Path) -> None:
    alarmed = 0
    for seed in range(100):
        n, vocabulary = (60, 200, 1000)[seed % 3], (65, 1024, 50304)[seed % 3]
        curve = healthy(seed, n, vocabulary)
        known = vocabulary if seed % 2 else 0
        alarmed += bool(alarms(read(tmp_path, steps(curve, val_loss=curve[:: n // 10] + 0.02), vocabulary=known)))
    assert alarmed == 0


def test_spikes_are_false_once_in_fifty_thousand_values_of_long_tailed_noise_at_most() -> None:
    found = 0
    for seed in range(20):
        curve = Curve()
        for step, value in enumerate(healthy(seed, 5000, tails="t")):
            curve.add(step, float(value))
        curve.search()
        found += len(spikes(curve))
    assert found <= 2


def test_nanochats_average_is_undone(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(as_nanochat(records("prose", "loss")))
    values = read_log(tmp_path / "log").curves["loss"].course()[1]
    want = [line["loss"] for line in records("prose", "loss") if "loss" in line]
    np.testing.assert_allclose(values, want, atol=2e-5)


def spiked(curve: np.ndarray) -> np.ndarray:
    curve[400:430] += np.linspace(2.5, 0, 30)
    return curve


def cut(curve: np.ndarray, at: int, value: float) -> np.ndarray:
    """The curve, flat from a step on."""
    return np.where(np.arange(len(curve)) < at, curve, value + 0.02 * np.random.default_rng(1).normal(size=len(curve)))


def broken() -> dict[str, tuple[str, str]]:
    """Logs with one fault each, and a word of what is to be found."""
    curve, n = healthy(3), 700
    t, noise = np.arange(n), 0.02 * np.random.default_rng(2).normal(size=n)
    nan, single = curve.copy(), curve.copy()
    nan[350:], single[[100, 300]] = math.nan, math.nan
    rise = np.where(t > 400, curve + (t - 400) * 0.01, curve)
    middle = np.where(t < 100, 10.8 - t * 0.04, np.where(t < 400, 6.8, 6.8 - 3 * (1 - np.exp((400 - t) / 60)))) + noise
    val = [4, 3.4, 3.0, 2.8, 2.7, 2.75, 2.85, 2.95, 3.1, 3.2]
    return {
        "nan": (steps(nan), "NaN or infinite from step 350"),
        "single nan": (steps(single), "at single steps, first at step 100"),
        "no targets": (steps(np.where(t % 90 == 40, 0, curve)), "exactly 0 at 8 steps, first at step 40"),
        "spike": (steps(spiked(curve.copy())), "1 spike of the loss, the highest at step 400"),
        "never falls": (steps(10.82 + noise), "does not fall"),
        "slow": (steps(10.82 - t * 0.001 + noise), "barely moves"),
        "rises": (steps(rise), "The loss rises from"),
        "too high a rate": (steps(np.where(t < 5, 10.8, 13.0) + noise), "worse than guessing"),
        "stuck": (steps(cut(curve, 100, 7.4)), "flat at 7.39"),
        "breaks off": (steps(cut(healthy(3), 250, float(curve[240:250].mean()))), "flat at"),
        "middle": (steps(middle), "A plateau at 6.79"),
        "leak": (steps(0.05 + 10.7 * np.exp(-t / 60) + abs(noise)), "lower than text allows"),
        "overfit": (steps(np.linspace(4.2, 1.2, n) + noise, val_loss=val), "lowest at step 280"),
        "easy val": (steps(curve, val_loss=curve[::70] * 0.6), "far below that of training"),
        "bad init": (steps(np.where(t < 20, 40 - t, curve)), "worse than guessing"),
        "frozen": (steps(np.full(n, 2.345)), "2.345 for 700 values in a row"),
        "rate of 0": (steps(10.82 + noise, lr=np.zeros(n)), "lr is 0 at all"),
        "wrong way": (steps(curve, lr=np.linspace(1e-4, 1e-3, n)), "still rises at the end"),
        "early rise": (steps(np.where(t < 60, 10.8 + t * 0.05, curve)), "rises at first"),
        "two writers": (as_json({"step": i // 2, "loss": v} for i, v in enumerate(curve)), "step of the value before"),
        "died": (steps(curve) + "torch.OutOfMemoryError: CUDA out of memory. Tried", "It printed: torch.OutOf"),
    }  # fmt: skip


@pytest.mark.parametrize("fault", broken())
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    text, told = broken()[fault]
    report = read(tmp_path, text)
    found = [finding for finding in report.findings if told in finding.what]
    assert found and (found[0].advice or found[0].evidence), [finding.what for finding in report.findings]
    if fault not in ("middle",):
        assert found[0].what in alarms(report)


@pytest.mark.parametrize("width", [1, 4, 8])
def test_spikes_do_not_hide_themselves_in_a_short_log(tmp_path: Path, width: int) -> None:
    for seed in range(10):
        curve = healthy(seed, 300, 65, "t" if seed % 2 else "normal")
        for at in (90, 170, 250):
            curve[at : at + width] += np.linspace(6, 1, width)
        assert any("3 spikes of the loss" in alarm for alarm in alarms(read(tmp_path, steps(curve)))), seed


def test_batches_of_another_kind_that_come_often_are_no_spikes_of_a_short_log(tmp_path: Path) -> None:
    curve = healthy(0, 300, 65)
    curve[60::20] += 3
    assert not any("spike" in alarm for alarm in alarms(read(tmp_path, steps(curve))))


def test_many_spikes_of_a_short_log_do_not_pass_for_noise(tmp_path: Path) -> None:
    for seed in range(5):
        curve = healthy(seed, 400, 65)
        for at in range(70, 390, 40):
            curve[at : at + 8] += np.linspace(3, 0.8, 8)
        assert any("spike of the loss" in alarm for alarm in alarms(read(tmp_path, steps(curve)))), seed


def test_a_model_that_is_thrown_off_and_comes_back_slowly_has_a_spike(tmp_path: Path) -> None:
    """So slowly that the line through the values before follows it: of the high ones two alone stand far above it."""
    for seed in range(5):
        t, noise = np.arange(1100), 0.19 * np.random.default_rng(seed).normal(size=1100)
        curve = 2.2 + 2.4 * np.exp(-t / 60) + noise + np.where(t >= 641, 2.2 * np.exp((641 - t) / 22), 0)
        found = alarms(read(tmp_path, steps(curve)))
        assert len(found) == 1 and found[0].startswith("1 spike of the loss, the highest at step 64"), (seed, found)


def test_a_log_of_evaluations_alone_shows_that_nothing_is_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def evaluations(losses: np.ndarray) -> str:
        return "".join(f"step {50 * k}: train loss {x:.4f}, val loss {x + 0.003:.4f}\n" for k, x in enumerate(losses))

    found = alarms(read(tmp_path, evaluations(8.006 + 0.004 * rng.normal(size=11))))
    assert len(found) == 1 and "The loss does not fall: 8.0" in found[0]
    assert not alarms(read(tmp_path, evaluations(8.006 - 0.03 * np.arange(11))))


@pytest.mark.parametrize(("level", "alarmed"), [(3.26, True), (2.35, False)])
def test_what_every_token_costs_by_its_frequency_is_a_plateau_and_a_small_models_floor_is_none(
    tmp_path: Path, level: float, alarmed: bool
) -> None:
    """Characters of English take 3.2 nats each where the context is lost, and 2.4 with one before: ln 103 is 4.63."""
    t, noise = np.arange(1500), 0.14 * np.random.default_rng(3).normal(size=1500)
    curve = level + (4.63 - level) * np.exp(-t / (25 if alarmed else 200)) + noise
    found = [alarm for alarm in alarms(read(tmp_path, steps(curve), vocabulary=103)) if "is flat at" in alarm]
    assert bool(found) == alarmed


def test_overfitting_shows_in_few_noisy_measurements_by_what_training_does_meanwhile(tmp_path: Path) -> None:
    t, noise = np.arange(1600), 0.08 * np.random.default_rng(4).normal(size=1600)
    training = 0.3 + 4.8 * (1 + t / 40) ** -0.6 + noise
    val = [5.42, 3.20, 2.76, 2.61, 2.78, 2.88, 2.81, 2.65, 2.83, 2.96, 2.86, 2.96, 2.96, 2.84, 2.82, 3.04]
    assert any("ends no better" in alarm for alarm in alarms(read(tmp_path, steps(training, val_loss=val))))
    both = [x + 0.3 for x in training[::100]]
    assert not alarms(read(tmp_path, steps(training, val_loss=both)))


@pytest.mark.parametrize("vocabulary", [0, 103])
@pytest.mark.parametrize("peak", [40.0, 6.4])
def test_a_rate_that_is_too_high_is_found_although_the_loss_settles(
    tmp_path: Path, peak: float, vocabulary: int
) -> None:
    """The course of a small GPT at rates of 1.0 and 0.3 without a warm-up: an explosion, then a noisy plateau."""
    t, level, noise = np.arange(300), 4.2 if peak > 10 else 3.3, np.random.default_rng(1).normal(size=300)
    curve = level + (peak - level) * np.exp((2 - t) / (8 if peak > 10 else 3)) + 0.12 * noise
    curve[:2] = 4.61, 4.2
    found = alarms(read(tmp_path, steps(curve), vocabulary=vocabulary))
    assert any("rises at first" in alarm for alarm in found), found
    assert peak < 10 or any("is flat at" in alarm for alarm in found), found  # the noise hides whether 3.3 is flat


def few_alarms(curves: Iterable[str], word: str, tmp_path: Path) -> int:
    """In how many logs an alarm has a word."""
    return sum(any(word in alarm for alarm in alarms(read(tmp_path, text))) for text in curves)


def courses(shape: Callable[[np.random.Generator, np.ndarray], np.ndarray], seeds: range, n: int = 500) -> list[str]:
    """Logs of one shape, whose parameters are drawn anew for each seed; noise of 0.1 to 0.25."""
    dice = [np.random.default_rng(seed) for seed in seeds]
    return [steps(shape(rng, np.arange(n)) + rng.uniform(0.1, 0.25) * rng.normal(size=n)) for rng in dice]


HELD_OUT = range(7000, 7040)  # the limits were chosen on trainings of other seeds


def test_what_a_rate_does_that_is_somewhat_too_high_is_found(tmp_path: Path) -> None:
    def at_once(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        level = rng.uniform(2.9, 3.4)
        return np.where(t == 0, 4.6, level + (4.6 - level) * rng.uniform(0.3, 0.5) * np.exp(-t / 20))

    assert few_alarms(courses(at_once, HELD_OUT), "rate", tmp_path) >= 38


def test_a_context_that_is_lost_is_a_level_and_a_training_that_falls_on_is_none(tmp_path: Path) -> None:
    def level(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        return rng.uniform(3.2, 3.5) + 1.2 * np.exp(-t / rng.uniform(20, 60))

    def falls(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        end = rng.uniform(1.2, 2.2)
        return end + (4.6 - end) * (1 + t / rng.uniform(20, 60)) ** -rng.uniform(0.35, 0.6)

    assert few_alarms(courses(level, HELD_OUT), "is flat at", tmp_path) >= 32  # noise hides it in some
    assert few_alarms(courses(falls, HELD_OUT), "", tmp_path) == 0


def test_a_faint_jump_is_found_and_batches_in_order_have_none(tmp_path: Path) -> None:
    def jumps(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        at, high = int(rng.uniform(200, 400)), rng.uniform(1.1, 1.6)
        return 2.2 + 2.4 * (1 + t / 40) ** -0.6 + np.where(t >= at, high * np.exp((at - t) / rng.uniform(15, 40)), 0)

    def in_order(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        documents = np.repeat(rng.normal(size=len(t)), rng.integers(4, 12, size=len(t)))[: len(t)]
        return 2.2 + 2.4 * (1 + t / 40) ** -0.6 + 0.25 * documents

    assert few_alarms(courses(jumps, HELD_OUT), "spike", tmp_path) >= 34
    assert few_alarms(courses(in_order, HELD_OUT), "spike", tmp_path) <= 1


def test_characters_that_are_copied_fall_faster_than_text(tmp_path: Path) -> None:
    def copied(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
        found = rng.uniform(150, 250)
        return 0.9 + 1.7 / (1 + np.exp((t - found) / 30)) + 2.0 * np.exp(-t / 30)

    assert few_alarms(courses(copied, HELD_OUT), "faster than text", tmp_path) >= 36


def test_a_log_of_three_hundred_values_is_long_enough_to_say_that_the_loss_barely_moves(tmp_path: Path) -> None:
    curve = 10.82 - np.arange(300) * 0.002 + 0.02 * np.random.default_rng(2).normal(size=300)
    assert any("barely moves" in alarm for alarm in alarms(read(tmp_path, steps(curve))))


def test_a_low_first_loss_is_noticed_where_the_vocabulary_is_known(tmp_path: Path) -> None:
    curve = healthy(4, vocabulary=256)
    assert any("far below guessing" in alarm for alarm in alarms(read(tmp_path, steps(curve), vocabulary=50304)))
    assert not alarms(read(tmp_path, "vocab_size: 256\n" + steps(curve)))
    assert not alarms(read(tmp_path, "Resuming training from out\n" + steps(curve), vocabulary=50304))


def test_the_vocabulary_and_the_stage_are_taken_from_a_checkpoint_beside_the_log(tmp_path: Path) -> None:
    (tmp_path / "meta_000700.json").write_text('{"model_config": {"vocab_size": 1024}, "stage": "sft"}')
    report = read(tmp_path, as_json(records("mid", "loss")))
    assert report.data["vocabulary"] == 1024 and not alarms(report)


def test_a_training_that_was_resumed_counts_once(tmp_path: Path) -> None:
    curve = healthy(5)
    lines = [{"step": step, "loss": value} for step, value in enumerate(curve)]
    report = read(tmp_path, as_json([*lines[:500], {"step": 3, "loss": 99.0}, *lines[400:]]))
    assert report.data["curves"]["loss"]["values"] == 700 and not alarms(report)
    assert any("starts again at step 400" in finding.what for finding in report.findings)


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def test_tensorboards_files_are_read_without_it_and_agree_with_its_writer(tmp_path: Path) -> None:
    tensorboardx = pytest.importorskip("tensorboardX")
    for first, last in ((0, 60), (50, 200)):
        writer = tensorboardx.SummaryWriter(str(tmp_path / str(first)), purge_step=first)
        for step in range(first, last):
            writer.add_scalar("loss", 5 - step / 100, step)
        writer.close()
    files = [next((tmp_path / name).iterdir()).read_bytes() for name in ("0", "50")]
    (tmp_path / "tfevents").write_bytes(b"".join(files) + record(b"\xff\xff") + files[0][:-7])
    log = read_log(tmp_path / "tfevents")
    assert log.unread == 1 and log.cut
    loss_of = read_log(tmp_path / "50").curves["loss"]
    assert (loss_of.count, loss_of.first_step, loss_of.last) == (150, 50, pytest.approx(3.01))


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "log"
    for content in (data, b"step,loss\n" + data, b'{"step": 1, "loss": 2}\n' + data, record(data) + data):
        path.write_bytes(content)
        try:
            loss.run(argparse.Namespace(file=path, stage="auto", vocab_size=0)).as_text()
        except UsageProblem as problem:
            assert "holds no losses" in str(problem)


STEP = st.one_of(st.integers(-5, 300), st.floats(), st.just(10**30), st.text(max_size=3))
VALUE = st.one_of(st.floats(), st.none(), st.just("NaN"), st.just(10**400), st.booleans(), st.lists(st.integers()))


@given(st.lists(st.tuples(STEP, VALUE, st.sampled_from(["loss", "val_loss", "lr", "grad_norm"])), max_size=80))
def test_any_numbers_are_judged_without_failing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[object, object, str]]
) -> None:
    text = "".join(json.dumps({"step": step, name: value}) + "\n" for step, value, name in lines)
    try:
        json.loads(read(tmp_path_factory.mktemp("any"), text).as_json())
    except UsageProblem as problem:
        assert "holds no losses" in str(problem)


def test_garbage_and_what_a_terminal_obeys_is_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2JValueError: \x1b[31m\x07 boom\n" + "x" * 200_000 + "\n\x00\xff\n"
    evil += "{" + "[" * 5000 + "\n"
    path = tmp_path / "log"
    path.write_text(evil + as_nanogpt(records("chars", "loss")).replace("\n", "\r\n"), encoding="utf-8")
    assert main(["loss", str(path)]) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\x07" not in said and "1 too long" in said and "ValueError" in said


def test_a_log_that_powershell_wrote_is_read(tmp_path: Path) -> None:
    text = as_nanogpt(records("chars", "loss"))
    (tmp_path / "log").write_text(text, encoding="utf-16")
    assert read_log(tmp_path / "log").curves["loss"].count == 701


def test_memory_is_bounded_however_long_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as file:
        for step in range(12_000):
            file.write(f"iter {step}: loss {3 + 1e-3 * (step % 7):.4f}, time 1.00ms, mfu 1.00%\n")
    tracemalloc.start()
    curve = read_log(path).curves["loss"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert curve.count == 12_000 and len(curve.course()[1]) <= BUCKETS and peak < 20e6


def test_what_is_no_log_is_refused_with_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "text").write_text("nothing here\n")
    for name, told in (("loop", "can't be opened|is not there"), ("text", "holds no losses"), ("", "holds neither"),
                       ("missing", "is not there")):  # fmt: skip
        assert main(["loss", str(tmp_path / name)]) == 2
        said = capsys.readouterr().err
        assert any(part in said for part in told.split("|"))
    assert main(["loss", "/dev/zero"]) == 2
