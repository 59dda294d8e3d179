"""A recording as a file: JSON inside a script, which a page can load from another host's or its own disk."""

from __future__ import annotations

import json
import re
from typing import Any


def text_of(recording: dict[str, Any]) -> str:
    """A recording as JSON, always the same bytes for the same recording."""
    return json.dumps(recording, ensure_ascii=False, separators=(",", ":"))


def script_of(recording: dict[str, Any]) -> str:
    """A recording as a script that a page can load from a file: it hands the JSON to the player."""
    text = text_of(recording).replace("\\", "\\\\").replace("'", "\\'")
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"cutawayClip('{text}')\n"


def read_script(script: str) -> dict[str, Any]:
    """The recording in a script that :func:`script_of` made."""
    text = script.removeprefix("cutawayClip('").removesuffix("')\n")
    return dict(json.loads(re.sub(r"\\(['\\])", r"\1", text)))
