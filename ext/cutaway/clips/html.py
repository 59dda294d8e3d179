"""A resolved clip in HTML: a stage with its poster, the player's controls, its sections in words and stills.

All is printed here, so that a page looks the same before and after its script has run; the stylesheet shows the
controls where scripts are on. Without script there are the poster, the words with the stills, a film's own controls.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from docutils import nodes

from .code import Statement

SPEEDS = {"0.5": "½×", "1": "1×", "1.5": "1½×", "2": "2×"}
FEW = 2  # statements that need less room than others
PAPER = "light"  # the theme of what is printed
LABELS = {"mp4": "MP4", "gif": "GIF", "webp": "WebP"}


def visit(translator: Any, node: nodes.Element) -> None:
    body = translator.body
    if "shown" not in node:
        body.append(translator.starttag(node, "figure", CLASS="cutaway-clip"))
    else:
        folder = translator.builder.imgpath
        files = {suffix: f"{folder}/{name}" for suffix, name in node["files"].items()}
        body.append(translator.starttag(node, "figure", CLASS="cutaway-clip", **_data(node["shown"], files)))
        body.append(_inside(node, files) + files_line(node, folder))
    body.append("<figcaption>\n" if node.children else "")


def depart(translator: Any, node: nodes.Element) -> None:
    translator.body.append("</figcaption>\n</figure>\n" if node.children else "</figure>\n")


def figure(node: nodes.Element, files: Mapping[str, str]) -> str:
    """A clip outside a book; ``files`` are addresses by suffix."""
    opening = tag("figure", "", id=node["ids"][0], **_data(node["shown"], files))
    return f'{opening.replace("cutaway-clip-", "cutaway-clip", 1)}\n{_inside(node, files)}</figure>\n'


def _inside(node: nodes.Element, files: Mapping[str, str]) -> str:
    bar = controls(node["shown"]) if node["shown"]["recording"] else ""
    return stage(node, files) + bar + code(node) + node.get("link", "") + words(node, files)


def _data(shown: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, str]:
    """What the player needs before it reads the recording."""
    if not shown["recording"]:
        return {}
    asks = {"data-asks": json.dumps(shown["asks"])} if shown.get("asks") else {}
    return {
        "data-recording": files[".js"],
        "data-frames": str(shown["frames"]),
        "data-fps": str(shown["fps"]),
        "data-links": json.dumps(shown["links"], ensure_ascii=False),
        **asks,
    }


def stage(node: nodes.Element, files: Mapping[str, str]) -> str:
    """The poster, which the player's canvas covers; or a film for each theme."""
    shown = node["shown"]
    pictures = _pictures(node, files, shown["poster"], node["alt"])
    if not shown["recording"]:
        films = "".join(_film(node, files, theme) for theme in shown["themes"])
        return f"{tag('div', 'stage')}\n{films}{pictures}</div>\n"
    reached = {"tabindex": 0, "aria_keyshortcuts": "T V Enter Escape"}
    canvas = tag("canvas", "canvas", role="img", aria_label=node["alt"], **reached, hidden="")
    tip = tag("div", "tip", role="tooltip", hidden="")
    return f"{tag('div', 'stage')}\n{pictures}{canvas}</canvas>{tip}</div>\n</div>\n"


def controls(shown: Mapping[str, Any]) -> str:
    """The bar, the strip for captions, and a line for those who listen. A button's value is its key."""
    sections = shown["sections"]
    rects = "".join(
        f'<rect x="{section["start"]}" width="{end - section["start"]}" height="1"/>'
        for section, end in zip(sections, _ends(shown), strict=True)
    )
    last = shown["frames"] - 1
    marks = f'<svg viewBox="0 0 {max(last, 1)} 1" preserveAspectRatio="none" aria-hidden="true">{rects}</svg>'
    slider = tag("input", "range", type="range", value=0, max=last, aria_label="Time", title="One frame: , and .")
    options = "".join(
        f'<option value="{speed}"{" selected" if speed == "1" else ""}>{label}</option>'
        for speed, label in SPEEDS.items()
    )
    lines = "".join(
        f'<span data-section="{escape(section["name"])}">{escape(text)}</span>'
        for section in sections
        for text in section["captions"]
    )
    title = "T, V: on to what is shown, and to its cells; Enter: to its step"
    return (
        f"{tag('div', 'bar', role='group', aria_label='Player', title=title)}\n"
        f"{_button('k', 'toggle', 'Play', 'K or space', pressed=False)}"
        f"{_button('ArrowLeft', 'back', 'Previous section', '←')}{_button('ArrowRight', 'next', 'Next section', '→')}"
        f"{tag('div', 'track')}{marks}{slider}</div>"
        f"{tag('span', 'clock')}loading…</span>"
        f"{tag('select', 'speed', aria_label='Speed', title='Speed (< and >)')}{options}</select>"
        f"{_button('c', 'cc', 'Captions', 'C', pressed=True)}{_button('f', 'full', 'Full screen', 'F')}</div>\n"
        f"{tag('p', 'said', aria_live='polite')}</p>\n"
        f"{tag('p', 'captions')}{lines}</p>\n"
    )


def _ends(shown: Mapping[str, Any]) -> list[int]:
    """The frame beyond the last of each section."""
    return [*(section["start"] for section in shown["sections"][1:]), shown["frames"]]


def code(node: nodes.Element) -> str:
    """The statements that run, each with what it makes; the one that is shown is lit, and says its note."""
    links = node["shown"]["links"]
    rows: Sequence[Statement] = node.get("code", ())
    items = "".join(_statement(row, links) for row in rows)
    if not items:
        return ""
    summary = "<summary>The code at each step</summary>"
    few = ' class="cutaway-clip-few"' if len(rows) <= FEW else ""
    return f'<details class="cutaway-clip-code" open>{summary}\n<ol tabindex="0"{few}>\n{items}</ol></details>\n'


def _statement(row: Statement, links: Mapping[str, Sequence[str]]) -> str:
    notes = "".join(
        f'<p data-step="{escape(step)}">{escape(text)} <a href="{escape(links[step][0])}">in the source →</a></p>'
        for step, text in row.notes
    )
    made = f'<span class="cutaway-shape">{" ".join(row.shapes)}</span>' if row.shapes else ""
    return f'<li><code class="cutaway-clip-statement">{row.markup}</code>{made}{notes}</li>\n'


def words(node: nodes.Element, files: Mapping[str, str]) -> str:
    """The sections, each with what is said in it and its last picture; of a film, its file."""
    shown = node["shown"]
    items = "".join(_section(node, files, number) for number in range(len(shown["sections"])))
    films = [name for suffix, name in files.items() if suffix.endswith(".mp4")]
    link = f'<p><a href="{escape(films[0])}">The film as a file</a></p>\n' if films else ""
    return (
        '<details class="cutaway-clip-words"><summary>In words and stills</summary>\n'
        f'<ol class="cutaway-clip-sections">\n{items}</ol>\n{link}</details>\n'
    )


def files_line(node: nodes.Element, folder: str) -> str:
    """A quiet line below the clip: the files of it that can be taken away, and how large they are."""
    downloads: Sequence[tuple[str, str, int]] = node.get("downloads", ())
    links = " · ".join(
        f'<a href="{folder}/{name}" download="{escape(node["scene"])}.{kind}">{LABELS[kind]}</a> ({_size(size)})'
        for kind, name, size in downloads
    )
    return f"{tag('p', 'files')}Download: {links}</p>\n" if links else ""


def _size(count: int) -> str:
    """Bytes in words: thousands, or millions."""
    return f"{count / 1e6:.1f} MB" if count >= 999_500 else f"{max(1, round(count / 1000))} KB"


def _section(node: nodes.Element, files: Mapping[str, str], number: int) -> str:
    section = node["shown"]["sections"][number]
    start, end = section["start"], _ends(node["shown"])[number]
    name, anchor = escape(section["name"]), escape(f"{node['ids'][0]}-{section['slug']}")
    said = "".join(f"<p>{escape(text)}</p>\n" for text in section["captions"])
    pictures = _pictures(node, files, number, f"The last picture of “{section['name']}”")
    link = f'<a href="#{anchor}">{name}</a>'
    return f'<li id="{anchor}" data-start="{start}" data-end="{end}">{link}\n{said}{pictures}</li>\n'


def _pictures(node: nodes.Element, files: Mapping[str, str], section: int, alt: str) -> str:
    """The still of a section in each theme; the stylesheet shows one."""
    width, height = node["shown"]["size"]
    themes = node["shown"]["themes"]
    return "".join(
        f'<img class="{_theme(themes, theme)}" src="{escape(files[f"-{section}-{theme}.png"])}" alt="{escape(alt)}"'
        f' width="{width}" height="{height}" loading="lazy">\n'
        for theme in themes
    )


def _film(node: nodes.Element, files: Mapping[str, str], theme: str) -> str:
    shown = node["shown"]
    width, height = shown["size"]
    poster = files[f"-{shown['poster']}-{theme}.png"]
    film = escape(files[f"-{theme}.mp4"])
    track = ""
    if ".vtt" in files:
        captions, language = escape(files[".vtt"]), escape(node["language"])
        track = f'<track kind="captions" src="{captions}" srclang="{language}" label="Captions">\n'
    return (
        f'<video class="cutaway-clip-film {_theme(shown["themes"], theme)}" controls preload="none" playsinline'
        f' poster="{escape(poster)}" width="{width}" height="{height}" aria-label="{escape(node["alt"])}">'
        f'<source src="{film}" type="video/mp4">\n{track}<a href="{film}">{escape(node["alt"])}</a>\n</video>\n'
    )


def _theme(themes: Iterable[str], theme: str) -> str:
    """The CSS class that shows the variant of the page's theme; ``-only`` where there is one variant."""
    return f"cutaway-clip-{theme}" if len(list(themes)) > 1 else "cutaway-clip-only"


def _button(key: str, name: str, label: str, keys: str, pressed: bool | None = None) -> str:
    said = {"aria_label": label, "title": f"{label} ({keys})", "aria_keyshortcuts": key}
    state = {} if pressed is None else {"aria_pressed": str(pressed).lower()}
    return f"{tag('button', name, type='button', value=key, **said, **state)}</button>"


def tag(name: str, part: str, **attributes: Any) -> str:
    """``tag("p", "said", aria_live="polite")`` -> ``<p class="cutaway-clip-said" aria-live="polite">``"""
    rest = "".join(f' {key.replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    return f'<{name} class="cutaway-clip-{part}"{rest}>'
