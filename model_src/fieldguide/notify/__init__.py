"""A hook for the end of a training: says how it ended, how long it took, and the last loss."""

import argparse
import math
import shlex
from pathlib import Path

from fieldguide.ended import Ended, duration
from fieldguide.report import Finding, Report, UsageProblem

HELP = "tell you when a training has ended: on the desktop, by a command of yours, in a file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --: a training that is started here")
    parser.add_argument("--after", type=int, metavar="PID", help="wait for this process instead")
    parser.add_argument("--result", type=int, metavar="CODE", help="it has ended already, with this exit code: $?")
    parser.add_argument("--loss-from", type=Path, metavar="LOG", help="the training's log, for the last loss")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append the notice to this file")
    parser.add_argument("--run", metavar="COMMAND", help="a command that tells you: the notice is on its input and in "
                        "FIELDGUIDE_TITLE, _TEXT, _CODE, _SECONDS, _LOSS")
    parser.add_argument("--no-desktop", action="store_true", help="leave notify-send out")


def run(options: argparse.Namespace) -> Report:
    """Wait for the end, and tell."""
    from fieldguide.notify import waiting, ways

    check(options)
    if options.command:
        end = waiting.command(options.command)
    elif options.after is not None:
        end = waiting.process(options.after)
    else:
        end = waiting.End("The training", options.result, math.nan)
    loss, said = last_loss(options.loss_from)
    took = "" if math.isnan(end.seconds) else f" after {duration(end.seconds)}"
    text = ". ".join(part for part in (f"{end.what} {end.result}{took}", said) if part)
    notice = ways.Notice(f"Training {end.result}", text, end.code, end.seconds if took else 0.0, loss)
    found = [Finding("note" if end.code is None else "warning" if end.code else "good", text + ".", "", end.advice)]
    found += [] if options.no_desktop else [ways.desktop(notice)]
    found += [ways.command(notice, options.run)] if options.run else []
    found += [ways.line(notice, options.log)] if options.log else []
    data = {"result": end.result, "code": end.code, "seconds": end.seconds, "loss": loss}
    return Ended(f"notify: {end.result}", found, data=data, code=(end.code or 0) if options.command else 0)


def check(options: argparse.Namespace) -> None:
    """UsageProblem unless there is one training to wait for."""
    given = [bool(options.command), options.after is not None, options.result is not None]
    if sum(given) != 1:
        raise UsageProblem(
            f"notify: one training is needed, {sum(given)} are named: -- COMMAND ..., or --after PID, or --result CODE"
        )
    if options.after is not None and options.after < 1:
        raise UsageProblem(f"--after {options.after}: a process has a number above 0")
    if options.run is not None:
        try:
            words = shlex.split(options.run)
        except ValueError as error:
            raise UsageProblem(f"--run {options.run}: {error}; quote it as for a shell") from error
        if not words:
            raise UsageProblem("--run: a command is needed")


def last_loss(path: Path | None) -> tuple[float | None, str]:
    """The last loss of a log, and how to say it; a log that can't be read is said as well, it ends nothing."""
    if path is None:
        return None, ""
    from fieldguide.loss.losses import told
    from fieldguide.watch.follow import Follower

    try:
        follower = Follower(path)
        follower.read()
    except (UsageProblem, OSError) as error:
        return None, f"no loss: {error}"
    curves = follower.log.curves
    name = next((name for name in ("loss", "smooth_loss", "train_loss", "val_loss") if name in curves), None)
    if name is None:
        return None, f"no loss in {path}"
    parts = [f"{each} {told(curves[each].last)}" for each in (name, "val_loss", "val_bpb") if each in curves]
    said = f"step {curves[name].last_step:,}: {', '.join(dict.fromkeys(parts))}"
    if curves[name].bad_count:
        said += f", NaN or infinite from step {curves[name].bad[0]}"
    return curves[name].last, said + (f"; it printed {follower.log.failure}" if follower.log.failure else "")
