"""What a run's key holds: the definitions that its code reaches, and nothing else."""

import itertools
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.source.find import Source, parse
from cutaway.source.reached import Reached

MODULES = {
    "a.py": """
        from .b import shared as other
        from . import c
        import math as m

        LIMIT = 3

        def used(x):
            "A docstring."
            import pkg.deep.d as d
            return other(x) + c.CONSTANT + d.far(x) + m.sqrt(x) + LIMIT

        def unused(x):
            return c.unused(x)

        class Base:
            def method(self):
                return helper()

        class Child(Base):
            pass

        def helper():
            return 1
        """,
    "b.py": """
        from .c import passed_on as shared
        """,
    "c.py": """
        CONSTANT = 1
        CONSTANT += 1

        def passed_on(x):
            return passed_on(x - 1) if x else 0

        def unused(x):
            return x
        """,
    "deep/d.py": """
        def far(x):
            return open("notes.txt").read() + x
        """,
    "effects.py": """
        import pkg.b
        print("loaded")
        register = []
        register.append(1)

        def start():
            import subprocess
            subprocess.run([__file__])

        if __name__ == "__main__":
            work()

        def work():
            return 5
        """,
}
START = "from pkg.a import used, Child\nfrom pkg import c\nused(1)\n"


def written(folder: Path, modules: dict[str, str]) -> Path:
    for name, text in modules.items():
        path = folder / "pkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
    return folder


def reached(folder: Path, start: str = START) -> Reached:
    path = folder / "start.py"
    path.write_text(start, "utf-8")
    module = parse("start", path)
    found = Reached(Source({"pkg": [folder / "pkg"]}))
    found.follow(module.tree.body, module)
    return found


def names(found: Reached) -> set[str]:
    return {f"{module}.{name}" for (module, name), text in found.found.items() if text and name}


def test_what_is_called_is_reached_through_imports(tmp_path: Path) -> None:
    found = reached(written(tmp_path, MODULES))
    assert names(found) == {"pkg.a.used", "pkg.c.passed_on", "pkg.c.CONSTANT", "pkg.deep.d.far", "pkg.a.LIMIT"}


def test_a_class_brings_its_bases_and_what_their_methods_call(tmp_path: Path) -> None:
    found = reached(written(tmp_path, MODULES), "from pkg.a import Child\nChild()\n")
    assert names(found) == {"pkg.a.Child", "pkg.a.Base", "pkg.a.helper"}


def test_a_module_that_is_handed_on_counts_as_a_whole(tmp_path: Path) -> None:
    found = reached(written(tmp_path, MODULES), "from pkg import c\nsetattr(c, 'CONSTANT', 2)\n")
    assert names(found) == {"pkg.c.CONSTANT", "pkg.c.passed_on", "pkg.c.unused"}


def test_a_star_brings_the_whole_module(tmp_path: Path) -> None:
    written(tmp_path, MODULES | {"star.py": "from .c import *\n\ndef f():\n    return passed_on(1)\n"})
    found = reached(tmp_path, "from pkg.star import f\nf()\n")
    assert "pkg.c.passed_on" in names(found)


def test_what_runs_when_a_module_is_loaded_counts(tmp_path: Path) -> None:
    found = reached(written(tmp_path, MODULES), "import pkg.effects\n")
    effects = found.found["pkg.effects", ""]
    assert "loaded" in effects and "append" in effects
    assert "pkg.effects.work" not in names(found)


def test_a_file_that_starts_itself_brings_its_program(tmp_path: Path) -> None:
    found = reached(written(tmp_path, MODULES), "from pkg import effects\neffects.start()\n")
    assert "pkg.effects.work" in names(found)


def test_a_file_that_code_names_counts_by_its_content(tmp_path: Path) -> None:
    written(tmp_path, MODULES)
    assert reached(tmp_path).files == {}
    (tmp_path / "pkg/deep/notes.txt").write_text("one", "utf-8")
    assert reached(tmp_path).files == {"notes.txt": b"one"}


def edited(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / "pkg" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


REACHED = [("a.py", "+ LIMIT", "- LIMIT"), ("a.py", "LIMIT = 3", "LIMIT = 4"), ("c.py", "+= 1", "+= 2"),
           ("c.py", "x - 1", "x - 2"), ("deep/d.py", "+ x", "- x"), ("a.py", "m.sqrt", "m.exp")]  # fmt: skip
ELSEWHERE = [("c.py", "return x\n", "return 2 * x\n"), ("a.py", '"A docstring."', '"Another."'),
             ("a.py", "return c.unused(x)", "return 7"), ("a.py", "def helper():\n", "def helper():\n    # why\n"),
             ("a.py", "import math as m", "import math as m, os")]  # fmt: skip


@pytest.mark.parametrize("edit", REACHED, ids=[new for _, _, new in REACHED])
def test_an_edit_of_what_is_reached_changes_the_key(tmp_path: Path, edit: tuple[str, str, str]) -> None:
    before = reached(written(tmp_path, MODULES)).texts()
    edited(tmp_path, *edit)
    assert reached(tmp_path).texts() != before


@settings(max_examples=20)
@given(st.sets(st.sampled_from(ELSEWHERE), min_size=1))
def test_edits_elsewhere_do_not(tmp_path_factory: pytest.TempPathFactory, edits: set[tuple[str, str, str]]) -> None:
    folder = written(tmp_path_factory.mktemp("edits"), MODULES)
    before = reached(folder).texts()
    for edit in sorted(edits):
        edited(folder, *edit)
    assert reached(folder).texts() == before


MOVED = {
    "a": ("pkg.a", "pkg.lessons.first"),
    "c": ("pkg.c", "pkg.deep.constants"),
}


@pytest.mark.parametrize("moves", [("a",), ("c",), ("a", "c")], ids="-".join)
def test_names_of_modules_do_not_count(tmp_path: Path, moves: tuple[str, ...]) -> None:
    """The same definitions in files of other names, and imported as something else."""
    before = reached(written(tmp_path / "before", MODULES)).texts()
    home = {name: f"pkg.{name}" for name in ("a", "c")} | {name: MOVED[name][1] for name in moves}
    path = {name: home[name].removeprefix("pkg.").replace(".", "/") + ".py" for name in ("a", "c")}
    a = MODULES["a.py"].replace("from .b import", "from pkg.b import")
    a = a.replace("from . import c", f"import {home['c']} as k").replace("c.CONSTANT", "k.CONSTANT")
    b = MODULES["b.py"].replace("from .c import", f"from {home['c']} import")
    modules = {path["a"]: a.replace("c.unused", "k.unused"), path["c"]: MODULES["c.py"]}
    written(tmp_path / "after", modules | {"b.py": b, "deep/d.py": MODULES["deep/d.py"]})
    start = f"from {home['a']} import used as go, Child\ngo(1)\n"
    assert reached(tmp_path / "after", start).texts() == before


def test_imports_in_a_circle_end(tmp_path: Path) -> None:
    written(tmp_path, {"x.py": "from .y import name\n", "y.py": "from .x import name\n"})
    assert names(reached(tmp_path, "from pkg.x import name\nname()\n")) == set()


def test_the_order_of_definitions_does_not_count(tmp_path: Path) -> None:
    texts = []
    for number, order in enumerate(itertools.permutations(["def f():\n    return g()\n", "def g():\n    return 1\n"])):
        folder = written(tmp_path / str(number), {"a.py": "\n".join(order)})
        texts.append(reached(folder, "from pkg.a import f\nf()\n").texts())
    assert texts[0] == texts[1]
