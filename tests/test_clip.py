"""The directive: every builder, mistakes at their line, nothing done twice, nothing left broken."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from cutaway.clips.directive import _links
from tests.clip_book import write_book

pytestmark = pytest.mark.slow

CONF = """
project, version, copyright, language = "clips", "1", "nobody", "en"
extensions = ["myst_parser", "cutaway"]
exclude_patterns = ["scenes", "store"]
myst_enable_extensions = ["colon_fence"]
cutaway_store = "store"
cutaway_clip_size, cutaway_clip_fps, cutaway_clip_limit_s = (160, 90), 10, 60
"""
PAGE = """# Clips

:::{clip} some.Plain
:alt: A box "appears" & rests.
:name: clip-plain

The *box* & \\<b>.

A second paragraph.
:::

See {ref}`the box <clip-plain>`.

```{toctree}
quiet
```
"""
BROKEN = """# Broken

:::{clip} some.Plan
:alt: misspelt
:::

:::{clip} some.Raises
:alt: What would have been seen.

Its caption.
:::

:::{clip} some.Plain
:::

:::{clip} some.Plain
:alt: Another run.
:run: sort
:::
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips") / "book"
    write_book(folder)
    (folder / "conf.py").write_text(CONF)
    (folder / "index.md").write_text(PAGE)
    (folder / "quiet.md").write_text("# Quiet\n\nNo clip here.\n")
    return folder


def build(folder: Path, builder: str, *options: str) -> tuple[Path, str]:
    """Build; returns the output folder and everything that was said."""
    out = folder.parent / builder
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {name: value for name, value in os.environ.items() if name != "CUTAWAY_STORE"}
    strict = "error::sphinx.deprecation.RemovedInSphinx11Warning"
    command = [
        sys.executable,
        "-W",
        strict,
        "-m",
        "sphinx",
        "-b",
        builder,
        "-d",
        str(folder.parent / "doctrees"),
    ]
    done = subprocess.run(
        [*command, *options, str(folder), str(out)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**environment, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout + done.stderr


@pytest.fixture(scope="module")
def html(folder):
    return build(folder, "html", "-j2", "-W")


def figure(out: Path, page: str = "index.html") -> BeautifulSoup:
    return BeautifulSoup((out / page).read_text("utf-8"), "html.parser").select_one("figure.cutaway-clip")


def files(shown: BeautifulSoup) -> list[str]:
    return [shown["data-recording"], *(img["src"] for img in shown.select("img"))]


def test_html_has_a_recording_and_its_sections(html):
    shown = figure(html[0])
    assert shown["id"] == "clip-plain"
    assert (shown["data-frames"], shown["data-fps"]) == ("30", "10")
    assert [img["alt"] for img in shown.select(".cutaway-clip-stage img")] == ['A box "appears" & rests.']
    sections = shown.select(".cutaway-clip-sections > li")
    assert [(section["id"], section["data-start"]) for section in sections] == [
        ("clip-plain-grow", "0"),
        ("clip-plain-rest", "4"),
    ]
    assert all((html[0] / file).is_file() for file in files(shown))
    assert (html[0] / shown["data-recording"]).read_text().startswith("cutawayClip('{")


def test_captions_are_nodes_and_text_is_escaped(html):
    shown = figure(html[0])
    assert [p.decode_contents() for p in shown.figcaption.select("p")] == [
        "The <em>box</em> &amp; &lt;b&gt;.",
        "A second paragraph.",
    ]
    section = shown.select_one(".cutaway-clip-sections > li").decode_contents()
    assert "A &lt;b&gt;box&lt;/b&gt; appears --&gt; here" in section


def test_a_second_build_does_nothing(folder, html):
    _out, said = build(folder, "html", "-j2", "-W")
    assert "clip 1 of" not in said
    assert "no targets are out of date" in said


def test_files_that_went_missing_come_back(folder, html):
    out = html[0]
    copied = out / figure(out)["data-recording"]
    stored = folder / "store/clip" / copied.name.removeprefix("clip-")
    copied.unlink()
    assert "clip 1 of" not in build(folder, "html")[1]
    assert copied.is_file()
    for path in (copied, stored):
        path.unlink()
    assert "clip 1 of 1 some.Plain" in build(folder, "html")[1]
    assert copied.is_file() and stored.is_file()


def test_an_edit_of_the_scene_alone_is_a_new_clip(folder, html):
    before = figure(html[0])["data-recording"]
    scene = folder / "scenes/some.py"
    text = scene.read_text()
    scene.write_text(text.replace("run_time=0.4", "run_time=0.5"))
    out, said = build(folder, "html")
    assert "clip 1 of 1 some.Plain" in said
    assert figure(out)["data-recording"] != before
    shared = folder / "scenes/shared.py"
    shared.write_text(shared.read_text().replace("Square(1)", "Square(2)"))
    out, said = build(folder, "html")  # not a line of the page or of the scene has changed
    assert "clip 1 of 1 some.Plain" in said
    assert (out / figure(out)["data-recording"]).is_file()


@pytest.mark.parametrize("builder", ["dirhtml", "epub", "latex", "text", "man"])
def test_other_builders(folder, builder):
    out, _said = build(folder, builder, "-j2", "-W", "--keep-going")
    if builder == "dirhtml":
        assert (out / figure(out)["id"]).name == "clip-plain"
        assert (out / figure(out)["data-recording"]).is_file()
    elif builder == "epub":
        page = BeautifulSoup((out / "index.xhtml").read_text("utf-8"), "html.parser")
        assert page.video is None
        assert (out / page.select_one(".cutaway-clip img")["src"]).is_file()
    elif builder == "latex":
        text = (out / "clips.tex").read_text("utf-8")
        assert "-0-dark}.png}" in text and r"\caption{The \sphinxstyleemphasis{box} \& " in text
        assert list(out.glob("clip-*-0-dark.png"))
    elif builder == "text":
        text = (out / "index.txt").read_text("utf-8")
        assert 'A box "appears" & rests.' in text and "A second paragraph." in text
    else:
        assert "appears" in next(out.glob("*.1")).read_text("utf-8")


def test_mistakes_are_warnings_at_their_line(folder, tmp_path):
    (folder / "index.md").write_text(PAGE.replace("quiet\n", "quiet\nbroken\n"))
    (folder / "broken.md").write_text(BROKEN)
    for _ in range(2):  # a second build says it again
        out, said = build(folder, "html")
        page = folder / "broken.md"
        assert f"{page}:3: WARNING: no 'Plan' in some.py" in said and "did you mean 'Plain'" in said
        assert f"{page}:7: WARNING: clip some.Raises: Traceback" in said and "box().no_such_method()" in said
        assert f"{page}:13: WARNING: clip some.Plain: no :alt:" in said
        assert f"{page}:16: WARNING: no run 'sort' in " in said
        assert "[cutaway.clip]" in said
    text = BeautifulSoup((out / "broken.html").read_text("utf-8"), "html.parser").get_text()
    assert "What would have been seen." in text and "Its caption." in text
    assert "Traceback" not in text


def test_links_of_a_clip_stand_in_one_order(monkeypatch):
    steps = {name: SimpleNamespace(docname="page", id=name, quotation=name) for name in "hgfedcba"}
    monkeypatch.setattr("cutaway.clips.directive.cutaway_domain", lambda env: SimpleNamespace(steps=steps))
    found = _links(SimpleNamespace(env=None), "page", SimpleNamespace(tags=dict.fromkeys([*steps, "gone"], 0)))
    assert list(found.items()) == [(name, [f"#{name}", name]) for name in "abcdefgh"]
