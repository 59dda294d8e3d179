"""The command fieldguide: its tools, exit codes, JSON, and text that a terminal can't be hurt by."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide import __main__ as command
from fieldguide import report as reports
from fieldguide.report import Finding, Report, Table, escaped

SOURCE = Path(reports.__file__).parents[1]
SIZES = ["--n-layer", "1", "--n-head", "1", "--n-embd", "32", "--block", "16", "--vocab", "99"]


def test_every_tool_has_a_line_and_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert command.main([]) == 2
    capsys.readouterr()
    for name, module in command.TOOLS.items():
        assert f"  {name:<12}{command.help_of(module)}" in said
        with pytest.raises(SystemExit) as stopped:
            command.main([name, "--help"])
        assert stopped.value.code == 0
        assert "--json" in capsys.readouterr().out


def test_the_list_of_tools_is_printed_without_torch() -> None:
    code = "import sys; from fieldguide.__main__ import main; main(['-h']); sys.exit('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60)
    assert ran.returncode == 0


def test_exit_codes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["scale", *SIZES]) == 0
    assert command.main(["check", *SIZES, "--without-memory", "--data", str(tmp_path / "nowhere")]) == 1
    assert command.main(["memory", "--gpu", "no\x1b[2J"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("fieldguide memory: --gpu no\\x1b[2J: no GPU of that name")
    assert command.main(["nothing"]) == 2
    assert "there is no tool 'nothing'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        command.main(["scale", "--what"])
    assert stopped.value.code == 2


def test_a_module_process_exits_as_the_tool_says() -> None:
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ran = subprocess.run([sys.executable, "-m", "fieldguide", "scale", "--flops", "-1"], env=env, capture_output=True,
                         text=True, timeout=120)  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr == "fieldguide scale: --flops -1.0: a number above 0 is needed\n"


@pytest.mark.parametrize("tool", [["scale"], ["memory", "--device", "cpu"], ["check", "--without-memory"]])
def test_json_is_one_object_and_nothing_else(tool: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = command.main([*tool, *SIZES, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["exit_code"] == code
    assert {"title", "findings", "tables"} <= said.keys()
    assert all(finding["level"] in reports.LEVELS for finding in said["findings"])


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    report = Report(text, [Finding("note", text, text, text)], [Table((text, "b"), [(text, "1")], text)])
    for line in report.as_text(80).split("\n"):
        assert line.isprintable() or line == ""
    assert json.loads(report.as_json())["title"] == text or "\ud800" <= max(text) <= "\udfff"


def test_escapes_are_shown_as_what_they_are() -> None:
    assert escaped("\x1b]0;hello\x07 \u202eabc\x9b") == "\\x1b]0;hello\\x07 \\u202eabc\\x9b"
    assert escaped("déjà vu") == "déjà vu"


def test_numbers_that_json_lacks_are_null() -> None:
    report = Report("t", data={"nan": float("nan"), "inf": float("inf"), "path": Path("x"), "pair": (1, 2.5)})
    said = json.loads(report.as_json())
    assert (said["nan"], said["inf"], said["path"], said["pair"]) == (None, None, "x", [1, 2.5])


def test_a_table_stands_in_columns() -> None:
    table = Table(("name", "bytes"), [("a", "1.5 GiB"), ("longer", "20 GiB")])
    assert Report("t", tables=[table]).as_text(80).split("\n")[2:] == [
        "  name      bytes", "  ------  -------", "  a       1.5 GiB", "  longer   20 GiB",
    ]  # fmt: skip


def test_an_error_among_findings_is_exit_code_1() -> None:
    assert Report("t", [Finding("warning", "w"), Finding("good", "g")]).exit_code == 0
    assert Report("t", [Finding("warning", "w"), Finding("error", "e")]).exit_code == 1
    with pytest.raises(ValueError, match="not known"):
        Finding("bad", "")
