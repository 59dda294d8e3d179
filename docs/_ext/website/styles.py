"""One stylesheet for all pages: the files that theme and extensions ask for, joined and pruned when all is written.

Its name is made of the files' names and contents. A page of sphinx-book-theme links eight files with 95 KB
compressed, of which it uses a fifth.
"""

from __future__ import annotations

import functools
import json
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx

from cutaway.address import FOLDER
from cutaway.live.making import PARTS as LIVE_PARTS
from cutaway.live.making import code as live_code
from cutaway.live.making import style as live_style
from cutaway.store import digest, noted, replacing, version

from .pruning import names_in_page, names_in_script, prune, without_unused_variables

_IMPORT = re.compile(r"""@import\s+(?:url\()?["']?([^"')]+)["']?\)?\s*;""")
_SHEET = re.compile(r"\bsite-[0-9a-f]{32}\b")
_URL = re.compile(r"""url\((["']?)(?!data:|https?:|#|/)([^"')]+)\1\)""")
LIVE = "cutaway-live"  # a class of pages that compute


def join(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Replace the stylesheets of a page by one."""
    if app.builder.format != "html" or app.builder.name == "epub" or "css_files" not in context:
        return
    theme = [f"_static/{name}" for name in context.get("website_styles", ())]
    own = [str(getattr(file, "filename", file)) for file in context["css_files"]]
    files = list(dict.fromkeys(theme + own))
    outside = [file for file in files if "://" in file]
    files = [file for file in files if "://" not in file]
    name = f"site-{digest(files, _makers(app), [_bytes(app, file) for file in files])}"
    record = _records(app) / f"{name}.json"
    if not record.is_file():
        record.parent.mkdir(parents=True, exist_ok=True)
        with replacing(record) as temporary:
            temporary.write_text(json.dumps(files), "utf-8")
    context["css_files"] = [*outside, f"_static/{name}.css"]


def _records(app: Sphinx) -> Path:
    return Path(app.doctreedir) / f"styles-{app.builder.name}"


def _makers(app: Sphinx) -> list[tuple[str, str | None]]:
    """Versions of what brings stylesheets. The files say too little: some are written again when the pages are."""
    packages = [(name, version(name)) for name in ("sphinx", "pygments")]
    return packages + sorted((name, extension.version) for name, extension in app.extensions.items())


def _bytes(app: Sphinx, file: str) -> bytes:
    """What the book itself says of a stylesheet."""
    paths = [Path(app.confdir, folder, Path(file).name) for folder in app.config.html_static_path]
    return next((path.read_bytes() for path in paths if path.is_file()), b"")


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the stylesheets that a page of the site names, for the pages as they are now.

    The digest of what decides a stylesheet is its first line: one that is as it should be costs no look at its rules.
    """
    records = {path.stem: path for path in _records(app).glob("*.json")}
    if error or app.builder.format != "html" or not records:
        return
    out = Path(app.outdir)
    pages = _pages(app)
    used = {name for page in pages for name in page.sheets.split()}
    names = {name for page in pages for name in page.names.split()}
    scripts = "\n".join(path.read_text("utf-8") for path in sorted((out / "_static").glob("*.js")))
    if {LIVE, f"{LIVE}-files"} & names:  # such a page loads more when it is asked
        scripts += "".join(map(live_code, LIVE_PARTS)) + live_style()
    names |= names_in_script(scripts)
    for name, record in records.items():
        target = out / "_static" / f"{name}.css"
        if name in used:
            css = joined(out, json.loads(record.read_text("utf-8")))
            mark = f"/* {digest(css, sorted(names), scripts, _code())} */\n"
            if not target.is_file() or not target.read_text("utf-8").startswith(mark):
                with replacing(target) as temporary:
                    temporary.write_text(mark + without_unused_variables(prune(css, names), scripts), "utf-8")
        else:
            record.unlink()
            target.unlink(missing_ok=True)


class _Page(NamedTuple):
    """What a page needs of a stylesheet, in words between blanks; size and time tell whether it is still that page."""

    size: int
    time: int
    sheets: str
    names: str


def _pages(app: Sphinx) -> list[_Page]:
    """All pages that may have a stylesheet of ours; those that are as they were at the last build are not read."""
    out = Path(app.outdir)
    record = Path(app.doctreedir) / f"names-{app.builder.name}-{_code()}.json"  # other code may find other names
    before, now = noted(record), {}
    for path in _html(out):
        name, stat = path.relative_to(out).as_posix(), path.stat()
        found = _Page(*before.get(name, (0, 0, "", "")))
        if (found.size, found.time) != (stat.st_size, stat.st_mtime_ns):
            text = path.read_text("utf-8")
            words = " ".join(set(_SHEET.findall(text))), " ".join(sorted(names_in_page(text)))
            found = _Page(stat.st_size, stat.st_mtime_ns, *words)
        now[name] = found
    with replacing(record) as temporary:
        temporary.write_text(json.dumps(now), "utf-8")
    return list(now.values())


def _html(out: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(out):
        if Path(place) == out and FOLDER in folders:
            folders.remove(FOLDER)  # thousands of pages that only lead on
        yield from (Path(place, file) for file in sorted(files) if file.endswith(".html"))


@functools.cache
def _code() -> str:
    """Digest of what cuts a stylesheet."""
    return digest(Path(__file__).with_name("pruning.py").read_bytes(), version("tinycss2"))


def joined(out: Path, files: Sequence[str]) -> str:
    """The text of stylesheets of a site, as one in ``_static/``."""
    return "\n".join(_read(out, file) for file in files)


def _read(out: Path, file: str) -> str:
    path = out / file.partition("?")[0]
    if not path.is_file():
        return ""
    folder = posixpath.relpath(posixpath.dirname(file), "_static")
    text = path.read_text("utf-8").removeprefix("\ufeff").replace('@charset "UTF-8";', "")

    def moved(found: re.Match[str]) -> str:
        return f'url("{posixpath.normpath(posixpath.join(folder, found[2]))}")'

    pieces = _IMPORT.split(text)
    for k in range(0, len(pieces), 2):
        pieces[k] = _URL.sub(moved, pieces[k])
    for k in range(1, len(pieces), 2):
        pieces[k] = _read(out, posixpath.normpath(posixpath.join(posixpath.dirname(file), pieces[k])))
    return "".join(pieces)


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", join, priority=900)  # after the theme has listed its own
    app.connect("build-finished", write, priority=900)  # after it has written its colours of code
