"""The tutorial, docs/using.md, typed into an empty folder and built after each of its sections, without a warning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, SPHINX

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs/using.md").read_text("utf-8")
# Code with the name of a file above it: typed here, or included from the book.
SHOWN = re.compile(
    r"^(?P<fence>[`~]{3,})\{(?P<kind>literalinclude|code-block)\} (?P<of>\S+)\n"
    r"(?P<options>(?::[^\n]*\n)*)(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
AT_THE_END = ", at the end"


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each section's title with what it says to type: the name of a file, with AT_THE_END or not, and the text."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return [(title, files(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)]


def files(section: str) -> list[tuple[str, str]]:
    found = []
    for shown in SHOWN.finditer(section):
        caption = re.search(r"^:caption: (.+)$", shown["options"], re.MULTILINE)
        included = shown["kind"] == "literalinclude"
        text = (ROOT / "docs" / shown["of"]).read_text("utf-8") if included else shown["text"].lstrip("\n")
        found += [(caption[1], text)] if caption else []
    return found


def typed(folder: Path, name: str, text: str) -> None:
    path = folder / name.removesuffix(AT_THE_END)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text("utf-8") + "\n" if name.endswith(AT_THE_END) else ""
    path.write_text(before + text, "utf-8")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(folder, *SPHINX, "-q", "-n", *options, "-c", "docs", "docs", "docs/_build/html")


def page(folder: Path, name: str = "index") -> BeautifulSoup:
    return BeautifulSoup((folder / f"docs/_build/html/{name}.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project at the end of the tutorial; it was built after each section."""
    folder = tmp_path_factory.mktemp("clusters")
    typed(folder, "src/clusters/__init__.py", "")
    for _, found in sections():
        for name, text in found:
            typed(folder, name, text)
        if found:
            done = build(folder, "-W")
            assert done.returncode == 0, done.stderr
    return folder


def test_each_section_builds_and_the_page_shows_what_ran(project: Path) -> None:
    shown = page(project)
    assert "each of the 12 points" in shown.get_text()
    assert shown.select_one(".cutaway-listing") and shown.select_one("figure.cutaway-diagram pre")
    assert "K" in shown.select_one("figure.cutaway-diagram pre").get_text()  # type: ignore[union-attr]
    assert shown.select_one(".cutaway-claim") and shown.select_one(".cutaway-clip")
    assert "(12N, 2D)" in page(project, "again").get_text()


def test_the_book_shows_the_same_as_the_tutorial_makes(project: Path) -> None:
    """What stands below the files in the tutorial is what the files give."""
    below = PAGE.split("gives this:")[1]
    [listing] = re.findall(r"^:::\{listing\} clusters\.kmeans\.step\n:run:.*?^:::$", below, re.M | re.S)
    assert listing in (project / "docs/index.md").read_text("utf-8")
    for kind in ("claim", "clip"):
        typed_and_shown = re.findall(rf"^:::\{{{kind}\}} .*?^:::$", PAGE, re.M | re.S)
        assert len(typed_and_shown) == 2 and len(set(typed_and_shown)) == 1


@pytest.mark.parametrize("command", re.findall(r"^python -m cutaway --docs docs (.+)$", PAGE, re.MULTILINE))
def test_its_commands_work(project: Path, tmp_path: Path, command: str) -> None:
    if command.startswith("clip "):  # a server, until it is ended
        command += f" --gif {tmp_path / 'clip.gif'}"
    if command.startswith("frame "):
        command += f" --png {tmp_path / 'frame.png'}"
    done = run(project, sys.executable, "-m", "cutaway", "--docs", "docs", *command.split())
    assert done.returncode == 0 and done.stdout, done.stderr


def test_a_quotation_that_is_gone_and_a_false_claim_are_told(project: Path) -> None:
    source = project / "src/clusters/kmeans.py"
    before = source.read_text("utf-8")
    other = before.replace("far.argmin(axis=1)", "np.argmin(far, axis=1)")
    source.write_text(other.replace("return chosen.T", "return centres + 0 * chosen.T"), "utf-8")
    done = build(project)
    source.write_text(before, "utf-8")
    assert re.search(r"index\.md:\d+: WARNING: .*nearest = far\.argmin\(axis=1\)", done.stderr)
    assert re.search(r"index\.md:\d+: WARNING: .*last\(clusters\.log/spread\)", done.stderr)
