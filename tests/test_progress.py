"""What runs report is thinned: one moving line in a terminal, about ten lines a run in a log."""

import io
import re
from pathlib import Path
from threading import Thread

import pytest

from cutaway import runs
from cutaway.progress import ERASE, SILENT_S, Moving, Progress, in_one_line, printed
from cutaway.settings import Book
from cutaway.store import Store


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def training(progress: Progress, clock: Clock, seconds: int, run: str = "run sort") -> None:
    """A run that reports once a second."""
    progress(f"{run}: training")
    for second in range(seconds):
        clock.now += 1
        progress(Moving(f"{run}: step {second}"))


@pytest.mark.parametrize(("seconds", "lines"), [(0, 0), (1, 1), (5, 3), (900, 10), (1200, 11)])
def test_a_log_has_about_ten_lines_of_a_run(seconds: int, lines: int) -> None:
    said: list[str] = []
    clock = Clock()
    training(Progress(said.append, clock=clock), clock, seconds)
    assert said[0] == "run sort: training"
    assert len(said) == 1 + lines
    assert said[1:] == [f"run sort: step {2**number - 1}" for number in range(lines)]


def test_a_run_that_was_long_silent_has_one_line_and_not_all_that_were_due() -> None:
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, clock=clock)
    progress("run sort: training")
    for wait_s in (100, 1, 1, 27):
        clock.now += wait_s
        progress(Moving(f"run sort: after {clock.now - 1000:.0f} s"))
    assert said[1:] == ["run sort: after 100 s", "run sort: after 129 s"]


def test_runs_side_by_side_and_stages_are_thinned_apart() -> None:
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, clock=clock)
    training(progress, clock, 64)
    training(progress, clock, 3, "run mid")
    assert said[-3:] == ["run mid: training", "run mid: step 0", "run mid: step 1"]
    training(progress, clock, 1)  # another stage of the first begins anew
    assert said[-2:] == ["run sort: training", "run sort: step 0"]


def test_what_is_no_movement_always_stays() -> None:
    said: list[str] = []
    progress = Progress(said.append, clock=Clock())
    notices = ["run sort: the value 'x' has 9 MB", "run sort: the value 'y' has 9 MB", "run sort: tracing"]
    for line in notices:
        progress(line)
    assert said == notices


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        """What one sees: an erased line holds nothing, and what follows a return is written over it."""
        lines = [""]
        for part in re.findall(r"\x1b\[2K|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if part == "\n":
                lines.append("")
            elif part == ERASE:
                lines[-1] = ""
            elif part != "\r":
                lines[-1] = part + lines[-1][len(part) :]
        return lines


def test_a_terminal_shows_all_runs_in_one_line_and_leaves_it_empty() -> None:
    terminal = Terminal()
    progress = printed(terminal)
    progress("run sort: training")
    progress("run mid: training")
    for step in range(100):
        progress(Moving(f"run sort: step {step}"))
        progress(Moving(f"run mid: step {step}, loss 3"))
    stay = ["run sort: training", "run mid: training"]
    assert terminal.screen() == [*stay, "run sort: step 99 · run mid: step 99, loss 3"]
    progress("run sort: tracing")
    assert terminal.screen() == [*stay, "run sort: tracing", "run mid: step 99, loss 3"]
    progress.end()
    assert terminal.screen() == [*stay, "run sort: tracing", ""]


def test_who_is_silent_leaves_the_moving_line() -> None:
    shown: list[str] = []
    clock = Clock()
    progress = Progress(lambda line: None, shown.append, clock)
    progress(Moving("run failed: step 1"))
    clock.now += SILENT_S + 1
    progress(Moving("run mid: step 2"))
    assert shown == ["run failed: step 1", "run mid: step 2"]


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    log = io.StringIO()
    progress = printed(log)
    progress("run sort: training")
    for step in range(100):
        progress(Moving(f"run sort: step {step}"))
    progress.end()
    assert log.getvalue() == "run sort: training\n"  # younger than a second


def test_a_line_longer_than_the_terminal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert in_one_line("0123456789" * 3) == f"{ERASE}012345678901234567…\r"  # 19 columns: the last would wrap
    assert in_one_line("short") == f"{ERASE}short\r"


def test_lines_from_several_threads_are_not_mixed() -> None:
    terminal = Terminal()
    progress = printed(terminal)

    def report(run: str) -> None:
        for step in range(200):
            progress(Moving(f"run {run}: step {step}"))
            if step % 50 == 0:
                progress(f"run {run}: notice {step}")

    threads = [Thread(target=report, args=(run,)) for run in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.end()
    *lines, last = terminal.screen()
    assert sorted(lines) == sorted(f"run {run}: notice {step}" for run in "abcd" for step in (0, 50, 100, 150))
    assert last == ""


RUNS = """
from cutaway.runs import Run

class Slow(Run):
    name = "slow"
    limit_s = 20

    def train(self, log):
        log(7, loss=0.25)
        return {}

    def trace(self, weights, record):
        with record("forward"):
            pass
"""


def test_the_steps_of_a_training_move_and_its_stages_stay(tmp_path: Path) -> None:
    """From the child's log to whoever listens."""
    (tmp_path / "runs.py").write_text(RUNS, "utf-8")
    book = Book(tmp_path, {}, (tmp_path / "runs.py",), tmp_path / "scenes", Store(tmp_path / "store"))
    lines: list[str] = []
    assert runs.ensure(book, lines.append)["slow"].error == ""
    said = [(line, isinstance(line, Moving)) for line in lines]
    assert said == [
        ("run slow: training", False),
        ("run slow: step 7, loss 0.2500", True),
        ("run slow: tracing", False),
    ]
