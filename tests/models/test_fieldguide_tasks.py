"""The five tasks of the guide's page for agents: each command is one of ours, and the quick ones are run."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from fieldguide import __main__ as command
from fieldguide.parsers import parser_of

PAGE = (Path(__file__).parents[2] / "docs/guide/agents.md").read_text(encoding="utf-8")
SECTION = PAGE.split("(guide-agents-tasks)=\n")[1].split("\n(guide-")[0]
TASKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)]
LINES = [line for task in TASKS for line in task]
OWN = {
    "TEXT": "mine.txt", "OUT": "out", "BATCH": "2", "DATA": "shards", "TOKENIZER": "tokenizer", "PRICE": "2.5",
    "FILE": "film",
}  # fmt: skip


def words_of(line: str) -> list[str]:
    """The words of a command, with what a reader has in place of the capitals."""
    return [OWN.get(word, word) for word in shlex.split(line)]


def test_there_are_five_and_each_has_its_commands() -> None:
    assert len(TASKS) == SECTION.count("\n**“") == 5
    assert all(len(task) >= 3 for task in TASKS)


@pytest.mark.parametrize("line", LINES)
def test_each_command_takes_what_is_typed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = words_of(line)
    if words[0] == "fieldguide":
        parser_of(words[1]).parse_args(words[2:])
    elif words[:3] == ["python", "-m", "cutaway"]:
        importlib.import_module("cutaway.__main__")._parser().parse_args(words[3:])
    else:
        assert words[:3] == ["python", "-m", "nanochat"]
        importlib.import_module(f"nanochat.cli.{words[3]}").parse(words[4:])


def test_a_command_with_a_slip_is_noticed() -> None:
    with pytest.raises(SystemExit):
        parser_of("scale").parse_args(words_of("fieldguide scale --dollars-per-hour PRICE")[2:])


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("fieldguide scale")])
def test_the_hours_and_the_money_are_told(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words_of(line)[1:]) == 0
    said = capsys.readouterr().out
    assert "money" in said and "hours" in said


@pytest.mark.slow
@pytest.mark.parametrize("line", TASKS[1][:2])
def test_what_does_not_fit_a_gpu_fits_with_a_smaller_batch(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The seed's second workflow: depth 24 on 24 GB."""
    fits = "--batch" in line
    assert command.main(words_of(line)[1:]) in ((0, 1) if fits else (1,))
    assert "It does not fit" in capsys.readouterr().out or fits
