"""`fieldguide runs`: one file for each training, whole or not there, and what differs between two of them."""

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fieldguide import runs as tool
from fieldguide.__main__ import main
from fieldguide.report import Report, UsageProblem
from fieldguide.runs import records, setting, sources
from fieldguide.runs.records import record

SOURCE = Path(tool.__file__).parents[2]


def run(*words: str) -> Report:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


def log(path: Path, level: float, rate: str = "6e-4") -> Path:
    """What nanoGPT prints, with its settings."""
    lines = ["Overriding config with config/x.py:", "# a comment", f"learning_rate = {rate} # with a comment",
             "out_dir = 'out'", "batch = 12 * 2", "Overriding: seed = 1337", "tokens per iteration: 100"]  # fmt: skip
    rng = random.Random(3)
    noise = [rng.gauss(0, 0.05) for _ in range(200)]
    lines += [f"iter {i}: loss {level + 2 / (i + 1) + noise[i]:.4f}, time 10.00ms, mfu 1.00%" for i in range(200)]
    lines.append(f"step 200: train loss {level:.4f}, val loss {level + 0.1:.4f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recorded trainings."""
    for name, level, rate in (("low", 1.5, "6e-4"), ("high", 1.9, "6e-3")):
        run("record", str(log(tmp_path / f"{name}.log", level, rate)), "--name", name, "--folder", str(tmp_path / "r"))
    return tmp_path / "r"


def test_a_record_has_settings_seeds_result_machine_and_versions(folder: Path) -> None:
    found, others = records.load(folder)
    one = records.pick(found, "low")
    assert others == []
    assert one.settings == {"learning_rate": 6e-4, "out_dir": "out", "batch": "12 * 2", "seed": 1337}
    assert one.seeds == [1337]
    assert one.result["val_loss_least"] == pytest.approx(1.6)
    assert one.result["loss_mean_of_last_tenth"] == pytest.approx(1.51, abs=0.05)
    assert one.result["tokens_per_s"] == pytest.approx(10000)
    assert one.machine["cores"] == os.cpu_count()
    assert "python" in one.versions
    assert len(one.curves["loss"]["steps"]) == 200
    assert [each.name for each in found] == ["low", "high"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".json"]  # no draft stays


def test_a_script_can_write_its_own_without_torch(tmp_path: Path) -> None:
    code = f"""if True:
        import sys
        from fieldguide.runs.records import record
        path = record({{"seed": 7, "lr": 0.1}}, {{"loss_last": float("nan")}}, {str(tmp_path)!r}, name="mine")
        sys.exit("torch" in sys.modules)"""
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60)
    assert ran.returncode == 0
    [found], _ = records.load(tmp_path)
    assert (found.seeds, found.result) == ([7], {"loss_last": None})


def test_settings_of_checkpoints_beside_the_log(tmp_path: Path) -> None:
    log(tmp_path / "log.txt", 1.5)
    (tmp_path / "meta_000010.json").write_text(json.dumps({"user_config": {"depth": 4, "seed": 42}}))
    assert sources.read_run(tmp_path / "log.txt")[0]["depth"] == 4
    (tmp_path / "meta_000010.json").write_text("[" * 100_000)
    assert "depth" not in sources.read_run(tmp_path / "log.txt")[0]


def test_settings_of_nanogpts_checkpoint(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    log(tmp_path / "log.txt", 1.5)
    whole = {"model": {"w": torch.zeros(2)}, "model_args": {}, "config": {"dataset": "letters"}}
    torch.save(whole, tmp_path / "ckpt.pt")
    assert sources.of_checkpoint(tmp_path) == {"dataset": "letters"}
    (tmp_path / "ckpt.pt").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert sources.of_checkpoint(tmp_path) == {}


def test_what_differs_between_two(folder: Path) -> None:
    report = run("compare", "low", "high", "--folder", str(folder))
    assert report.data["settings"] == {"learning_rate": [6e-4, 6e-3]}
    assert "more than the noise" in report.findings[0].what
    same = run("compare", "low", "low", "--folder", str(folder))
    assert same.data["settings"] == {}
    assert "are the same" in same.findings[0].what
    assert "alone explains" in same.findings[1].what


def test_a_digest_changes_with_code_and_names_alone(tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / ".hidden").mkdir(parents=True)
    (code / "a.py").write_text("x = 1\n")
    first = setting.digest(code)["digest"]
    (code / "notes.txt").write_text("not code")
    (code / ".hidden" / "b.py").write_text("y = 2\n")
    (code / "gone.py").symlink_to(tmp_path / "nowhere")
    assert setting.digest(code)["digest"] == first
    (code / "a.py").rename(code / "b.py")
    assert setting.digest(code)["digest"] != first
    (code / "b.py").rename(code / "a.py")
    (code / "a.py").write_text("x = 2\n")
    assert setting.digest(code)["digest"] != first


def test_notes_plots_and_tables(folder: Path, tmp_path: Path) -> None:
    run("note", "low", "=cmd|' /C calc'!A0 <b>\x1b[2J", "--folder", str(folder))
    assert records.pick(records.load(folder)[0], "low").notes[0]["text"].startswith("=cmd")
    drawing = tmp_path / "x.svg"
    report = run("plot", "low", "high", "--out", str(drawing), "--folder", str(folder))
    assert len(report.tables) == 2
    assert len(ElementTree.fromstring(drawing.read_text()).findall("{*}polyline")) == 2
    with pytest.raises(UsageProblem, match="File exists"):
        run("plot", "low", "--out", str(drawing), "--folder", str(folder))
    rows = list(csv.DictReader(io.StringIO(run("export", "--csv", "--folder", str(folder)).as_text())))
    assert [row["learning_rate"] for row in rows] == ["0.0006", "0.006"]
    assert rows[0]["notes"].startswith("'=cmd")
    table = run("export", "--markdown", "--folder", str(folder)).as_text()
    assert len(table.splitlines()) == 4
    assert "\\<b\\>" in table
    assert "\x1b" not in table


def test_two_at_the_same_moment_have_two_files(tmp_path: Path) -> None:
    paths = {record({"lr": 1}, {"loss_last": 2.0}, tmp_path) for _ in range(20)}
    assert len(paths) == len(list(tmp_path.iterdir())) == 20


def test_a_write_that_fails_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def fails(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(UsageProblem, match="No space left"):
        run("note", "low", "a note", "--folder", str(folder))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("content", [
    "", "[1]", "{", '{"form": 1, "id": 3}', '{"form": 1, "id": "other"}', "[" * 100_000,
    '{"form": 1, "id": "bad", "curves": {"loss": {"steps": "x", "values": []}}}',
    '{"form": 1, "id": "bad", "notes": ["x"]}',
])  # fmt: skip
def test_files_that_are_no_records_are_named_and_passed_over(content: str, folder: Path) -> None:
    (folder / "bad.json").write_text(content)
    report = run("list", "--folder", str(folder))
    assert "bad.json" in report.findings[1].evidence
    assert len(report.data["runs"]) == 2


def test_what_can_not_be_meant(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageProblem, match="found none"):
        run("compare", "low", "nothing", "--folder", str(folder))
    with pytest.raises(UsageProblem, match="found 2"):
        run("note", "20", "x", "--folder", str(folder))
    with pytest.raises(UsageProblem, match="has no curve reward"):
        run("plot", "low", "--curve", "reward", "--folder", str(folder))
    with pytest.raises(UsageProblem, match="no folder of records"):
        run("list", "--folder", str(tmp_path / "nowhere"))
    with pytest.raises(UsageProblem, match="is a file"):
        record({}, {}, tmp_path / "low.log")
    with pytest.raises(UsageProblem, match="NAME=VALUE"):
        run("record", str(tmp_path / "low.log"), "--set", "x", "--folder", str(folder))
    assert main(["runs", "list", "--folder", str(folder), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2
