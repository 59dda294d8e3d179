"""Cut the package's typefaces out of those that Debian has: ``python -m cutaway.theme.typefaces.cut``."""

from __future__ import annotations

from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font

WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")
FROM = (
    "/usr/share/fonts/opentype/inter/Inter-{}.otf",
    "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-{}.ttf",
)
# Blocks of Unicode, first and last character.
CHARACTERS = (
    (0x20, 0x17F),  # Latin
    (0x370, 0x45F),  # Greek, Cyrillic
    (0x1D62, 0x1D6B),  # subscript letters
    (0x2000, 0x20BF),  # punctuation, superscripts and subscripts, currencies
    (0x2100, 0x22FF),  # letterlike symbols, arrows, mathematical operators
    (0x2300, 0x23FF),  # technical signs
    (0x2500, 0x25FF),  # boxes, blocks, shapes
    (0x2713, 0x2718),  # ticks and crosses
)
OPTIONS = {"hinting": False, "desubroutinize": True, "layout_features": ["kern", "mark", "tnum"], "name_IDs": ["*"]}


def main() -> None:
    characters = [code for first, last in CHARACTERS for code in range(first, last + 1)]
    for pattern in FROM:
        for weight in WEIGHTS:
            source = pattern.format(weight)
            options = Options(**OPTIONS)
            subsetter = Subsetter(options)
            subsetter.populate(unicodes=characters)
            with load_font(source, options) as font:
                subsetter.subset(font)
                save_font(font, str(Path(__file__).with_name(Path(source).name)), options)


if __name__ == "__main__":
    main()
