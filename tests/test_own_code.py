"""The tool's code in keys: all that a child process uses is in them, and what takes no part is not."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from clip_book import write_book, write_trace

from cutaway.source.find import Source
from cutaway.source.own import TOOL, own_modules, own_names

# Packages without their `__init__`: what still works takes nothing from it.
HOLLOW = """
import json, runpy, sys, types
from pathlib import Path

tool = Path(sys.argv[1])
hollow = {"cutaway": tool} | {
    ".".join(["cutaway", *init.parent.relative_to(tool).parts]): init.parent for init in tool.rglob("*/__init__.py")
}
for name, folder in hollow.items():
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [str(folder)]

def used():
    return sorted(name for name in sys.modules if name.startswith("cutaway.") and name not in hollow)

"""
DRAW = """
from cutaway.clips.scene.run import draw

job, folder = json.loads(sys.argv[2])
sys.path.insert(0, str(Path(job["scenes"]).parent))
for scene in ("some.Reads", "some.Filmed"):
    path = Path(folder, scene)
    path.mkdir()
    draw({**job, "scene": scene}, path)
print(json.dumps(used()))
"""
WRITE = """
from cutaway.clips.raster import film

source, folder = json.loads(sys.argv[2])
for kind in ("mp4", "gif", "webp"):
    film.write(Path(source), Path(folder, f"clip.{kind}"), kind, (160, 90))
shots, fps = film.for_card(Path(source))
film.animate(shots, fps, Path(folder, "card.gif"), "gif", film.CARD)
print(json.dumps(used()))
"""
CARD = """
from cutaway.cards import card

card.png(card.draw(card.Card("step", "x", "One", "Book", "", {}), None))
print(json.dumps(used()))
"""
BADGE = """
from cutaway.cards.badge import badge

assert "<svg" in badge("x", True)
print(json.dumps(used()))
"""
RECORD = """
import atexit
atexit.register(lambda: Path(sys.argv[2]).write_text(json.dumps(used())))
runpy.run_module("cutaway.runs.child", run_name="__main__")
"""
RUN = """
import numpy as np

class Small:
    def train(self, log):
        return {"w": np.ones(2)}

    def trace(self, weights, record):
        from tiny import double
        with record("forward"):
            double(weights["w"])
"""


def names(*starts: str) -> set[str]:
    return {module.name for module in own_modules(*starts)}


def used_by(code: str, *given: object) -> set[str]:
    """The modules of ours that code loads in a process of its own."""
    command = [sys.executable, "-c", HOLLOW + code, str(TOOL), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_clips_key_has_all_that_draws_it_and_a_files_key_all_that_writes_it(tmp_path: Path) -> None:
    book, inputs = write_book(tmp_path / "book"), write_trace(tmp_path / "trace.json")
    job = {"run": "tiny", "scenes": str(book.scenes), "size": [160, 90], "fps": 10, **inputs.plain()}
    used = used_by(DRAW, job, str(tmp_path))
    assert "cutaway.clips.scene.manim_film" in used  # one of them was filmed
    assert used <= names("cutaway.clips.scene.run")
    used = used_by(WRITE, str(tmp_path / "some.Reads/recording.js"), str(tmp_path))
    assert used <= names("cutaway.clips.raster.film")


def test_what_draws_no_clip_is_in_no_clips_key() -> None:
    drawing = names("cutaway.clips.scene.run")
    assert drawing > {f"cutaway.{name}" for name in ("clips.format.compose", "clips.scene.tracks", "theme.paints")}
    around = ("clips.scene.worker", "clips.scene.bounds", "clips.raster.shots", "clips.raster.animated", "clips.keys")
    assert not drawing & {f"cutaway.{name}" for name in (*around, "clips.render", "settings", "store", "build")}
    # The process around it limits, and tells typefaces and letters, which count by themselves.
    more = ("clips.scene.worker", "clips.scene.bounds", "theme.fonts", "theme.dimensions")
    assert names("cutaway.clips.scene.worker") - drawing == {f"cutaway.{name}" for name in more}


@pytest.mark.parametrize(("code", "module"), [(CARD, "card"), (BADGE, "badge")], ids=["card", "badge"])
def test_a_cards_key_has_all_that_draws_it(code: str, module: str) -> None:
    assert used_by(code) <= names(f"cutaway.cards.{module}")
    assert not names(f"cutaway.cards.{module}") & {"cutaway.cards.making", "cutaway.cards.worker", "cutaway.build"}


def test_a_traces_key_has_all_that_records_it(tmp_path: Path) -> None:
    (tmp_path / "runs.py").write_text(RUN, "utf-8")
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/__init__.py").write_text("def double(x):\n    y = 2 * x\n    return y\n", "utf-8")
    sources = {"tiny": [str(tmp_path / "tiny")]}
    common = {"cls": "Small", "run": "small", "file": str(tmp_path / "runs.py"), "sources": sources, "beside": {}}
    common["recorded"] = ["tiny"]
    stages = {"train": {"given": {}}, "trace": {"weights": str(tmp_path / "store/train/a.npz")}}
    for stage, more in stages.items():
        request = {"stage": stage, "out": str(tmp_path / f"store/{stage}/a"), **common, **more}
        used = recorded(request, tmp_path / f"{stage}.json")
        assert "cutaway.runs.recorder" in used
        assert used <= names("cutaway.runs.child")
    apart = {"cutaway.runs", "cutaway.runs.process", "cutaway.runs.keys", "cutaway.settings", "cutaway.progress"}
    assert not names("cutaway.runs.child") & apart


def recorded(request: dict[str, object], out: Path) -> set[str]:
    """The modules of ours that a stage of a run loads: it ends when its work is done, or with its standard input."""
    command = [sys.executable, "-c", HOLLOW + RECORD, str(TOOL), str(out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as child:
        assert child.stdin and child.stdout
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        assert child.wait(timeout=300) == 0, child.stdout.read()
    return set(json.loads(out.read_text("utf-8")))


def test_what_a_scene_imports_of_ours_counts_too() -> None:
    code = "from cutaway.theme import fonts\nfrom cutaway import RecordedScene\nimport manim\n"
    assert own_names(ast.parse(code)) == {"cutaway.theme.fonts", "cutaway.clips.scene.scene"}
    assert "cutaway" not in names("cutaway.clips.scene.scene", "cutaway")  # it computes nothing


def test_imports_are_followed_and_packages_above_are_not(tmp_path: Path) -> None:
    files = {
        "__init__": "from . import everything",
        "start": "from .deep import low\nfrom .other import value\n",
        "deep/__init__": "from .. import everything",
        "deep/low": "def later():\n    from ..lazy import x\n",
        "lazy": "x = 1",
        "other/__init__": "from .part import value",
        "other/part": "value = 1",
        "everything": "",
    }
    for name, text in files.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    found = {module.name for module in own_modules("p.start", source=Source({"p": [tmp_path]}))}
    assert found == {"p.start", "p.deep.low", "p.lazy", "p.other", "p.other.part"}
