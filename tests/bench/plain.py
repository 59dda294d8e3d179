"""The book for Sphinx and myst-nb alone: clips are films, listings quotations of files, drawings text."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from .programs import ROOT

CONF = """
extensions = [name for name in extensions if not name.startswith("cutaway") and name != "website"]
templates_path, html_sidebars, html_context, html_theme_options = [], {}, {}, {}
html_css_files, html_js_files = [], []
html_math_renderer = "mathjax"
nb_execution_cache_path = os.path.abspath("../cells")
"""
_OPENING = re.compile(r"^(:{3,}|`{3,})\{(clip|listing|diagram|sequence|reference|csv-table)\}\s*(.*)$")
_ROLE = re.compile(r"\{(fact|dim|step)\}`([^`<]*?)(?:\s*<[^`]*>)?`")
_OPTION = re.compile(r"^:[\w-]+:.*$")
_FILM = b"\0" * 300_000  # as large as one of Manim's; nothing looks into it


def write_plain(book: Path, folder: Path) -> None:
    """Copy a book's pages, each directive and role of ours replaced by what one would write without."""
    shutil.copytree(book, folder, ignore=shutil.ignore_patterns("scenes", "__pycache__", "_templates"))
    (folder / "conf.py").write_text((book / "conf.py").read_text("utf-8") + CONF, "utf-8")
    (folder / "_static/clip.mp4").write_bytes(_FILM)
    shutil.copytree(ROOT / "model_src", folder / "_source", ignore=shutil.ignore_patterns("__pycache__"))
    for page in folder.rglob("*.md"):
        page.write_text(_plain(page.read_text("utf-8")), "utf-8")


def _plain(text: str) -> str:
    lines, out = iter(text.splitlines()), []
    for line in lines:
        found = _OPENING.match(line)
        if found is None:
            out.append(_ROLE.sub(r"`\2`", line))
            continue
        fence, name, argument = found.groups()
        body = []
        for inner in lines:
            if inner.rstrip() == fence:
                break
            body.append(_ROLE.sub(r"`\2`", inner))
        words = [inner for inner in body if not _OPTION.match(inner)]
        out += _INSTEAD[name](argument, words) if name in _INSTEAD else ["```", *words, "```"]
    return "\n".join(out) + "\n"


def _clip(scene: str, words: list[str]) -> list[str]:
    video = f'<video controls preload="none" src="../_static/clip.mp4" aria-label="{scene}"></video>'
    return ["```{raw} html", video, "```", "", *words]


def _listing(dotted: str, words: list[str]) -> list[str]:
    """The object's lines, quoted from its file."""
    path, names = ROOT / "model_src", dotted.split(".")
    while path.is_dir():
        path = path / names.pop(0)
    file = path.with_suffix(".py").relative_to(ROOT / "model_src")
    chosen = [f":pyobject: {'.'.join(names)}"] if names else []
    return [f"```{{literalinclude}} /_source/{file}", *chosen, "```", "", *words]  # from the pages' folder


def _drawing(argument: str, words: list[str]) -> list[str]:
    return ["```text", *(words if any(words) else [argument] * 20), "```"]


_INSTEAD: dict[str, Callable[[str, list[str]], list[str]]] = {"clip": _clip, "listing": _listing, "diagram": _drawing}
