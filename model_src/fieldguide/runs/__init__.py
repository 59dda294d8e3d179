"""Trainings that were, one record each in a folder of plain files: record, list, compare, plot, note, export.

A training script may write its own record: ``from fieldguide.runs.records import record``.
"""

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldguide.report import Finding, Report, UsageProblem

HELP = "keep a record of each training in plain files: record, list, compare, plot, note, export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One action, with what it needs."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    record = add(actions, "record", "write the record of a training that has ended")
    record.add_argument("log", type=Path, metavar="LOG", help="its log, or the folder with log and checkpoint")
    record.add_argument("--name", default="", help="what you call it")
    record.add_argument("--code", type=Path, metavar="DIR", help="digest its Python files (default: none)")
    record.add_argument("--seed", type=int, action="append", default=[], metavar="N",
                        help="a seed (default: settings that end in 'seed')")
    record.add_argument("--settings", type=Path, action="append", default=[], metavar="FILE", help="settings as JSON")
    record.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting more")
    record.add_argument("--note", default="", metavar="TEXT", help="the first note")
    add(actions, "list", "all records, oldest first")
    compare = add(actions, "compare", "the settings in which two runs differ, and their results")
    compare.add_argument("runs", nargs=2, metavar="RUN", help="an id, its beginning or end, a name, or 'last'")
    plot = add(actions, "plot", "curves of some runs as text; with --out as a drawing (SVG)")
    plot.add_argument("runs", nargs="+", metavar="RUN", help="an id, its beginning or end, a name, or 'last'")
    plot.add_argument("--curve", default="loss", metavar="NAME", help="loss, val_loss, val_bpb, ... (default: loss)")
    plot.add_argument("--out", type=Path, metavar="FILE", help="a new file for the drawing (default: none)")
    note = add(actions, "note", "add a note to a run")
    note.add_argument("run_id", metavar="RUN")
    note.add_argument("text", metavar="TEXT")
    export = add(actions, "export", "all records as one table")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="for spreadsheets and programs")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown", help="for pages")
    export.add_argument("--out", type=Path, metavar="FILE", help="a new file (default: it is printed)")


def add(actions: Any, name: str, told: str) -> argparse.ArgumentParser:
    """One action's parser."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=told, description=told)
    parser.add_argument("--folder", type=Path, default=Path("runs"), metavar="DIR", help="of records (default: runs)")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the report as JSON")
    return parser


def run(options: argparse.Namespace) -> Report:
    """Do what was asked; only ``record`` and ``note`` write into the folder."""
    from fieldguide.runs import records, views

    if options.action == "record":
        return record_log(options)
    found, others = records.load(options.folder)
    if options.action == "list":
        return views.listed(found, others)
    if options.action == "export":
        return views.exported(found, options.form, options.out)
    if options.action == "note":
        return noted(options, records.pick(found, options.run_id))
    chosen = [records.pick(found, wanted) for wanted in options.runs]
    if options.action == "plot":
        return views.plotted(chosen, options.curve, options.out)
    return views.compared(*chosen)


def record_log(options: argparse.Namespace) -> Report:
    """Write the record of what a training left."""
    from fieldguide.runs import records, sources

    settings, result, curves, log = sources.read_run(options.log)
    settings |= sources.asked(options.settings, options.set)
    path = records.record(settings, result, options.folder, name=options.name, code=options.code, seeds=options.seed,
                          curves=curves, log=log)  # fmt: skip
    found = records.read(path)
    if options.note:
        noted(argparse.Namespace(text=options.note, folder=options.folder), found)
    report = Report(f"runs: {found.id}", [Finding("good", f"{path} is written.")])
    for missing, advice in ((not settings, "--settings FILE or --set NAME=VALUE"), (not found.code, "--code DIR")):
        if missing:
            what = "settings" if "set" in advice else "the code"
            report.findings.append(Finding("note", f"Nothing is known of {what}.", advice=advice))
    report.data = {"id": found.id, "path": str(path), "result": found.result, "settings": settings}
    return report


def noted(options: argparse.Namespace, found: Any) -> Report:
    """Add a note."""
    from fieldguide.runs import records

    if not options.text.strip() or len(options.text) > 10_000:
        raise UsageProblem("note: a text of 1 to 10,000 characters is needed")
    note = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "text": options.text}
    path = records.write(replace(found, notes=[*found.notes, note]), options.folder)
    return Report(f"runs: {found.id}", [Finding("good", f"{path} has {len(found.notes) + 1} notes.")])
