"""How long a page takes to read."""

from docutils import nodes
from website.minutes import words


def test_prose_counts_and_code_does_not() -> None:
    page = nodes.section("", nodes.title("", "Four words, a title"))
    page += nodes.paragraph("", "", nodes.Text("and "), nodes.emphasis("", "three more"))
    page += nodes.literal_block("", "none = of_this")
    page += nodes.bullet_list("", nodes.list_item("", nodes.paragraph("", "two words")))
    page += nodes.table("", nodes.tgroup("", nodes.tbody("", nodes.row("", nodes.entry("", nodes.Text("nor this"))))))
    assert list(words(page)) == ["Four", "words,", "a", "title", "and", "three", "more", "two", "words"]


def test_a_first_reading_ends_where_a_section_is_folded() -> None:
    said = nodes.paragraph("", "What is folded", classes=["skip-at-first"])
    folded = nodes.section("", nodes.title("", "Proof"), said, nodes.paragraph("", "the rest"))
    page = nodes.section("", nodes.title("", "Page"), folded, nodes.paragraph("", "and on"))
    assert " ".join(words(page, skipping=True)) == "Page Proof What is folded and on"
    assert " ".join(words(page)) == "Page Proof What is folded the rest and on"
