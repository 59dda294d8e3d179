"""Each page's promise that it asks no other host: a Content-Security-Policy, made of what the page has.

Scripts and styles in the page's text are allowed one by one, by their hash. ``style`` attributes can't be: they become
rules of one ``<style>``. From ``file:`` a browser takes "self" for the files of the site.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)([^>]*)>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_STYLED = re.compile(r"""(<[a-zA-Z][^<>]*?)\sstyle="([^"]*)\"""")
_HEAD = re.compile(r'<meta charset="[^"]*"\s*/?>')
RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # icons and plots
    "font-src": "'self'",
    "media-src": "'self'",
    "connect-src": "'self'",  # nothing of ours does; a checker may read robots.txt from the page
    "frame-src": "'self'",  # the page of an interactive plot
    "form-action": "'self'",
    "base-uri": "'self'",
}


def policy(html: str, prose: str = "") -> str:
    """The policy of a page, by which it works and nothing else does: no script that stands in its ``prose`` runs."""
    typed = _INLINE.findall(prose)
    hashes = {
        "script-src": (found[1] for found in _INLINE.findall(html) if "json" not in found[0] and found not in typed),
        "style-src": _STYLE.findall(html),
    }
    rules = dict(RULES)
    for rule, texts in hashes.items():
        rules[rule] += "".join(f" {one}" for one in dict.fromkeys(map(_hash, texts)))
    return "; ".join(f"{rule} {sources}" for rule, sources in rules.items())


def without_style_attributes(html: str) -> str:
    """The page with its ``style`` attributes as rules, which weigh more than those of the stylesheet."""
    numbers: dict[str, int] = {}

    def named(found: re.Match[str]) -> str:
        number = numbers.setdefault(unescape(found[2]), len(numbers))
        return f'{found[1]} data-style="{number}"'

    html = _STYLED.sub(named, html)
    rules = "".join(f':root:root:root [data-style="{number}"]{{{css}}}' for css, number in numbers.items())
    return html.replace("</head>", f"<style>{rules}</style></head>", 1) if numbers else html


def with_policy(html: str, prose: str = "") -> str:
    """A page that states its policy, before anything that is subject to it."""
    html = without_style_attributes(html)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(html, prose)}">'
    return _HEAD.sub(lambda found: f"{found[0]}\n    {meta}", html, count=1)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def promise(app: Sphinx) -> None:
    """Have each page state its policy when it is rendered: its scripts are known then."""
    if not isinstance(app.builder, StandaloneHTMLBuilder) or app.builder.name == "epub":
        return
    if not app.config.cutaway_policy:
        return
    render = app.builder.templates.render

    def rendered(template: str, context: dict[str, Any]) -> str:
        html = render(template, context)
        return with_policy(html, str(context.get("body", ""))) if html.lstrip()[:9].lower() == "<!doctype" else html

    app.builder.templates.render = rendered


def setup(app: Sphinx) -> None:
    # Off where the server adds a script of its own to each page, as sphinx-autobuild does.
    app.add_config_value("cutaway_policy", True, "html", bool)
    app.connect("builder-inited", promise)
