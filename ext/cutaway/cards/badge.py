"""A badge in two parts, ``explained | masked_fill(``, as an SVG that loads nothing from elsewhere. No Sphinx."""

from __future__ import annotations

import re
from html import escape

from ..theme.palette import DARK
from .sheet import cut, font

LABEL = "explained"
LONGEST = 320  # pixels of a title
SIZE, HEIGHT, PADDING = 11, 20, 7  # pixels
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # of XML 1.0


def badge(title: str, code: bool = False) -> str:
    """The badge of a thing with this title, which is code or words; what is too long is cut."""
    title = " ".join(_UNPRINTABLE.sub("", title).split()) or "?"
    # Drawn by whatever face the reader has; textLength holds it to the width that was measured in ours.
    left, right = font("sans", "Regular", SIZE), font("mono" if code else "sans", "SemiBold", SIZE)
    shown = cut(title, right, LONGEST)
    label, text = round(left.getlength(LABEL), 1), round(right.getlength(shown), 1)
    middle, width = round(label + 2 * PADDING, 1), round(label + text + 4 * PADDING, 1)
    mono = '"JetBrains Mono", "DejaVu Sans Mono", monospace'
    sans = 'Inter, "DejaVu Sans", Verdana, sans-serif'
    said = escape(f"{LABEL}: {title}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{HEIGHT}" viewBox="0 0 {width:g} {HEIGHT}"'
        f' role="img" aria-label="{said}">\n<title>{said}</title>\n'
        f'<clipPath id="r"><rect width="{width:g}" height="{HEIGHT}" rx="4"/></clipPath>\n'
        f'<g clip-path="url(#r)"><rect width="{middle:g}" height="{HEIGHT}" fill="{DARK.panel}"/>'
        f'<rect x="{middle:g}" width="{width - middle:g}" height="{HEIGHT}" fill="{DARK.line}"/></g>\n'
        f'<g fill="{DARK.ink}" font-size="{SIZE}" font-family=\'{sans}\' xml:space="preserve">\n'
        f'<text x="{PADDING}" y="14" textLength="{label:g}">{LABEL}</text>\n'
        f'<text x="{middle + PADDING:g}" y="14" font-weight="600" font-family=\'{mono if code else sans}\''
        f' textLength="{text:g}">{escape(shown)}</text>\n</g>\n</svg>\n'
    )
