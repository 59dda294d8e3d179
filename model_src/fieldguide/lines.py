"""Lines of files of any size from anywhere: long ones are passed over, what a terminal would obey is taken out."""

import codecs
import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from fieldguide.report import UsageProblem

LONGEST = 1 << 16  # bytes of a line; a longer one is no line of a log
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
Progress = Callable[[int], None]  # hears how many bytes were read in all


def regular(path: Path, asked: str) -> Path:
    """The path, if it is a file that can be read to its end; UsageProblem says what it is otherwise."""
    try:
        if path.is_dir():
            raise UsageProblem(f"{path} is a folder, and {asked} was asked for: name the file")
        if not path.exists():
            raise UsageProblem(f"{path} is not there, and {asked} was asked for: check the name")
        if not path.is_file():
            raise UsageProblem(f"{path} is a device or a pipe, and {asked} was asked for: copy it to a file first")
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:  # a loop of links, no permission, a name with a null byte
        if isinstance(error, UsageProblem):
            raise
        raise UsageProblem(f"{path} can't be opened ({error}): name a file that you may read") from error


def stands_for(beginning: bytes) -> str:
    """What came instead of a file that was fetched, by its first bytes; nothing where they say nothing."""
    plain = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith(b"version https://git-lfs"):
        return "but the pointer that Git LFS leaves where the file is to be: git lfs pull"
    if plain.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return "but a web page, such as a server sends with an error: fetch the file again"
    return ""


def raw_lines(
    file: BinaryIO, longest: int = LONGEST, told: Progress | None = None, most: int | None = None
) -> Iterator[bytes | None]:
    """The lines of a file, without their ends; None for each that is longer than ``longest`` bytes.

    After ``most`` bytes it stops, at a line's end.
    """
    too_long, read = False, 0
    while (most is None or read < most) and (piece := file.readline(longest)):
        read += len(piece)
        ended = piece.endswith(b"\n")
        if told is not None:
            told(read)
        if too_long or (not ended and len(piece) >= longest):
            if not too_long:
                yield None
            too_long = not ended
            continue
        yield piece.rstrip(b"\r\n")


def recoded(file: BinaryIO, beginning: bytes) -> BinaryIO:
    """The file in UTF-8; where it begins with the mark of UTF-16, as PowerShell's ``>`` writes it, it is converted."""
    if not beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return file
    return cast(BinaryIO, codecs.EncodedFile(file, "utf-8", "utf-16", errors="replace"))


def text_lines(file: BinaryIO, told: Progress | None = None, most: int | None = None) -> Iterator[str | None]:
    """The lines as a reader sees them: without colours, and the last state of a line that was written over."""
    for raw in raw_lines(file, told=told, most=most):
        if raw is None:
            yield None
            continue
        text = raw.decode("utf-8", "replace")
        if "\x1b" in text:
            text = ESCAPES.sub("", text)
        yield from text.split("\r") if "\r" in text else (text,)


def sha256(path: Path) -> str:
    """The digest of a file's bytes, with a bar where that takes long."""
    told, end = bar(path.stat().st_size)
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
            done += len(data)
            told(done)
    end()
    return digest.hexdigest()


def bar(total: int, unit: str = "B") -> tuple[Progress, Callable[[], None]]:
    """A progress bar on stderr, if that is a terminal: what tells it how much is done, and what ends it."""
    if not sys.stderr.isatty() or total < 50_000_000:
        return (lambda done: None), (lambda: None)
    from tqdm import tqdm

    shown = tqdm(total=total, unit=unit, unit_scale=True, leave=False, file=sys.stderr)

    def told(done: int) -> None:
        if done - shown.n >= 1 << 20:
            shown.update(done - shown.n)

    return told, shown.close
