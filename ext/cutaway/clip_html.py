"""A resolved clip in HTML: a figure with one film for each theme, a still for paper, its captions to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from docutils import nodes

STILL = "-light.png"  # on paper


def still(suffixes: Iterable[str]) -> str:
    """The suffix of the picture that stands for the clip where nothing moves."""
    pictures = [suffix for suffix in suffixes if suffix.endswith(".png")]
    return STILL if STILL in pictures else pictures[0]


def visit(translator: Any, node: nodes.Element) -> None:
    body = translator.body
    body.append(translator.starttag(node, "figure", CLASS="cutaway-clip"))
    if "film" in node:
        folder = translator.builder.imgpath
        sources = {suffix: f"{folder}/{name}" for suffix, name in node["files"].items()}
        for theme in node["film"]["themes"]:
            body.append(_video(translator, node, sources, theme))
        tag = {
            "src": sources[still(sources)],
            "alt": node["alt"],
            "loading": "lazy",
            "class": "cutaway-clip-still",
        }
        body.append(translator.emptytag(nodes.Element(), "img", "\n", **tag))
        body.append(_transcript(translator, node["film"]["captions"], sources))
    body.append("<figcaption>\n" if node.children else "")


def _video(translator: Any, node: nodes.Element, sources: dict[str, str], theme: str) -> str:
    width, height = node["film"]["size"]
    only = len(node["film"]["themes"]) == 1
    attributes = {
        "class": "cutaway-clip-film" + ("" if only else f" cutaway-clip-{theme}"),
        "controls": "controls",
        "preload": "none",
        "playsinline": "playsinline",
        "poster": sources[f"-{theme}.png"],
        "width": width,
        "height": height,
        "aria-label": node["alt"],
    }
    film = translator.attval(sources[f"-{theme}.mp4"])
    track = ""
    if ".vtt" in sources:
        words = translator.attval(sources[".vtt"])
        track = f'<track kind="captions" src="{words}" srclang="{node["language"]}" label="Captions">\n'
    video = translator.starttag(nodes.Element(), "video", **attributes)
    link = f'<a href="{film}">{translator.encode(node["alt"])}</a>\n'
    return f'{video}<source src="{film}" type="video/mp4">\n{track}{link}</video>\n'


def _transcript(translator: Any, captions: list[str], sources: dict[str, str]) -> str:
    """What is said in the clip, and its files: a film, and an animated picture for READMEs."""
    items = "".join(f"<li>{translator.encode(text)}</li>\n" for text in captions)
    words = f"<ol>\n{items}</ol>\n" if captions else ""
    film = next(source for suffix, source in sources.items() if suffix.endswith(".mp4"))
    named = {"film": film, "animated picture for a README": sources["-readme.webp"]}
    links = [f'<a href="{translator.attval(source)}">{label}</a>' for label, source in named.items()]
    summary = "In words, and as a file" if captions else "As a file"
    files = f"<p>{', '.join(links)}</p>\n"
    return f'<details class="cutaway-clip-words"><summary>{summary}</summary>\n{words}{files}</details>\n'


def depart(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</figcaption>\n</figure>\n" if node.children else "</figure>\n")
