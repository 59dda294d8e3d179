"""The assets of each HTML page: one stylesheet, one script, and two typefaces cut down to what a book prints.

The stylesheet is the palette, the fonts and every file of ``static/*.css``, joined; the script is every
``static/*.js``. Files are named by their content, so a browser may keep them for ever, and a change of one
writes each page again (Sphinx compares ``html_static_path``). Nothing is asked of another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from ..settings import Book, BookError
from ..store import Store, digest, version
from . import fonts
from .dimensions import DimensionError, adopt
from .pairs import pairs_css
from .palette import css as palette_css
from .palette import scheme_of

logger = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
CSS_WEIGHTS = {"Regular": 400, "SemiBold": 600}  # a browser takes the second for all that is bolder
# What a page may print in these faces; any other character comes from the reader's own fonts. Every hundred more
# are 4 KB in each of four files.
CHARACTERS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "\xa0©«»°±²³·¹½×÷ÄÉÖÜßàáäçèéêëíïñóôöúü–—‘’“”†•…′₀₁₂₃₄₅₆₇₈₉ᵀαβγδεηθλμπρστφψωΔΘΣΦΩℝ"
    + "←↑→↓↔∂∇∈∏∑−√∞≈≠≤≥⊙⋅⋮⋯"
)
DRAWN = CHARACTERS + "".join(map(chr, range(0x2500, 0x2600))) + "✓✗"  # and boxes, blocks and shapes


# No ligatures: in code, "!=" must not read as another character.
SUBSETTING = {"flavor": "woff2", "hinting": False, "desubroutinize": True, "layout_features": ["kern", "tnum"]}


def subset(source: Path, characters: str, target: Path) -> None:
    """Cut a font file down to some characters, as woff2."""
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(**SUBSETTING)
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    with load_font(str(source), options) as font:
        subsetter.subset(font)
        save_font(font, str(target), options)


def installed_faces() -> Iterator[fonts.Face]:
    """The typefaces that this system has; a missing one is left to the reader's system, with a notice."""
    for face in (fonts.sans(), fonts.mono()):
        if face.notice:
            logger.info("cutaway: %s", face.notice)
        else:
            yield face


@cache
def _key(source: Path, characters: str) -> str:
    return digest(source.read_bytes(), characters, SUBSETTING, version("fonttools"))


def page_fonts(store: Store) -> Iterator[tuple[str, int, Path]]:
    """Family, CSS weight and woff2 file of each installed face."""
    for face in installed_faces():
        characters = DRAWN if "Mono" in face.family else CHARACTERS
        for weight, source in face.files:
            if weight not in CSS_WEIGHTS:
                continue
            key = _key(source, characters)
            name = f"{source.stem}-{key}"
            path = store.path("assets", name, ".woff2")
            if store.whole("assets", name) is None:
                store.write("assets", name, ".woff2", partial(subset, source, characters))
                store.vouch("assets", name, [".woff2"])
            yield face.family, CSS_WEIGHTS[weight], path


def font_face(family: str, weight: int, file: str) -> str:
    """A face that is there at the first paint or on the next page: text that changes its face moves all below."""
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: optional; '
        f'src: url("{file}") format("woff2"); }}\n'
    )


def static_text(suffix: str) -> str:
    """Every file of static/ with this suffix, joined in the order of their names."""
    return "\n".join(path.read_text("utf-8") for path in sorted(STATIC.glob(f"*{suffix}")))


def script() -> str:
    """The one script of a page, without the comments and blanks that are for who reads our source."""
    return str(jsmin(static_text(".js")))


def page_files(store: Store, unmarked: str = "auto") -> list[Path]:
    """The files that a site carries, made where they are missing: fonts, one stylesheet, one script.

    ``unmarked``: what a page is that its theme marks neither dark nor light, see :func:`palette.css`.
    """
    faces = list(page_fonts(store))
    css = "".join(font_face(family, weight, path.name) for family, weight, path in faces)
    texts = {".css": css + palette_css(unmarked) + static_text(".css") + pairs_css(), ".js": script()}
    files = [path for _, _, path in faces]
    for suffix, text in texts.items():
        path = store.path("assets", f"cutaway-{digest(text)}", suffix)
        if text and not _holds(path, text.encode()):
            store.write("assets", path.stem, suffix, text.encode())
        if text:
            files.append(path)
    return files


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def add_files(app: Sphinx, config: Config) -> None:
    try:
        book = Book.from_config(config, Path(app.confdir))
        adopt(book.dimensions)
    except (BookError, DimensionError):
        return  # reported where the runs are made
    store = book.store
    try:
        files = page_files(store, config.cutaway_color_scheme or scheme_of(config.html_theme))
    except OSError as error:
        logger.warning("pages go without our styles: %s", error.strerror, type="cutaway", subtype="store")
        return
    config.html_context["page_fonts"] = [path.name for path in files if path.suffix == ".woff2"]  # to be preloaded
    for path in files:
        config.html_static_path.append(str(path))
        if path.suffix == ".css":
            app.add_css_file(path.name)
        elif path.suffix == ".js":
            app.add_js_file(path.name, loading_method="defer")


def leave_fonts_out(app: Sphinx) -> None:
    """An epub names a type for each of its files, and Sphinx knows none for fonts: readers have their own."""
    if app.builder.name == "epub":
        names = [Path(entry).name for entry in app.config.html_static_path]
        app.config.epub_exclude_files += [f"_static/{name}" for name in names if name.endswith(".woff2")]
