"""Bad and hostile input: every outcome is a page or a warning with its place, nothing leaks in or out, nothing hangs.

One build of a book in which every place where an author types holds every hostile text (``hostile.py``); then the pure
functions behind it, with texts that hypothesis makes up; then checkpoints, settings, the registry, the command line.
"""

import ast
import contextlib
import functools
import json
import os
import pickle
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import hostile
import pytest
import torch
from conftest import ROOT, BuildBook
from docutils import nodes
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from playwright.sync_api import Browser
from sphinx.application import Sphinx
from sphinx.cmd.build import main as sphinx
from sphinx.util.docutils import docutils_namespace
from website.policy import with_policy

from cutaway import math as maths
from cutaway.__main__ import main
from cutaway.address import is_id
from cutaway.cards.badge import badge
from cutaway.clips import html as clip_html
from cutaway.clips.format.script import read_script, script_of
from cutaway.clips.raster.mp4 import web_vtt
from cutaway.dev.reference import all_directives, all_roles
from cutaway.diagrams import hand_drawn
from cutaway.diagrams.html import Anchor, markup
from cutaway.markdown.spans import code, escaped
from cutaway.permalinks.pages import Site, Stub, html, oembed
from cutaway.permalinks.registry import Registry, RegistryError
from cutaway.permalinks.snippets import snippets
from cutaway.prose import facts
from cutaway.settings import Book
from cutaway.source.find import Module, Source, SourceError, SourceObject
from cutaway.source.quotation import match
from cutaway.source_pages.code_html import Quote, code_html
from cutaway.store import Store
from cutaway.targets import Target
from cutaway.trace.names import Names, UnknownName, Wanted
from nanogpt import checkpoint, sample

PLACED = re.compile(r"^(?P<file>[^\n:]*/pages/[\w-]+\.md):\d+: (?:WARNING|ERROR): ", re.MULTILINE)
SOON_S = 15.0  # of the processor's time, which others don't take; it should be milliseconds
texts = st.one_of(
    st.sampled_from(hostile.TEXTS),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text("<>\"'&-]/\\`|[]().:@_ \n\t\x00\u202e\u200b9a─┌│->", max_size=60),
)
few = settings(max_examples=60)
pytestmark = pytest.mark.faults


# A whole book of it


@pytest.fixture(scope="module")
def in_html(chromium: Browser) -> Iterator[hostile.InHtml]:
    page = chromium.new_page()
    yield functools.partial(page.evaluate, hostile.IN_HTML)
    page.close()


@pytest.fixture(scope="module")
def built(build_book: BuildBook, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("hostile")
    options = hostile.write(folder)
    before = sorted(path for path in folder.rglob("*"))
    book = build_book(folder / "pages", folder / "html", "-q", *options, store=folder / "store")
    made = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path not in before}
    return SimpleNamespace(folder=folder, book=book, made=made)


def test_every_page_is_made_and_every_warning_has_its_place(built: Any) -> None:
    assert built.book.returncode == 0, built.book.warnings[-3000:]
    assert "Traceback" not in built.book.warnings
    told = [line for line in built.book.warnings.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL): ", line)]
    assert [line[:300] for line in told if not PLACED.match(line)] == []
    pages = {path.stem for path in built.book.folder.glob("*.html")}
    assert pages >= {*hostile.PLACES, "large"}


def test_every_place_has_mistakes_that_were_told(built: Any) -> None:
    """A hostile text that nobody mentions is either harmless or lost; no place may lose all."""
    told = {Path(found["file"]).stem for found in PLACED.finditer(built.book.warnings)}
    text_is_welcome = {"drawn-alt", "clip-alt", "section-title", "role-step-title", *hostile.PROSE}
    assert set(hostile.PLACES) - told <= text_is_welcome | {"drawn-name", "diagram-name", "clip-name"}


def test_nothing_leaks(built: Any, in_html: hostile.InHtml) -> None:
    assert list(hostile.leaks(built.book.folder, in_html)) == []


@pytest.mark.parametrize("name", hostile.PROSE)
def test_a_script_in_prose_does_not_run(name: str, built: Any, chromium: Browser) -> None:
    page = chromium.new_page()
    dialogs: list[str] = []
    complaints: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(built.book.url(name))
    assert hostile.SCRIPT in page.evaluate("[...document.body.querySelectorAll('script')].map(s => s.text)")
    assert any("Content Security Policy" in complaint for complaint in complaints)
    assert dialogs == []
    page.close()


def test_nothing_is_written_elsewhere(built: Any) -> None:
    assert built.made - {"__pycache__"} == {"html", "html-doctrees", "store"}  # Python's own, of runs.py


def test_bodies_of_megabytes_are_left_out(built: Any) -> None:
    said = [line for line in built.book.warnings.splitlines() if "/large.md:" in line]
    assert sum("it is left out" in line for line in said) == 4
    assert (built.book.folder / "large.html").stat().st_size < 1_000_000


def test_messages_do_not_steer_the_terminal(built: Any) -> None:
    ours = [line for line in built.book.warnings.splitlines() if "[cutaway." in line]
    assert ours
    assert not any(character in line for line in ours for character in "\x1b\x07\u202e")
    assert max(map(len, ours)) < 6000


def test_every_place_where_an_author_types_is_among_them(tmp_path: Path) -> None:
    """What the tool itself lists: arguments, options and bodies of its directives, and its roles."""
    (tmp_path / "conf.py").write_text('extensions = ["cutaway.dev.reference"]\n', "utf-8")
    with docutils_namespace():
        Sphinx(tmp_path, tmp_path, tmp_path / "html", tmp_path / "doctrees", "dummy", status=None)
        listed, roles = all_directives(), all_roles()
    assert {"listing", "diagram", "clip"} <= {*listed}
    typed = "\n".join([*hostile.PLACES.values(), hostile.made_of_code()])
    for name, directive in listed.items():
        fences = re.findall(rf"(?ms)^(:::|`+)\{{{name}\}}(.*?)\n(.*?)\1", typed)
        assert fences, name
        takes = directive.required_arguments + directive.optional_arguments
        assert not takes or any("TEXT" in argument for _, argument, _ in fences), name
        for option in directive.option_spec or {}:
            assert any(f":{option}: TEXT" in body for _, _, body in fences), f"{name}:{option}"
        bodies = [re.sub(r"(?m)^:\w+:.*$", "", body) for _, _, body in fences]
        assert not directive.has_content or any("TEXT" in body for body in bodies), name
    assert {f"{{{name}}}`TEXT`" in typed for name in roles} == {True}


# The functions behind it


def module(text: str) -> Module:
    return Module("m", Path("m.py"), text, ast.parse(text))


SOURCE = "def f(x):\n    rows = '\"><hacked onhack=1>'\n    return x @ rows  # </pre><hacked>\n"
FUNCTION = SourceObject("m.f", module(SOURCE), module(SOURCE).tree.body[0], 1, 3)  # type: ignore[arg-type]


@few
@given(texts)
def test_a_quotation_is_found_or_refused(text: str) -> None:
    try:
        span = match(FUNCTION, text)
    except SourceError as error:
        assert len(str(error)) < 5000
    else:
        assert 1 <= span.line <= span.end_line <= 3


@few
@given(texts)
def test_a_name_is_resolved_or_refused(text: str) -> None:
    said = {"facts": {"answer": 42}, "log": {"loss": [(0, 1.0)]}}
    trace = SimpleNamespace(run="mix", params={}, passes=[], calls=lambda *a, **k: [], **said)
    names = Names({"mix": trace}, {}, "mix")  # type: ignore[dict-item]
    for name in (text, f"mix.{text}", f"mix.log/loss{text}", f"mix.log/loss[{text}]"):
        with contextlib.suppress(UnknownName):
            names.resolve(name)
    with contextlib.suppress(UnknownName):
        Wanted.read(text)


@few
@given(texts, st.sampled_from([42, 0.5, -(10**30), True, "word", None]))
@example("999999999d", 42)
@example(".999999999f", 0.5)
def test_a_format_fits_or_is_refused(form: str, value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert len(facts.shown(value, form)) < 400


@few
@given(st.lists(texts, max_size=8))
def test_a_drawing_is_checked(rows: list[str]) -> None:
    lines, links = hand_drawn.split(rows)
    for problem in hand_drawn.check(lines):
        assert 1 <= problem.row <= len(lines)
    assert all(rows[link.row - 1].split()[-1] == link.target for link in links)


@pytest.mark.parametrize("line", ["a" + " " * 50_000, "a -> " * 10_000, "─" * 50_000, "┌─" * 25_000, "── a " * 10_000])
def test_the_largest_drawing_is_checked_soon(line: str) -> None:
    began = time.process_time()
    hand_drawn.check(hand_drawn.split([line[: hand_drawn.MOST]])[0])
    hand_drawn.split(["a -> b"] * (hand_drawn.MOST // 6))
    assert time.process_time() - began < SOON_S


@few
@given(texts, texts)
def test_a_drawing_makes_no_elements_but_its_own(in_html: hostile.InHtml, line: str, words: str) -> None:
    drawn = markup([line + " x"], [Anchor(0, 0, len(line), words, words, steps=(words,), name=words)])
    found = in_html(f"<!DOCTYPE html><pre>{drawn}</pre>")
    assert [leak for leak in found if leak != f"address {words}"] == []  # an anchor's address is never an author's


@few
@given(texts, texts)
def test_code_makes_no_elements_but_its_own(in_html: hostile.InHtml, title: str, line: str) -> None:
    quote = Quote(1, match(FUNCTION, "x @ rows"), "#a", title, title)
    text = SOURCE + "# " + re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", line)
    assert in_html(code_html(text, 1, [quote], {}, set(), {1, 2, 3, 4})) == []


@pytest.mark.parametrize("hard", ["(" * 50, r"\def\a{((((((((((}\a\a\a\a", "x" * 20_000])
def test_a_formula_that_would_take_hours_is_refused(hard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maths, "LIMIT_S", 1)
    limits, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **given: limits.append(given["timeout"]) or run(*a, **given))
    began = time.process_time()
    for _ in range(3):  # the second time it is known
        with pytest.raises(maths.FormulaError):
            maths.to_mathml(hard, False)
    assert limits in ([], [1])  # in a process of its own it has a second, once
    assert time.process_time() - began < SOON_S


@few
@given(texts)
@example("x^{" * 1200 + "y" + "}" * 1200)
@example(r"\frac{1}{" * 900 + "y" + "}" * 900)
def test_a_formula_is_converted_or_refused(in_html: hostile.InHtml, text: str) -> None:
    node = nodes.math(text, text)
    for read in (maths.node_to_mathml, maths.node_to_text):
        with contextlib.suppress(maths.FormulaError):
            assert read is maths.node_to_text or in_html(read(node)) == []


@few
@given(texts)
def test_a_badge_is_svg_that_says_the_title(title: str) -> None:
    svg = badge(title)
    assert list(hostile.in_xml(svg)) == []
    assert len(svg) < 2000 + 12 * len(title)
    assert ElementTree.fromstring(svg).get("role") == "img"


@few
@given(texts, texts)
def test_snippets_and_stubs_make_no_elements_but_their_own(in_html: hostile.InHtml, title: str, words: str) -> None:
    target = Target("an-id", "section", "page", 1, title)
    for kind, text in snippets(target, words, "https://example.org/", "book").items():
        shown = text if kind == "html" else MarkdownIt("commonmark", {"html": True}).render(text)
        if kind not in ("rst", "sphinx"):
            assert in_html(shown) == [], kind
    site = Site("https://example.org/", title, "en", True)
    stub = Stub("an-id", target, words, "page.html", title)
    assert in_html(html(stub, site)) == []
    told = json.loads(oembed(stub, site))
    assert in_html(told["html"]) == []


@few
@given(texts)
def test_a_twin_says_what_was_said(in_html: hostile.InHtml, text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(f"A {escaped(text)} b {code(text)} c")
    assert in_html(rendered) == []


@few
@given(texts, texts)
def test_a_clip_makes_no_elements_but_its_own(in_html: hostile.InHtml, text: str, name: str) -> None:
    section = {"start": 0, "name": name, "slug": "a", "captions": [text]}
    for recording in (True, False):
        shown = {
            "size": [2, 1], "themes": ["dark"], "recording": recording, "frames": 2, "fps": 30, "poster": 0,
            "sections": [section], "links": {text: ["page.html#id", name]},
        }  # fmt: skip
        node = clip_html.nodes.Element(ids=["clip"], alt=text, language="en")
        node["shown"] = shown
        files = {suffix: f"x{suffix}" for suffix in (".js", "-0-dark.png", "-dark.mp4", ".vtt")}
        assert in_html(clip_html.figure(node, files)) == []


@few
@given(st.lists(texts, max_size=3))
def test_captions_hold_as_many_cues_as_were_said(said: list[str]) -> None:
    vtt = web_vtt([(number, number + 1, text) for number, text in enumerate(said)])
    assert vtt.count("-->") == len(said)
    assert "<" not in vtt
    blocks = [block for block in re.split(r"\n\n+", vtt) if "-->" in block]
    assert len(blocks) == len(said)
    assert read_script(script_of({"said": said})) == {"said": said}


@few
@given(texts)
def test_an_id_is_the_name_of_a_folder(text: str) -> None:
    if is_id(text):
        assert (Path("/s") / text).parent == Path("/s") and text not in (".", "..")
        assert Path(os.path.normpath(f"/s/{text}")) == Path("/s") / text
    for bad in (f"../{text}", f"/{text}", f"{text}\x00", f'{text}"', f"{text}<", text * 500 + "é" * 200):
        assert not is_id(bad)


@few
@given(texts)
def test_no_name_leads_out_of_its_package(text: str) -> None:
    source = Source({"nanogpt": [ROOT / "model_src/nanogpt"]})
    for dotted in (text, f"nanogpt.{text}", f"nanogpt.../{text}", f"nanogpt./{text}", f"nanogpt.model.{text}"):
        path = source.module_path(dotted)
        assert path is None or path.is_relative_to(ROOT / "model_src/nanogpt")
        with contextlib.suppress(SourceError):
            source.find(dotted)


def test_what_a_page_types_does_not_run_though_the_theme_s_scripts_do() -> None:
    typed = f"<p>Words.</p><script>{hostile.SCRIPT}</script>"
    page = f'<html><head><meta charset="utf-8"><script>theme()</script></head><body>{typed}</body></html>'
    assert list(hostile.allowed_scripts(with_policy(page, typed))) == []
    assert list(hostile.allowed_scripts(with_policy(page))) != []  # so the check sees it


# The store, the registry, settings, the command line


@few
@given(texts)
def test_a_store_s_files_stay_in_it(text: str) -> None:
    store = Store(Path("/store"))
    try:
        path = store.path("clip", text, ".json")
    except OSError:
        assert store.read_json("clip", text) is None
        assert store.whole("clip", text) is None
    else:
        assert Path(os.path.normpath(path)).parent == Path("/store/clip")


def test_a_link_in_the_store_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(hostile.SECRET)
    store = Store(tmp_path / "store")
    store.write("clip", "a", ".png", hostile.SECRET.encode())
    store.vouch("clip", "a", [".png"])
    assert store.whole("clip", "a") is not None
    path = store.path("clip", "a", ".png")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert store.whole("clip", "a") is None


@few
@given(texts)
def test_a_forged_registry_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "permalinks.json"
    row = {"page": "a", "title": "b", "kind": "step", "since": "2026-01-01"}
    pages = ({f"../{text}": "a"}, {"a": f"/{text}"})
    forged = [({f"../{text}": row}, {}), ({"a": {**row, "title": 1}}, {}), *(({}, renamed) for renamed in pages)]
    for ids, renamed in forged:
        path.write_text(json.dumps({"ids": ids, "pages": renamed}), "utf-8")
        with pytest.raises(RegistryError, match="can't be read"):
            Registry.read(path)
    path.write_text(text, "utf-8")
    with pytest.raises(RegistryError):
        Registry.read(path)


SETTINGS = {
    "cutaway_sources": [5, {"a": 5}, {"a": ["\0"]}, {"a": "/nowhere"}, {5: "x"}],
    "cutaway_runs": [5, [5], "\0", "../../nowhere.py", "/etc/passwd"],
    "cutaway_scenes": [5, "\0"],
    "cutaway_store": [5, "\0"],
    "cutaway_clip_size": [5, "ab", (0, 0), (1.5, 2)],
    "cutaway_clip_fps": ["x", 0, -1],
    "cutaway_workers": ["x", -1],
    "cutaway_color_scheme": [5, "blue", "\0"],
    "cutaway_permalinks": [5, "\0"],
    "cutaway_explain": [
        *[5, {"a": 5}, {"a": "\0"}, {"a": "b.c d e"}, {"a.b": "c.d"}, {"": "c.d"}, {5: "c.d"}, {"#a": "c.d"}],
        *[{"a": what} for what in (["b.c"], {}, {"b": 5}, {"b c": "d.e"}, {"": "c.d"}, {5: "c.d"})],
        *[{"a": what} for what in ("#", "#b c", "#../b", {"b": "#"}, {"b": {"c": "d.e"}})],
    ],
    "cutaway_dimensions": [5],
    "html_baseurl": ["javascript:alert(1)", '"><hacked>', "ftp://x"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, listed in SETTINGS.items() for value in listed])
def test_a_bad_setting_is_named(name: str, value: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "conf.py").write_text(f"\n{name} = {value!r}\n", "utf-8")
    code = main(["--docs", str(tmp_path), "explain", "a.b"])
    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("cutaway explain: ")
    if name != "cutaway_runs" or not isinstance(value, str) or "\0" in value:
        assert name in said or "source folder" in said


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_build_says_where_a_bad_setting_stands(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "conf.py").write_text(f'extensions = ["cutaway"]\n{name} = {SETTINGS[name][0]!r}\n', "utf-8")
    (tmp_path / "index.rst").write_text("One\n===\n\nA :fact:`a.b`.\n\n.. clip:: a.B\n   :alt: b\n", "utf-8")
    code = sphinx(["-q", str(tmp_path), str(tmp_path / "html")])
    said = capsys.readouterr().err
    assert code == 0, said
    assert f"{tmp_path}/conf.py:2: WARNING: " in said
    assert name in said
    assert "Traceback" not in said


@pytest.mark.parametrize("value", [{"<b>": "x"}, {5: "y"}, {"N": ("x", "red", "\0")}])
def test_a_build_says_where_a_bad_letter_stands(
    value: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conf.py").write_text(f'extensions = ["cutaway"]\ncutaway_dimensions = {value!r}\n', "utf-8")
    (tmp_path / "index.rst").write_text("One\n===\n\nA :dim:`T`.\n", "utf-8")
    assert sphinx(["-q", str(tmp_path), str(tmp_path / "html")]) == 0
    said = capsys.readouterr().err
    assert f"{tmp_path}/conf.py:2: WARNING: cutaway_dimensions[" in said
    assert "Traceback" not in said


@settings(max_examples=5)
@given(texts.filter(lambda text: "\x00" not in text and not text.startswith("-")))
@example("../../secret/outside")
@example("(" * 3000)
@example(hostile.MARKUP)
def test_the_command_line_refuses_in_one_line(text: str) -> None:
    book = str(ROOT / "docs")
    for command in (
        *(["explain", text], ["explain", f"nanogpt.../{text}"], ["link", text], ["link", f"{text}.py:{'9' * 5000}"]),
        *(["coverage", text], ["frame", text, text], ["cells", f"../../{text}"]),
    ):
        assert main(["--docs", book, *command]) in (0, 1)


def test_cells_of_a_file_outside_the_book_are_not_run(tmp_path: Path) -> None:
    from cutaway.cells.command import run_page

    (tmp_path / "book").mkdir()
    (tmp_path / "book/conf.py").write_text("")
    (tmp_path / "outside.md").write_text("```{code-cell}\nopen('ran', 'w')\n```\n")
    (tmp_path / "book/link.md").symlink_to(tmp_path / "outside.md")
    for page in ("../outside", "link", str(tmp_path / "outside")):
        with pytest.raises(LookupError, match="no page"):
            run_page(Book.read(tmp_path / "book"), page)


# Checkpoints


class Bomb:
    """A pickle that runs a command in whoever loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("how", ["torch", "inside", "pickle"])
def test_a_checkpoint_that_would_run_code_is_refused(how: str, tmp_path: Path) -> None:
    boom, path = tmp_path / "boom", tmp_path / checkpoint.NAME
    if how == "pickle":
        path.write_bytes(pickle.dumps(Bomb(boom), protocol=2))
    else:
        torch.save(Bomb(boom) if how == "torch" else dict.fromkeys(checkpoint.KEYS, Bomb(boom)), path)
    with pytest.raises(ValueError, match="is refused: it holds more than weights") as refused:
        checkpoint.load(tmp_path, "cpu")
    assert str(path) in str(refused.value)
    assert "weights_only" not in str(refused.value)  # PyTorch's advice is to let it
    with pytest.raises(SystemExit, match="is refused"):
        sample.main([f"--out_dir={tmp_path}", "--device=cpu"])
    assert not boom.exists()
    with contextlib.suppress(RuntimeError):  # it is a bomb: whoever lets it, has it go off
        torch.load(path, weights_only=False)
    assert boom.exists()


def test_a_vocabulary_that_would_run_code_is_refused(tmp_path: Path) -> None:
    boom = tmp_path / "boom"
    (tmp_path / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": 1, "itos": {}, "stoi": Bomb(boom)}))
    with pytest.raises(ValueError, match=r"meta\.pkl can't be read: it asks for \w+\.system"):
        sample.codec(tmp_path)
    assert not boom.exists()


@few
@given(st.one_of(st.binary(max_size=200), texts.map(str.encode)))
def test_a_file_that_is_no_checkpoint_is_named(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "no-checkpoint"
    folder.mkdir(exist_ok=True)
    (folder / checkpoint.NAME).write_bytes(data)
    (folder / "meta.pkl").write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(str(folder / checkpoint.NAME))):
        checkpoint.load(folder, "cpu")
    with pytest.raises(ValueError, match=re.escape(str(folder / "meta.pkl"))):
        sample.codec(folder)
