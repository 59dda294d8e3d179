"""Which arrays of a trace are kept, and how they are written.

A store is copied, restored and shared, and nearly all of it are arrays. Of a trace that would be larger than ``ROOM``
the largest go, all of one shape together, until the rest fits: a training step of a batch records each block's
activations and an optimizer's products a hundred times, and no page, clip or cell shows them. Parameters stay, and
arrays of which there are few. What is kept is kept to the bit.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

ROOM = 80 * 10**6  # bytes of a trace's arrays before they are compressed
FEW = ROOM // 50  # bytes of all arrays of one shape, not worth a gap
LEVEL = 1  # of deflate: the digits of numbers are noise, and more effort takes 4 times as long for 3 % less


def kept(arrays: Mapping[str, np.ndarray], parameters: Set[str]) -> dict[str, np.ndarray]:
    """The arrays (by digest) that a trace keeps; those of ``parameters`` are among them."""
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, array in arrays.items():
        if name not in parameters:
            alike[array.nbytes, array.dtype.str, array.shape].append(name)
    left, dropped = sum(array.nbytes for array in arrays.values()), set[str]()
    for (size, *_), names in sorted(alike.items(), key=lambda item: (-item[0][0], -len(item[1]), item[0])):
        if left > ROOM and size * len(names) >= FEW:
            left -= size * len(names)
            dropped |= set(names)
    return {name: array for name, array in arrays.items() if name not in dropped}


def thin(recorder: Any) -> dict[str, np.ndarray]:
    """The arrays that are kept of what was recorded; the values of the others say that they aren't."""
    weights = [row[1][0] for graph in recorder.live_passes.values() for row in graph["nodes"] if row[0] == "weight"]
    parameters = {recorder.values[number]["digest"] for number in [*recorder.parameters.values(), *weights]}
    arrays = kept(recorder.arrays, parameters)
    for value in recorder.values:
        if value.get("kept") and value["digest"] not in arrays:
            del value["kept"]
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write what ``numpy.load`` reads, compressed faster than ``savez_compressed`` does; the same bytes each time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
