"""The typefaces: those of the book, their stand-ins, and a machine that has none of them."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from cutaway.cards import card, sheet
from cutaway.theme import fonts

CARRIED = Path(fonts.__file__).with_name("typefaces")
PRINTED = "".join(map(chr, range(0x20, 0x7F))) + "äöüßéñœžбяλθΣ→←≤≥≠−×·–—‘’“”…"
BOXES = "─│┌┐└┘├┤┬┴┼▼▲█░┊┈▽"
CACHES = (fonts.sans, fonts.mono, fonts.fonts_digest, sheet.font)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A machine without typefaces, and a package without its own; the only folder of fonts is empty."""
    monkeypatch.setattr(fonts, "FOLDERS", (tmp_path,))
    monkeypatch.setattr(fonts, "_by_fontconfig", lambda family: iter(()))
    for cached in CACHES:
        cached.cache_clear()
    yield tmp_path
    for cached in CACHES:
        cached.cache_clear()


def test_a_machine_without_any_of_them_is_told_so(bare: Path) -> None:
    face = fonts.sans()
    assert (face.family, face.files) == ("sans-serif", ())
    assert fonts.mono().family == "monospace"
    assert face.notice == (
        "the font Inter is not installed, a typeface of the system stands in; on Debian: apt install fonts-inter"
    )


def test_cards_are_drawn_there_all_the_same(bare: Path) -> None:
    for kind in ("section", "step"):  # words, and code
        told = card.Card(kind, "What to keep", "Attention", "Book", "Each token looks back.")
        drawn = card.draw(told)
        assert drawn.written
        with Image.open(io.BytesIO(card.png(drawn))) as image:
            assert image.size == card.SIZE and len(image.getcolors() or ()) > 2


def test_the_package_brings_its_own(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = fonts.fonts_digest()
    monkeypatch.setattr(fonts, "FOLDERS", (bare, CARRIED))
    for cached in CACHES:
        cached.cache_clear()
    for face in (fonts.sans(), fonts.mono()):
        assert [weight for weight, _ in face.files] == list(fonts.WEIGHTS)
        assert {path.parent for _, path in face.files} == {CARRIED}
        assert face.notice is None
    assert fonts.fonts_digest() != without  # what is drawn with other faces has another key


def test_those_of_the_system_come_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "Inter-Regular.otf").write_bytes((CARRIED / "Inter-Regular.otf").read_bytes())
    monkeypatch.setattr(fonts, "FOLDERS", (bare, CARRIED))
    for cached in CACHES:
        cached.cache_clear()
    assert dict(fonts.sans().files)["Regular"].parent == bare


@pytest.mark.parametrize("path", sorted(CARRIED.glob("*.?tf")), ids=lambda path: path.stem)
def test_what_it_brings_has_letters_and_boxes_and_says_its_licence(path: Path) -> None:
    font = TTFont(path)
    has = set(font.getBestCmap())
    printed = PRINTED + BOXES * ("Mono" in path.name)
    assert [character for character in printed if ord(character) not in has] == []
    assert "Open Font License" in font["name"].getDebugName(13)
    assert path.stat().st_size < 150_000
