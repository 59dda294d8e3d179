"""The typefaces: those of the book, their stand-ins, and a machine that has none of them."""

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from cutaway.cards import card, sheet
from cutaway.theme import fonts

CACHES = (fonts.sans, fonts.mono, fonts.fonts_digest, sheet.font)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A machine without typefaces and without matplotlib; its only folder of fonts is empty."""
    monkeypatch.setattr(fonts, "FOLDERS", (tmp_path,))
    monkeypatch.setattr(fonts, "_by_fontconfig", lambda family: iter(()))
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
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


def test_what_is_drawn_with_other_faces_has_another_key(bare: Path) -> None:
    without = fonts.fonts_digest()
    spec = find_spec("matplotlib")
    assert spec and spec.origin
    brought = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    for name in ("DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"):
        (bare / name).write_bytes((brought / name).read_bytes())
    for cached in CACHES:
        cached.cache_clear()
    assert [weight for weight, _ in fonts.sans().files] == ["Regular"]  # as much as the system has
    assert [weight for weight, _ in fonts.mono().files] == ["Regular", "Bold"]
    assert "DejaVu Sans stands in" in (fonts.sans().notice or "")
    assert fonts.fonts_digest() != without
