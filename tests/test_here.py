"""What pages say of the build: versions, and where the source is."""

import importlib.metadata
from pathlib import Path
from typing import Any

PAGE = "# Page\n\nBuilt with {version}`torch`, {version}`numpi`.\n\n:::{clone} sh\ngit clone REPOSITORY here\n:::\n"


def test_a_page_says_what_it_was_built_with_and_where_the_source_is(build_book: Any, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text(PAGE)
    for asked, shown in (([], "https://YOUR-REPOSITORY"), (["-D", "website_repository=git@host:a/b"], "git@host:a/b")):
        book = build_book(pages, tmp_path / "html", *asked)
        page = book.page("index")
        assert f"Built with {importlib.metadata.version('torch')}, numpi." in page.get_text()
        assert page.select("pre")[0].get_text() == f"git clone {shown} here\n"
        assert "index.md:3: WARNING: version: no package 'numpi'; there is python, torch" in book.warnings
