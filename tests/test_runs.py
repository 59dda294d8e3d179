"""Runs: what makes them run again, and what their author sees when they fail."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from cutaway import runs
from cutaway.runs import Declared, pinned, retrain, urgent_first
from cutaway.settings import Book
from cutaway.source.imports import without_docstrings
from cutaway.store import Store
from cutaway.trace.names import Names, UnknownName
from cutaway.trace.reading import TraceError, load

SOURCE = '''
"""A model."""
import numpy as np

def scale(x, w):
    """Multiply."""
    # a comment
    return x * w
'''
RUNS = """
from cutaway.runs import Run

class Toy(Run):
    name = "toy"
    sources = ("pkg",)
    limit_s = 20

    def train(self, log):
        import numpy as np
        from pkg.model import scale
        log(0, loss=float(scale(2.0, 1.0)))
        log.fact(size=3)
        return {"w": np.arange(3.0), "b": np.zeros(2)}

    def trace(self, weights, record):
        from pkg.model import scale
        with record("forward"):
            scale(weights["w"], 2.0)
"""


class Made:
    """A little book whose files a test edits; ``ensure`` tells which stages ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pkg").mkdir()
        self.write("pkg/model.py", SOURCE)
        self.write("runs.py", RUNS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def book(self) -> Book:
        packages, scenes = {"pkg": [self.folder / "pkg"]}, self.folder / "scenes"
        return Book(self.folder, packages, (self.folder / "runs.py",), scenes, Store(self.folder / "store"))

    def ensure(self) -> tuple[runs.Outcome, list[str]]:
        lines: list[str] = []
        outcome = runs.ensure(self.book(), lines.append)["toy"]
        return outcome, [line.split(": ")[1] for line in lines if line.endswith(("training", "tracing"))]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_a_run_leaves_facts_log_and_values(made: Made) -> None:
    outcome, stages = made.ensure()
    assert outcome.error == "" and stages == ["training", "tracing"]
    trace = load(Path(outcome.trace))
    assert trace.facts == {"size": 3} and trace.log == {"loss": [[0, 2.0]]}
    (call,) = trace.calls("pkg.model.scale")
    returned = trace.records(call)[-1]
    assert returned.site.kind == "return" and np.array_equal(returned.value.array(), [0.0, 2.0, 4.0])


def test_nothing_changed_nothing_runs(made: Made) -> None:
    made.ensure()
    assert made.ensure()[1] == []


def test_a_comment_traces_again_and_never_trains_again(made: Made) -> None:
    made.ensure()
    made.edit("pkg/model.py", "# a comment", "# another")
    assert made.ensure()[1] == ["tracing"]
    made.edit("pkg/model.py", '"""Multiply."""', '"""Times."""')
    assert made.ensure()[1] == ["tracing"]


def test_code_that_changes_values_trains_and_traces_again(made: Made) -> None:
    made.ensure()
    made.edit("pkg/model.py", "x * w", "x * w + 1")
    assert made.ensure()[1] == ["training", "tracing"]


def test_only_what_a_run_uses_of_its_file_counts(made: Made) -> None:
    made.ensure()
    helpers = "def helper():\n    return 1.0\n\n\ndef start():\n    return helper()\n\n\n"
    made.edit("runs.py", "class Toy(Run):", f"{helpers}class Toy(Run):")
    made.edit("runs.py", "limit_s = 20", "limit_s = 30\n    budget_s = 5")
    assert made.ensure()[1] == []
    made.edit("runs.py", "scale(2.0, 1.0)", "scale(2.0, start())")
    assert made.ensure()[1] == ["training", "tracing"]
    made.edit("runs.py", "return 1.0", "return 1.5")
    assert made.ensure()[1] == ["training", "tracing"]


def test_the_time_of_a_run_next_door_has_no_part_in_what_others_make(made: Made) -> None:
    made.write(
        "base.py", "from cutaway.runs import Run\nSIZE = 3.0\n\nclass Base(Run):\n    budget_s = 20\n    WIDE = 1\n"
    )
    made.edit("runs.py", "from pkg.model", f"from {made.folder.name}.base import SIZE\n        from pkg.model")
    made.ensure()
    made.edit("base.py", "budget_s = 20", "budget_s = 30")
    assert made.ensure()[1] == ["tracing"]
    made.edit("base.py", "WIDE = 1", "WIDE = 2")
    assert made.ensure()[1] == ["tracing"]
    made.edit("base.py", "SIZE = 3.0", "SIZE = 4.0")
    assert made.ensure()[1] == ["tracing"]  # imported, and not used


def test_the_runs_of_the_book_keep_to_their_budget() -> None:
    """Forty minutes for all where none is pinned, and each says what it takes."""
    budgets = {run.name: run.budget_s for run in runs.declared(Book.read(ROOT / "docs").runs)}
    del budgets["clusters"]  # the tutorial's: it says only what a beginner needs
    assert all(budgets.values()) and sum(budgets.values()) <= 40 * 60, budgets


def test_the_trace_method_alone_traces_again(made: Made) -> None:
    made.ensure()
    made.edit("runs.py", 'weights["w"], 2.0', 'weights["w"], 3.0')
    assert made.ensure()[1] == ["tracing"]


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_damaged_trace_is_made_again(made: Made, suffix: str) -> None:
    outcome, _ = made.ensure()
    path = Path(outcome.trace).with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:50])
    outcome, stages = made.ensure()
    assert stages == ["tracing"] and outcome.error == ""


def test_an_error_of_the_traced_code_comes_with_its_own_traceback(made: Made) -> None:
    made.edit("pkg/model.py", "return x * w", "return x / None")
    made.edit("runs.py", "log(0, loss=float(scale(2.0, 1.0)))", "pass")
    outcome, _ = made.ensure()
    assert "failed while tracing" in outcome.error
    assert 'pkg/model.py", line 8, in scale' in outcome.error and "TypeError" in outcome.error
    assert "cutaway/record.py" not in outcome.error and "cutaway/child.py" not in outcome.error


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("import time; time.sleep(60)", "took longer than its limit_s = 1 s"),
        ("import os; os._exit(3)", "exit code 3"),
        ("import os; os._exit(0)", "ended without a result"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("return 7", "AttributeError"),
    ],
)
def test_a_run_that_hangs_or_dies_is_an_outcome(made: Made, statement: str, message: str) -> None:
    made.edit("runs.py", "import numpy as np", statement)
    made.edit("runs.py", "limit_s = 20", "limit_s = 1" if "sleep" in statement else "limit_s = 20")
    outcome, _ = made.ensure()
    assert message in outcome.error
    assert not list((made.folder / "store").rglob("*.npz"))


def test_a_syntax_error_has_its_place(made: Made) -> None:
    made.write("pkg/model.py", "def scale(:\n")
    assert "model.py:1:" in made.ensure()[0].error


def test_what_a_package_lacks_is_named(made: Made) -> None:
    made.edit("runs.py", 'sources = ("pkg",)', 'sources = ("other",)')
    assert "no package 'other' in cutaway_sources; known: pkg" in made.ensure()[0].error


def test_a_setting_that_is_computed_is_refused(made: Made) -> None:
    made.edit("runs.py", "limit_s = 20", "limit_s = 10 + int(input())")
    with pytest.raises(runs.RunError, match=r"runs\.py:7: limit_s = 10 \+ int"):
        made.ensure()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("limit_s = 20", 'limit_s = "sixty"', r"limit_s = 'sixty': write a number of seconds"),
        ('name = "toy"', "name = 5", r"name = 5: write a word"),
        ('sources = ("pkg",)', "sources = 5", r"sources = 5: write names of packages"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_refused(made: Made, old: str, new: str, message: str) -> None:
    made.edit("runs.py", old, new)
    with pytest.raises(runs.RunError, match=message):
        made.ensure()


def test_annotated_settings_and_a_single_source(made: Made) -> None:
    made.edit("runs.py", 'name = "toy"', 'name: str = "toy"')
    made.edit("runs.py", 'sources = ("pkg",)', 'sources = "pkg"')
    assert made.ensure()[0].error == ""


def test_a_run_ends_with_a_builder_that_is_killed(made: Made) -> None:
    sleep = "import os, time; open('PID', 'w').write(str(os.getpid())); time.sleep(600)"
    made.edit("runs.py", "import numpy as np", sleep)
    made.edit("runs.py", "'PID'", repr(str(made.folder / "pid")))
    code = """
import sys
from pathlib import Path
from cutaway import runs
from cutaway.settings import Book
from cutaway.store import Store
folder = Path(sys.argv[1])
runs.ensure(Book(folder, {"pkg": [folder / "pkg"]}, (folder / "runs.py",), folder, Store(folder / "store")), print)
"""
    builder = subprocess.Popen([sys.executable, "-c", code, str(made.folder)], stdout=subprocess.DEVNULL)
    child = int(_when(lambda: (made.folder / "pid").read_text() if (made.folder / "pid").exists() else ""))
    builder.kill()
    builder.wait()
    assert _when(lambda: "gone" if not Path(f"/proc/{child}").exists() or _is_zombie(child) else "") == "gone"


def _when(look: Callable[[], str]) -> str:
    """What ``look`` gives once it gives something, within a minute."""
    for _ in range(1200):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing happened within a minute")


def _is_zombie(pid: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def test_a_store_that_cannot_be_written_is_named(made: Made) -> None:
    (made.folder / "store").write_text("in the way")
    outcome, _ = made.ensure()
    assert "can't be written" in outcome.error and "CUTAWAY_STORE" in outcome.error and "Traceback" not in outcome.error


def test_two_runs_of_one_name_are_refused(made: Made) -> None:
    made.write("runs.py", RUNS + RUNS.replace("class Toy", "class Other"))
    with pytest.raises(runs.RunError, match="declared twice"):
        made.ensure()


def test_layout_and_docstrings_are_no_code() -> None:
    import ast

    one = "def f(x):\n    '''doc'''\n    return (x +\n      1)  # c"
    other = "def f(x):\n    return x + 1"
    assert without_docstrings(ast.parse(one)) == without_docstrings(ast.parse(other))
    assert without_docstrings(ast.parse(textwrap.dedent(other))) != without_docstrings(
        ast.parse("def f(x): return x")
    )


def test_an_array_that_is_gone_is_an_error_of_the_trace(made: Made) -> None:
    outcome, _ = made.ensure()
    trace = load(Path(outcome.trace))
    Path(outcome.trace).with_suffix(".npz").unlink()
    with pytest.raises(TraceError, match="delete it and build again"):
        trace.records(trace.calls()[0])[0].value.array()


def test_keys_are_computed_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.ensure()
    monkeypatch.setattr("cutaway.runs.keys.Keys", None)
    assert made.ensure()[1] == []
    made.edit("pkg/model.py", "# a comment", "# another comment")
    with pytest.raises(TypeError):
        made.ensure()


def test_names_of_a_run(made: Made) -> None:
    outcome, _ = made.ensure()
    names = Names({"toy": load(Path(outcome.trace))}, {}, "toy")
    assert names.resolve("toy.size").scalar == 3
    assert names.resolve("toy/x.shape[0]").scalar == 3
    assert names.resolve("x[2]").scalar == 2.0
    assert names.resolve("toy.log/loss[0]").scalar == 2.0
    with pytest.raises(UnknownName, match=r"'toy' is a run; write toy\.FACT or toy/STEP; its facts are: .*size"):
        Names({"toy": load(Path(outcome.trace))}, {}).resolve("toy")


def test_one_of_several_values_and_a_number_of_it(made: Made) -> None:
    made.edit("pkg/model.py", "return x * w", "pair = x, x * w\n    return pair[1]")
    outcome, _ = made.ensure()
    names = Names({"toy": load(Path(outcome.trace))}, {}, "toy")
    assert names.resolve("pair[1].shape[0]").scalar == names.resolve("pair[0].shape[0]").scalar == 3
    assert names.resolve("pair[1][2]").scalar == 2.0 * names.resolve("pair[0][2]").scalar == 4.0


@pytest.mark.parametrize("factor", [1, 2])
def test_a_name_that_several_functions_give_to_different_values_stands_for_none(made: Made, factor: int) -> None:
    made.edit("pkg/model.py", "return x * w", f"return times({factor} * x, w)\n\ndef times(x, w):\n    return x * w")
    outcome, _ = made.ensure()
    names = Names({"toy": load(Path(outcome.trace))}, {}, "toy")
    assert names.resolve("w").value.scalar == 2.0
    assert names.resolve("toy.forward@0/x[2]").scalar == 2.0
    if factor == 1:
        assert names.resolve("x[2]").scalar == 2.0
    else:
        both = r"'x' is a variable of pkg\.model\.scale and of pkg\.model\.times; .*@0/"
        with pytest.raises(UnknownName, match=both):
            names.resolve("x[2]")


TWO_RUNS = RUNS.replace(
    'return {"w": np.arange(3.0), "b": np.zeros(2)}', 'return {"w": np.arange(3.0) + self.START}\n    START = 0'
) + """

class Later(Run):
    name = "later"
    sources = ("pkg",)
    after = ("toy",)
    limit_s = 20

    def train(self, log, toy):
        return {"w": toy["w"] * 2}

    def trace(self, weights, record):
        from pkg.model import scale
        with record("forward"):
            scale(weights["w"], 2.0)
"""


def made_of_two(made: Made) -> tuple[dict[str, runs.Outcome], list[str]]:
    book = Book(
        made.folder, {"pkg": [made.folder / "pkg"]}, (made.folder / "runs.py",), made.folder / "scenes",
        Store(made.folder / "store"),
    )  # fmt: skip
    lines: list[str] = []
    outcomes = runs.ensure(book, lines.append, ["later"])
    return outcomes, [line.removeprefix("run ") for line in lines if line.endswith(("training", "tracing"))]


def test_a_run_begins_with_the_weights_of_another(made: Made) -> None:
    made.write("runs.py", TWO_RUNS)
    outcomes, stages = made_of_two(made)
    assert stages == ["toy: training", "toy: tracing", "later: training", "later: tracing"]
    with np.load(outcomes["later"].weights) as arrays:
        assert arrays["w"].tolist() == [0, 2, 4]
    assert made_of_two(made)[1] == []


def test_it_is_made_again_when_those_weights_change_and_only_then(made: Made) -> None:
    made.write("runs.py", TWO_RUNS)
    made_of_two(made)
    made.edit("runs.py", "log(0, loss=float(scale(2.0, 1.0)))", "log(0, loss=float(scale(2.0, 1.5)))")
    assert made_of_two(made)[1] == ["toy: training", "toy: tracing"]  # to the same weights
    made.edit("runs.py", "START = 0", "START = 1")
    assert made_of_two(made)[1] == ["toy: training", "toy: tracing", "later: training", "later: tracing"]


def test_a_run_after_one_that_failed_says_so(made: Made) -> None:
    made.write("runs.py", TWO_RUNS.replace("log(0, loss=float(scale(2.0, 1.0)))", "raise ValueError('no')"))
    outcomes, stages = made_of_two(made)
    assert "needs the weights of the run 'toy', which failed" in outcomes["later"].error
    assert "ValueError: no" in outcomes["toy"].error and stages == ["toy: training"]


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ('("other",)', "the run 'later' comes after 'other', which is not declared; there is toy, later"),
        ('("later",)', "the run 'later' comes after 'later', which is declared later: move it up"),
        ("5", "after = 5: write names of runs"),
    ],
)
def test_a_run_after_none_is_refused(made: Made, after: str, message: str) -> None:
    made.write("runs.py", TWO_RUNS.replace('after = ("toy",)', f"after = {after}"))
    with pytest.raises(runs.RunError, match=re.escape(message)):
        made_of_two(made)


def test_what_others_wait_for_begins_first(made: Made) -> None:
    times = {"long": (50, ()), "first": (20, ()), "second": (20, ("first",)), "third": (20, ("second",))}
    declared = [
        Declared(name, name, Path(), 1, (), after, 60, budget) for name, (budget, after) in times.items()
    ]
    assert [run.name for run in urgent_first(declared)] == ["first", "long", "second", "third"]


# Pinned: what training left is committed, and taken over where its code is the same


PINNED_LINE = "run toy: its pinned weights are of other code than this; it is trained"


def pin_all(made: Made) -> None:
    book = made.book()
    assert retrain.write(book, [], lambda line: None) == 0
    shutil.rmtree(book.store.root)


def test_a_pinned_run_is_not_trained(made: Made) -> None:
    trained = made.ensure()[0]
    weights, trace = Path(trained.weights).read_bytes(), load(Path(trained.trace))
    pin_all(made)
    outcome, stages = made.ensure()
    assert stages == ["tracing"] and (outcome.error, outcome.warnings) == ("", ())
    with np.load(outcome.weights) as found:
        assert found["w"].tobytes() == np.arange(3.0).tobytes() and weights
        assert found.files == ["w", "b"]  # a run may go by their order
    again = load(Path(outcome.trace))
    assert (again.facts, again.log) == (trace.facts, trace.log)
    assert made.ensure()[1] == []


@pytest.mark.parametrize(
    "edit",
    [
        ("pkg/model.py", "# a comment", "# another"),
        ("pkg/model.py", '"""Multiply."""', '"""Times."""'),
        ("pkg/model.py", "import numpy as np\n", "import numpy as np, math\n\ndef unused():\n    return math.pi\n"),
        ("runs.py", "limit_s = 20", "limit_s = 200\n    budget_s = 9"),
        ("runs.py", "        with record", "        print()\n        with record"),
    ],
    ids=["comment", "docstring", "unreached", "times", "trace"],
)
def test_what_training_does_not_compute_with_keeps_the_pin(made: Made, edit: tuple[str, str, str]) -> None:
    pin_all(made)
    made.edit(*edit)
    assert "training" not in made.ensure()[1]


def test_a_module_that_moves_keeps_the_pin(made: Made) -> None:
    pin_all(made)
    (made.folder / "pkg/deep").mkdir()
    (made.folder / "pkg/model.py").rename(made.folder / "pkg/deep/maths.py")
    text = (made.folder / "runs.py").read_text("utf-8")
    made.write("runs.py", text.replace("from pkg.model import scale", "from pkg.deep.maths import scale as times", 1)
               .replace("float(scale(", "float(times(").replace("from pkg.model", "from pkg.deep.maths"))  # fmt: skip
    assert made.ensure()[1] == ["tracing"]


def test_other_code_trains_and_says_so(made: Made) -> None:
    pin_all(made)
    made.edit("pkg/model.py", "x * w", "x * w + 1")
    lines: list[str] = []
    outcome = runs.ensure(made.book(), lines.append)["toy"]
    assert PINNED_LINE in lines and "run toy: training" in lines and outcome.warnings == ()


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_damaged_pin_is_named_and_not_used(made: Made, suffix: str) -> None:
    pin_all(made)
    path = made.folder / "pinned" / f"toy{suffix}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    outcome, stages = made.ensure()
    assert stages == ["training", "tracing"] and outcome.error == ""
    advice = "restore it, or write it anew with `python -m cutaway runs --pin`"
    assert outcome.warnings[0] == f"{path} is damaged and not used: {advice}"


def test_weights_without_their_facts_are_no_pin(made: Made) -> None:
    pin_all(made)
    (made.folder / "pinned/toy.json").unlink()
    assert made.ensure()[1] == ["training", "tracing"]


def test_a_run_may_be_trained_although_it_is_pinned(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    pin_all(made)
    monkeypatch.setenv(pinned.VARIABLE, "other, toy")
    assert made.ensure()[1] == ["training", "tracing"]


def test_the_check_finds_other_bits(made: Made) -> None:
    pin_all(made)
    lines: list[str] = []
    assert retrain.compare(made.book(), [], lines.append) == 0 and "toy: the same bits" in lines
    content = Store(made.folder).read_json("pinned", "toy")
    assert content is not None
    Store(made.folder).write_json("pinned", "toy", {**content, "digest": "0" * 32, "facts": {"size": 4}})
    lines.clear()
    assert retrain.compare(made.book(), [], lines.append) == 1
    assert "toy: other bits: size 4 -> 3" in lines
    assert "1 runs left other bits on the very machine that pinned them" in lines


def test_a_run_that_is_not_declared_cannot_be_trained(made: Made) -> None:
    with pytest.raises(runs.RunError, match=r"no run 'tyo' in .*did you mean 'toy'"):
        retrain.train_anew(made.book(), ["tyo"], print)


def test_an_edit_of_the_same_size_within_the_same_second_is_seen(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would take the compiled file of a moment ago for that of the new text."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    made.write("runs.py", TWO_RUNS)
    weights = []
    for start in (1, 2):
        made.edit("runs.py", f"START = {start - 1}", f"START = {start}")
        os.utime(made.folder / "runs.py", (1_700_000_000, 1_700_000_000 + start / 4))
        weights.append(Path(made_of_two(made)[0]["toy"].weights).with_suffix(".npz").read_bytes())
    assert weights[0] != weights[1]
