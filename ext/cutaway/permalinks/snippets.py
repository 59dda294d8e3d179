"""Snippets that link to a part of the book: in Markdown, reStructuredText, MyST, HTML, as a card or a badge.

Each kind escapes a title for its own language: it is code as often as prose, ``a[:, -1] * b_`` included.
"""

from __future__ import annotations

import re
from html import escape

from ..address import PLACEHOLDER, permanent
from ..targets import Target, short

# What a snippet is called, in the order in which they are offered.
LABELS = {
    "url": "Address",
    "markdown": "Markdown",
    "rst": "reStructuredText",
    "html": "HTML",
    "card": "Markdown, with a card",
    "animated": "… that moves (WebP)",
    "gif": "… that moves (GIF)",
    "badge": "Markdown, with a badge",
    "myst": "MyST, by intersphinx",
    "sphinx": "Sphinx, by intersphinx",
}
PICTURED = ("card", "animated", "gif", "badge")  # what needs the files of cards
_LONGEST_ALT = 120  # characters of what is said of a card

_MARKDOWN = re.compile(r"([\\`*_\[\]<>&|~!$#{}])")
_RST = re.compile(r"([\\`*_<>|!~])")


def snippets(target: Target, said: str, base: str, inventory: str) -> dict[str, str]:
    """Every way to link to a target, by kind.

    ``said`` is its description, ``base`` the site's address or ``""``, ``inventory`` its name in intersphinx_mapping.
    """
    url = permanent(base or PLACEHOLDER, target.id)
    title = " ".join(target.title.split()) or target.id
    words, code = markdown(title), target.kind == "step"
    seen = said and target.kind in ("clip", "diagram")  # what is seen of others is their title
    alt = markdown(short(f"{title}: {said}" if seen else title, _LONGEST_ALT))
    shown = f"<code>{escape(title)}</code>" if code else escape(title)
    found = {
        "url": url,
        "markdown": f"[{_code(title) if code else words}]({url})",
        "rst": f"`{rst(title)} <{url}>`__",
        "html": f'<a href="{escape(url)}">{shown}</a>',
        "card": f"[![{alt}]({url}card.png)]({url})",
        "animated": f"[![{alt}]({url}card.webp)]({url})",
        "gif": f"[![{alt}]({url}card.gif)]({url})",
        "badge": f"[![{words}]({url}badge.svg)]({url})",
        "myst": f"[{_code(title) if code else words}](inv:{inventory}:std:label#{target.id})",
        "sphinx": f":external+{inventory}:std:ref:`{rst(title)} <{target.id}>`",
    }
    still = () if target.kind == "clip" else ("animated", "gif")
    return {kind: found[kind] for kind in LABELS if kind not in still}


def mapping(base: str, inventory: str) -> str:
    """What conf.py says where MyST and Sphinx are to find the book."""
    return f'intersphinx_mapping = {{"{inventory}": ("{base or PLACEHOLDER}", None)}}'


def markdown(text: str) -> str:
    """Plain text as CommonMark that reads the same, in a table's cell and in GitHub's and MyST's dialects, too."""
    return _MARKDOWN.sub(r"\\\1", text)


def _code(text: str) -> str:
    """Code, if it can be said in any cell: a bar would end one, a backtick the code."""
    return markdown(text) if set(text) & set("`|") else f"`{text}`"


def rst(text: str) -> str:
    """Plain text for the words of a reference in reStructuredText."""
    return _RST.sub(r"\\\1", text)
