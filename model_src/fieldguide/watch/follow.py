"""The tail of a log: what was written since the last look, in any form that ``fieldguide loss`` reads."""

import io
import json
from pathlib import Path

from fieldguide.lines import LONGEST, regular, text_lines
from fieldguide.logs import events, reading
from fieldguide.logs.forms import canonical
from fieldguide.logs.log import Log
from fieldguide.logs.reading import Head
from fieldguide.watch.speed import Speed

CHUNK = 1 << 20  # bytes that are read at once


class Tail:
    """A file that grows: its new lines. One that shrinks is another file, and is read from its beginning."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset, self.rest = path, 0, b""

    @property
    def shrunk(self) -> bool:
        """Whether the file has less than was read of it."""
        return self.path.stat().st_size < self.offset

    def lines(self) -> list[str | None]:
        """The lines that are complete by now, of the next ``CHUNK`` bytes; a bar's line ends where it goes back."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            piece = file.read(CHUNK)
        self.offset += len(piece)
        whole = self.rest + piece
        end = max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1
        self.rest = whole[end:]
        if len(self.rest) > LONGEST:
            self.rest = b""  # no line of a log; what is left of it will not be read either
        return list(text_lines(io.BytesIO(whole[:end])))


def steps_beside(folder: Path) -> int | None:
    """The number of steps in nanochat's newest meta file of a folder, if it says one."""
    for meta in sorted(folder.glob("meta_[0-9]*.json"))[-1:]:
        try:
            if meta.stat().st_size < 1 << 20:
                steps = json.loads(meta.read_text(encoding="utf-8"))["user_config"]["num_iterations"]
                return steps if type(steps) is int and steps > 0 else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
    return None


class Follower:
    """A log that is being written, and what it holds so far."""

    def __init__(self, path: Path) -> None:
        self.path = regular(reading.beside(path), "a log")
        self.starts = 0  # how often the file was begun anew
        self.start()

    def start(self) -> None:
        """Know nothing yet."""
        self.log, self.speed = Log(self.path), Speed()
        self.tail = Tail(self.path)
        self.clock = Tail(self.path.with_name("speed.jsonl"))  # nanochat's, beside log.jsonl
        self.head: Head | None = None
        reading.settings_beside(self.log)
        self.speed.steps = steps_beside(self.path.parent)

    def read(self) -> bool:
        """Take all that is new; whether there was anything. OSError where the file can't be read any more."""
        if self.tail.shrunk:
            self.starts += 1
            self.start()
        before = self.tail.offset
        with self.path.open("rb") as file:
            binary = events.is_events(file.read(12))
        if binary:
            self.read_events()
        else:
            while self.take_lines():
                pass
        self.read_clock()
        for curve in self.log.curves.values():
            curve.search()
        return self.tail.offset > before

    def take_lines(self) -> bool:
        """Take the next lines of a text; False at its end."""
        before = self.tail.offset
        for line in self.tail.lines():
            if line is None:
                self.log.too_long += 1
            elif line and not line.isspace():
                self.speed.take_line(line)
                self.take(line)
        return self.tail.offset > before

    def take(self, line: str) -> None:
        """Take one line, whatever form it has."""
        if reading.understood(self.log, line, self.head):
            return
        if (found := reading.csv_head(self.log, line)) is not None:
            self.head = found
        elif len(line) >= reading.LONGEST or not reading.read_others(self.log, line):
            self.log.unread += 1
            reading.remember(self.log, line)

    def read_events(self) -> None:
        """Take TensorBoard's records; one that is not complete yet is left for the next look."""
        with self.path.open("rb") as file:
            file.seek(self.tail.offset)
            for record in events.records(file):
                if record is None:
                    return
                self.tail.offset = file.tell()
                try:
                    step, values, _ = events.event(record)
                except (ValueError, IndexError):
                    continue
                self.speed.take_values(values)
                if named := canonical(values):
                    self.log.take("TensorBoard", step, named)

    def read_clock(self) -> None:
        """Take nanochat's file of speeds, if there is one."""
        if self.path.name == "log.jsonl" and self.clock.path.is_file():
            for line in self.clock.lines():
                if line:
                    self.speed.take_line(line)
