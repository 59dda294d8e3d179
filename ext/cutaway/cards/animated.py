"""A clip as a picture that moves by itself, where no player can be: WebP and GIF, within limits. No Sphinx."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ..clips.format.script import read_script
from ..clips.raster.animated import FPS as FILM_FPS
from ..clips.raster.animated import shots_of
from ..clips.raster.painter import Painter
from ..clips.raster.shots import shots
from ..theme.palette import BY_NAME, DARK, entries, mix, rgb

LIMITS = {"webp": 400_000, "gif": 1_500_000}  # bytes
FPS = 10
WIDTHS = {"webp": (800, 640, 520, 400), "gif": (640, 520, 400)}  # tried in this order until the limit holds
WEBP = {"quality": 60, "method": 2, "kmin": 0, "kmax": 0, "loop": 0}  # no key frames: nobody seeks in a picture


class Frame(NamedTuple):
    """A picture and for how long it stays, in milliseconds."""

    image: Image.Image
    lasts: int


def frames_of(path: Path, width: int) -> list[Frame]:
    """The frames of a recording, or of a film, in the dark theme's colours; their times don't drift."""
    if path.suffix == ".mp4":
        taken, fps = list(shots_of(path)), FILM_FPS
    else:
        recording = read_script(path.read_text("utf-8"))
        height = round(width * recording["size"][1] / recording["size"][0] / 2) * 2
        taken, fps = list(shots(Painter(recording, DARK), (width, height), FPS)), FPS
    ends = [round(1000 * end / fps) for end in itertools.accumulate(shot.lasts for shot in taken)]
    lasts = [end - start for start, end in itertools.pairwise([0, *ends])]
    return [Frame(Image.fromarray(shot.pixels[..., :3]), last) for shot, last in zip(taken, lasts, strict=True)]


def write(frames: Sequence[Frame], kind: str, path: Path) -> None:
    """Write the widest picture within the limit; ValueError where even the narrowest is larger."""
    for width in WIDTHS[kind]:
        _save([_scaled(frame, width) for frame in frames], kind, path)
        if path.stat().st_size <= LIMITS[kind]:
            return
    raise ValueError(f"{path.stat().st_size} bytes at {width} pixels' width, more than {LIMITS[kind]}")


def _scaled(frame: Frame, width: int) -> Frame:
    image = frame.image
    if image.width <= width:
        return frame
    height = round(image.height * width / image.width / 2) * 2
    return Frame(image.resize((width, height), Image.Resampling.BOX, reducing_gap=None), frame.lasts)


def _save(frames: Sequence[Frame], kind: str, path: Path) -> None:
    lasts = [frame.lasts for frame in frames]
    if kind == "gif":
        palette = _palette()
        images = [frame.image.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
        images[0].save(path, "gif", save_all=True, append_images=images[1:], duration=lasts, loop=0, optimize=False)
    else:
        images = [frame.image for frame in frames]
        images[0].save(path, "webp", save_all=True, append_images=images[1:], duration=lasts, **WEBP)


def _palette() -> Image.Image:
    """The theme's colours, and each on its way to the ground and to the panel."""
    theme = BY_NAME["dark"]
    colours = list(dict.fromkeys(entries(theme).values()))
    grounds = [(ground, part) for part in (0.3, 0.6) for ground in (theme.ground, theme.panel)]
    mixes = [mix(colour, ground, part) for ground, part in grounds for colour in colours]
    chosen = list(dict.fromkeys([*colours, *mixes]))[:256]
    image = Image.new("P", (1, 1))
    image.putpalette([round(255 * part) for colour in chosen for part in rgb(colour)])
    return image
