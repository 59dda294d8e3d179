"""Recordings made by hand, and pages that show them, for the player's tests."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from docutils import nodes

from cutaway.clips import html as clip_html
from cutaway.clips.code import Statement
from cutaway.theme import palette
from cutaway.theme.assets import script, static_text

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'"
BODY = "body { max-width: 60rem; margin: auto; background: var(--cutaway-ground) } .gap { height: 4000px }"
SQUARE = "M0 0l2000 0l0 2000l-2000 0z"
SIZE = [19200, 10800]


def recording(**changes: Any) -> dict[str, Any]:
    """An empty stage of 40 frames at 10 a second, in two sections."""
    empty: dict[str, Any] = {
        "format": 2, "fps": 10, "frames": 40, "size": SIZE, "background": 0, "paints": ["ground"], "paths": [],
        "styles": [], "states": [], "curves": [], "objects": [], "views": [], "camera": [],
        "eyes": [], "turns": [], "captions": [], "tags": [],
        "poster": 39, "sections": [[0, "Scores", "scores"], [20, "Softmax", "softmax"]],
    }  # fmt: skip
    return {**empty, **changes}


@dataclass
class Shown:
    """A clip on a page: its recording, and what the directive knows of it."""

    recording: dict[str, Any]
    id: str = "clip-one"
    links: dict[str, list[str]] = field(default_factory=dict)
    file: str = "one.js"
    code: list[Statement] = field(default_factory=list)

    def html(self) -> str:
        node = nodes.Element(ids=[self.id], alt='Squares <and> "paths"', language="en", files={".js": self.file})
        captions = self.recording["captions"]
        starts = [start for start, _, _ in self.recording["sections"]]
        node["files"] |= {f"-{k}-{theme}.png": f"{theme}.png" for k in range(len(starts)) for theme in palette.THEMES}
        sections = []
        for (start, name, slug), end in zip(
            self.recording["sections"], [*starts[1:], self.recording["frames"]], strict=True
        ):
            said = [text for at, _, text in captions if start <= at < end]
            sections.append({"name": name, "slug": slug, "start": start, "captions": said})
        frames, fps = self.recording["frames"], self.recording["fps"]
        node["shown"] = {
            "size": [1280, 720], "themes": list(palette.THEMES), "recording": True, "frames": frames, "fps": fps,
            "seconds": frames / fps, "poster": len(sections) - 1, "sections": sections, "links": self.links,
        }  # fmt: skip
        node["code"] = self.code
        printed = _Printer()
        clip_html.visit(printed, node)
        clip_html.depart(printed, node)
        return "".join(printed.body)


class _Printer:
    """As much of Sphinx's translator as printing a clip takes."""

    builder = SimpleNamespace(imgpath=".")

    def __init__(self) -> None:
        self.body: list[str] = []

    def starttag(self, node: nodes.Element, name: str, CLASS: str, **attributes: str) -> str:
        rest = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        return f'<{name} class="{CLASS}" id="{node["ids"][0]}"{rest}>'


def write_page(folder: Path, clips: list[Shown], around: str = "", gap: str = "") -> Path:
    """A page with clips, their recordings beside it, under a strict policy; returns the page.

    ``around`` is put before the clips, ``gap`` between them.
    """
    (folder / "page.css").write_text(palette.css() + static_text(".css") + BODY, "utf-8")
    (folder / "page.js").write_text(script(), "utf-8")
    for theme in palette.THEMES:
        (folder / f"{theme}.png").write_bytes(png(palette.rgb(palette.BY_NAME[theme].accent)))
    for clip in clips:
        write_script(folder / clip.file, clip.recording)
    page = folder / "page.html"
    page.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width"><title>Clips</title><link rel="icon" href="dark.png">'
        '<link rel="stylesheet" href="page.css"><script defer src="page.js"></script></head><body>'
        f"{around}{gap.join(clip.html() for clip in clips)}</body></html>",
        "utf-8",
    )
    return page


def write_script(path: Path, data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    path.write_text(f"cutawayClip('{text}')\n", "utf-8")


def png(colour: palette.RGB, width: int = 128, height: int = 72) -> bytes:
    """A picture of one colour."""
    row = b"\0" + bytes(round(255 * part) for part in colour) * width

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
