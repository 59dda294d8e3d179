"""How an object is built and what it is called with: as its author says, or the first guess with which it works."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .subject import NewError, Subject
from .texts import Example

SIZES = ("4", "8", "2")  # of a parameter that is a whole number
TRIES = 200
TENSORS = (
    "torch.randn(2, {n})",
    "torch.randn(2, 3, {n})",
    "torch.randint(0, {n}, (2, 3))",
    "torch.randn(2, {n}, 8, 8)",
)
ARRAYS = ("np.arange(12.0).reshape(3, 4)", "np.ones((4, 4))", "np.arange(4.0)", "np.arange(6)")
PLAIN = {"int": ("3",), "float": ("0.5",), "bool": ("True",), "str": ('"one two"',), "list": ("[3, 1, 2]",)}


def example_of(subject: Subject, build: str, given: str) -> Example:
    """Building and calling that work; NewError says which option to give where no guess does."""
    names = _names(subject)
    builds = [build] if build or not subject.method else list(_builds(subject))
    last, tried = "nothing was tried", 0
    for one in builds:
        inputs = [given] if given else _inputs(subject, one)
        for arguments in itertools.islice(inputs, TRIES):
            tried += 1
            try:
                _call(subject, one, arguments, names)
            except Exception as error:  # of the author's code: the next guess
                last = f"{one + ': ' if one else ''}({arguments}) gave {type(error).__name__}: {error}"
                continue
            guessed = [text for text, said in ((one, build), (arguments, given)) if text and not said]
            return Example(one, arguments, tuple(guessed))
    asked = "--build and --input don't work" if build and given else f"none of {tried} guesses works"
    how = f'--build "{subject.name}(...)" ' if subject.method else ""
    raise NewError(f'{subject.name}: {asked}; the last, {last[:300]}. Say {how}--input "..."')


def _names(subject: Subject) -> dict[str, Any]:
    """What expressions may name: all that the module has, torch and numpy."""
    found = dict(vars(subject.module))
    for name, module in (("torch", "torch"), ("np", "numpy")):
        try:
            found.setdefault(name, __import__(module))
        except ImportError:
            continue
    return found


def _call(subject: Subject, build: str, arguments: str, names: dict[str, Any]) -> None:
    if "torch" in names:
        names["torch"].manual_seed(1)
    names = {**names, "_subject": eval(build, dict(names)) if subject.method else subject.object}
    eval(f"_subject({arguments})", names)  # what its author typed, or a guess of ours


def _builds(subject: Subject) -> Iterator[str]:
    """Expressions that may build the object, those first whose sizes differ: readers tell their axes apart."""
    choices = [_choices(hint, is_size=True) or SIZES for hint in _required(subject.object.__init__, subject)]
    for values in sorted(itertools.product(*choices), key=lambda values: -len(set(values))):
        yield f"{subject.name}({', '.join(values)})"


def _inputs(subject: Subject, build: str) -> Iterator[str]:
    """Arguments that may fit, for an object that was built so."""
    function = getattr(subject.object, subject.method) if subject.method else subject.object
    sizes = [part for part in build.replace("(", ",").replace(")", ",").replace(" ", "").split(",") if part.isdigit()]
    tensors = [text.format(n=size) for text in TENSORS for size in dict.fromkeys([*sizes, *SIZES])]
    defaults = tensors if subject.is_torch else [*ARRAYS, *(value for values in PLAIN.values() for value in values)]
    hints = _required(function, subject)
    choices: list[Sequence[str]] = []
    for hint in hints:
        name = getattr(hint, "__name__", str(hint))
        known = tensors if "Tensor" in name else ARRAYS if "ndarray" in str(hint) else _choices(hint)
        choices.append(known or defaults)
    yield from (", ".join(values) for values in itertools.product(*choices))


def _required(function: Callable[..., Any], subject: Subject) -> list[Any]:
    """The annotations of the parameters without defaults; None for one that has none."""
    try:
        hints = typing.get_type_hints(function, vars(subject.module))
    except Exception:  # a name that is only there for type checkers
        hints = {}
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(inspect.signature(function).parameters.values())
    if subject.method:
        parameters = parameters[1:]  # self
    return [hints.get(one.name) for one in parameters if one.default is one.empty and one.kind in positional]


def _choices(hint: Any, is_size: bool = False) -> Sequence[str]:
    name = getattr(typing.get_origin(hint) or hint, "__name__", "")
    if name == "int" and is_size:
        return SIZES
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return (f"{hint.__name__}()",)
    return PLAIN.get(name, ())
