"""The check sums in a ``.pt`` file: its zip keeps the CRC-32 of each part, which ``torch.load`` does not compare."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import torch

from fieldguide.checkpoint.pickles import Refused, check_entries, place_of
from fieldguide.lines import bar, regular
from fieldguide.report import Finding, UsageProblem

PIECE = 1 << 20  # bytes that are read at once
SHOWN = 4  # names in a sentence


def read_sums(path: Path) -> tuple[list[str], int]:
    """The parts whose bytes have another CRC-32 than the zip says, and how many parts have one (0: none is kept).

    Refused where the file is no plain zip; nothing is unpacked, and no more than ``PIECE`` bytes are held at once.
    """
    regular(path, "a checkpoint")
    size = path.stat().st_size
    told, end = bar(size)
    spoiled, done = [], 0
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            entries = archive.infolist()
            check_entries(path, entries, size)
            if not any(entry.CRC for entry in entries):  # torch.serialization.set_crc32_options(False)
                return [], 0
            for entry in entries:
                if crc(file, entry) != entry.CRC:
                    spoiled.append(entry.filename)
                done += entry.file_size
                told(done)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} can't be read ({error}): it is damaged; take an earlier checkpoint") from error
    finally:
        end()
    return spoiled, len(entries)


def crc(file: BinaryIO, entry: zipfile.ZipInfo) -> int | None:
    """The CRC-32 of a part as its bytes are now; None where they are not all there."""
    place = place_of(file, entry)
    if place is None:
        return None
    file.seek(place)
    found, left = 0, entry.file_size
    while left and (data := file.read(min(PIECE, left))):
        found = zlib.crc32(data, found)
        left -= len(data)
    return None if left else found


def names_of(path: Path, parts: list[str], tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """The parts, each by the tensors that it holds where that is certain.

    ``torch.load`` maps the file into the memory, so the storages lie there as far apart as their parts do in the file.
    """
    held: dict[int, list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.untyped_storage().nbytes():
            held.setdefault(tensor.untyped_storage().data_ptr(), []).append(name)
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        entries = [entry for entry in archive.infolist() if "/data/" in entry.filename and entry.file_size]
        places = {place_of(file, entry) or 0: entry.filename for entry in entries}
    pairs = list(zip(sorted(held), sorted(places), strict=False))
    certain = len(held) == len(places) and len({address - place for address, place in pairs}) == 1
    by_part = {places[place]: held[address] for address, place in pairs} if certain else {}
    return [f"{' and '.join(by_part[part][:SHOWN])} ({part})" if part in by_part else part for part in parts]


def sums(read: Mapping[Path, Mapping[str, torch.Tensor]]) -> Iterator[Finding]:
    """What the check sums say of files, each with the tensors that could be read from it."""
    right = files = 0
    for path, tensors in read.items():
        try:
            spoiled, count = read_sums(path)
        except UsageProblem:  # whoever read the file has said so
            continue
        if spoiled:
            names = names_of(path, spoiled, tensors)
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield Finding(
                "error", f"{path.name} is damaged: the check sum of {', '.join(names[:SHOWN])}{more} is wrong",
                f"{len(spoiled)} of the {count} parts of its zip have another CRC-32 than was written",
                "bits have changed since it was saved: copy the file again, or take an earlier checkpoint; "
                "torch.load does not compare check sums",
            )  # fmt: skip
        elif not count:
            yield Finding("note", f"{path.name} keeps no check sums", "", "a changed bit can't be found in it")
        right, files = right + (0 if spoiled else count), files + bool(count and not spoiled)
    if right:
        where = f"in {files} files " if files > 1 else ""
        yield Finding("good", f"The check sums (CRC-32) of {right} parts {where}are right")
