"""Records side by side: as a list, as what differs, as curves, as CSV and Markdown."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide import sketches
from fieldguide.report import Finding, Report, Table, UsageProblem, escaped
from fieldguide.runs.records import Record
from fieldguide.sketches import Series

RESULTS = ("val_bpb_least", "val_loss_least", "loss_mean_of_last_tenth", "loss_last")  # the first that there is
OWN = ("out_dir", "wandb_run_name", "data", "tokenizer")  # settings that name places


@dataclass
class Verbatim(Report):
    """A report whose text is another program's to read."""

    text: str = ""

    def as_text(self, width: int | None = None) -> str:
        return self.text.rstrip("\n")


def told(value: Any) -> str:
    """A setting or a result, for a cell."""
    if isinstance(value, float):
        return f"{value:.5g}"
    return "-" if value is None else str(value)


def best(record: Record) -> tuple[str, str]:
    """Name and value of the result that says most."""
    for name in RESULTS:
        if isinstance(record.result.get(name), (int, float)):
            return name, told(record.result[name])
    return "", "-"


def listed(records: Sequence[Record], others: Sequence[str]) -> Report:
    """One line for each, oldest first."""
    rows = []
    for each in records:
        name, value = best(each)
        code = str(each.code.get("digest", "-"))[:8]
        note = each.notes[-1]["text"][:40] if each.notes else ""
        rows.append((each.id, each.name, told(each.result.get("step")), value, name, code, note))
    heads = ("run", "name", "step", "result", "which is", "code", "last note")
    findings = [Finding("note", f"{len(records)} runs.")]
    if others:
        findings.append(Finding("warning", f"{len(others)} files are no records.", ", ".join(others[:5])))
    data = {"runs": [vars(each) for each in records]}
    return Report("runs", findings, [Table(heads, rows)] if rows else [], data)


def compared(one: Record, other: Record) -> Report:
    """The settings that differ, and the results."""
    sides = (("code", one.code.get("digest"), other.code.get("digest")), ("seeds", one.seeds, other.seeds))
    pairs = [(name, a, b) for name, a, b in sides if a != b]
    pairs += differing(one.machine, other.machine, "machine: ") + differing(one.versions, other.versions, "version: ")
    settings = differing(one.settings, other.settings)
    heads = ("", one.label, other.label)
    rows = [(name, told(a), told(b)) for name, a, b in settings]
    report = Report(f"{one.label} and {other.label}")
    report.tables = [Table(("setting", *heads[1:]), rows, "Settings that differ")] if rows else []
    if pairs:
        around = [(name, told(a)[:40], told(b)[:40]) for name, a, b in pairs]
        report.tables.append(Table(heads, around, "What else differs"))
    names = sorted({*one.result, *other.result})
    results = [(name, told(one.result.get(name)), told(other.result.get(name)), difference(one, other, name))
               for name in names]  # fmt: skip
    report.tables.append(Table(("result", *heads[1:], "difference"), results, "Results"))
    report.findings = judged(one, other, settings)
    report.data = {"settings": {name: [a, b] for name, a, b in settings}, "around": {n: [a, b] for n, a, b in pairs},
                   "results": {name: [one.result.get(name), other.result.get(name)] for name in names}}  # fmt: skip
    return report


def differing(one: dict[str, Any], other: dict[str, Any], prefix: str = "") -> list[tuple[str, Any, Any]]:
    """Names and values where two differ."""
    names = list(dict.fromkeys([*one, *other]))
    return [(prefix + n, one.get(n), other.get(n)) for n in names if one.get(n) != other.get(n)]


def difference(one: Record, other: Record, name: str) -> str:
    """Of two numbers, the second less the first."""
    a, b = one.result.get(name), other.result.get(name)
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (a, b))
    return f"{b - a:+.4g}" if numbers else ""


def judged(one: Record, other: Record, settings: list[tuple[str, Any, Any]]) -> list[Finding]:
    """What the comparison is worth."""
    found = []
    changed = [name for name, _, _ in settings if name not in OWN]
    if len(changed) > 1:
        found.append(Finding("note", f"{len(changed)} settings differ, so none of them alone explains the difference.",
                             ", ".join(changed[:8]), "change one at a time"))
    elif not changed and one.code.get("digest") == other.code.get("digest"):
        found.append(Finding("note", "Settings and code are the same: what differs is seed, machine or chance."))
    noise = [each.result.get("noise") for each in (one, other)]
    name = next((name for name in RESULTS[2:] if all(name in each.result for each in (one, other))), None)
    if name and all(isinstance(each, (int, float)) for each in noise):
        apart, floor = abs(other.result[name] - one.result[name]), 2 * math.hypot(*noise)
        if apart <= floor:
            what = f"{name} differs by {apart:.4f}, which the noise of the losses alone explains."
            found.append(Finding("note", what, f"2 standard errors are {floor:.4f}; other seeds differ by more"))
        else:
            what = f"{name} differs by {apart:.4f}, more than the noise of the losses."
            found.append(Finding("note", what, f"2 standard errors are {floor:.4f}", "repeat both with other seeds"))
    return found or [Finding("note", "Nothing more can be said.")]


def plotted(records: Sequence[Record], curve: str, out: Path | None) -> Report:
    """The curves of some runs: each as text, all in one drawing."""
    series = []
    for i, each in enumerate(records):
        if curve not in each.curves:
            known = ", ".join(each.curves) or "none"
            raise UsageProblem(f"{each.label} has no curve {curve}, but {known}: name one with --curve")
        values = [math.nan if value is None else value for value in each.curves[curve]["values"]]
        series.append(Series(each.label, each.curves[curve]["steps"], values, "bca"[i % 3]))
    title = f"{curve}: {', '.join(each.label for each in records)}"
    report = Report(title)
    if out is not None:
        save(out, sketches.svg(title, series, standalone=True))
        report.findings.append(Finding("good", f"{out} is written."))
    for each in series:
        drawn = sketches.text([each]).splitlines()
        report.tables.append(Table((each.name,), [(line,) for line in drawn]))
    return report


def save(path: Path, text: str) -> None:
    """Write a new file; none is written over."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise UsageProblem(f"--out {path} can't be written ({error.strerror}): name a new file") from error


def exported(records: Sequence[Record], form: str, out: Path | None) -> Report:
    """All records with their settings and results, a column each."""
    settings = list(dict.fromkeys(name for each in records for name in each.settings))
    results = list(dict.fromkeys(name for each in records for name in each.result))
    heads = ["run", "name", "when", "code", "seeds", *settings, *(f"result {name}" for name in results), "notes"]
    rows = [
        [each.id, each.name, each.when, each.code.get("digest", ""), " ".join(map(str, each.seeds)),
         *(each.settings.get(name, "") for name in settings), *(each.result.get(name, "") for name in results),
         "; ".join(str(note["text"]) for note in each.notes)]
        for each in records
    ]  # fmt: skip
    text = as_csv(heads, rows) if form == "csv" else as_markdown(heads, rows)
    if out is not None:
        save(out, text)
        return Report("runs", [Finding("good", f"{out} is written: {len(rows)} runs.")])
    return Verbatim("runs", text=text, data={"heads": heads, "rows": rows})


def as_csv(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """CSV; text that a spreadsheet would compute is marked as text."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in (heads, *rows):
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") and cell
                         else cell for cell in row])  # fmt: skip
    return file.getvalue()


def as_markdown(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table of Markdown, in which no text is markup."""
    def cell(value: Any) -> str:
        text = escaped(told(value))
        return "".join("\\" + c if c in "\\|<>`*_[]&" else c for c in text)

    lines = [[cell(each) for each in row] for row in (heads, *rows)]
    lines.insert(1, ["---"] * len(heads))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
