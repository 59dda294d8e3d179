"""`fieldguide watch`: what grows is read once, alerts come once, the page shows it and runs nothing."""

import argparse
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldguide import sketches
from fieldguide import watch as tool
from fieldguide.logs.reading import read_log
from fieldguide.loss.judging import spikes
from fieldguide.report import Report, UsageProblem
from fieldguide.sketches import Series
from fieldguide.watch import free
from fieldguide.watch.follow import Follower
from fieldguide.watch.page import Server, page
from fieldguide.watch.speed import Speed
from fieldguide.watch.state import Watch

SOURCE = Path(tool.__file__).parents[2]


def losses(count: int, spike: int = -1) -> list[float]:
    rng = random.Random(1)
    noise = [rng.gauss(0, 0.03) for _ in range(count)]
    high = range(spike, spike + 3) if spike >= 0 else range(0)
    return [1.5 + 3 * math.exp(-i / 100) + noise[i] + 4 * (i in high) for i in range(count)]


def nanogpt(values: list[float]) -> str:
    lines = [f"iter {i}: loss {value:.4f}, time 20.00ms, mfu 31.20%" for i, value in enumerate(values)]
    lines.insert(1, "step 0: train loss 4.5000, val loss 4.6000")
    return "\n".join(["tokens per iteration: 12,288", "max_iters = 1000", *lines]) + "\n"


def nanochat(values: list[float]) -> str:
    return "".join(
        f"step {i:05d}/00700 (0.00%) | loss: {value:.6f} | lrm: 1.00 | dt: 9.10ms | tok/sec: 1,024 | bf16_mfu: 12.50 | "
        "epoch: 1\r\n" for i, value in enumerate(values)
    )  # fmt: skip


def jsonl(values: list[float]) -> str:
    return "".join(json.dumps({"step": i, "loss": value, "grad_norm": 1.0}) + "\n" for i, value in enumerate(values))


def table(values: list[float]) -> str:
    return "step,loss\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))


def run(*words: str) -> Report:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_state_at_one_look(tmp_path: Path) -> None:
    report = run("--once", str(written(tmp_path / "log.txt", nanogpt(losses(600, 400)))))
    found = report.data
    assert (found["step"], found["steps"], found["val_loss"]) == (599, 1000, 4.6)
    assert found["tokens_per_s"] == pytest.approx(12288 / 0.02)
    assert found["mfu"] == pytest.approx(0.312)
    assert found["seconds_left"] == pytest.approx(401 * 0.02)
    assert found["smooth"] == pytest.approx(1.5, abs=0.1)
    assert [finding.what for finding in report.findings] == [
        f"A spike of the loss at step 400: {losses(600, 400)[400]:.3f}, where 1.546 was expected."
    ]


@pytest.mark.parametrize("form", [nanogpt, nanochat, jsonl, table])
def test_what_grows_is_read_as_the_whole(form: object, tmp_path: Path) -> None:
    whole = form(losses(400, 300)).encode()  # type: ignore[operator]
    path, rng, at = tmp_path / "log", random.Random(2), 0
    path.write_bytes(b"")
    follower = Follower(path)
    while at < len(whole):
        step = rng.randrange(1, 3000)
        with path.open("ab") as file:
            file.write(whole[at : at + step])
        at += step
        assert follower.read()
    assert not follower.read()
    at_once = read_log(path)
    assert follower.log.kinds == at_once.kinds
    for name, curve in at_once.curves.items():
        assert follower.log.curves[name].means == pytest.approx(curve.means)
        assert [s.step for s in spikes(follower.log.curves[name])] == [s.step for s in spikes(curve)]


def test_tensorboards_file_is_followed_to_its_last_whole_record(tmp_path: Path) -> None:
    writer = pytest.importorskip("tensorboardX").SummaryWriter(str(tmp_path))
    for step in range(50):
        writer.add_scalar("loss", 2.0 - step / 100, step)
        writer.add_scalar("tokens_per_s", 1000.0 + step, step)
    writer.close()
    path = next(tmp_path.glob("*tfevents*"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 3])
    follower = Follower(tmp_path)
    follower.read()
    first = follower.log.curves["loss"].count
    path.write_bytes(whole)
    follower.read()
    assert 0 < first < follower.log.curves["loss"].count == 50
    assert follower.speed.tokens_per_s == 1049.0


def test_each_alert_is_told_once_and_a_new_file_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl", jsonl(losses(300, 200)))
    (tmp_path / "speed.jsonl").write_text('{"step": 299, "tokens_per_s": 512.5, "mfu": 0.25}\n')
    watch = Watch(Follower(tmp_path), quiet_after=0)
    (tmp_path / "meta_000100.json").write_text('{"user_config": {"num_iterations": 20000}}')
    state, new = watch.look()
    assert (state.tokens_per_s, state.mfu, len(new)) == (512.5, 0.25, 1)
    with path.open("a") as file:
        file.write(jsonl(losses(300, 200)).replace('"step": ', '"step": 3') + '{"step": 9000, "loss": NaN}\n')
    kinds = [finding.what for finding in watch.look()[1]]
    assert any("NaN" in what for what in kinds)
    assert watch.look()[1] == []
    path.write_text(jsonl(losses(20)))
    state, new = watch.look()
    assert [finding.what for finding in new] == ["The log was begun anew."]
    assert (state.step, state.steps) == (19, 20000)
    path.unlink()
    assert "can't be read" in watch.look()[1][0].what
    assert watch.look()[1] == []


ODD = ["; ,,, steps of", "max_iters = ___", "tokens per iteration: ,", "time .ms", "dt: .ms"]


@given(st.text() | st.sampled_from(ODD))
def test_no_line_breaks_the_reader_of_speeds(line: str) -> None:
    speed = Speed()
    speed.take_line("x" + line)
    speed.take_line("{" + line)
    assert speed.steps is None or speed.steps >= 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\n", b'{"loss": 1e400}\n', b"step,loss\n1,2\n", b"\r"])))
def test_no_file_breaks_the_follower(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"")
    follower = Follower(path)
    for piece in pieces:
        with path.open("ab") as file:
            file.write(piece)
        Watch(follower).look()


@given(st.lists(st.tuples(st.integers(0, 10**15), st.floats(-1e30, 1e30)), min_size=1))
def test_any_curve_can_be_drawn(points: list[tuple[int, float]]) -> None:
    series = [Series("a<b", *map(list, zip(*points, strict=True)))]
    assert len(ElementTree.fromstring(sketches.svg("t", series, [3], standalone=True)).findall("{*}polyline")) == 1
    assert len(sketches.text(series).splitlines()) == 11


def test_silence_is_an_alert(tmp_path: Path) -> None:
    path = written(tmp_path / "log.jsonl", jsonl(losses(60)))
    os.utime(path, (1, 1))
    assert "Nothing was written" in run("--once", str(path)).findings[0].what
    assert run("--once", "--steps", "60", str(path)).findings[0].level == "good"  # it is at its end
    assert run("--once", "--quiet-after", "0", str(path)).findings[0].level == "good"


def test_memory_is_that_of_the_container(tmp_path: Path) -> None:
    info = written(tmp_path / "meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n\nHugePages: 0\n")
    assert free.machine(info, tmp_path) == [free.Memory("memory", 600 << 10, 1000 << 10)]
    written(tmp_path / "memory.max", f"{500 << 10}\n")
    written(tmp_path / "memory.current", f"{490 << 10}\n")
    assert free.machine(info, tmp_path) == [free.Memory("memory", 10 << 10, 500 << 10)]
    assert free.machine(tmp_path / "none") == []


def test_memory_of_gpus_is_what_nvidia_smi_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert free.gpus() == []
    smi = written(tmp_path / "nvidia-smi", f"#!{sys.executable}\nprint('0, 1000, 2000')\nprint('1, 5, 6')\n")
    smi.chmod(0o755)
    assert free.gpus() == [free.Memory("GPU 0", 1000 << 20, 2000 << 20), free.Memory("GPU 1", 5 << 20, 6 << 20)]
    for text in ("print('[N/A]')", "raise SystemExit(9)"):
        smi.write_text(f"#!{sys.executable}\n{text}\n")
        assert free.gpus() == []


def get(address: str, **headers: str) -> tuple[int, str, str]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers.get("content-security-policy", ""), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", ""


def test_the_page_is_for_this_machine_and_runs_nothing(tmp_path: Path) -> None:
    bad = "ValueError: <script>alert(1)</script>\x1b]0;x\x07"
    path = written(tmp_path / "<b>log.jsonl", jsonl(losses(300, 200)) + bad + "\n")
    watch = Watch(Follower(path), quiet_after=0)
    state, _ = watch.look()
    server = Server(0)
    try:
        server.text = page(watch, state, 2)
        status, policy, text = get(server.address)
        assert status == 200
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert "<b>" not in text
        assert text.count("<polyline") == 2
        assert 'class="mark"' in text
        assert 'http-equiv="refresh" content="2"' in text
        assert " style=" not in text
        assert get(server.address + "/style.css")[0] == 200
        assert get(server.address, Host="evil.example")[0] == 400
        assert server.socket.getsockname()[0] == "127.0.0.1"
        with pytest.raises(UsageProblem, match="can't be had"):
            Server(server.socket.getsockname()[1])
    finally:
        server.close()


def test_a_command_follows_until_the_last_step(tmp_path: Path) -> None:
    path = written(tmp_path / "log.txt", nanochat(losses(100)))
    command = [sys.executable, "-m", "fieldguide", "watch", str(path), "--every", "0.05", "--steps", "200", "--json"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    with contextlib.closing(process.stdout), contextlib.closing(process.stderr):  # type: ignore[type-var]
        guard = threading.Timer(60, process.kill)
        guard.start()
        assert "step 99 of 200" in process.stderr.readline()  # type: ignore[union-attr]
        path.write_text(nanochat(losses(200)))
        said, _ = process.communicate()
        guard.cancel()
    assert json.loads(said)["step"] == 199
    assert process.returncode == 0


def test_a_terminal_has_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    written: list[str] = []
    say = tool.printer(True, written.append)
    say("step 1 | loss 2.0000 | tokens/s 512", False)
    say("an alert", True)
    say("", True)
    assert written == ["\r\x1b[Kstep 1 | loss 2.000", "\r\x1b[Kan alert\n", "\r\x1b[K"]
    written.clear()
    say = tool.printer(False, written.append)
    for line in ("step 1 | loss 2 | memory 3", "step 1 | loss 2 | memory 4", "step 2 | loss 2 | memory 4"):
        say(line, False)
    assert written == ["step 1 | loss 2 | memory 3\n", "step 2 | loss 2 | memory 4\n"]


@pytest.mark.parametrize(("words", "said"), [
    (["--every", "0"], "--every 0.0"), (["--steps", "0"], "--steps 0"), (["--page", "70000"], "--page 70000"),
    (["--once", "--page", "0"], "without --once"), (["--stop-after", "nan"], "--stop-after nan"),
])  # fmt: skip
def test_numbers_that_can_not_be_meant(words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=said):
        run(*words, str(written(tmp_path / "log", jsonl([1.0]))))


def test_what_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="is not there"):
        run("--once", str(tmp_path / "nothing"))
    with pytest.raises(UsageProblem, match="no losses yet: 1 lines"):
        run("--once", str(written(tmp_path / "poem", "roses\n")))
