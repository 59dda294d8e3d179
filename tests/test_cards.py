"""Cards, badges and animated pictures: what a link shows elsewhere, made from the thing itself."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Book, BuildBook
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cutaway.cards import card, code, sheet
from cutaway.cards.badge import badge
from cutaway.cards.card import Card
from cutaway.clips.raster.animated import CARD, animate
from cutaway.clips.raster.shots import Shot
from cutaway.jobs import draw
from cutaway.theme.palette import DARK, contrast

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"
STEP = "attention-forward-mask"


def pictures(book: Book) -> dict[str, Path]:
    return {path.parent.name: path for path in sorted(book.folder.glob("s/*/card.png"))}


def times(book: Book) -> dict[str, int]:
    """When each of our files was made, by its place."""
    files = [path for name in ("card.*", "badge.svg") for path in book.folder.glob(f"s/*/{name}")]
    return {str(path.relative_to(book.folder)): path.stat().st_ctime_ns for path in files}


# The files of a site


def test_every_target_has_a_card_within_the_limits(mini_book: Book) -> None:
    found = pictures(mini_book)
    assert {"things", "things-steps", "attention-forward", STEP, "diagram-attention", "diagram-by-hand",
            "clip-mask"} <= found.keys()  # fmt: skip
    for path in found.values():
        assert path.stat().st_size <= card.LIMIT
        with Image.open(path) as image:
            assert (image.format, image.size) == ("PNG", (1200, 630))
            assert "transparency" not in image.info and not image.mode.endswith("A")
            ground = image.convert("RGB").getpixel((2, 2))
        assert max(abs(a - b) for a, b in zip(ground, bytes.fromhex(DARK.ground[1:]), strict=True)) <= 2


def test_no_two_cards_are_alike(mini_book: Book) -> None:
    files = [path.read_bytes() for path in pictures(mini_book).values()]
    assert len(set(files)) == len(files)


def test_a_clip_moves_elsewhere_too(mini_book: Book) -> None:
    for kind, limit in CARD.limits.items():
        path = mini_book.folder / f"s/clip-mask/card.{kind}"
        assert path.stat().st_size <= limit
        with Image.open(path) as image:
            assert image.format == kind.upper() and image.n_frames > 1 and image.info["loop"] == 0  # type: ignore[attr-defined]
    assert not list(mini_book.folder.glob("s/things*/card.webp"))


def test_every_badge_is_xml(mini_book: Book) -> None:
    for id in pictures(mini_book):
        root = ET.fromstring((mini_book.folder / f"s/{id}/badge.svg").read_text("utf-8"))
        assert root.get("role") == "img" and root.find(f"{SVG}title") is not None


@pytest.fixture(scope="module")
def site(build_book: BuildBook, tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The page with every kind of target, built once for the tests that change it."""
    folder = tmp_path_factory.mktemp("cards")
    (folder / "pages").mkdir()
    for name in ("index.md", "things.md"):
        shutil.copy(ROOT / "tests/pages" / name, folder / "pages" / name)
    book = build_book(folder / "pages", folder / "html")
    assert book.returncode == 0, book.warnings
    return book


def test_a_second_build_draws_and_writes_nothing(site: Book, build_book: BuildBook) -> None:
    before = times(site)
    again = build_book(site.folder.parent / "pages", site.folder)
    assert "drawn" not in again.log
    assert times(site) == before


def test_what_was_deleted_comes_back_and_what_is_stale_goes(site: Book, build_book: BuildBook) -> None:
    deleted = [site.folder / "s" / name for name in (f"{STEP}/card.png", f"{STEP}/badge.svg", "clip-mask/card.gif")]
    contents = [path.read_bytes() for path in deleted]
    for path in deleted:
        path.unlink()
    stale = site.folder / "s/gone"
    stale.mkdir()
    (stale / "card.png").write_bytes(b"of an id that is no more")
    again = build_book(site.folder.parent / "pages", site.folder)
    assert "drawn" not in again.log  # the store has them
    assert [path.read_bytes() for path in deleted] == contents
    assert not (stale / "card.png").exists()


def test_what_is_damaged_in_the_store_is_drawn_again(site: Book, build_book: BuildBook) -> None:
    """Also where a folder stands in a card's place; and nothing damaged is copied."""
    wanted = [site.folder / "s" / name for name in (f"{STEP}/card.png", f"{STEP}/badge.svg", "clip-mask/card.gif")]
    contents = [path.read_bytes() for path in wanted]
    store = site.folder.parent / "store"  # not the one that the tests share
    shutil.copytree(os.environ.get("CUTAWAY_STORE", ROOT / ".cutaway"), store, copy_function=os.link)
    made = {path.stat().st_mtime_ns: path for path in (store / "card").iterdir()}
    kept = [made[path.stat().st_mtime_ns] for path in wanted]  # a copy has the time of what it is made from
    for path in kept:
        path.unlink()
    for path in (kept[0], kept[2]):
        path.mkdir()
    (kept[0] / "inside").touch()
    kept[1].write_bytes(contents[1][:-1])
    for path in wanted:
        path.unlink()
    build_book(site.folder.parent / "pages", site.folder, store=store)
    assert [path.read_bytes() for path in wanted] == [path.read_bytes() for path in kept] == contents


def test_a_book_may_go_without(site: Book, build_book: BuildBook) -> None:
    book = build_book(site.folder.parent / "pages", site.folder.parent / "none", "-D", "cutaway_cards=0")
    assert book.returncode == 0
    assert not times(book)


def test_a_card_that_can_not_be_drawn_is_a_warning_with_its_place(
    site: Book, build_book: BuildBook, tmp_path: Path
) -> None:
    """The store can't hold cards: the pages are written all the same."""
    store = tmp_path / "store"
    shutil.copytree(ROOT / ".cutaway", store, copy_function=_link, ignore=shutil.ignore_patterns("card"))
    (store / "card").write_text("where a folder should be")
    book = build_book(site.folder.parent / "pages", tmp_path / "html", store=store)
    assert book.returncode == 0
    warned = [line for line in book.warnings.splitlines() if "[cutaway.card]" in line]
    assert any("things.md:" in line and f"'{STEP}'" in line and "can't be written" in line for line in warned)
    assert (tmp_path / "html/things.html").is_file()


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


# Cards


def rows(*lines: str) -> list[object]:
    return [[number, [[line, ""]]] for number, line in enumerate(lines, 1)]


def of_code(*lines: str, quoted: tuple[int, int, int] = (1, 0, 3)) -> dict[str, object]:
    return {"file": "m.py", "rows": rows(*lines), "quoted": [list(quoted)], "beside": {}, "about": [1, 1]}


def of_drawing(*lines: str) -> dict[str, object]:
    return {"lines": list(lines), "sizes": [], "boxes": []}


def drawn(picture: dict[str, object] | None, **said: str) -> sheet.Sheet:
    known = {"kind": "step", "title": "x =", "chapter": "Chapter", "book": "The book", "words": "What it does."}
    return card.draw(Card(**{**known, **said}, picture=picture))  # type: ignore[arg-type]


def inside(one: sheet.Sheet) -> bool:
    width, height = card.SIZE
    return all(0 <= left <= right <= width and 0 <= top <= bottom <= height for left, top, right, bottom in one.written)


PRINTED = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=300)
PICTURES = st.one_of(
    st.none(),
    st.lists(PRINTED.filter(str.strip), min_size=1, max_size=12).map(lambda lines: of_code(*lines)),
    st.lists(PRINTED, min_size=1, max_size=60).map(lambda lines: of_drawing("┌─┐", *lines)),
)


@given(PICTURES, PRINTED, PRINTED, PRINTED, st.sampled_from(["step", "section", "listing", "diagram"]))
def test_all_text_stands_on_the_card(
    picture: dict[str, object] | None, title: str, chapter: str, words: str, kind: str
) -> None:
    one = drawn(picture, kind=kind, title=title, chapter=chapter, words=words, book=chapter)
    assert inside(one)
    assert len(card.png(one)) <= card.LIMIT


def test_a_card_shows_the_code_itself() -> None:
    plain = drawn(of_code("x = f(a)"))
    assert plain.image.tobytes() != drawn(of_code("x = f(b)")).image.tobytes()
    assert plain.image.tobytes() != drawn(of_code("x = f(a)", quoted=(1, 4, 8))).image.tobytes()
    shaped = of_code("x = f(a)") | {"beside": {"1": [["x", [[1, "B"], [11, "T"]]]]}}
    colours = {colour for _, colour in drawn(shaped).image.getcolors(1 << 24) or []}
    assert tuple(bytes.fromhex(DARK.dimension("T")[1:])) in colours
    assert tuple(bytes.fromhex(code.MARK[1:])) in {colour for _, colour in plain.image.getcolors(1 << 24) or []}


def test_a_card_shows_the_drawing_itself() -> None:
    one, other = (drawn(of_drawing("┌───┐", f"│ {name} │", "└───┘"), kind="diagram") for name in "ab")
    assert one.image.tobytes() != other.image.tobytes()


def test_no_text_is_too_small_to_be_read_at_a_third() -> None:
    tall = of_code(*(f"line_{number} = {'value + ' * 12}1" for number in range(12)))
    wide = of_drawing(*("│" * 78 for _ in range(90)))
    for picture in (tall, wide):
        one = drawn(picture)
        assert inside(one)
        assert min(one.sizes) >= 30  # 10 pixels where the card is 400 wide


def test_what_is_quoted_reads_on_its_mark() -> None:
    assert contrast(code.MARK, DARK.ink) >= 4.5 and contrast(code.MUTED, DARK.panel) >= 4.5


def test_a_still_loses_the_empty_ground_around_it() -> None:
    still = Image.new("RGB", (1280, 720), DARK.ground)
    still.paste("white", (500, 300, 780, 420))
    image = card.draw(Card("clip", "Clip", "Chapter", "Book", "", {}), still).image
    white = image.point(lambda value: 255 if value > 250 else 0).convert("L").crop((0, 210, *card.SIZE)).getbbox()
    assert white is not None and white[2] - white[0] > 280


@given(PRINTED.filter(str.strip), st.integers(60, 900), st.integers(1, 4))
def test_text_is_broken_between_words_and_cut_with_an_ellipsis(text: str, width: int, count: int) -> None:
    face = sheet.font("sans", "Regular", 40)
    lines = sheet.wrapped(text, face, width, count)
    assert len(lines) <= count
    assert all(face.getlength(line) <= width or line == sheet.ELLIPSIS for line in lines)
    if " ".join(lines) != " ".join(text.split()):
        assert any(line.endswith(sheet.ELLIPSIS) for line in lines)


# Badges


@given(st.text(max_size=400), st.booleans())
def test_a_badge_is_xml_whatever_the_title(title: str, is_code: bool) -> None:
    root = ET.fromstring(badge(title, is_code))
    assert root.get("role") == "img"
    (said,) = root.findall(f"{SVG}title")
    assert said.text and said.text == root.get("aria-label")
    label, shown = root.iter(f"{SVG}text")
    width = float(root.get("width", 0))
    assert float(label.get("x", 0)) + float(label.get("textLength", 0)) < float(shown.get("x", 0))
    assert float(shown.get("x", 0)) + float(shown.get("textLength", 0)) < width <= 420


def test_a_badge_asks_no_other_host() -> None:
    root = ET.fromstring(badge('<image href="https://example.org/x.png"/> & "more"'))
    assert not [name for element in root.iter() for name in element.attrib if name.endswith("href")]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }


# Animated


def noisy(count: int, size: tuple[int, int]) -> Iterator[Shot]:
    for number in range(count):
        yield Shot(np.array(Image.effect_noise(size, 60 + number).convert("RGB")), 1)


def test_an_animated_picture_shrinks_until_it_fits(tmp_path: Path) -> None:
    shots = list(noisy(2, (800, 450)))
    for kind in ("webp", "gif"):
        small, none = (dataclasses.replace(CARD, limits={kind: limit}) for limit in (130_000, 1000))
        animate(shots, 10, tmp_path / f"a.{kind}", kind, small)
        assert (tmp_path / f"a.{kind}").stat().st_size <= 130_000
        with Image.open(tmp_path / f"a.{kind}") as image:
            assert image.width < 800
        with pytest.raises(ValueError, match="more than 1000"):
            animate(shots, 10, tmp_path / f"b.{kind}", kind, none)


def test_a_gif_keeps_the_palettes_colours(tmp_path: Path) -> None:
    colours = [bytes.fromhex(colour[1:]) for colour in (DARK.ground, DARK.dimension("T"))]
    shots = [Shot(np.full((36, 64, 3), list(colour), np.uint8), 1) for colour in colours]
    animate(shots, 10, tmp_path / "a.gif", "gif", CARD)
    with Image.open(tmp_path / "a.gif") as image:
        for number, colour in enumerate(colours):
            image.seek(number)
            assert image.convert("RGB").getpixel((5, 5)) == tuple(colour)


# The process that draws


def test_a_job_that_fails_harms_no_other(tmp_path: Path) -> None:
    said = ["section", "Title", "Chapter", "Book", "Some words."]
    good = {"card": [*said, "{}"], "still": "", "to": str(tmp_path / "a.png")}
    bad = {"card": [*said, '{"lines": null}'], "still": "", "to": str(tmp_path / "b.png")}
    lost = {"animated": str(tmp_path / "missing.js"), "to": {"gif": str(tmp_path / "c.gif")}}
    errors = [message for _, message in draw([bad, good, lost], 2, {})]
    assert errors[1] == "" and "TypeError" in errors[0] and "missing.js" in errors[2]
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == card.SIZE
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_no_fork_outlives_the_process_that_draws(tmp_path: Path) -> None:
    """Killed as Ctrl-C in the builder kills it, with forks that wait for work."""
    script = f"""
import os, time
from cutaway.cards import worker
def slow(number, job):
    open(f"{tmp_path}/{{os.getpid()}}", "w").close()
    time.sleep(60)
worker._perform = slow
worker.main()
"""
    request = json.dumps({"jobs": [{}, {}], "workers": 2, "dimensions": {}})
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin
        process.stdin.write(request)
        process.stdin.close()
        wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
        process.kill()
    forks = [int(path.name) for path in tmp_path.iterdir()]
    wait_for(lambda: not any(map(_lives, forks)))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_times_of_frames_do_not_drift(tmp_path: Path) -> None:
    """Pictures of a fifteenth of a second, 66 or 67 ms: WebP keeps milliseconds."""
    animate(list(noisy(16, (32, 18))), 15, tmp_path / "a.webp", "webp")
    lasts = []
    with Image.open(tmp_path / "a.webp") as image:
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            image.load()
            lasts.append(image.info["duration"])
    assert set(lasts) == {66, 67} and sum(lasts) == 1067
