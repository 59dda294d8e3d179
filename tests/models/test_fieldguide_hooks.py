"""The hooks of `fieldguide skills`: run as an agent runs them, by the commands of hooks.json with an event as input."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide import __main__ as command
from fieldguide import skills as tool
from fieldguide.parsers import parser_of
from fieldguide.skills import commands
from fieldguide.skills.hooking import event_from

SOURCE = Path(tool.__file__).parents[2]
Done = subprocess.CompletedProcess[str]


def hook(event: str, script: str, told: dict[str, object], folder: Path, **more: str) -> Done:
    """What an agent would do: run the command of hooks.json with the event on its input."""
    groups = json.loads((folder / "a" / "hooks" / "hooks.json").read_text())["hooks"][event]
    line = next(each["command"] for group in groups for each in group["hooks"] if script in each["command"])
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "PATH": str(folder), **more}  # no notify-send: nobody is disturbed
    return subprocess.run(shlex.split(line), input=json.dumps({"cwd": str(folder), "tool_name": "Bash", **told}),
                          env=env, capture_output=True, text=True, timeout=120)  # fmt: skip


def shell(line: str, **more: object) -> dict[str, object]:
    return {"tool_input": {"command": line}, **more}


TRAINING = "python -m nanogpt.train --dataset=mine --n_layer=1 --n_head=1 --n_embd=8 --block_size=8 --batch_size=2"


HOPELESS = "nanochat base_train --depth 1 --max-seq-len 64 --device-batch-size 1 --data nowhere"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, data, the record of a training, and the hooks in a/hooks."""
    monkeypatch.chdir(tmp_path)
    lines = [f"iter {i}: loss {3 - i / 100:.4f}, time 10.00ms, mfu 1.00%" for i in range(200)]
    Path("train.log").write_text("\n".join(lines) + "\n")
    Path("data", "mine").mkdir(parents=True)
    for name in ("train", "val"):
        np.random.default_rng(1).integers(0, 65, 2000).astype("<u2").tofile(Path("data", "mine", f"{name}.bin"))
    assert command.main(["runs", "record", "train.log", "--name", "one"]) == 0
    assert command.main(["skills", "--install", "a", "--hooks"]) == 0
    return tmp_path


def test_a_session_begins_with_what_is_here(installed: Path) -> None:
    said = json.loads(hook("SessionStart", "session_start", {}, installed).stdout)["hookSpecificOutput"]
    assert said["hookEventName"] == "SessionStart"
    assert f"torch {torch.__version__}" in said["additionalContext"] and "one" in said["additionalContext"]


def test_a_training_that_can_not_run_is_held_back_with_the_reason(installed: Path) -> None:
    done = hook("PreToolUse", "pre_training", shell(HOPELESS), installed)
    assert done.returncode == 2
    assert "There is no data at nowhere" in done.stderr and "FIELDGUIDE_HOOKS=off" in done.stderr


def test_a_training_that_can_run_is_not_held_back(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["check", *(commands.check_options(TRAINING) or [])]) == 0
    assert "data/mine/train.bin: 2,000 tokens" in capsys.readouterr().out


def test_hooks_are_silent_where_they_have_nothing_to_say_or_are_switched_off(installed: Path) -> None:
    for script in ("pre_training", "before_tool", "post_training"):
        done = hook("PostToolUse" if script.startswith("post") else "PreToolUse", script, shell("ls -l"), installed)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = hook("PreToolUse", "pre_training", shell(TRAINING), installed, FIELDGUIDE_HOOKS="off")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_end_of_a_training_is_a_line_in_the_log(installed: Path) -> None:
    told = shell("torchrun -m nanogpt.train --out_dir=train.log", tool_response={"exit_code": 3})
    assert hook("PostToolUse", "post_training", told, installed).returncode == 0
    log = (installed / "a" / "hooks" / "trainings.log").read_text()
    assert "exit code 3" in log and "step 199: loss" in log and log.count("\n") == 1


def test_before_a_command_destroys_something_the_user_is_asked(installed: Path) -> None:
    done = hook("PreToolUse", "before_tool", shell("cd x && rm -rf out/ckpt.pt"), installed)
    said = json.loads(done.stdout)["hookSpecificOutput"]
    assert said["permissionDecision"] == "ask" and "out/ckpt.pt" in said["permissionDecisionReason"]


@pytest.mark.parametrize(("line", "asks"), [
    ("rm -rf out", True), ("sudo rm data/train.bin", True), ("git clean -fdx", True), ("find runs -delete", True),
    ("python -m fieldguide checkpoint thin out --delete", True), ("fieldguide skills --install .agents --force", True),
    ("ls; rm base_checkpoints/d4/model_000010.safetensors", True), ("fieldguide checkpoint thin out", False),
    ("rm notes.txt", False), ("cat out/ckpt.pt", False), ("echo 'rm out/ckpt.pt'", False), ("rm 'unclosed", False),
    ("", False),
])  # fmt: skip
def test_what_destroys(line: str, asks: bool) -> None:
    assert bool(commands.destroys(line)) is asks


@pytest.mark.parametrize(("line", "options"), [
    ("python -m nanogpt.train config/x.py --dataset=mine --device=cuda:1 --compile=False",
     ["--model", "nanogpt", "--config", "config/x.py", "--data=data/mine", "--device=cuda"]),
    ("nanogpt train --batch_size=4", ["--model", "nanogpt", "--batch=4"]),
    ("cd n; OMP_NUM_THREADS=1 torchrun --standalone --nproc_per_node=8 -m scripts.base_train -- --depth=20",
     ["--model", "nanochat-newest", "--processes=8", "--n-layer=20"]),
    ("nanochat base_train --data d --depth 4 --device-batch-size 8 --resume",
     ["--model", "nanochat", "--data=d", "--n-layer=4", "--batch=8"]),
    ("python -m nanochat chat_sft m --data d --out s", ["--model", "nanochat", "--without-memory", "--out=s"]),
    ("nanochat base_train --newest", ["--model", "nanochat-newest"]),
    ("python -m ngpt.train config/char_cpu.py --model=gpt", ["--model", "nanogpt", "--config", "config/char_cpu.py"]),
    ("torchrun train.py config/train_gpt2.py", ["--model", "nanogpt", "--config", "config/train_gpt2.py"]),
    ("python -m nanogpt.train --help", None), ("grep -rn base_train .", None), ("python train_cats.py", None),
    ("'", None),
])  # fmt: skip
def test_what_a_training_is_checked_with(line: str, options: list[str] | None) -> None:
    assert commands.check_options(line) == options
    if options:
        parser_of("check").parse_args(options)


@pytest.mark.parametrize(("line", "where"), [
    ("nanogpt train", "."), ("cd data/mine && nanogpt train", "data/mine"), ("ls", None),
    ("export A=1; cd data; cd mine; nanogpt train", "data/mine"), ("cd nowhere; nanogpt train", None),
    ("python -m nanogpt.data char x y && nanogpt train", None),
])  # fmt: skip
def test_where_a_training_starts(line: str, where: str | None, installed: Path) -> None:
    assert commands.place(line, installed) == (None if where is None else installed / where)


def test_a_training_whose_data_the_same_line_makes_is_not_held_back(installed: Path) -> None:
    done = hook("PreToolUse", "pre_training", shell(f"python make_data.py && {HOPELESS}"), installed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("told", [{}, {"tool_input": 3}, {"tool_input": {"command": None}, "tool_response": []},
                                  {"cwd": "/nowhere", "tool_response": {"exit_code": "1"}}])  # fmt: skip
def test_events_of_another_form_are_no_error(told: dict[str, object]) -> None:
    event = event_from(told)
    assert (event.command, event.folder, event.code) == ("", Path(), 0)
