"""The clips of a book, by the parts of its table of contents: read from its pages, nothing is typed here."""

import re
from dataclasses import dataclass
from pathlib import Path

from fieldguide.children import SOURCE
from fieldguide.report import Finding, Report, Table, UsageProblem
from fieldguide.visualize.names import shortened

TREE = re.compile(r"^[`:]{3,}\{toctree\}[^\n]*\n(.*?)^[`:]{3,} *$", re.MULTILINE | re.DOTALL)
CAPTION = re.compile(r"^:caption: *(.+)$", re.MULTILINE)
CLIP = re.compile(r"^[:`]{3,}\{clip\} +(?P<scene>[\w.]+) *\n(?P<options>(?::[\w-]+:.*\n)*)", re.MULTILINE)
TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)
LARGEST = 4 << 20  # bytes of a page
SHOWN = 60  # characters of what a clip shows


@dataclass(frozen=True)
class Listed:
    """One clip of the book."""

    topic: str
    scene: str  # as ``python -m cutaway clip`` takes it
    shows: str
    page: str
    id: str  # of its permanent address; empty: none


def report(book: Path | None) -> Report:
    """The clips of the book that is named, or found."""
    folder = pages_of(book) if book is not None else found_book()
    clips = listed(folder)
    if not clips:
        raise UsageProblem(f"{folder} has no page with a clip: name a book of cutaway's with --book")
    topics = dict.fromkeys(clip.topic for clip in clips)
    tables = [
        Table(("clip", "shows", "where"), [(clip.scene, shortened(clip.shows, SHOWN), place(clip))
                                           for clip in clips if clip.topic == topic], topic)
        for topic in topics
    ]  # fmt: skip
    how = "python -m cutaway clip CLIP --mp4 FILE draws one of these; fieldguide visualize TOPIC FILE --out FILE " \
          "one of your own log, checkpoint or data"  # fmt: skip
    return Report(
        f"{len(clips)} clips in {folder}", [Finding("note", how)], tables,
        {"book": str(folder), "clips": [vars(clip) for clip in clips]},
    )  # fmt: skip


def place(clip: Listed) -> str:
    """The page, and the part of it."""
    return f"{clip.page}#{clip.id}" if clip.id else clip.page


def pages_of(book: Path) -> Path:
    """The folder of a book's pages: itself, or those that a build has kept. UsageProblem where there are none."""
    for folder in (book, book / "docs", book / "_sources", book / "build" / "html" / "_sources"):
        if (folder / "index.md").is_file() and (folder.name == "_sources" or (folder / "conf.py").is_file()):
            return folder
    raise UsageProblem(f"--book {book}: no book is there; name the folder of its conf.py, or of the built pages")


def found_book() -> Path:
    """The book around the program, or around where we stand."""
    for root in dict.fromkeys((SOURCE.parent, Path.cwd(), *Path.cwd().parents)):
        try:
            return pages_of(root)
        except (UsageProblem, OSError):
            continue
    raise UsageProblem(
        "no book is here: its clips are listed from a checkout of Cutaway, or with --book DIR, the folder of its "
        "conf.py; your own files are drawn without it, as in: fieldguide visualize loss LOG --out loss.mp4"
    )


def listed(folder: Path) -> list[Listed]:
    """All clips, in the order of the table of contents; pages that it does not name come last."""
    index = text_of(folder / "index.md")
    topics = {"index": "The book"}
    for tree in TREE.findall(index):
        caption = CAPTION.search(tree)
        for line in tree.splitlines():
            if line.strip() and not line.startswith(":"):
                topics.setdefault(line.strip(), caption[1].strip() if caption else "The book")
    others = sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.md"))
    found = [each for page in dict.fromkeys([*topics, *others])
             for each in on_page(folder, page, topics.get(page, "Other pages"))]  # fmt: skip
    return list({clip.scene: clip for clip in reversed(found)}.values())[::-1]


def on_page(folder: Path, page: str, topic: str) -> list[Listed]:
    """The clips of a page."""
    path = (folder / f"{page}.md").resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return []
    clips = []
    for found in CLIP.finditer(text_of(path)):
        options = dict(re.findall(r"^:([\w-]+): *(.*?) *$", found["options"], re.MULTILINE))
        clips.append(Listed(topic, found["scene"], options.get("alt", ""), f"{page}.md", options.get("name", "")))
    return clips


def text_of(path: Path) -> str:
    """A page's text, as far as one reads a page."""
    with path.open("rb") as file:
        return file.read(LARGEST).decode("utf-8", "replace").replace("\r\n", "\n")
