"""Follow a training that runs: its numbers in one line, or on a page, and each alert once."""

import argparse
import math
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.report import Finding, Report, Table, UsageProblem, escaped, finding_text

if TYPE_CHECKING:
    from fieldguide.watch.state import Watch

HELP = "follow a running training: loss, spikes, tokens a second, MFU, time left, memory; in the terminal or on a page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=Path, metavar="LOG", help="a log that is being written, or its folder")
    parser.add_argument("--once", action="store_true", help="print how it stands now, and end")
    parser.add_argument("--every", type=float, default=2.0, metavar="X", help="seconds between two looks (default: 2)")
    parser.add_argument("--steps", type=int, metavar="N", help="of the whole training (default: as the log says)")
    parser.add_argument("--page", type=int, metavar="PORT", help="also as a page on 127.0.0.1; 0 takes a free port")
    parser.add_argument("--quiet-after", type=float, default=300.0, metavar="X",
                        help="seconds without a line that are an alert (default: 300; 0: never)")
    parser.add_argument("--stop-after", type=float, default=0.0, metavar="X",
                        help="seconds without a line after which watching ends (default: 0, never)")


def run(options: argparse.Namespace) -> Report:
    """Look once, or until the end."""
    from fieldguide.watch.follow import Follower
    from fieldguide.watch.state import Watch

    check(options)
    watch = Watch(Follower(options.log), options.steps, options.quiet_after)
    if options.once:
        watch.look()
    else:
        keep_looking(watch, options)
    return report_of(watch)


def check(options: argparse.Namespace) -> None:
    """UsageProblem where a number can't be meant."""
    if not 0 < options.every < math.inf:
        raise UsageProblem(f"--every {options.every}: a number of seconds above 0 is needed")
    for name in ("quiet_after", "stop_after"):
        if not 0 <= getattr(options, name) < math.inf:
            raise UsageProblem(f"--{name.replace('_', '-')} {getattr(options, name)}: 0 or more seconds are needed")
    if options.steps is not None and options.steps < 1:
        raise UsageProblem(f"--steps {options.steps}: 1 is the least")
    if options.page is not None and (options.once or not 0 <= options.page < 65536):
        raise UsageProblem(f"--page {options.page}: a port from 0 to 65535, and without --once")


def keep_looking(watch: "Watch", options: argparse.Namespace) -> None:
    """Look again and again, until the last step, a long silence, or Ctrl-C."""
    from fieldguide.watch import page
    server = page.Server(options.page) if options.page is not None else None
    out = sys.stderr if options.json else sys.stdout  # --json: the report alone is on stdout
    say = printer(out.isatty(), lambda text: print(text, end="", flush=True, file=out))
    if server is not None:
        say(f"{server.address} (Ctrl-C ends)", True)
    try:
        while True:
            state, new = watch.look()
            if server is not None:
                server.text = page.page(watch, state, options.every)
            for finding in new:
                say(finding_text(finding, columns()), True)
            say(escaped(state.line()), False)
            silent = options.stop_after and time.monotonic() - watch.changed > options.stop_after
            if (state.done and not watch.fresh) or silent:  # a last measurement follows the last step
                return
            time.sleep(options.every)
    except KeyboardInterrupt:
        return
    finally:
        say("", True)
        if server is not None:
            server.close()


def columns() -> int:
    """Of the terminal, at most 120; 120 where there is none."""
    return min(shutil.get_terminal_size((120, 24)).columns, 120)


def printer(terminal: bool, write: Callable[[str], None]) -> Callable[[str, bool], None]:
    """What prints: lines that stay, and one that is written over; without a terminal, only what changed."""
    last = [""]

    def say(text: str, stays: bool) -> None:
        if terminal:
            # A line that a terminal breaks in two can't be written over.
            shown = text if stays else text[: shutil.get_terminal_size().columns - 1]
            write(f"\r\x1b[K{shown}" + ("\n" if stays and text else ""))
        elif text and (stays or steps_of(text) != steps_of(last[0])):
            last[0] = last[0] if stays else text
            write(text + "\n")

    return say


def steps_of(line: str) -> str:
    """What a line says but for speed and memory, which change all the time."""
    return " | ".join(line.split(" | ")[:2])


def report_of(watch: "Watch") -> Report:
    """How it stands, with all that was told."""
    state = watch.state()
    if not watch.follower.log.curves:
        raise UsageProblem(
            f"{watch.follower.path} holds no losses yet: {watch.follower.log.unread:,} lines were read and none is of "
            "a known form; wait for the first step, or name the log of a training"
        )
    from fieldguide import sketches
    from fieldguide.watch.page import series_of

    series = series_of(watch, state)[:1]
    drawn = sketches.text(series).splitlines()
    report = Report(f"watch: {watch.follower.path}", list(watch.alerts) or [Finding("good", "Nothing to alert about.")])
    report.tables = [Table(("", "now"), state.facts()), Table((state.name or "loss",), [(line,) for line in drawn])]
    report.data = {
        "file": str(watch.follower.path), "step": state.step, "steps": state.steps, "curve": state.name,
        "loss": state.loss, "smooth": state.smooth, **state.measured, "tokens_per_s": state.tokens_per_s,
        "mfu": state.mfu, "seconds_left": state.seconds_left, "quiet_seconds": state.quiet,
        "memory": {each.name: {"free": each.free, "total": each.total} for each in state.memory},
    }  # fmt: skip
    return report
