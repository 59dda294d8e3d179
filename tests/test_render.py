"""The pool: what works is kept, what fails says why and stops nobody, and the store is asked first."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import av
import pytest
from PIL import Image

from cutaway.clips import keys as clip_keys
from cutaway.clips.finished import Section, stored
from cutaway.clips.format.script import read_script
from cutaway.clips.raster.animated import animate
from cutaway.clips.raster.film import shots_of
from cutaway.clips.raster.painter import Painter
from cutaway.clips.raster.shots import shots as every_shot
from cutaway.clips.render import Inputs, Wanted, render
from cutaway.source.find import Span
from cutaway.theme.palette import BY_NAME, DARK, LIGHT, rgb
from cutaway.trace.names import Place
from tests.clip_book import write_book, write_trace

NAMES = ("Plain", "Reads", "Filmed", "Foreign", "Raises", "Hangs", "Killed", "Misnamed", "NoScene", "Missing")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    book = write_book(folder, limit_s=4)
    inputs = write_trace(folder / "tiny.json")
    said = []
    clips = render(book, [Wanted(f"some.{name}", "tiny") for name in NAMES], inputs, said.append)
    return book, inputs, {want.scene.removeprefix("some."): clip for want, clip in clips.items()}, said


def frames(path):
    with av.open(str(path)) as film:
        return [(float(f.pts * f.time_base), f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]


def path_of(drawn, name, suffix):
    book, _, clips, _ = drawn
    return book.store.path(clip_keys.KIND, clips[name].key, suffix)


def test_finished_clips_are_whole(drawn):
    book, _, clips, _ = drawn
    for name in ("Plain", "Reads", "Filmed"):
        assert not clips[name].error
        assert stored(book, clips[name].key) == clips[name]
    assert clips["Plain"].themes == ("dark",)  # its colours are its own
    assert clips["Reads"].themes == ("dark", "light")
    said = ("A <b>box</b> appears --> here",)
    for name in ("Plain", "Filmed"):
        assert (clips[name].frames, clips[name].fps) == (30, 10)
        assert clips[name].sections == (Section("Grow", "grow", 0, said), Section("Rest", "rest", 4))
        assert clips[name].poster == 0


def test_what_can_be_recorded_is_a_recording_and_the_rest_a_film(drawn):
    clips = drawn[2]
    assert clips["Plain"].suffixes == [".js", "-0-dark.png", "-1-dark.png"]
    assert [suffix for suffix in clips["Filmed"].suffixes if suffix[-4:] in (".js", ".mp4", ".vtt")] == [
        "-dark.mp4",
        "-light.mp4",
        ".vtt",
    ]
    assert clips["Filmed"].why_film == "it shows an image (ImageMobject)"
    assert [line for line in drawn[3] if line.endswith("a film and no recording: it shows an image (ImageMobject)")]


def test_a_recording_has_the_colours_of_each_theme_by_name(drawn):
    recording = read_script(path_of(drawn, "Reads", ".js").read_text())
    assert recording["paints"] == ["accent", "ground"]
    for theme in (DARK, LIGHT):
        corner = Painter(recording, BY_NAME[theme.name]).pixels(0, (160, 90))[2, 2, :3]
        assert tuple(corner) == tuple(round(255 * part) for part in rgb(theme.ground))


def test_a_colour_of_its_own_is_remarked(drawn):
    book, _, _, said = drawn
    (line,) = [line for line in said if "#12ff34" in line]
    lines = (book.scenes / "some.py").read_text().splitlines()
    assert lines[int(line.split(":")[1]) - 1].startswith("class Foreign")
    assert not [line for line in said if "some.Plain keeps" in line]  # a plain scene has no others


def test_a_tag_is_known_with_its_section(drawn):
    assert drawn[2]["Reads"].tags == {"weigths": 0}  # the last tag counts


def test_a_pause_is_one_long_frame_of_the_right_length(drawn):
    film = path_of(drawn, "Filmed", "-dark.mp4")
    assert len(frames(film)) == 4 + 2  # four that move, the pause, and the frame that ends it
    with av.open(str(film)) as container:
        assert container.duration / av.time_base == pytest.approx(3.0, abs=0.01)


def test_colours_of_a_film_arrive_as_meant_and_are_tagged(drawn):
    for theme in (DARK, LIGHT):
        path = path_of(drawn, "Filmed", f"-{theme.name}.mp4")
        corner = frames(path)[0][1][4, 4]
        assert max(abs(int(c) - round(255 * w)) for c, w in zip(corner, rgb(theme.ground), strict=True)) <= 4
        with av.open(str(path)) as film:
            context = film.streams.video[0].codec_context
            numbers = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
            assert numbers == (1, 1, 1, 1)


def test_captions_of_a_film_are_web_vtt(drawn):
    text = path_of(drawn, "Filmed", ".vtt").read_text()
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.400\n")
    assert "A &lt;b&gt;box&lt;/b&gt; appears --&gt; here" in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Raises", "in construct\n    box().no_such_method()"),
        ("Hangs", "cutaway_clip_limit_s = 4 s and was stopped; it was at "),
        ("Killed", "ended by SIGKILL"),
        ("Misnamed", "did you mean 'weights'"),
        ("NoScene", "is no Manim scene"),
        ("Missing", "did you mean 'Misnamed'?"),
    ],
)
def test_a_failure_says_why_and_harms_nobody(drawn, name, says):
    _, _, clips, _ = drawn
    assert says in clips[name].error
    assert not clips[name].key
    assert "manim/" not in clips[name].error  # the author's frames only


def test_an_unknown_tag_is_a_notice_at_its_line(drawn):
    book, _, clips, _ = drawn
    ((place, message),) = clips["Reads"].notices
    line = int(place.rpartition(":")[2])
    assert "weigths" in (book.scenes / "some.py").read_text().splitlines()[line - 1]
    assert "did you mean 'weights'" in message


def test_progress_names_clip_number_and_time(drawn):
    said = drawn[3]
    assert any(line.startswith("clip 1 of 9 some.") for line in said)
    assert any("some.Plain done, " in line and line.endswith(" s") for line in said)


def test_a_hit_draws_nothing(drawn):
    book, inputs, clips, _ = drawn
    said = []
    again = render(book, [Wanted("some.Plain", "tiny"), Wanted("some.Reads", "tiny")], inputs, said.append)
    assert list(again.values()) == [clips["Plain"], clips["Reads"]]
    assert not said


def test_a_hit_imports_neither_manim_nor_torch(drawn):
    book = drawn[0]
    code = f"""
        import sys
        from pathlib import Path
        from cutaway.settings import Book
        from cutaway.clips.render import Inputs, Wanted, render
        from cutaway.store import Store
        folder = Path({str(book.confdir)!r})
        book = Book(folder, {{}}, folder, folder / "scenes", Store(folder / "store"), (160, 90), 10, 4)
        clip, = render(book, [Wanted("some.Plain", "tiny")], Inputs({{}}, {{}}), print).values()
        assert clip.key, clip
        assert not {{"manim", "torch", "av"}} & set(sys.modules)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, env=environment, timeout=300)


def test_another_value_is_another_clip_only_for_who_read_it(drawn, tmp_path):
    book, _, _, _ = drawn
    changed = write_trace(tmp_path / "tiny.json", weight=2.5)
    for scene, is_hit in (("some.Plain", True), ("some.Reads", False)):
        key = clip_keys.source_key(book, scene)
        assert (clip_keys.look_up(book.store, key, changed.names("tiny")) is not None) == is_hit
    lost = Inputs(changed.traces, {"other": Place("m.f", Span(1, 0, 1, 7))})
    assert clip_keys.look_up(book.store, clip_keys.source_key(book, "some.Reads"), lost.names("tiny")) is None


def test_while_no_input_changes_no_trace_is_read(drawn, monkeypatch):
    book, inputs, _, _ = drawn
    wanted = [Wanted("some.Reads", "tiny")]
    found = render(book, wanted, inputs, lambda line: None)
    look_up, read = clip_keys.look_up, []
    monkeypatch.setattr(clip_keys, "look_up", lambda *given: read.append("compared") or look_up(*given))
    assert render(book, wanted, inputs, lambda line: None) == found
    assert "compared" not in read
    os.utime(inputs.traces["tiny"])  # made again: it is read, and holds what it held
    assert render(book, wanted, inputs, lambda line: None) == found
    assert read.count("compared") == 1


def test_an_import_that_fails_is_told_although_the_clips_are_there(drawn):
    """Such as an import that no scene uses: no key of a clip has it."""
    book, inputs, clips, _ = drawn
    path, wanted = book.scenes / "some.py", [Wanted("some.Plain", "tiny"), Wanted("some.Reads", "tiny")]
    text, said = path.read_text(), []
    path.write_text(text + "\nimport nothing_of_that_name\n")
    found = render(book, wanted, inputs, said.append)
    path.write_text(text)
    assert [clip.error for clip in found.values() if "No module named 'nothing_of_that_name'" in clip.error]
    assert said[-1].startswith("1 clips drawn")
    path.write_text(text + "\nimport textwrap\n")
    said.clear()
    for _ in range(2):
        assert render(book, wanted, inputs, said.append) == {want: clips[want.scene[5:]] for want in wanted}
    path.write_text(text)
    assert sum("clips drawn" in line for line in said) == 1  # tried once


def test_a_missing_file_is_made_again(drawn):
    book, inputs, clips, _ = drawn
    path = book.store.path(clip_keys.KIND, clips["Plain"].key, "-1-dark.png")
    path.unlink()
    want = Wanted("some.Plain", "tiny")
    assert render(book, [want], inputs, lambda line: None)[want] == clips["Plain"]
    assert path.is_file()


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize("name", ["Plain", "Filmed"])
def test_one_clip_as_an_animated_picture(drawn, tmp_path, name, kind):
    if name == "Plain":
        recording = read_script(path_of(drawn, name, ".js").read_text())
        shots = list(every_shot(Painter(recording, DARK), (854, 480), 15))
    else:
        shots = list(shots_of(path_of(drawn, name, "-dark.mp4")))
    assert sum(shot.lasts for shot in shots) == pytest.approx(45, abs=1)
    assert len(shots) <= 6  # the pause is one picture
    path = tmp_path / f"clip.{kind}"
    animate(shots, 15, path, kind)
    with Image.open(path) as picture:
        lasts = []
        for number in range(picture.n_frames):
            picture.seek(number)
            picture.load()
            lasts.append(picture.info["duration"])
        assert picture.height == 480
        assert picture.info["loop"] == 0
    assert sum(lasts) == pytest.approx(3000, abs=100)


# Keys


def key_after(book, old, new, scene="some.Plain", file="some.py"):
    path = book.scenes / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        return clip_keys.source_key(book, scene)
    finally:
        path.write_text(text)


def test_the_key_covers_what_the_scene_uses_and_no_more(tmp_path):
    book = write_book(tmp_path / "book")
    key = clip_keys.source_key(book, "some.Plain")
    assert key_after(book, "run_time=0.4", "run_time=0.5") != key
    assert key_after(book, "Square(1)", "Square(2)", file="shared.py") != key
    assert key_after(book, "unused = 1", "unused = 2") == key
    assert key_after(book, "time.sleep(0.05)", "time.sleep(0.06)") == key
    assert key_after(book, "Moves, then rests.", "Another docstring.") == key
    assert key_after(book, "self.wait(2.6)", "self.wait(2.6)  # a comment") == key


def test_ctrl_c_leaves_no_process_and_no_half_file(tmp_path):
    write_book(tmp_path / "book")
    code = f"""
        from pathlib import Path
        from cutaway.settings import Book
        from cutaway.clips.render import Inputs, Wanted, render
        from cutaway.store import Store
        folder = Path({str(tmp_path / "book")!r})
        book = Book(folder, {{}}, folder, folder / "scenes", Store(folder / "store"), (160, 90), 10, 60)
        render(book, [Wanted("some.Hangs", None)], Inputs({{}}, {{}}), lambda line: print(line, flush=True))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # A shell's background jobs ignore Ctrl-C, and what they start inherits it: here it is to be noticed.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert b"clip 1 of 1" in child.stdout.readline()
    workers = children_of(child.pid)
    assert workers
    child.send_signal(signal.SIGINT)
    child.wait(timeout=300)
    child.stdout.close()
    deadline = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}")]
    assert not list((tmp_path / "book").glob("store/clip/*"))
    assert not list((tmp_path / "book").rglob(".*"))
    assert not list(tmp_path.glob("cutaway-clips-*"))


def children_of(pid):
    """Process ids of the children of a process, and of theirs."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *children_of(child)]
    return found
