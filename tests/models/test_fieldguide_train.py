"""`fieldguide train`: asks what is missing, shows a plan that other tools checked, and trains for real."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldguide import train as tool
from fieldguide.report import Finding, Report, UsageProblem
from fieldguide.runs import records
from fieldguide.train import commands, starting, wishes
from fieldguide.train.wishes import Size, Wish

SOURCE = Path(tool.__file__).parents[2]
TEXT = "a small text of some words, again and again\n" * 200


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(words)


def run(*words: str) -> Report:
    return tool.run(options(*words))


def wish(text: Path, model: str = "nanogpt", **changed: object) -> Wish:
    given = {"size": "tiny", "device": "cpu", "minutes": 1.0, "steps": None, "out": text.parent / "out", "processes": 1}
    return Wish(model, text, **{**given, **changed})  # type: ignore[arg-type]


def test_what_is_missing_is_asked_and_nonsense_asked_again(text: Path) -> None:
    asked: list[str] = []
    answers = iter(["nonsense", "nanoc", "/no/such/file", str(text), "", "CPU", "-3", "soon", "2.5"])

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    found = wishes.complete(options("--out", str(text.parent / "new")), ask)
    assert (found.model, found.text, found.size, found.device, found.minutes) == ("nanochat", text, "tiny", "cpu", 2.5)
    assert len(asked) == 9
    asked.clear()
    said = ["--model", "ngpt", "--text", str(text), "--size", "small", "--device", "cpu", "--steps", "9"]
    assert wishes.complete(options(*said), ask).steps == 9
    assert asked == []


def test_nobody_is_asked_without_a_terminal(text: Path) -> None:
    command = [sys.executable, "-m", "fieldguide", "train", "--text", str(text), "--size", "tiny"]
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ran = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert "no terminal to ask for --model, --device, --minutes" in ran.stderr


def test_the_commands_of_each_model(text: Path) -> None:
    made = commands.orders(wish(text), 100, "cpu")
    assert made.prepare[0][1:4] == ["-m", "nanogpt.data", "char"]
    assert made.vocabulary == len(set(TEXT))
    assert {"nanogpt.train", "--max_iters=100", "--compile=False", f"--dataset={made.data}"} <= set(made.train)
    made = commands.orders(wish(text, "nanochat", processes=2), 100, "cpu")
    assert [words[3] for words in made.prepare] == ["dataset", "tokenizer"]
    assert "torch.distributed.run" in made.train
    assert "--total-batch-size=1536" in made.train
    made = commands.orders(wish(text, "ngpt", processes=2), 100, "cuda")
    assert {"--backend=nccl", "--gradient_accumulation_steps=2", "--warmup_iters=0"} <= set(made.train)


def test_a_folder_of_tokens_is_taken_as_it_is(text: Path) -> None:
    from nanogpt.data import prepare_char

    prepare_char(TEXT, text.parent / "tokens")
    made = commands.orders(wish(text.parent / "tokens"), 100, "cpu")
    assert (made.prepare, made.vocabulary) == ([], len(set(TEXT)))
    with pytest.raises(UsageProblem, match="two or more shards"):
        commands.orders(wish(text.parent / "tokens", "nanochat"), 100, "cpu")


def test_a_command_in_lines_is_the_same_to_a_shell() -> None:
    words = ["printf", "%s\n", "--text=two words", "$HOME", *(f"--option{i}={i}" for i in range(20))]
    ran = subprocess.run(["sh", "-c", tool.folded(words)], capture_output=True, text=True, timeout=10)
    assert ran.stdout.splitlines() == words[2:]


def test_output_is_shown_and_kept_and_a_failure_ends_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    say, fail = [sys.executable, "-c", "print('iter 0')"], [sys.executable, "-c", "raise SystemExit(5)"]
    log = tmp_path / "new/train.log"
    assert starting.run_all([say, say], log, aside=False) == 0
    assert log.read_text() == "iter 0\n"
    assert capfd.readouterr().out == "iter 0\niter 0\n"
    assert starting.run_all([fail, say], tmp_path / "other.log", aside=True) == 5
    assert not (tmp_path / "other.log").exists()
    with pytest.raises(UsageProblem, match="File exists"):
        starting.run(say, log)


@pytest.mark.slow
def test_a_training_from_a_text_to_a_record(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(wishes.SIZES, "tiny", Size(1, 1, 32, 16, 4, 1, 1e-3, "a test"))
    said = ["--model", "nanogpt", "--device", "cpu", "--steps", "40", "--text", str(text), "--yes"]
    out = ["--out", str(tmp_path / "out"), "--runs", str(tmp_path / "runs")]
    report = run(*said, *out)
    assert report.exit_code == 0, report.as_text()
    assert report.data["tokens"] == 40 * 4 * 16
    assert "iter 40: loss" in capfd.readouterr().out
    [found], _ = records.load(tmp_path / "runs")
    assert (found.settings["max_iters"], found.settings["model"]) == (40, "nanogpt")
    assert (found.result["step"], found.seeds) == (40, [1337])
    assert len(found.code["digest"]) == 64
    assert json.loads(report.as_json())["commands"]
    with pytest.raises(UsageProblem, match="something is there already"):
        run(*said, *out)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Report:
    """A plan without the seconds that it takes, of a small training."""
    from fieldguide.train import preview

    names = ("parameters", "peak_bytes", "tokens", "flops", "checkpoint_bytes", "steps", "step_seconds")
    plan = Report("plan", data=dict.fromkeys(names, 3))
    monkeypatch.setattr(preview, "step_seconds", lambda *given: 0.01)
    monkeypatch.setattr(preview, "look", lambda *given: plan)
    monkeypatch.setitem(wishes.SIZES, "tiny", Size(1, 1, 32, 16, 4, 1, 1e-3, "a test"))
    return plan


def test_a_dry_run_and_a_plan_with_an_error_start_nothing(text: Path, tmp_path: Path, planned: Report) -> None:
    said = ["--text", str(text), "--yes", "--device", "cpu", "--steps", "3", "--out", str(tmp_path / "out")]
    report = run(*said, "--dry-run")
    assert report.exit_code == 0
    assert "nanogpt.train" in report.findings[0].evidence
    planned.findings.append(Finding("error", "It does not fit."))
    assert run(*said).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.txt"]


def test_who_says_no_starts_nothing(text: Path, planned: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "n")
    said = ["--text", str(text), "--model", "nanogpt", "--size", "tiny", "--device", "cpu", "--steps", "3"]
    report = run(*said, "--out", str(text.parent / "out"))
    assert report.title == "train: not started"
    assert not (text.parent / "out").exists()


def test_the_exit_code_is_the_trainings(
    text: Path, tmp_path: Path, planned: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = commands.Orders(train=[sys.executable, "-c", "raise SystemExit(5)"], log=tmp_path / "out/train.log")
    monkeypatch.setattr(commands, "orders", lambda *given: fails)
    report = run("--text", str(text), "--yes", "--device", "cpu", "--steps", "3", "--runs", str(tmp_path / "runs"))
    assert report.exit_code == 5
    assert not (tmp_path / "runs").exists()


def test_what_can_not_be_meant(text: Path, tmp_path: Path) -> None:
    def refused(*words: str) -> str:
        with pytest.raises(UsageProblem) as found:
            wishes.complete(options("--yes", *words))
        return str(found.value)

    assert "--text is needed" in refused()
    assert "--minutes nan" in refused("--text", str(text), "--minutes", "nan")
    assert "--steps 0" in refused("--text", str(text), "--steps", "0")
    assert "--processes 0" in refused("--text", str(text), "--processes", "0")
    assert "it is not there" in refused("--text", str(tmp_path / "none"))
    assert "something is there already" in refused("--text", str(text), "--out", str(text))
    text.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageProblem, match="convert it"):
        commands.letters(text)
    text.write_text("")
    with pytest.raises(UsageProblem, match="is empty"):
        commands.letters(text)
