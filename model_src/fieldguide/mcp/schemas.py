"""From argparse to JSON schema, and from a call's arguments back to the words of a command line."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fieldguide.report import UsageProblem

FILES = ("FILE", "DIR", "FOLDER", "PATH")  # metavars of text that names a file
NUMBERS: dict[Any, str] = {int: "integer", float: "number"}
Guard = Callable[[str], str]  # a path as it may be used, or UsageProblem


def offered(parser: argparse.ArgumentParser, without: tuple[str, ...]) -> Iterator[argparse.Action]:
    """The options and positionals that a call may set."""
    for action in parser._actions:
        kind = isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
        if not kind and action.dest not in ("json", *without):
            yield action


def schema(parser: argparse.ArgumentParser, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON schema of what a call may say."""
    actions = list(offered(parser, without))
    required = [action.dest for action in actions if action.required]
    return {
        "type": "object",
        "properties": {action.dest: property_of(action) for action in actions},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def property_of(action: argparse.Action) -> dict[str, Any]:
    """One argument: its type, what it is, what it may be."""
    told = {"description": (action.help or "").replace("%%", "%")} if action.help else {}
    if is_switch(action):
        return {"type": "boolean", **told}
    one: dict[str, Any] = {"type": NUMBERS.get(action.type, "string")}
    if action.choices is not None:
        one["enum"] = list(action.choices)
    if not many(action):
        return {**one, **told}
    count = {"minItems": action.nargs, "maxItems": action.nargs} if isinstance(action.nargs, int) else {}
    least = {"minItems": 1} if action.nargs == "+" else {}
    return {"type": "array", "items": one, **count, **least, **told}


def is_switch(action: argparse.Action) -> bool:
    return action.nargs == 0


def many(action: argparse.Action) -> bool:
    """Whether an argument is a list."""
    return isinstance(action.nargs, int) or action.nargs in ("*", "+") or isinstance(action, argparse._AppendAction)


def is_path(action: argparse.Action) -> bool:
    """Whether the text names a file or folder."""
    return action.type is Path or (action.type is None and action.metavar in FILES)


def words(
    parser: argparse.ArgumentParser, given: Mapping[str, Any], guard: Guard, without: tuple[str, ...] = ()
) -> list[str]:
    """The command line. UsageProblem for a name that is not offered, a value of another type, a path outside."""
    actions = {action.dest: action for action in offered(parser, without)}
    unknown = sorted(set(given) - set(actions))
    if unknown:
        raise UsageProblem(f"{unknown[0]}: there is no such argument, but {', '.join(actions)}")
    options: list[str] = []
    positionals: list[str] = []
    for name, action in actions.items():
        if given.get(name) is None:
            continue
        if is_switch(action):
            options += switched(action, given[name])
            continue
        values = [text(action, value, guard) for value in listed(action, given[name])]
        if not action.option_strings:
            positionals += values
        elif action.nargs is None:
            options += [f"{action.option_strings[0]}={value}" for value in values]
        else:
            options += [action.option_strings[0], *values]
    return options + positionals


def switched(action: argparse.Action, value: Any) -> list[str]:
    if not isinstance(value, bool):
        raise UsageProblem(f"{action.dest}: true or false is needed, not {value!r}")
    return [action.option_strings[0]] if value else []


def listed(action: argparse.Action, value: Any) -> list[Any]:
    """The values, one or many."""
    if many(action) != isinstance(value, list):
        raise UsageProblem(f"{action.dest}: {'a list' if many(action) else 'one value'} is needed, not {value!r}")
    return value if isinstance(value, list) else [value]


def text(action: argparse.Action, value: Any, guard: Guard) -> str:
    """A value as a word that is no option, and no path outside."""
    wanted = {int: int, float: (int, float)}.get(action.type, str)  # type: ignore[call-overload]
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise UsageProblem(f"{action.dest}: {property_of(action).get('type')} is needed, not {value!r}")
    if "\0" in str(value):
        raise UsageProblem(f"{action.dest}: a zero byte is in it")
    if is_path(action):
        return guard(value)
    if not action.option_strings and str(value).startswith("-"):
        raise UsageProblem(f"{action.dest}: {value!r} looks like an option")
    return str(value)
