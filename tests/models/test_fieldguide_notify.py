"""`fieldguide notify`: how a training ended is told by every way that is there, and the exit code is the training's."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fieldguide import notify as tool
from fieldguide.notify import ways
from fieldguide.report import Report, UsageProblem

SOURCE = Path(tool.__file__).parents[2]
ENV = {**os.environ, "PYTHONPATH": str(SOURCE)}


def run(*words: str) -> Report:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()


def test_the_end_of_a_command_is_told_with_its_last_loss(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    training = f"open({str(log)!r}, 'w').write('iter 7: loss 2.5000, time 1ms\\n'); raise SystemExit(3)"
    report = run("--log", str(tmp_path / "a/done.log"), "--loss-from", str(log), "--", sys.executable, "-c", training)
    assert report.exit_code == 3
    assert report.data["loss"] == 2.5
    [line] = (tmp_path / "a/done.log").read_text().splitlines()
    assert "failed with exit code 3 after" in line
    assert line.endswith("after 0 s. step 7: loss 2.5")
    run("--log", str(tmp_path / "a/done.log"), "--result", "0")
    assert len((tmp_path / "a/done.log").read_text().splitlines()) == 2


def test_a_command_of_the_readers_has_the_notice_and_no_shell(tmp_path: Path) -> None:
    got = tmp_path / "got.json"
    teller = script(tmp_path / "tell", f"import json, os, sys\njson.dump([sys.stdin.read(), sys.argv[1:], "
                    f"{{k: v for k, v in os.environ.items() if 'FIELD' in k}}], open({str(got)!r}, 'w'))")  # fmt: skip
    run("--run", f"{teller} 'two words' $(touch {tmp_path}/executed)", "--", sys.executable, "-c", "")
    text, words, variables = json.loads(got.read_text())
    assert text.startswith("Training ended well\n")
    assert words == ["two words", "$(touch", f"{tmp_path}/executed)"]
    assert variables["FIELDGUIDE_CODE"] == "0"
    assert not (tmp_path / "executed").exists()


def test_the_desktop_is_told_without_markup(tmp_path: Path) -> None:
    assert "is not installed" in ways.desktop(ways.Notice("t", "x", 0, 1.0, None)).what
    out = str(tmp_path / "shown")
    script(tmp_path / "bin/notify-send", f"import sys\nopen({out!r}, 'w').write(repr(sys.argv[1:]))")
    found = ways.desktop(ways.Notice("-t\x1b", "<b>x</b>", 1, 1.0, None))
    assert found.level == "good"
    shown = (tmp_path / "shown").read_text()
    assert "'--', '-t\\\\x1b', '&lt;b&gt;x&lt;/b&gt;'" in shown
    assert "critical" in shown


def test_a_way_that_fails_ends_nothing(tmp_path: Path) -> None:
    bad = script(tmp_path / "bad", "raise SystemExit('no network')")
    report = run("--run", str(bad), "--log", "/proc/nothing/x", "--loss-from", str(tmp_path / "no"), "--result", "1")
    levels = [(finding.level, finding.what) for finding in report.findings]
    assert [level for level, _ in levels] == ["warning", "note", "warning", "warning"]
    assert "no network" in report.findings[2].evidence
    assert "is not there" in levels[0][1]
    assert report.exit_code == 0


def test_a_process_that_runs_already_is_waited_for() -> None:
    training = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    threading.Timer(0.5, training.stdin.close).start()  # type: ignore[union-attr]
    report = run("--after", str(training.pid))
    training.wait()
    assert report.data["code"] is None
    assert report.data["seconds"] > 0.3
    assert "has ended" in report.findings[0].what
    with pytest.raises(UsageProblem, match="no such process"):
        run("--after", str(training.pid))


def test_whoever_ends_the_tool_ends_the_training() -> None:
    training = "import sys, time; print('begun', flush=True); time.sleep(60)"
    words = [sys.executable, "-m", "fieldguide", "notify", "--json", "--", sys.executable, "-c", training]
    process = subprocess.Popen(words, env=ENV, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        said = json.loads(process.stdout.read())
    assert process.wait(30) == 128 + signal.SIGTERM
    assert said["result"] == "was ended by SIGTERM"


def test_killed_without_a_word_has_an_explanation() -> None:
    report = run("--no-desktop", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert "out of memory" in report.findings[0].advice
    assert report.exit_code == 137


@pytest.mark.parametrize(("words", "said"), [
    ([], "0 are named"), (["--after", "1", "--result", "0"], "2 are named"), (["--after", "0"], "--after 0"),
    (["--result", "0", "--run", "'"], "quote it"), (["--result", "0", "--run", " "], "a command is needed"),
    (["--", "/no/such/program"], "can't be started"),
])  # fmt: skip
def test_what_can_not_be_meant(words: list[str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        run(*words)
