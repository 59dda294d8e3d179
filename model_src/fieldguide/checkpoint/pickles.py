"""PyTorch's ``.pt`` files, opened only where nothing in them can run code, fill the memory or unpack without end.

A file is looked at before it is read: its zip's directory (nothing compressed, no more bytes than the file has) and the
names that its pickle asks for. Then ``torch.load`` reads it with ``weights_only`` and leaves the tensors on the disk.
"""

import io
import pickle
import pickletools
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import torch

from fieldguide.lines import regular, stands_for
from fieldguide.report import UsageProblem

PICKLE = 1 << 28  # bytes of the pickle within a file at most
ENTRIES = 1 << 20  # of the zip, at most
NODES, DEPTH = 1 << 21, 24  # values that a checkpoint may hold, and how deep
STORAGES = {f"torch {name}Storage" for name in
            ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")}  # fmt: skip
DTYPES = {str(value).replace(".", " ") for value in vars(torch).values() if isinstance(value, torch.dtype)}
KNOWN = {
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch Size",
    "torch.nn.parameter Parameter", "torch.serialization _get_layout", "torch device", "_codecs encode",
} | STORAGES | DTYPES  # fmt: skip


class Refused(UsageProblem):
    """A file that is not opened, or that can't be read: which, what was found, what to do."""


def load(path: Path) -> Any:
    """What a ``.pt`` file holds; its tensors stay on the disk until they are used. Refused where it is not safe."""
    regular(path, "a checkpoint")
    look_at_zip(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a damaged file makes torch raise; its own advice is to run the file's code
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Refused(f"{path} can't be read as a checkpoint ({first}): it is damaged; take an earlier one") from error
    walk(found, path)
    return found


def look_at_zip(path: Path) -> None:
    """Raise Refused where the file is no plain zip of PyTorch's, or its pickle asks for more than tensors."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            check_entries(path, entries, size)
            pickles = [entry for entry in entries if entry.filename.endswith("data.pkl")]
            if len(pickles) != 1 or pickles[0].file_size > PICKLE:
                raise Refused(f"{path} is a zip, but none that torch.save wrote: it has {len(pickles)} data.pkl")
            check_pickle(path, read_pickle(path, pickles[0]))
    except zipfile.BadZipFile as error:
        raise Refused(f"{path} can't be read: {what_instead(path, size)}") from error
    except (OSError, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} can't be read ({error}): it is damaged; take an earlier checkpoint") from error


def place_of(file: BinaryIO, entry: zipfile.ZipInfo) -> int | None:
    """Where the bytes of a part begin, by the head that stands before them; None where there is none."""
    file.seek(entry.header_offset)
    head = file.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        return None
    return entry.header_offset + 30 + sum(struct.unpack("<2H", head[26:]))


def read_pickle(path: Path, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of the pickle; a check sum of 0 is none, as ``torch.serialization.set_crc32_options(False)`` has it."""
    with path.open("rb") as file:
        place = place_of(file, entry)
        file.seek(place or 0)
        data = file.read(entry.file_size) if place is not None else b""
    if len(data) < entry.file_size or (entry.CRC and zlib.crc32(data) != entry.CRC):
        raise Refused(
            f"{path} can't be read: the check sum (CRC-32) of its {entry.filename} is wrong, which has the names and "
            "settings: bits have changed since it was saved. Copy it again, or take an earlier checkpoint"
        )
    return data


def what_instead(path: Path, size: int) -> str:
    """What a file is that is no whole zip."""
    with path.open("rb") as file:
        beginning = file.read(64)
    first = beginning[:2]
    if size == 0:
        return "it is empty, its writing was interrupted; take an earlier checkpoint"
    if first == b"PK":
        return (
            f"its {size:,} bytes are cut short, the directory at its end is missing: its writing was interrupted or "
            "the disk was full; take an earlier checkpoint"
        )
    if first[:1] == b"\x80":
        return (
            "it is a bare pickle, which PyTorch wrote before 1.6 and anybody can write with code in it: ask whoever "
            "made it to save the state_dict again with torch.save"
        )
    if instead := stands_for(beginning):
        return f"it is no file of torch.save, {instead}"
    return f"it begins with {first!r} and is no file of torch.save; name a checkpoint"


def check_entries(path: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    """A zip of torch.save has nothing compressed, so it can't hold more than the file has."""
    if len(entries) > ENTRIES:
        raise Refused(f"{path} is refused: its zip has {len(entries):,} entries; no checkpoint has so many")
    squeezed = [entry for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    whole = sum(entry.file_size for entry in entries)
    if squeezed or whole > size:
        what = f"{len(squeezed)} entries are compressed, and " if squeezed else ""
        raise Refused(
            f"{path} is refused: {what}its {size:,} bytes would become {whole:,}; torch.save compresses nothing, so "
            "this may be a zip bomb. Get the file from where it was made"
        )


def check_pickle(path: Path, data: bytes) -> None:
    """Raise Refused where a pickle asks for anything but tensors, numbers, strings and containers."""
    strings: list[str] = []
    try:
        for code, argument, _ in pickletools.genops(io.BytesIO(data)):
            asked = None
            if code.name in ("GLOBAL", "INST"):
                asked = str(argument)
            elif code.name == "STACK_GLOBAL":
                asked = " ".join(strings[-2:])
            elif code.name.startswith(("SHORT_BINUNICODE", "BINUNICODE", "UNICODE")):
                strings.append(str(argument))
            elif code.name.startswith("EXT"):
                asked = f"extension {argument}"
            if asked is not None and asked not in KNOWN:
                raise Refused(
                    f"{path} is refused: it holds more than weights and settings, it asks for "
                    f"{asked.replace(' ', '.')[:100]}, and reading that could run any code. Ask whoever made the file "
                    "for its state_dict and settings alone" + numpy_hint(asked)
                )
    except Refused:
        raise
    except (ValueError, IndexError, pickle.UnpicklingError, OverflowError) as error:
        raise Refused(f"{path} can't be read ({str(error)[:99]}): it is damaged; take an earlier one") from error


def numpy_hint(asked: str) -> str:
    """What to do about numbers of NumPy's."""
    return " (numbers of NumPy's: save them as float(x))" if asked.startswith("numpy") else ""


def walk(value: Any, path: Path, name: str = "") -> dict[str, torch.Tensor]:
    """All tensors within a value, by their dotted places; Refused where they are more than the file has bytes for."""
    found: dict[str, torch.Tensor] = {}
    left, nodes = [(name, value, 0)], 0
    while left:
        place, each, depth = left.pop()
        nodes += 1
        if nodes > NODES or depth > DEPTH:
            raise Refused(f"{path} is refused: it holds more than {NODES:,} values, or deeper than {DEPTH} levels")
        if isinstance(each, torch.Tensor):
            check_tensor(path, place, each)
            found[place] = each
        elif isinstance(each, dict):
            left += [(f"{place}.{key}".lstrip("."), item, depth + 1) for key, item in each.items()]
        elif isinstance(each, (list, tuple)):
            left += [(f"{place}.{i}".lstrip("."), item, depth + 1) for i, item in enumerate(each)]
    return dict(reversed(found.items()))


def check_tensor(path: Path, place: str, tensor: torch.Tensor) -> None:
    """A view that says it has more numbers than its storage would fill the memory when it is used."""
    if tensor.layout is not torch.strided or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise Refused(
            f"{path} is refused: {place} says that it has the shape {tuple(tensor.shape)}, for which the file has no "
            "bytes. Get the file from where it was made"
        )
