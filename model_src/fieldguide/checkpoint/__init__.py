"""Checkpoints: list, inspect, compare, verify, repair, thin out, convert. No file is executed or overwritten."""

import argparse
from pathlib import Path
from typing import Any

from fieldguide.report import Finding, Report

HELP = "list, inspect, compare, verify, repair, thin out and convert checkpoints, without running what is in them"
WHERE = "a checkpoint's file, or its folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action, with what it needs."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add(actions, "list", "all checkpoints of a folder and of the folders in it")
    add(actions, "inspect", "what a checkpoint holds: settings, sizes, types", step=True)
    add(actions, "compare", "how two checkpoints differ", step=True).add_argument("other", type=Path, metavar="OTHER")
    verify = add(actions, "verify", "whether a checkpoint is whole: files, digests, names, shapes, numbers", step=True)
    verify.add_argument("--data", type=Path, metavar="FOLDER", help="compare with its meta.pkl and .bin files, too")
    repair = add(actions, "repair", "write a mended copy: prefixes, masks, missing keys, another version's", step=True)
    repair.add_argument("--out", type=Path, help="where the copy goes; it must not be there yet")
    repair.add_argument("--processes", type=int, metavar="N", help="share nanochat's optimizer out among so many; "
                        "without --out it only says what would be done")  # fmt: skip
    repair.add_argument("--drop-optimizer", action="store_true", help="keep the weights alone; moments start at 0")
    repair.add_argument("--n-head", type=int, default=0, help="heads, where model_args lack (default 0: not known)")
    thin = add(actions, "thin", "delete old steps of a folder; without --delete it only says which")
    thin.add_argument("--keep-last", type=int, default=3, metavar="N", help="newest steps that stay (default: 3)")
    thin.add_argument(
        "--keep-every", type=int, default=0, metavar="N", help="multiples of N stay, too (default 0: none)"
    )
    thin.add_argument("--delete", action="store_true", help="delete them; what is deleted is gone")
    convert = add(actions, "convert", "write it as safetensors, which can't run code, or as .pt", step=True)
    convert.add_argument("--to", choices=("pt", "safetensors"), required=True, help="the form")
    convert.add_argument("--out", type=Path, required=True, help="a new file; for nanochat's a new folder")


def add(actions: Any, name: str, told: str, step: bool = False) -> argparse.ArgumentParser:
    """One action's parser."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=told, description=told)
    parser.add_argument("path", type=Path, metavar="PATH", help=WHERE)
    if step:
        parser.add_argument("--step", type=int, default=None, help="which step (default: the newest)")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the report as JSON")
    return parser


def run(options: argparse.Namespace) -> Report:
    """Do what was asked."""
    from fieldguide.checkpoint import shown  # torch takes seconds

    action = getattr(shown, f"report_{options.action}")
    report: Report = action(options)
    report.findings = report.findings or [Finding("note", "There is nothing to say")]
    return report
