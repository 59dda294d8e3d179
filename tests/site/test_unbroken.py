"""No link of the site is broken: pages, anchors, pictures, scripts, stubs, source pages, Markdown twins.

Written here because what a script will ask for (``data-recording``), where a stub leads on to and the links of the
Markdown twins count, too. Links to other sites are not asked: that would make the check depend on them.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from built_site import pages

pytestmark = pytest.mark.site
ADDRESSES = {"href", "src", "poster", "data", "data-recording", "action"}
INLINE_LINK = re.compile(r"(?<!`)\]\(<?([^)\s>]+)>?\)")
FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
LITERAL = re.compile(r"`+[^`\n]*`+")


class Links(HTMLParser):
    """The ids of a page, and the addresses in it with their lines."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.addresses: list[tuple[int, str]] = []
        self.stops: set[str] = set()  # of a walk through a model: the steps at which it stops, ``#walk=STEP``
        self._walk: str | None = None  # as much of its data as was read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        self.ids |= {given["name"]} if tag == "a" and "name" in given else set()
        found = [value for name, value in given.items() if name in ADDRESSES]
        found += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        if given.get("http-equiv", "").lower() == "refresh":
            found += re.findall(r"url=(.+)$", given["content"], re.IGNORECASE)
        self.addresses += [(self.getpos()[0], address) for address in found]

        self._walk = "" if given.get("class") == "cutaway-walk-data" else None

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        if self._walk is not None:
            self._walk += data

    def handle_endtag(self, tag: str) -> None:
        if self._walk:
            self.stops |= set(json.loads(self._walk).get("texts", {}))
        self._walk = None


@cache
def read(path: Path) -> Links:
    links = Links()
    links.feed(path.read_text("utf-8"))
    return links


def in_markdown(text: str) -> Iterator[tuple[int, str]]:
    text = FENCED.sub(lambda block: "\n" * block[0].count("\n"), text)
    for number, line in enumerate(text.split("\n"), 1):
        yield from ((number, address) for address in INLINE_LINK.findall(LITERAL.sub("", line)))


def broken(site: Path, page: str, address: str, base: str = "") -> str:
    """What is wrong with an address on a page, or nothing; ``base`` is where the site will be published."""
    if base and address.startswith(base):
        address = "/" + address.removeprefix(base)
    if urlsplit(address).scheme or address.startswith("//"):
        return ""
    parts = urlsplit(urljoin(f"/{page}", address))
    path = site / unquote(parts.path).lstrip("/")
    path = path / "index.html" if path.is_dir() else path
    if not path.is_file():
        return f"no file {path.relative_to(site)}"
    fragment = unquote(parts.fragment)
    if path.suffix == ".html" and fragment.startswith("walk=") and fragment.removeprefix("walk=") in read(path).stops:
        return ""
    if fragment and path.suffix == ".html" and fragment not in read(path).ids | {"top"}:
        return f"no id '{fragment}' in {path.relative_to(site)}"
    return ""


def published(site: Path) -> str:
    """The public address that the site was built for, from its front page; empty where none was given."""
    text = (site / "index.html").read_text("utf-8")
    found = re.search(r'<link rel="canonical" href="([^"]*?)(?:index\.html)?"', text)
    return found[1] if found else ""


def complaints(site: Path, page: str, links: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> Iterator[str]:
    base = published(site)
    for line, address in links:
        if problem := broken(site, page, address, base):
            yield f"{page}:{line}: {address}: {problem}"


def test_every_link_of_every_page_leads_somewhere(site: Path) -> None:
    found = [text for page in pages(site) for text in complaints(site, page, read(site / page).addresses)]
    assert found == [], "\n".join(found)


def test_every_link_of_every_markdown_twin_leads_somewhere(site: Path) -> None:
    twins = [path for path in [*site.rglob("*.md"), *site.glob("llms*.txt")] if "_sources" not in path.parts]
    found = [
        text
        for path in sorted(twins)
        for text in complaints(site, path.relative_to(site).as_posix(), in_markdown(path.read_text("utf-8")))
    ]
    assert found == [], "\n".join(found)


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    """The checker itself, on a site of two pages."""
    (tmp_path / "index.html").write_text(
        '<p id="here"><a href="#here"></a><a href="more/">ok</a><a href="#gone">bad</a>\n'
        '<img src="no.png"><a href="https://example.org/x">not ours</a>'
        '<meta http-equiv="refresh" content="0; url=more/#nowhere">\n'
        '<a href="more/#walk=stop">ok</a><a href="more/#walk=lost">bad</a>',
        "utf-8",
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more/index.html").write_text(
        '<a href="../index.html#here">ok</a><script class="cutaway-walk-data">{"texts": {"stop": "a < b"}}</script>',
        "utf-8",
    )
    found = list(complaints(tmp_path, "index.html", read(tmp_path / "index.html").addresses))
    assert [text.partition(": ")[2] for text in found] == [
        "#gone: no id 'gone' in index.html",
        "no.png: no file no.png",
        "more/#nowhere: no id 'nowhere' in more/index.html",
        "more/#walk=lost: no id 'walk=lost' in more/index.html",
    ]
    assert list(in_markdown("[a](b.md)\n`[c](d)`\n```\n[e](f)\n```\n![g](h.png)")) == [(1, "b.md"), (6, "h.png")]
