"""TensorBoard's event files: the scalars, read record by record without TensorBoard.

A record is its length (8 bytes), a check sum of that, the data, and a check sum of those (TensorFlow's TFRecord); the
data are a protocol buffer ``Event``: step 2, summary 5, session log 7.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from fieldguide.lines import Progress

LARGEST = 1 << 22  # bytes of a record with scalars; larger ones hold images and are passed over
START = 1  # of a session log: points of its step and later are no longer valid
Field = tuple[int, int, int | bytes]


def crc_table() -> list[int]:
    """CRC-32C, Castagnoli's polynomial, a byte at a time."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def masked_crc(data: bytes) -> int:
    """The check sum as TFRecord stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def is_events(beginning: bytes) -> bool:
    """Whether a file begins with a record."""
    return len(beginning) >= 12 and struct.unpack("<I", beginning[8:12])[0] == masked_crc(beginning[:8])


def records(file: BinaryIO, told: Progress | None = None) -> Iterator[bytes | None]:
    """The data of each record; None at the end of a file that is cut off or damaged there."""
    read = 0
    while head := file.read(12):
        if not is_events(head):
            yield None
            return
        length = struct.unpack("<Q", head[:8])[0]
        read += 16 + length
        if told is not None:
            told(read)
        if length > LARGEST:
            file.seek(length + 4, 1)
            continue
        data = file.read(length + 4)
        if len(data) < length + 4:
            yield None
            return
        yield data[:length]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]  # IndexError: it is cut off
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def fields(data: bytes) -> Iterator[Field]:
    """Number, wire type and content of each field."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
            yield number, kind, value
            continue
        if kind == 2:
            size, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise ValueError("a field that is cut off")
        yield number, kind, data[at : at + size]
        at += size


def scalar(data: bytes) -> tuple[str, float] | None:
    """Tag and value of one ``Summary.Value``, or None where it holds no single number."""
    tag, value = "", None
    for number, kind, content in fields(data):
        if number == 1 and isinstance(content, bytes):
            tag = content.decode("utf-8", "replace")
        elif number == 2 and kind == 5 and isinstance(content, bytes):
            value = struct.unpack("<f", content)[0]
        elif number == 8 and isinstance(content, bytes):
            value = tensor(content)
    return None if value is None else (tag, value)


def tensor(data: bytes) -> float | None:
    """The number of a ``TensorProto`` that holds one float or double."""
    kind_of = 0
    for number, _, content in fields(data):
        if number == 1 and isinstance(content, int):
            kind_of = content
        elif number == 4 and isinstance(content, bytes) and len(content) == {1: 4, 2: 8}.get(kind_of):
            return float(struct.unpack("<f" if kind_of == 1 else "<d", content)[0])
        elif number == 5 and isinstance(content, bytes) and len(content) == 4:
            return float(struct.unpack("<f", content)[0])
    return None


def event(data: bytes) -> tuple[int, dict[str, float], bool]:
    """The step of an event, its scalars, and whether all points from that step on are written anew."""
    step, values, anew = 0, {}, False
    for number, _, content in fields(data):
        if number == 2 and isinstance(content, int):
            step = content
        elif number == 5 and isinstance(content, bytes):
            for inner, _, value in fields(content):
                if inner == 1 and isinstance(value, bytes) and (found := scalar(value)):
                    values[found[0]] = found[1]
        elif number == 7 and isinstance(content, bytes):
            anew = any(inner == 1 and value == START for inner, _, value in fields(content))
    return step, values, anew
