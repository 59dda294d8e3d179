"""What a page of a built site weighs at first view: ``python tests/weight.py build/html`` prints it for every page.

Served with gzip from this machine, opened in Chromium on a telephone, not scrolled. Clips and pictures count apart.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

PACKED = {".html", ".css", ".js", ".svg", ".json", ".txt", ".xml"}  # woff2, png and mp4 are compressed in themselves
PICTURES = {"image", "media"}
SHIFTS = """new Promise(done => {
  let sum = 0;
  const add = list => list.getEntries().forEach(entry => sum += entry.value);
  new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 200);
})"""


@dataclass
class Weight:
    """Bytes as sent, by address; ``pictures`` apart. ``shift`` is the cumulative layout shift."""

    files: dict[str, int] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    shift: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.files.values())


@cache
def _packed(path: Path, changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        status = 200 if path.is_file() else 404
        if status == 404:
            path = Path(self.directory) / "404.html"
        data = path.read_bytes() if path.is_file() else b""
        self.send_response(status)
        if path.suffix in PACKED and path.is_file():
            data = _packed(path, path.stat().st_mtime_ns)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):  # who asked has gone on
            self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as a host would, with gzip and its 404.html; yields its address without the last slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def weigh(browser: Browser, url: str) -> Weight:
    """Open a page on a telephone, and do nothing."""
    context = browser.new_context(viewport={"width": 412, "height": 823})
    page, found = context.new_page(), Weight()
    answers: list[Any] = []
    page.on("requestfinished", lambda request: answers.append(request))
    page.goto(url, wait_until="networkidle")
    found.shift = page.evaluate(SHIFTS)
    for request in answers:
        name = request.url.rsplit("/", 1)[-1]
        is_apart = request.resource_type in PICTURES or name.startswith("clip-")  # a clip's recording is a script
        (found.pictures if is_apart else found.files)[name] = request.sizes()["responseBodySize"]
    context.close()
    return found


def pages(folder: Path) -> Iterator[str]:
    """Every page of a site; stubs that lead on to one are none."""
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(("_static/", "s/")) and 'http-equiv="refresh"' not in path.read_text("utf-8")[:2000]:
            yield name


def main(folder: Path) -> None:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with served(folder) as host, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in pages(folder):
            found = weigh(browser, f"{host}/{name}")
            print(f"{found.total / 1000:6.1f} KB {len(found.files):3} files  shift {found.shift:.3f}  {name}")
            if "-v" in sys.argv:
                for file, size in sorted({**found.files, **found.pictures}.items(), key=lambda item: -item[1]):
                    print(f"        {size / 1000:6.1f}  {file}")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
