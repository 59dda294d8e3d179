"""What the reader's machine has to do: milliseconds to draw a frame of 1080 lines, beside a sixtieth of a second."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from functools import partial

from cutaway.theme.assets import STATIC

from .measure import Case, Options
from .programs import ROOT
from .sampled import of_book, sample

BUDGET_MS = 1000 / 60
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# The time of a frame includes painting it: reading a pixel waits for it.
SCRIPT = """([text, frames]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1920, height: 1080 });
  const film = new CutawayRecording(text, canvas, () => [200, 120, 80]), pen = canvas.getContext("2d");
  const draw = (time) => { film.draw(time); pen.getImageData(0, 0, 1, 1); };
  draw(0);
  const began = performance.now();
  for (let k = 0; k < 60; k++) draw((k * frames) / 60);
  return (performance.now() - began) / 60;
}"""


def cases(options: Options) -> Iterator[Case]:
    scenes = sample(options.every)
    told = f"mean of 60 frames of each of {len(scenes)} clips, without a GPU"
    yield Case("player", 0.5, partial(_draw, scenes), lambda: BUDGET_MS, note=lambda: told)


def _draw(scenes: Sequence[str]) -> float:
    """Milliseconds a frame."""
    from playwright.sync_api import sync_playwright

    from cutaway.clips.export import one_clip
    from cutaway.clips.finished import RECORDING
    from cutaway.clips.format.script import read_script
    from cutaway.settings import Book

    book = Book.read(ROOT / "docs")
    player = "\n".join((STATIC / f"clip-{part}.js").read_text("utf-8") for part in ("canvas", "space"))
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page()
        page.add_script_tag(content=player)
        for scene in scenes:
            clip = one_clip(book, scene, of_book()[scene])
            recording = read_script(book.store.path("clip", clip.key, RECORDING).read_text("utf-8"))
            found.append(page.evaluate(SCRIPT, [json.dumps(recording), clip.frames]))
        browser.close()
    return sum(found) / len(found)
