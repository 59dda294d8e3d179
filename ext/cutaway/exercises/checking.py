"""Check a reader's function against what a run recorded, and the check itself against usual mistakes.

In ``exercises/softmax.py``, beside conf.py::

    class Weights(Exercise):
        def cases(self):
            sort = load("sort")
            yield Case("the last row", (sort.value("scores")[-1],), sort.value("weights")[-1])

        @staticmethod
        def solution(scores): ...

        @mistake("Divide by the sum of the powers, not by that of the scores.")
        def of_scores(scores): ...

and in a cell ``check("softmax.Weights", mine)``. Each check first proves the exercise: its solution must pass, and each
of its mistakes must fail. So a page whose exercise is wrong does not build.
"""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

from .comparing import difference

FOLDER = "exercises"  # beside conf.py
NAME = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*")
Function = Callable[..., Any]


class ExerciseError(Exception):
    """An exercise that does not exist, or one whose own solution fails or whose mistakes pass."""


class Case(NamedTuple):
    """What a function is given and what it should give; ``label`` says in a few words which case it is."""

    label: str
    given: tuple[Any, ...]
    expected: Any


class Exercise:
    """Something to write: its cases, a solution, and what people usually write instead."""

    within: ClassVar[float] = 1e-4  # how far a number may be off, as a share of the largest number expected

    def cases(self) -> Iterable[Case]:
        raise NotImplementedError

    solution: ClassVar[Function]


def mistake(hint: str) -> Callable[[Function], Any]:
    """Mark a function of an exercise as a usual mistake; whoever gets its results reads the hint."""

    def marked(function: Function) -> Any:
        function.hint = hint  # type: ignore[attr-defined]
        return staticmethod(function)

    return marked


class Report(str):
    """What a check found, in a sentence or two; a cell shows it as it is. ``passed`` is the verdict."""

    passed: bool

    def __repr__(self) -> str:
        return str(self)


def check(name: str, function: Function) -> Report:
    """Run a function on all cases of an exercise; the report tells the first difference, and what usually causes it."""
    exercise = find(name)
    cases = list(exercise.cases())
    prove(name, exercise, cases)
    for case in cases:
        try:
            got = _result(case, function)
        except Exception as error:  # the reader's own
            return _report(f"Not yet. {case.label}: {_raised(error)}.", False)
        if found := difference(got, case.expected, exercise.within):
            hint = _hint(exercise, case, got)
            return _report(f"Not yet. {case.label}: {found}." + (f" {hint}" if hint else ""), False)
    return _report(f"Right: {'the case agrees' if len(cases) == 1 else f'all {len(cases)} cases agree'}.", True)


def _report(text: str, passed: bool) -> Report:
    report = Report(text)
    report.passed = passed
    return report


def prove(name: str, exercise: Exercise, cases: list[Case]) -> None:
    """ExerciseError unless the solution passes every case and each mistake fails one."""
    if not cases:
        raise ExerciseError(f"{name} has no cases; its method cases() must yield some")
    for case in cases:
        found = _difference(exercise, case, type(exercise).solution)
        if found:
            raise ExerciseError(f"the solution of {name} fails. {case.label}: {found}")
    for wrong in mistakes(exercise):
        if not any(_difference(exercise, case, wrong) for case in cases):
            raise ExerciseError(f"the mistake {wrong.__name__} of {name} passes; add a case that tells it apart")


def mistakes(exercise: Exercise) -> list[Function]:
    """Its functions that are marked as mistakes, in their order."""
    found = (getattr(type(exercise), name) for name in vars(type(exercise)))
    return [function for function in found if hasattr(function, "hint")]


def _difference(exercise: Exercise, case: Case, function: Function) -> str:
    """What is wrong with a function's result; nothing where it is right."""
    try:
        got = _result(case, function)
    except Exception as error:  # the author's own
        return _raised(error)
    return difference(got, case.expected, exercise.within)


def _result(case: Case, function: Function) -> Any:
    return function(*copy.deepcopy(case.given))  # it may write into them


def _raised(error: Exception) -> str:
    return f"the function raised {type(error).__name__}: {error}"


def _hint(exercise: Exercise, case: Case, got: Any) -> str:
    """The hint of the mistake that gives the same wrong result."""
    for wrong in mistakes(exercise) if got is not None else ():
        try:
            same = not difference(got, _result(case, wrong), exercise.within)
        except Exception:  # a mistake may be one that raises
            continue
        if same:
            return str(wrong.hint)  # type: ignore[attr-defined]
    return ""


def find(name: str) -> Exercise:
    """The exercise ``FILE.CLASS`` of the book."""
    from ..cells import find_book

    if not NAME.fullmatch(name):
        raise ExerciseError(f"'{name[:60]}' is no exercise: write FILE.CLASS, such as softmax.Weights")
    file, _, cls = name.partition(".")
    path = find_book().confdir / FOLDER / f"{file}.py"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.py"))) or "none"
        raise ExerciseError(f"'{name}' needs the file {path}; there is {known}")
    found = getattr(_module(path), cls, None)
    if not (isinstance(found, type) and issubclass(found, Exercise)):
        raise ExerciseError(f"{path} has no class {cls} that is based on cutaway.exercises.Exercise")
    return found()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{FOLDER}_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
