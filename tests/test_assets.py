"""What each page carries: stylesheet, script and fonts, named by their content."""

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from cutaway.store import Store
from cutaway.theme import assets, fonts


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def test_stylesheet_names_only_files_that_are_there(store: Store) -> None:
    files = assets.page_files(store)
    (sheet,) = [path for path in files if path.suffix == ".css"]
    named = re.findall(r'url\("([^"]+)"\)', sheet.read_text("utf-8"))
    assert sorted(named) == sorted(path.name for path in files if path.suffix == ".woff2")
    assert named


def test_stylesheet_holds_the_palette_and_every_static_file(store: Store) -> None:
    (sheet,) = [path for path in assets.page_files(store) if path.suffix == ".css"]
    text = sheet.read_text("utf-8")
    assert "--cutaway-dim-B" in text
    assert all(path.read_text("utf-8") in text for path in assets.STATIC.glob("*.css"))


def test_second_call_makes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = assets.page_files(store)
    monkeypatch.setattr(assets, "subset", None)
    monkeypatch.setattr(Store, "write", None)
    assert assets.page_files(store) == files


def test_name_changes_with_the_content(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = assets.page_files(store)
    (tmp_path / "listing.css").write_text("a {}", "utf-8")
    (tmp_path / "link.js").write_text("let a", "utf-8")
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    after = assets.page_files(store)
    assert {path.suffix for path in after} == {".woff2", ".css", ".js"}
    assert not {path for path in before if path.suffix == ".css"} & set(after)


def test_fonts_are_small_and_print_what_the_book_prints(store: Store) -> None:
    for family, _, path in assets.page_fonts(store):
        assert path.stat().st_size < 40_000
        with TTFont(path) as font:
            printed = set(font.getBestCmap())
            features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
        assert set(map(ord, "aZ09×√")) <= printed
        assert not features & {"liga", "calt"}
        if family == "JetBrains Mono":
            assert set(map(ord, "┌─┬▶▼│└┘")) <= printed


def test_without_the_fonts_pages_have_none_and_one_notice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, missing in (("sans", "Inter"), ("mono", "JetBrains Mono")):
        stand_in = fonts.Face("DejaVu Sans", (), missing=missing)
        monkeypatch.setattr(fonts, name, lambda stand_in=stand_in: stand_in)
    notices: list[str] = []
    monkeypatch.setattr(assets.logger, "info", lambda template, text: notices.append(str(text)))
    assert list(assets.page_fonts(store)) == []
    assert len(notices) == 2
    assert "apt install fonts-jetbrains-mono" in notices[1]
