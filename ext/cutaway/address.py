"""The site's public address, and the permanent address of each target of a link.

One setting says it: ``html_baseurl`` in conf.py. Without it everything in the site works by relative links, and the
snippets that one copies elsewhere show :data:`PLACEHOLDER`, which says what is to be filled in.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from sphinx.config import Config

PLACEHOLDER = "https://YOUR-SITE/"
FOLDER = "s"  # of all permanent addresses
IDS = "letters, digits, - and _, at most 200 bytes"
_ID = re.compile(r"\w[\w.-]*")
_SITE = re.compile(r"https?://[^\s\"'<>]+")


def is_id(text: str) -> bool:
    """Whether an id can be part of an address, and the name of the folder in which its page is written."""
    return bool(_ID.fullmatch(text)) and len(text.encode()) <= 200


def base(config: Config) -> str:
    """The site's public address with one slash at its end; ``""`` where it is not known."""
    given = str(config.html_baseurl or "").strip()
    return given.rstrip("/") + "/" if _SITE.fullmatch(given) else ""


def permanent(base: str, id: str) -> str:
    """``https://example.org/book/s/causal-mask/``; with ``""`` as base it is relative to the site's root."""
    return f"{base}{FOLDER}/{quote(id)}/"
