"""A training that hangs: which processes, what each is doing, what differs among them.

In a training script, ``from fieldguide.stuck import register; register()`` lets this tool ask for the line by SIGUSR1.
"""

import argparse
import math
import shutil
import subprocess
import sys

from fieldguide.report import Report, Table, UsageProblem
from fieldguide.stuck.on_signal import register

__all__ = ["HELP", "add_arguments", "register", "run"]
HELP = "a training that hangs: each process, its line, its collective, data or checkpoint, and what differs among ranks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pids", nargs="*", type=int, metavar="PID", help="of the training or of torchrun (default: "
                        "Pythons with a RANK, or that run a training)")
    parser.add_argument("--pattern", metavar="TEXT", help="processes whose command has this text")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="X", help="that are watched (default: 1)")
    parser.add_argument("--stacks", action="store_true", help="print each process's whole stack")


def run(options: argparse.Namespace) -> Report:
    """Look twice at each process, and say what differs."""
    from fieldguide.stuck import processes, verdict

    chosen = choose(options)
    seen = examine(chosen, options.seconds)
    report = Report(f"stuck: {len(seen)} process{'es' * (len(seen) > 1)}", verdict.judge(seen), [table(seen)])
    if gpus := gpu_rows({each.pid for each in chosen}):
        report.tables.append(Table(("process", "GPU", "memory", "busy"), gpus, "GPUs"))
    for each in seen if options.stacks else []:
        frames = each.stack.frames if each.stack else ()
        report.tables.append(Table((f"stack of {each.process.name}",), [(frame.short,) for frame in frames]))
    report.data = {"processes": [
        {"pid": each.process.pid, "rank": each.process.rank, "kind": each.activity.kind, "what": each.activity.what,
         "place": each.activity.place, "kernel": each.activity.kernel, "state": each.process.state,
         "cpu": each.process.cpu, "moving": each.moving, "how": each.stack.how if each.stack else "/proc",
         "stack": [frame.short for frame in each.stack.frames] if each.stack else [],
         "files": processes.files(each.process.pid)[:20]}
        for each in seen
    ]}  # fmt: skip
    return report


def choose(options: argparse.Namespace) -> list:
    """The processes that are meant, by rank; UsageProblem where there are none."""
    from fieldguide.stuck import processes

    if not processes.PROC.joinpath("self/stat").exists():
        raise UsageProblem("stuck: there is no /proc here, and it is read; on Linux there is one")
    if not 0 <= options.seconds < math.inf:
        raise UsageProblem(f"--seconds {options.seconds}: 0 or more is needed")
    if options.pids and options.pattern is not None:
        raise UsageProblem("stuck: process numbers and --pattern are given: leave out one of them")
    there = processes.everything()
    if options.pids:
        gone = [pid for pid in options.pids if pid not in {each.pid for each in there}]
        if gone:
            raise UsageProblem(f"stuck: process {gone[0]} is not there: it has ended, or is another machine's")
        found = processes.below(options.pids, there)
        ranked = [each for each in found if each.rank is not None and each.pid not in options.pids]
        found = ranked or [each for each in found if each.pid in options.pids]  # torchrun itself, or data workers
    else:
        found = processes.trainings(there, options.pattern)
    if not found:
        asked = f"with {options.pattern!r} in its command" if options.pattern is not None else "that trains"
        raise UsageProblem(f"stuck: no process {asked} was found among {len(there)}: name its PID, `ps aux` lists them")
    return sorted(found, key=lambda each: (each.rank is None, each.rank or 0, each.pid))


def examine(chosen: list, seconds: float) -> list:
    """What each process does, looked at before and after some time."""
    from fieldguide.stuck import processes, stacks
    from fieldguide.stuck.activity import activity_of
    from fieldguide.stuck.verdict import Seen

    if sys.stderr.isatty():
        print(f"looking at {len(chosen)} processes ...", file=sys.stderr)
    first = {each.pid: stacks.stack_of(each) for each in chosen}
    processes.measure(chosen, seconds)
    seen = []
    for each in chosen:
        before, why = first[each.pid]
        after = stacks.stack_of(each)[0] if before else None
        stack = after or before
        moving = bool(before and after and before.frames != after.frames)
        kernel = "" if each.state == "R" else processes.waiting(each.pid)
        seen.append(Seen(each, stack, activity_of(each, stack, kernel), why, moving))
    return seen


def table(seen: list) -> Table:
    """One line for each process."""
    rows = []
    for each in seen:
        rank = "-" if each.process.rank is None else str(each.process.rank)
        how = each.stack.how if each.stack else "/proc"
        rows.append((rank, str(each.process.pid), f"{each.process.cpu:.0%}", f"{each.process.resident / 2**30:.2f} GiB",
                     each.activity.words, how))  # fmt: skip
    return Table(("rank", "process", "processor", "memory", "it", "seen by"), rows)


def gpu_rows(pids: set[int]) -> list[tuple[str, ...]]:
    """Memory that each process has on a GPU, and how busy that is, if nvidia-smi tells."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return []

    def ask(query: str) -> list[list[str]]:
        ran = subprocess.run([tool, query, "--format=csv,noheader"], capture_output=True, text=True, timeout=10)
        return [[cell.strip() for cell in line.split(",")] for line in ran.stdout.splitlines() if "," in line]

    try:
        busy = {row[0]: row[1:] for row in ask("--query-gpu=uuid,index,utilization.gpu") if len(row) == 3}
        apps = ask("--query-compute-apps=pid,gpu_uuid,used_memory")
    except (OSError, subprocess.SubprocessError):
        return []
    return [(pid, *busy.get(uuid, ["?", "?"])[:1], memory, busy.get(uuid, ["?", "?"])[1])
            for pid, uuid, memory in (row for row in apps if len(row) == 3) if pid.isdecimal() and int(pid) in pids]
