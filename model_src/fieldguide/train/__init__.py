"""Start a training: ask what is missing, show what it will need and take, run it, keep a record of it."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.ended import Ended
from fieldguide.report import Finding, Report, Table
from fieldguide.train.wishes import DEVICES, MODELS, SIZES

if TYPE_CHECKING:
    from fieldguide.train.commands import Orders
    from fieldguide.train.wishes import Wish

HELP = "start a training: asks what is missing, shows memory, time and warnings, runs it, keeps a record"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", choices=MODELS, help="whose (asked for; with --yes nanogpt)")
    parser.add_argument("--text", type=Path, metavar="PATH", help="a text file, or a folder of tokens or shards")
    told = "; ".join(f"{name}: {size.told}" for name, size in SIZES.items())
    parser.add_argument("--size", choices=tuple(SIZES), help=f"{told} (asked for; with --yes tiny)")
    parser.add_argument("--device", choices=DEVICES, help="auto: the fastest that is here (asked for; with --yes auto)")
    parser.add_argument("--minutes", type=float, metavar="X", help="that it may take (asked for; with --yes 10)")
    parser.add_argument("--steps", type=int, metavar="N", help="instead of --minutes")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="that train together (default: 1)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a new folder for all files (default: out/MODEL-SIZE)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="of records (default: runs)")
    parser.add_argument("--no-record", action="store_true", help="keep no record")
    parser.add_argument("--yes", action="store_true", help="ask nothing: defaults for what is missing, and start")
    parser.add_argument("--dry-run", action="store_true", help="show plan and commands, write and start nothing")


def run(options: argparse.Namespace) -> Report:
    """Ask, plan, start."""
    from fieldguide.train import wishes

    wish = wishes.complete(options)
    from fieldguide.train import commands, preview, starting  # torch takes seconds

    device = preview.device_of(wish)
    made = commands.orders(wish, 1, device)
    preview.memory.say("timing a step ...")
    seconds = preview.step_seconds(wish, made.vocabulary, device)
    steps = preview.steps_for(wish, seconds)
    made = commands.orders(wish, steps, device)
    report = preview.look(wish, made, device, steps, seconds)
    plan = plan_of(wish, made, device, report)
    if options.dry_run or plan.exit_code:
        what = "Nothing was started: --dry-run." if options.dry_run else "Nothing was started: mend the errors first."
        plan.findings.append(Finding("note", what))
        return plan
    aside = options.json
    if not options.yes:
        print(plan.as_text())
        if not wishes.at_terminal("\nStart it? y or n").strip().lower().startswith("y"):
            return Report("train: not started", [Finding("note", "Nothing was started or written.")], data=plan.data)
    elif not aside:
        print(plan.as_text(), flush=True)
    code = starting.run_all(made.all, made.log if wish.model != "nanochat" else None, aside)
    return ended(options, wish, made, code, plan)


def plan_of(wish: "Wish", made: "Orders", device: str, report: Report) -> Report:
    """The plan as a report."""
    from fieldguide.memory.portions import gib
    from fieldguide.train.preview import told

    data = report.data
    rows = [
        ("model", f"{wish.model}, {wish.size}: {data['parameters']:,} parameters"), ("text", str(wish.text)),
        ("vocabulary", f"{made.vocabulary:,}" + (" at most" if wish.model == "nanochat" else "")),
        ("device", f"{wish.processes} x {device}"), ("time", told(data["step_seconds"], data["steps"])),
        ("tokens", f"{data['tokens']:,}, {data['flops']:.2g} operations"), ("memory", gib(data["peak_bytes"])),
        ("checkpoint", gib(data["checkpoint_bytes"])), ("files", str(wish.out)),
    ]  # fmt: skip
    commands = {"commands": made.all, "log": str(made.log), "vocabulary": made.vocabulary, "device": device}
    said = "\n".join(folded(words) for words in made.all)
    found = [*report.findings, Finding("note", "The commands:", said)]
    return Report(f"train: {wish.model} on {wish.text}", found, [Table(("", "plan"), rows)], {**data, **commands})


def folded(words: list[str], columns: int = 68) -> str:
    """A command in lines that a shell puts together again."""
    lines = [""]
    for word in map(shlex.quote, words):
        if lines[-1] and len(lines[-1]) + len(word) > columns:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return " \\\n".join(lines)


def ended(options: argparse.Namespace, wish: "Wish", made: "Orders", code: int, plan: Report) -> Report:
    """How it ended, with a record, and what to do next."""
    found = [Finding("good", f"The training has ended; its files are in {wish.out}.") if code == 0 else
             Finding("error", f"It ended with exit code {code}.", "", "the lines above say why")]  # fmt: skip
    if code == 0 and not options.no_record:
        found.append(keep(options, wish, made, plan))
    if code == 0:
        own = {"nanochat": f"nanochat sample {wish.out}"}
        sample = own.get(wish.model, f"{wish.model}.sample --out_dir={wish.out}")
        found.append(Finding("note", "Next: what it writes, and what its losses say.", "",
                             f"python -m {sample}; fieldguide loss {made.log}"))  # fmt: skip
    return Ended(f"train: exit code {code}", found, data={**plan.data, "code": code}, code=code)


def keep(options: argparse.Namespace, wish: "Wish", made: "Orders", plan: Report) -> Finding:
    """Write the record."""
    from fieldguide.report import UsageProblem
    from fieldguide.runs import records, sources
    from fieldguide.train.starting import SOURCE
    from nanogpt.train import SEED  # nGPT's, too; nanochat's is a setting

    try:
        settings, result, curves, log = sources.read_run(made.log)
        asked = {"model": wish.model, "text": str(wish.text), "size": wish.size, "device": plan.data["device"]}
        seeds = () if wish.model == "nanochat" else (SEED,)
        path = records.record({**settings, **asked}, result, options.runs, code=SOURCE / wish.model, seeds=seeds,
                              curves=curves, log=log, command=made.train)  # fmt: skip
    except (UsageProblem, OSError) as error:
        return Finding("warning", "No record could be kept.", str(error))
    return Finding("good", f"{path} is its record; fieldguide runs list shows all.")
