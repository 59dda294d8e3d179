"""Models to scale, side by side: each layer a sheet with its matrices as rectangles, one unit a row or a column.

A model stands on the ground with its layers one behind the other. A table of vectors that is higher than the layers is
folded, as text is in columns. How deep a sheet is has no meaning; all else is true to scale.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .camera import framing
from .cast import cast
from .colours import Paints, paints
from .scene import Box

SPACE = 0.06  # between parts, of the height of a layer
PITCH, THICK = 0.035, 0.014  # from sheet to sheet, and how thick one is, of the width of a layer
APART = 0.18  # between models, of their widths
QUANTITIES = ("parameters", "operations", "cache")
FIELDS = 8
SIZE = (960, 420)
FINE = 400  # times that sheets may stand in the width of all
LEAST = 0.3  # of the strongest colour, for the smallest share
VIEW = (0.42, 0.3)  # yaw and pitch, in radians


class Unreadable(ValueError):
    """A text that is no model of ``scaled``."""


@dataclass(frozen=True)
class Tower:
    """A model where it stands. ``boxes``: part, left, top, front, width, height, and in how many layers it stands."""

    name: str
    tokens: int
    layers: int
    parts: list[list[Any]]
    totals: list[int]
    boxes: list[list[float]]
    pitch: float
    thick: float
    left: float
    right: float


def towers(texts: Sequence[Any]) -> list[Tower]:
    """The models that a cell noted, from left to right. Unreadable says which is none."""
    found: list[Tower] = []
    for number, text in enumerate(texts):
        before = found[-1] if found else None
        found.append(_tower(_read(text, number), before))
    return found


def _read(text: Any, number: int) -> dict[str, Any]:
    try:
        one = json.loads(text)
        parts, totals = one["parts"], one["totals"]
        is_right = all(len(part) == FIELDS and min(part[1:7]) >= 0 and part[1] * part[2] > 0 for part in parts)
        if not (is_right and parts and len(totals) == len(QUANTITIES) and int(one["layers"]) > 0):
            raise ValueError("parts")
        return {"name": str(one["name"]), "tokens": int(one["tokens"]), "layers": int(one["layers"]),
                "parts": parts, "totals": [int(x) for x in totals]}  # fmt: skip
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise Unreadable(f"item {number} is no model: note what cutaway.walks.scale.scaled(...) gives") from error


def _tower(one: dict[str, Any], before: Tower | None) -> Tower:
    parts = one["parts"]
    in_layer = [at for at, part in enumerate(parts) if part[7] and part[2] > 1]
    height = max([parts[at][1] for at in in_layer] or [1])
    gap = SPACE * height
    boxes: list[list[float]] = []
    x = 0.0

    def stand(at: int, rows: float, columns: float, layers: int) -> None:
        nonlocal x
        boxes.append([at, x, -rows, 0.0, columns, rows, layers])
        x += columns + gap

    outside = [at for at, part in enumerate(parts) if not part[7] and part[2] > 1]
    for at in outside[:1]:
        stand(at, *_folded(parts[at], height), 1)
    begin = x
    for at in in_layer:
        stand(at, parts[at][1], parts[at][2], one["layers"])
    width = x - begin
    for at in outside[1:]:
        stand(at, *_folded(parts[at], height), 1)
    whole = x - gap
    left = before.right + APART * (whole + before.right - before.left) if before else 0.0
    moved = [[at, round(x + left, 1), *rest] for at, x, *rest in boxes]
    return Tower(**one, boxes=moved, pitch=PITCH * width, thick=THICK * width, left=left, right=left + whole)


def _folded(part: Sequence[Any], height: float) -> tuple[float, float]:
    """Rows and columns of a table in as many columns as it takes, none higher than a layer."""
    rows, columns = part[1:3]
    times = math.ceil(rows / height)
    return math.ceil(rows / times), columns * times


def described(found: Sequence[Tower]) -> dict[str, Any]:
    """For the page."""
    return {"models": [vars(tower) for tower in found], "quantities": QUANTITIES}


def share(tower: Tower, at: int, quantity: int) -> float:
    """Of all that a model has of a quantity, what this part has, in all layers."""
    part = tower.parts[at]
    total = tower.totals[quantity]
    return float(part[4 + quantity] * (tower.layers if part[7] else 1) / total) if total else 0.0


def boxes(found: Sequence[Tower], paint: Paints, quantity: int = 0, fine: float = 0) -> Iterator[Box]:
    """``fine``: sheets that are nearer to each other than this are drawn as one."""
    for tower in found:
        for at, x, y, _, width, height, layers in tower.boxes:
            colour = coloured(paint, share(tower, int(at), quantity))
            deep = (layers - 1) * tower.pitch + tower.thick
            is_one = tower.pitch < fine
            for layer in range(1 if is_one else int(layers)):
                z = -layer * tower.pitch
                low = (x, y, z - (deep if is_one else tower.thick))
                yield Box(low, (x + width, y + height, z), "wire", (1, 1), colour)


def coloured(paint: Paints, part: float) -> np.ndarray:
    """The colour of what has this share: the more, the stronger."""
    full, none = paint.hues["value"], paint.line * 0.7 + paint.ground * 0.3
    return none + (full - none) * (LEAST + (1 - LEAST) * math.sqrt(part) if part else 0)


def picture(found: Sequence[Tower], theme: str) -> np.ndarray:
    """All models from the left, (height, width, 3) of bytes."""
    paint = paints(theme)
    fine = (found[-1].right - found[0].left) / FINE
    all_boxes = list(boxes(found, paint, fine=fine))
    low = [min(box.low[axis] for box in all_boxes) for axis in range(3)]
    high = [max(box.high[axis] for box in all_boxes) for axis in range(3)]
    return cast(all_boxes, framing(low, high, SIZE[0] / SIZE[1], *VIEW), paint, SIZE)
