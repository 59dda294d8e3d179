"""Several processes on this machine: whether they meet, agree and average; and who fails first in your script."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

from fieldguide.report import Finding, Report, Table, UsageProblem

HELP = "two processes here: do they meet, have the same code and seeds, average gradients; a script's first error"
MOST = 64  # processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="WORD", help="after --: for your script")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="that are started (default: 2)")
    parser.add_argument("--backend", choices=("auto", "gloo", "nccl"), default="auto",
                        help="auto: nccl where there is a GPU for each process, else gloo (default)")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="X", help="seconds in all (default: 120)")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="where they meet (default: 0, a free one)")
    parser.add_argument("--seed", type=int, default=1337, metavar="N", help="of the first weights (default: 1337)")
    parser.add_argument("--code", type=Path, metavar="DIR", help="compare its Python files in all processes")
    parser.add_argument("--script", type=Path, metavar="FILE", help="run this script instead, as torchrun would")
    parser.add_argument("--module", metavar="NAME", help="run this module instead, as torchrun -m would")
    parser.add_argument("--variables", action="store_true", help="list NCCL's and PyTorch's variables, and end")


def run(options: argparse.Namespace) -> Report:
    """Start the processes, and say what came of it."""
    if options.variables:
        return listed()
    check(options)
    from fieldguide.distributed import conclusions, launching

    backend = backend_of(options)
    if options.script or options.module:
        kind = "script" if options.script else "module"
        given: dict[str, Any] = {"target": str(options.script or options.module), "words": options.words}
        title = f"distributed: {options.processes} processes of {given['target']}"
    else:
        kind, title = "probe", f"distributed: {options.processes} processes, {backend}"
        given = {"backend": backend, "timeout": options.timeout, "seed": options.seed,
                 "code": str(options.code.resolve()) if options.code else ""}  # fmt: skip
    outcome = launching.launch(kind, given, options.processes, options.port, options.timeout)
    found = conclusions.of_probe(outcome) if kind == "probe" else conclusions.of_script(outcome)
    report = Report(title, found)
    if kind == "probe" and backend == "gloo":
        report.findings.append(Finding("note", "gloo on processors shows errors of logic, not of NCCL or the network.",
                                       advice="run it again on the machine with the GPUs; --variables for NCCL"))
    report.data = {"backend": backend, "seconds": outcome.seconds, "late": outcome.late, "ranks": [
        {"rank": each.rank, "code": each.code, "ended_by_us": each.stopped, "error": each.error, "calls": each.calls,
         "activity": each.activity, "output": each.output, **each.result}
        for each in outcome.ranks
    ]}  # fmt: skip
    return report


def check(options: argparse.Namespace) -> None:
    """UsageProblem where something can't be meant."""
    if not 1 <= options.processes <= MOST:
        raise UsageProblem(f"--processes {options.processes}: 1 to {MOST} on one machine")
    if not 0 < options.timeout < math.inf:
        raise UsageProblem(f"--timeout {options.timeout}: seconds above 0 are needed")
    if not 0 <= options.port < 65536:
        raise UsageProblem(f"--port {options.port}: ports go from 0, a free one, to 65535")
    if options.script and options.module:
        raise UsageProblem("--script and --module ask for two programs: leave out one of them")
    if options.words and not (options.script or options.module):
        raise UsageProblem(f"distributed: {options.words[0]} is for a script, and none is named: --script FILE")
    for name in ("script", "code"):
        path = getattr(options, name)
        if path is not None and not (path.is_file() or (name == "code" and path.is_dir())):
            raise UsageProblem(f"--{name} {path}: it is not there; name a {'file' if name == 'script' else 'folder'}")


def backend_of(options: argparse.Namespace) -> str:
    """What connects the processes; UsageProblem where nccl can't."""
    if options.backend == "gloo" or options.script or options.module:
        return "gloo" if options.backend == "auto" else str(options.backend)
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if options.backend == "nccl" and gpus < options.processes:
        what = f"{options.processes} processes want a GPU each, and {gpus} are here"
        raise UsageProblem(f"--backend nccl: {what}; --backend gloo runs on processors")
    return "nccl" if options.processes <= gpus else "gloo"


def listed() -> Report:
    """The variables, and which of them are set."""
    from fieldguide.distributed.variables import DATE, VARIABLES

    rows = [(each.name, each.value, each.shows) for each in VARIABLES]
    report = Report(f"Variables of NCCL and PyTorch, {DATE}", tables=[Table(("variable", "try", "shows"), rows)])
    tests = ", ".join(each.name for each in VARIABLES if each.tries)
    report.findings.append(Finding("note", "Some change how a training works: for a test, not to stay.", tests))
    here = [f"{each.name}={os.environ[each.name]}" for each in VARIABLES if each.name in os.environ]
    report.findings.append(Finding("note", f"{len(here) or 'None'} of them set here.", ", ".join(here)))
    report.data = {"variables": [vars(each) for each in VARIABLES]}
    return report
