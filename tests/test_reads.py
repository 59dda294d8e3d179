"""What a run reads decides what comes of it; and what is said of a run that recorded less than was meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_runs import Made, made  # noqa: F401 - a fixture

from cutaway import runs
from cutaway.digests import version, version_imported
from cutaway.runs import keys
from cutaway.trace.reading import load

SCALED = '        return {"w": np.arange(3.0), "b": np.zeros(2)}'
READS = '        return {"w": np.loadtxt("DATA"), "b": np.zeros(2)}'


def with_data(made: Made) -> Path:  # noqa: F811
    data = made.folder / "data.txt"
    data.write_text("1 2 3\n")
    made.edit("runs.py", SCALED, READS.replace("DATA", str(data)))
    return data


def returned(outcome: runs.Outcome) -> list[float]:
    trace = load(Path(outcome.trace))
    [call] = trace.calls("pkg.model.scale")
    return list(trace.records(call)[-1].value.array())


def test_a_run_whose_data_changed_is_made_again(made: Made) -> None:  # noqa: F811
    data = with_data(made)
    outcome, stages = made.ensure()
    assert stages == ["training", "tracing"] and returned(outcome) == [2.0, 4.0, 6.0]
    assert made.ensure()[1] == []
    data.write_text("4 5 6\n")
    outcome, stages = made.ensure()
    assert stages == ["training", "tracing"] and returned(outcome) == [8.0, 10.0, 12.0]
    data.write_text("1 2 3\n")  # as it was: what was made then is still there
    outcome, stages = made.ensure()
    assert stages == [] and returned(outcome) == [2.0, 4.0, 6.0]


def test_data_that_is_read_while_tracing_traces_again(made: Made) -> None:  # noqa: F811
    data = made.folder / "factor.txt"
    data.write_text("2")
    made.edit("runs.py", 'scale(weights["w"], 2.0)', f'scale(weights["w"], float(open({str(data)!r}).read()))')
    assert made.ensure()[1] == ["training", "tracing"]
    data.write_text("3")
    outcome, stages = made.ensure()
    assert stages == ["tracing"] and returned(outcome) == [0.0, 3.0, 6.0]


def test_data_that_is_gone_is_an_error_that_names_it(made: Made) -> None:  # noqa: F811
    data = with_data(made)
    made.ensure()
    data.unlink()
    outcome, stages = made.ensure()
    assert stages == ["training"] and "data.txt not found" in outcome.error


def test_files_that_python_does_not_open_are_declared(made: Made) -> None:  # noqa: F811
    (made.folder / "a.bin").write_bytes(b"1")
    made.edit("runs.py", "    limit_s = 20\n", '    limit_s = 20\n    inputs = ("*.bin",)\n')
    assert made.ensure()[1] == ["training", "tracing"]
    assert made.ensure()[1] == []
    (made.folder / "b.bin").write_bytes(b"2")
    assert made.ensure()[1] == ["training", "tracing"]


def test_variables_of_the_environment_are_declared(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    made.edit("runs.py", "    limit_s = 20\n", '    limit_s = 20\n    inputs = ("$CORPUS",)\n')
    for value, stages in (("a", ["training", "tracing"]), ("b", ["training", "tracing"]), ("a", []), (None, None)):
        if value is None:
            monkeypatch.delenv("CORPUS")
        else:
            monkeypatch.setenv("CORPUS", value)
        assert made.ensure()[1] == (stages if stages is not None else ["training", "tracing"])


def test_an_input_that_is_not_there_is_an_error(made: Made) -> None:  # noqa: F811
    made.edit("runs.py", "    limit_s = 20\n", '    limit_s = 20\n    inputs = "*.bin"\n')
    outcome, stages = made.ensure()
    assert stages == [] and "inputs: there is no file '*.bin' in" in outcome.error


def test_what_a_run_writes_itself_is_no_input(made: Made) -> None:  # noqa: F811
    other = made.folder / "made.txt"
    lines = f'        open({str(other)!r}, "w").write("7")\n        open({str(other)!r}).read()\n'
    made.edit("runs.py", SCALED, lines + SCALED)
    assert made.ensure()[1] == ["training", "tracing"]
    other.write_text("8")
    assert made.ensure()[1] == []


def test_a_clone_elsewhere_takes_what_was_made_of_the_same_data(made: Made, tmp_path: Path) -> None:  # noqa: F811
    data = with_data(made)
    made.edit("runs.py", str(data), "data.txt")
    beside = "np.loadtxt(__import__('pathlib').Path(__file__).parent / 'data.txt')"
    made.edit("runs.py", 'np.loadtxt("data.txt")', beside)
    made.ensure()
    (tmp_path / "other").mkdir()
    second = Made(tmp_path / "other")
    for name in ("runs.py", "data.txt"):
        second.write(name, (made.folder / name).read_text())
    (second.folder / "store").symlink_to(made.folder / "store", target_is_directory=True)
    assert second.ensure()[1] == []


WRONG = {
    "sizes": (
        'with record.sizes("forward", None, B=2, T=2): scale(np.ones((2, 2)), 2.0)',
        "B and T are 2, so that no axis tells one from the other: they get no letters; give each a size of its own",
    ),
    "model": (
        'with record("other", Model()): pass',
        "the pass 'other' ran nothing of its model, Model: call the model inside of `with record('other', model)`",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_run_is_said_each_time(made: Made, what: str) -> None:  # noqa: F811
    line, expected = WRONG[what]
    cls = "        import numpy as np\n        class Model:\n            def named_modules(self): return []\n"
    scaled = '            scale(weights["w"], 2.0)\n'
    made.edit("runs.py", scaled, f"{scaled}{cls}        {line}\n")
    for _ in range(2):
        outcome, _ = made.ensure()
        assert not outcome.error and len(outcome.warnings) == 1 and expected in outcome.warnings[0]
    assert np.array_equal(returned(outcome), [0.0, 2.0, 4.0])


def test_another_version_of_a_package_that_a_run_imports_makes_it_again(
    made: Made,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = {"PIL": "1.0"}
    monkeypatch.setattr(keys, "version_imported", lambda name: installed.get(name, ""))
    made.edit("runs.py", SCALED, "        from PIL import Image\n" + SCALED)
    assert made.ensure()[1] == ["training", "tracing"]
    assert made.ensure()[1] == []
    installed["PIL"] = "2.0"
    assert made.ensure()[1] == ["training", "tracing"]
    installed |= {"PIL": "1.0", "scipy": "3.0"}  # which it does not import
    assert made.ensure()[1] == []


def test_versions_are_those_of_what_is_imported() -> None:
    assert version_imported("PIL") == version("pillow") and version_imported("numpy") == np.__version__
    assert version_imported("no_such_package") == ""
