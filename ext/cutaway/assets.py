"""What each HTML page carries: one stylesheet, one script, and two typefaces cut down to what a book prints.

The stylesheet is the palette, the fonts and every file of ``static/*.css``, joined; the script is every
``static/*.js``. Files are named by their content, so a browser may keep them for ever, and a change of one
writes each page again (Sphinx compares ``html_static_path``). Nothing is asked of another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from . import fonts
from .book import Book, BookError
from .palette import css as palette_css
from .store import Store, digest, version
from .weaving.code import pairs_css

logger = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
CSS_WEIGHTS = {"Regular": 400, "SemiBold": 600, "Bold": 700}
# What a page may print in these faces; any other character comes from the reader's own fonts.
CHARACTERS = "".join(
    chr(code)
    for first, last in (
        (0x20, 0x7E),  # ASCII
        (0xA0, 0x17F),  # Latin letters with marks
        (0x370, 0x3FF),  # Greek
        (0x2010, 0x2044),  # dashes, quotes, dots, primes
        (0x2070, 0x209C),  # superscripts and subscripts
        (0x2100, 0x214F),  # letterlike: the real numbers
        (0x2190, 0x21FF),  # arrows
        (0x2200, 0x22FF),  # operators
        (0x2460, 0x2473),  # circled numbers
        (0x2500, 0x25FF),  # boxes, blocks, shapes
        (0x2713, 0x2717),  # ticks and crosses
    )
    for code in range(first, last + 1)
)


# No ligatures: in code, "!=" must not read as another character.
SUBSETTING = {"flavor": "woff2", "hinting": False, "layout_features": ["kern", "mark", "tnum"]}


def subset(source: Path, target: Path) -> None:
    """Cut a font file down to CHARACTERS, as woff2."""
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(**SUBSETTING)
    subsetter = Subsetter(options)
    subsetter.populate(text=CHARACTERS)
    with load_font(str(source), options) as font:
        subsetter.subset(font)
        save_font(font, str(target), options)


def installed_faces() -> Iterator[fonts.Face]:
    """The typefaces that this system has; a missing one is left to the reader's system, with a notice."""
    for find in (fonts.sans, fonts.mono):
        try:
            face = find()
        except FileNotFoundError as error:  # neither the face nor its stand-in
            logger.info("cutaway: %s", error)
            continue
        if face.notice:
            logger.info("cutaway: %s", face.notice)
        else:
            yield face


def page_fonts(store: Store) -> Iterator[tuple[str, int, Path]]:
    """Family, CSS weight and woff2 file of each installed face."""
    for face in installed_faces():
        for weight, source in face.files:
            if weight not in CSS_WEIGHTS:
                continue
            key = digest(source.read_bytes(), CHARACTERS, SUBSETTING, version("fonttools"))
            name = f"{source.stem}-{key}"
            path = store.path("assets", name, ".woff2")
            if not path.is_file():
                store.write("assets", name, ".woff2", partial(subset, source))
            yield face.family, CSS_WEIGHTS[weight], path


def font_face(family: str, weight: int, file: str) -> str:
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: swap; '
        f'src: url("{file}") format("woff2"); }}\n'
    )


def static_text(suffix: str) -> str:
    """Every file of static/ with this suffix, joined in the order of their names."""
    return "\n".join(path.read_text("utf-8") for path in sorted(STATIC.glob(f"*{suffix}")))


def script() -> str:
    """The one script of a page, without the comments and blanks that are for who reads our source."""
    return str(jsmin(static_text(".js")))


def page_files(store: Store) -> list[Path]:
    """The files that a site carries, made where they are missing: fonts, one stylesheet, one script."""
    faces = list(page_fonts(store))
    css = "".join(font_face(family, weight, path.name) for family, weight, path in faces)
    texts = {".css": css + palette_css() + static_text(".css") + pairs_css(), ".js": script()}
    files = [path for _, _, path in faces]
    for suffix, text in texts.items():
        path = store.path("assets", f"cutaway-{digest(text)}", suffix)
        if text and not path.is_file():
            store.write("assets", path.stem, suffix, text.encode())
        if text:
            files.append(path)
    return files


def add_files(app: Sphinx, config: Config) -> None:
    try:
        store = Book.from_config(config, Path(app.confdir)).store
    except BookError:
        return  # reported where the runs are made
    try:
        files = page_files(store)
    except OSError as error:
        logger.warning("pages go without our styles: %s", error.strerror, type="cutaway", subtype="store")
        return
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


def setup(app: Sphinx) -> None:
    app.connect("config-inited", add_files)
    app.connect("builder-inited", leave_fonts_out)
