"""Read logs of trainings, in every form that nanoGPT, nanochat, this book and their readers' tools write."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from fieldguide.lines import Progress, bar, raw_lines, recoded, regular, text_lines
from fieldguide.logs import events, forms
from fieldguide.logs.curve import Curve
from fieldguide.logs.forms import STEP_NAMES, canonical, number
from fieldguide.logs.log import Log
from fieldguide.logs.messages import known
from fieldguide.report import UsageProblem

LONGEST = 4000  # characters of a line that a training prints
PART = 1 << 24  # bytes of a log that are read at each end, where it is longer than both
Head = Callable[[str], bool]  # of a CSV: takes a line below it


def read_log(path: Path, messages: bool = False) -> Log:
    """Read a log of any form and length; UsageProblem where it is none, and no error if ``messages`` are wanted."""
    path = beside(path)
    log = Log(regular(path, "a log"))
    told, end = bar(path.stat().st_size)
    with path.open("rb") as file:
        beginning = file.read(12)
        file.seek(0)
        if events.is_events(beginning):
            read_events(log, events.records(file, told))
        else:
            read_text(log, lines_of_ends(log, file, beginning, told))
    end()
    for curve in log.curves.values():
        curve.search()
    settings_beside(log)
    rename(log)
    if not log.curves and not (messages and (log.messages or log.failure)):
        raise UsageProblem(
            f"{path} holds no losses: {log.unread + log.too_long:,} lines were read{unread_middle(log)} and none is of "
            "a known form (log.jsonl, nanoGPT's or nanochat's lines, CSV with a head such as step,loss, TensorBoard); "
            "name the log of a training"
        )
    return log


def lines_of_ends(log: Log, file: BinaryIO, beginning: bytes, told: Progress) -> Iterator[str | None]:
    """All lines of a log; of one longer than two ``PART``s those of its beginning and of its end."""
    size, text = log.path.stat().st_size, recoded(file, beginning)
    if size <= 2 * PART:
        yield from text_lines(text, told)
        return
    yield from text_lines(text, told, PART)
    log.skipped = size - 2 * PART
    if text is file:  # of UTF-16 the place of a character is not known
        file.seek(size - PART)
        next(raw_lines(file), None)  # it begins within a line
        yield from text_lines(file, told)


def unread_middle(log: Log) -> str:
    """What is said of a log that was not read through."""
    return f" ({log.skipped:,} bytes in the middle were not read)" if log.skipped else ""


def rename(log: Log) -> None:
    """Call a train_loss that is far more frequent than measurements are what it is: the loss of steps."""
    measured = max((log.curves[name].count for name in ("val_loss", "val_bpb") if name in log.curves), default=0)
    if "loss" not in log.curves and "train_loss" in log.curves and log.curves["train_loss"].count > 1.5 * measured:
        log.curves["loss"] = log.curves.pop("train_loss")


def beside(path: Path) -> Path:
    """The log of a folder: log.jsonl, or the newest of TensorBoard's files; a file is itself."""
    try:
        if not path.is_dir():
            return path
        found = [path / "log.jsonl"] if (path / "log.jsonl").is_file() else sorted(path.glob("*tfevents*"))
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path} can't be opened ({error}): name the log's file") from error
    if not found:
        raise UsageProblem(f"{path} holds neither log.jsonl nor a file of TensorBoard's: name the log's file")
    return found[-1]


def settings_beside(log: Log) -> None:
    """Learn from a checkpoint's meta file in the same folder what the log does not say: vocabulary and stage."""
    for meta in sorted(log.path.parent.glob("meta_[0-9]*.json"))[-1:]:
        if not meta.is_file() or meta.stat().st_size > 1 << 20:
            return
        try:
            fields = json.loads(meta.read_text(encoding="utf-8"))
            size = fields.get("model_config", {}).get("vocab_size")
        except (OSError, ValueError, AttributeError, RecursionError):
            return
        log.conversations = log.conversations or "stage" in fields
        if log.vocabulary is None and isinstance(size, int):
            log.vocabulary = size


def read_events(log: Log, records: Iterable[bytes | None]) -> None:
    """Take TensorBoard's records; one that is damaged is passed over."""
    for record in records:
        if record is None:
            log.cut = True
            return
        try:
            step, values, anew = events.event(record)
        except (ValueError, IndexError):
            log.unread += 1
            continue
        if anew and step:
            for curve in log.curves.values():
                if curve.last_step >= step:
                    curve.restart(step)
        if named := canonical(values):
            log.take("TensorBoard", step, named)


def read_text(log: Log, lines: Iterable[str | None]) -> None:
    """Take the lines of a text, whatever form each has."""
    head: Head | None = None
    for line in lines:
        if line is None:
            log.too_long += 1
        elif line and not line.isspace() and not understood(log, line, head):
            if (found := csv_head(log, line)) is not None:
                head = found
            elif len(line) >= LONGEST or not read_others(log, line):
                log.unread += 1
                remember(log, line)


def understood(log: Log, line: str, head: Head | None) -> bool:
    """Take a line of one of the usual forms."""
    if line[0] == "{" and read_json(log, line):
        return True
    return bool(head and head(line)) or (len(line) < LONGEST and read_printed(log, line))


def read_json(log: Log, line: str) -> bool:
    """Take a line of JSON, if it has a loss or what goes with one."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    step = next((record[name] for name in STEP_NAMES if isinstance(record.get(name), (int, float))), None)
    values = canonical(record)
    if "reward" in values:
        values.pop("loss", None)
    if not values:
        return False
    log.take("JSON lines", None if step is None or not abs(step) < 1e15 else int(step), values)
    return True


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of one line; none where it can't be read."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def csv_head(log: Log, line: str) -> Head | None:
    """What takes the lines below, if this one is the head of a CSV."""
    separator = next((mark for mark in ",;\t" if mark in line), None)
    if separator is None or line[0] == "{":
        return None
    names = [name.split(" - ")[-1].strip().lower() for name in cells_of(line, separator)]
    if not (forms.HEADS & set(names) or {"step", "value"} <= set(names)):
        return None
    if any(re.fullmatch(forms.NUMBER, name) for name in names):
        return None
    if not forms.HEADS & set(names):
        names[names.index("value")] = "loss"  # of TensorBoard's own export
    at = next((names.index(name) for name in STEP_NAMES if name in names), None)

    def take(text: str) -> bool:
        cells = cells_of(text, separator)
        if len(cells) != len(names):
            return False
        values = canonical({name: cell for name, cell in zip(names, cells, strict=True) if cell.strip()})
        if not values:
            return False
        step = re.fullmatch(r"(\d{1,15})(?:\.0*)?", cells[at].strip()) if at is not None else None
        log.take("CSV", int(step[1]) if step else None, values)
        return True

    return take


def read_printed(log: Log, line: str) -> bool:
    """Take a line that nanoGPT or nanochat printed."""
    if found := forms.ITER.search(line):
        log.take("nanoGPT's lines", int(found[1]), {"loss": number(found[2])})
    elif found := forms.EVALUATED.search(line):
        losses = {"train_loss": number(found[2]), "val_loss": number(found[3])}
        log.take("nanoGPT's lines", int(found[1]), losses)
    elif found := forms.NANOCHAT.search(line):
        log.conversations = log.conversations or found[2] is None
        log.take_smooth(int(found[1]), number(found[3]))
        log.curves.setdefault("lr_multiplier", Curve()).add(int(found[1]), number(found[4]))
    elif (found := forms.BPB.search(line)) and "b" in found[0].lower():
        log.take("nanochat's lines", int(found[1]), {"val_bpb": number(found[2])})
    else:
        return False
    return True


def read_others(log: Log, line: str) -> bool:
    """Take a line of anybody's that names a loss, and may be a step."""
    values = canonical(dict(forms.ANY_VALUE.findall(line)))
    if not {"loss", "train_loss", "val_loss"} & set(values) or "example step" in line.lower():
        return False
    step = forms.ANY_STEP.search(line)
    log.take("other lines", int(step[1]) if step else None, values)
    return True


def remember(log: Log, line: str) -> None:
    """Keep what a line says about the training as a whole."""
    line = line[:LONGEST]
    if found := forms.VOCABULARY.search(line):
        log.vocabulary = int(found[1].replace(",", ""))
    if forms.RESUMED.search(line):
        last = max((curve.last_step for name, curve in log.curves.items() if name.endswith("loss")), default=-1)
        if last < 0:
            log.resumed = line.strip()[:160]
        elif len(log.resumes) < 100:
            log.resumes.append(last)
    if (message := known(line)) is not None and len(log.messages) < 20:
        log.messages.setdefault(message.name, line.strip()[:200])
    if found := forms.FAILED.search(line):
        log.failure = found[1].strip()
