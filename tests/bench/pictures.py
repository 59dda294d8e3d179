"""How like two films are to what was drawn: SSIM (Wang et al. 2004) of brightness, over squares of 8 pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np

from cutaway.clips.export import one_clip
from cutaway.clips.finished import RECORDING
from cutaway.clips.format.script import read_script
from cutaway.clips.raster.painter import Painter
from cutaway.settings import Book
from cutaway.store import Store
from cutaway.theme.palette import DARK

from .programs import ROOT
from .sampled import of_book

BT601, BT709 = (0.299, 0.587, 0.114), (0.2126, 0.7152, 0.0722)
EVERY, SIDE = 15, 8  # frames from one that is looked at to the next; pixels of a square
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def likeness(store: Path, films: Path, scenes: Sequence[str]) -> Iterator[float]:
    """SSIM of each scene's film to the frames that its recording draws, which need no codec."""
    book = replace(Book.read(ROOT / "docs"), store=Store(store))
    for scene in scenes:
        clip = one_clip(book, scene, of_book()[scene])
        recording = read_script(book.store.path("clip", clip.key, RECORDING).read_text("utf-8"))
        yield _of_film(films / f"{scene}.mp4", Painter(recording, DARK), book.clip_size)


def _of_film(path: Path, painter: Painter, size: tuple[int, int]) -> float:
    found = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        for frame in islice(film.decode(stream), 0, None, EVERY):
            number = round(float(frame.pts * stream.time_base) * 30)
            weights = BT709 if frame.colorspace == 1 else BT601  # what the encoder took brightness for
            drawn = painter.pixels(number, size)[..., :3] @ np.array(weights)
            found.append(ssim(drawn, frame.to_ndarray(format="gray").astype(float)))
    return float(np.mean(found))


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    a, b = _squares(one), _squares(other)
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    together = (a * b).mean(-1) - mean_a * mean_b
    light = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return float((light * (2 * together + C2) / (a.var(-1) + b.var(-1) + C2)).mean())


def _squares(picture: np.ndarray) -> np.ndarray:
    high, wide = (length // SIDE for length in picture.shape)
    cut = picture[: high * SIDE, : wide * SIDE].reshape(high, SIDE, wide, SIDE)
    return cut.swapaxes(1, 2).reshape(high, wide, SIDE * SIDE)
