"""Pixels as an H.264 film, captions as WebVTT. No Manim.

Manim's own writer encodes a file for each animation and joins them. Here the frames of the whole scene go to
one encoder; a pause is one long frame; colours are converted with BT.709 and tagged as such, so that a
browser shows the palette's. Who seeks waits for all pictures since the last key frame: a pause, however long, is one
of them, so pictures are counted, not seconds.
"""

from __future__ import annotations

import platform
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

KEY_FRAME = 90  # pictures from one to the next: three seconds of movement, a fifth of a second to decode
BT709 = 1  # FFmpeg's number of it, as primaries, transfer and matrix alike
LIMITED = 1  # FFmpeg's number of the range 16..235
COLOURS: dict[str, Any] = {"dst_colorspace": "ITU709", "src_color_range": "JPEG", "dst_color_range": "MPEG"}
# With AVX-512 x264 reads memory that it never wrote: equal frames gave another file once in thirty times.
# What it has for older processors makes the same bytes each time.
STEADY = {"x264-params": "asm=MMX2,SSE2,SSE3,SSSE3,SSE4.1,SSE4.2"} if platform.machine() in ("x86_64", "AMD64") else {}


class Film:
    """An MP4 file that takes frames and how long each stays."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int, threads: int = 1) -> None:
        self.fps, self.frames, self._pictures = fps, 0, 0
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        # Beside the preset "faster" at 23: a twelfth more bytes at the same SSIM, for a third less time.
        options = {"preset": "veryfast", "crf": "22", "threads": str(threads), "bf": "2", **STEADY}
        stream: Any = self._container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, fps)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        self._stream = stream
        self._pending: Any = None
        self._begins: int | None = None  # the first picture's place in the order in which they are stored
        self._convert = VideoReformatter()  # one for all frames: to set it up costs more than to use it

    def add(self, pixels: np.ndarray, count: int) -> None:
        """Show ``pixels`` (height, width, RGBA) for ``count`` frames."""
        frame: Any = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgba")
        frame = self._convert.reformat(frame, format="yuv420p", **COLOURS)
        self._encode(frame, self.frames)
        self.frames += count
        self._pending = frame

    def close(self) -> None:
        if self._pending is not None and self._stream.codec_context.is_open:
            if self._shown < self.frames - 1:
                self._encode(self._pending, self.frames - 1)  # says how long the last one stays
            packets = self._stream.encode()
            # Pictures are stored in another order than they are shown: the file's length is said with the last stored.
            begins = packets[0].dts if self._begins is None else self._begins
            packets[-1].duration = self.frames - (packets[-1].dts - begins)
            self._container.mux(packets)
        self._container.close()

    def _encode(self, frame: Any, at: int) -> None:
        frame.pts, frame.time_base = at, Fraction(1, self.fps)
        is_key = self._pictures % KEY_FRAME == 0
        frame.pict_type = av.video.frame.PictureType.I if is_key else av.video.frame.PictureType.NONE
        self._pictures += 1
        self._shown = at
        packets = self._stream.encode(frame)
        if packets and self._begins is None:
            self._begins = packets[0].dts
        self._container.mux(packets)


def web_vtt(captions: list[tuple[float, float, str]]) -> str:
    """Captions as WebVTT; ``-->`` and ``<`` have a meaning there."""
    cues = [f"{_clock(a)} --> {_clock(b)}\n{_plain(text)}\n" for a, b, text in sorted(captions) if b > a]
    return "\n".join(["WEBVTT\n", *cues])


def _plain(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]  # an empty line would end the cue
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    millis = round(seconds * 1000)
    return f"{millis // 3600000:02}:{millis // 60000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"
