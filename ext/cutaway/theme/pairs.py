"""The rules by which a note and its place in the code light up together."""

from __future__ import annotations


def pairs_css(most: int = 40) -> str:
    """Rules that light up a note and its place in the code together, where no script does it (``light.js``).

    CSS can't say "with the same number"; so there is a rule for each number up to ``most``.
    """
    lit = ":is(:hover, :focus, :focus-within, :target)"
    pairs = [
        (f":root:not([data-cutaway-light]) .cutaway-listing:has({n}{lit})", n)
        for n in (f'[data-note="{number}"]' for number in range(1, most + 1))
    ]
    quotes = ", ".join(f"{listing} .cutaway-quote{n}" for listing, n in pairs)
    callouts = ", ".join(f"{listing} a{n}.cutaway-callout:link" for listing, n in pairs)
    notes = ", ".join(f"{listing} .cutaway-note{n}" for listing, n in pairs)
    accent = "var(--cutaway-accent)"
    return (
        f"{quotes}, {notes} {{ background: color-mix(in srgb, {accent} 14%, transparent); border-color: {accent}; }}\n"
        f"{callouts} {{ background: {accent}; }}\n"
    )
