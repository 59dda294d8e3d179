"""Options of a script, from its defaults, config files and the command line, left to right as in nanoGPT.

    python -m nanogpt.train config/train_shakespeare_char.py --device=cpu --max_iters=100

A config file looks like Python, ``name = value``, but it is read, not run: values are literals, earlier
names, arithmetic and a few harmless calls. Every mistake is an OptionError: where it is, what to do.
"""

import ast
import difflib
import inspect
import operator
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

Options = TypeVar("Options")
PRESETS = Path(__file__).parent / "config"
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
CALLS: dict[str, Callable[..., Any]] = {
    "str": str, "int": int, "float": float, "min": min, "max": max, "round": round, "time.time": time.time,
}  # fmt: skip


class OptionError(ValueError):
    """An option that can't be used: where, what was found, what to do."""


def configure(defaults: Options, argv: list[str], usage: str) -> Options:
    """The dataclass ``defaults``, changed as ``argv`` says; ``--help`` prints ``usage`` and all options."""
    options = defaults
    for arg in argv:
        if arg in ("-h", "--help"):
            print(usage.strip(), "", "Options and their defaults:", *described(type(defaults)), sep="\n")
            raise SystemExit(0)
        if "=" not in arg:
            if arg.startswith("-"):
                raise OptionError(f"{arg}: an option is --name=value; --help lists them")
            options = read_config(find_config(arg), options)
        elif arg.startswith("--"):
            options = override(options, *arg[2:].split("=", 1))
        else:
            raise OptionError(f"{arg}: an option starts with two dashes: --{arg}")
    return options


def described(kind: type) -> list[str]:
    """One line for each option, as the dataclass writes it."""
    names = tuple(f"    {field.name}:" for field in fields(kind))
    return [line for line in inspect.getsource(kind).splitlines() if line.startswith(names)]


def find_config(name: str) -> Path:
    """A config file as named from here, else the preset of that name."""
    for path in (Path(name), PRESETS / Path(name).name):
        if path.is_file():
            return path
    presets = ", ".join(sorted(path.name for path in PRESETS.glob("*.py")))
    raise OptionError(f"{name}: no such config file, nor a preset of that name ({presets})")


def override(options: Options, key: str, text: str) -> Options:
    """``--key=text``: the text as a Python literal where it is one, else as it stands; types must agree."""
    known = asdict(options)  # type: ignore[call-overload]
    if key not in known:
        raise OptionError(f"--{key}: unknown key{nearest(key, known)}; --help lists the options")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    wanted = type(known[key])
    if type(value) is not wanted:
        hint = f"; write {float(value)}" if wanted is float and type(value) is int else ""
        raise OptionError(
            f"--{key}={text}: a {wanted.__name__} is needed, this is a {type(value).__name__}{hint}"
        )
    print(f"Overriding: {key} = {value}")
    return replace(options, **{key: value})  # type: ignore[type-var]


def read_config(path: Path, options: Options) -> Options:
    """Apply a config file, and print it. A name that is no option may only serve to compute others."""
    text = path.read_text(encoding="utf-8")
    print(f"Overriding config with {path}:", text.rstrip(), sep="\n")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise OptionError(f"{path}:{error.lineno}: not Python: {error.msg}") from error
    known = asdict(options)  # type: ignore[call-overload]
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    values = dict(known)
    for statement in tree.body:
        where = f"{path}:{statement.lineno}"
        if isinstance(statement, ast.Import) and [name.name for name in statement.names] == ["time"]:
            continue  # for time.time(), below
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        if not (isinstance(statement, ast.Assign) and all(isinstance(t, ast.Name) for t in
        statement.targets)):
            raise OptionError(f"{where}: only 'name = value' can be read: {ast.unparse(statement)}")
        value = evaluate(statement.value, values, where)
        for target in statement.targets:
            name = target.id  # type: ignore[attr-defined]
            if name not in known and name not in used:
                raise OptionError(f"{where}: unknown key {name}{nearest(name, known)}; --help lists all")
            values[name] = checked(value, known[name], name, where) if name in known else value
    return replace(options, **{name: values[name] for name in known})  # type: ignore[type-var]


def checked(value: Any, default: Any, name: str, where: str) -> Any:
    """The value, as a float where an int stands for one."""
    if type(default) is float and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise OptionError(
            f"{where}: {name} must be a {type(default).__name__}, this is a {type(value).__name__}: {value!r}"
        )
    return value


def evaluate(node: ast.expr, names: dict[str, Any], where: str) -> Any:
    """The value of an expression that only computes with literals and known names."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name() if node.id in names:
            return names[node.id]
        case ast.UnaryOp(op=ast.USub()):
            return -evaluate(node.operand, names, where)
        case ast.UnaryOp(op=ast.Not()):
            return not evaluate(node.operand, names, where)
        case ast.BinOp() if type(node.op) in OPERATORS:
            left, right = evaluate(node.left, names, where), evaluate(node.right, names, where)
            try:
                return OPERATORS[type(node.op)](left, right)
            except (TypeError, ArithmeticError) as error:
                raise OptionError(f"{where}: {ast.unparse(node)}: {error}") from error
        case ast.Call(keywords=[]) if ast.unparse(node.func) in CALLS:
            return CALLS[ast.unparse(node.func)](*(evaluate(arg, names, where) for arg in node.args))
    raise OptionError(f"{where}: only literals, options and arithmetic can be read: {ast.unparse(node)}")


def nearest(name: str, known: dict[str, Any]) -> str:
    """', did you mean ...?' where a known name is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {near[0]}?" if near else ""
