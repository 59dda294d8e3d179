"""Idioms of a scene that cost its author dearly, found in its syntax tree, each with what to write instead.

Manim runs an updater, and what ``always_redraw`` is given, once a frame; what is quick to write there can take
longer than all the rest of the scene. Only what is certain from the text is told: a text that is made under
an ``if``, a curve that comes from elsewhere or a size that is computed is no finding.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import NamedTuple

NUMBERS = {"DecimalNumber", "Integer"}
TEXTS = NUMBERS | {"Text", "MarkupText", "Paragraph", "Code", "MathTypst", "Typst", "Tex", "MathTex", "Variable"}
STAGE_TEXTS = {"self.words", "self.code", "self.number"}  # the words and numbers of the book's Stage
CHANGING_NUMBERS = {"ChangingDecimal", "ChangeDecimalToValue"}
CURVES = {"plot", "plot_parametric_curve", "ParametricFunction", "FunctionGraph", "ImplicitFunction"}
UPDATED = {"add_updater": 0, "always_redraw": 0, "UpdateFromFunc": 1, "UpdateFromAlphaFunc": 1}  # which argument runs
FACES = {"Surface": 32 * 32, "plot_surface": 32 * 32, "Torus": 24 * 24, "Cylinder": 24 * 24, "Sphere": 0, "Cone": 0}
MOST_FACES = 16 * 16

MADE = (
    "{what}() makes a text anew in every frame, which can more than double the time of the scene; "
    "for a number use digit slots (self.digits of scenes/kit.py) and set_value, other words make once and move"
)
SET = (
    "a DecimalNumber makes its glyphs anew in every frame, each time at the cost of several drawn frames; "
    "use digit slots (self.digits of scenes/kit.py) and their set_value"
)
MEASURED = (
    "{what} measures the whole plotted curve again in every frame, a long one at ten times the cost of drawing; "
    "measure it once, before: Track(curve) of scenes/kit.py, and track.at(share) in the updater"
)
FINE = (
    "a surface of {faces} faces; each is shaded and drawn by itself in every frame, so with 16 by 16 "
    "it is about {times:.1f} times as quick: resolution=(16, 16)"
)

Function = ast.Lambda | ast.FunctionDef


class Finding(NamedTuple):
    """A costly idiom: its line in the file, and one line of what it costs and what to write instead."""

    line: int
    message: str


def lint(tree: ast.AST) -> list[Finding]:
    """What is costly in a scene's class, or a whole file of scenes, by line."""
    scene = _Scene(tree)
    found = {finding for node in ast.walk(tree) if isinstance(node, ast.Call) for finding in scene.costly(node)}
    return sorted(found)


class _Scene:
    """What names stand for in the tree: assigned values and functions, in the order of their lines."""

    def __init__(self, tree: ast.AST) -> None:
        self.given: dict[str, list[tuple[int, ast.AST]]] = {}
        for owner in ast.walk(tree):
            for node in ast.iter_child_nodes(owner):
                for name, line, value in _definitions(node, isinstance(owner, ast.ClassDef)):
                    self.given.setdefault(name, []).append((line, value))
        for values in self.given.values():
            values.sort(key=lambda pair: pair[0])

    def costly(self, call: ast.Call) -> Iterator[Finding]:
        name = _name(call)
        if name in UPDATED:
            place = UPDATED[name]
            owner = _argument(call, 0) if place else _receiver(call)
            yield from self._in_each_frame(owner, self._function(_argument(call, place)))
        if name in CHANGING_NUMBERS:
            yield Finding(call.lineno, SET)
        if name == "MoveAlongPath" and self._is_one_of(CURVES, _argument(call, 1)):
            yield Finding(call.lineno, MEASURED.format(what=name))
        if name in FACES and (faces := self._faces(call, FACES[name])) > MOST_FACES:
            yield Finding(call.lineno, FINE.format(faces=faces, times=faces / MOST_FACES))

    def _in_each_frame(self, owner: ast.AST | None, function: Function | None) -> Iterator[Finding]:
        """What is costly in a function that runs in every frame, given the mobject that it updates."""
        first = function.args.args[0].arg if function and function.args.args else ""
        for call in _calls(function):
            of: ast.AST | None = _receiver(call)
            of = owner if isinstance(of, ast.Name) and of.id == first else of
            if self._makes_text(call, set()):
                yield Finding(call.lineno, MADE.format(what=_dotted(call.func)))
            if _name(call) == "set_value" and self._is_one_of(NUMBERS, of):
                yield Finding(call.lineno, SET)
            if _name(call) == "point_from_proportion" and self._is_one_of(CURVES, of):
                yield Finding(call.lineno, MEASURED.format(what=_name(call)))

    def _makes_text(self, call: ast.Call, seen: set[str]) -> bool:
        """Whether a call makes a text, itself or in a function of the tree."""
        dotted = _dotted(call.func)
        if _name(call) in TEXTS or dotted in STAGE_TEXTS:
            return True
        if dotted in seen:
            return False
        seen.add(dotted)
        return any(self._makes_text(inner, seen) for inner in _calls(self._function(call.func)))

    def _is_one_of(self, makers: set[str], value: ast.AST | None) -> bool:
        """Whether a value was made by one of these: ``axes.plot(f).set_color(RED)`` by ``plot``."""
        seen: list[ast.AST] = []
        while value is not None and value not in seen:
            seen.append(value)
            if isinstance(value, ast.Call) and _name(value) in makers:
                return True
            value = _receiver(value) if isinstance(value, ast.Call) else self._meaning(value)
        return False

    def _faces(self, call: ast.Call, default: int) -> int:
        """How many faces a surface has; 0 where that is not to be read here."""
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "resolution" not in given:
            return 0 if None in given else default  # **options may hold it
        size = given["resolution"]
        both = size.elts if isinstance(size, ast.Tuple | ast.List) else [size, size]
        counts = [getattr(self._meaning(count), "value", 0) for count in both]
        return math.prod(count if isinstance(count, int) else 0 for count in counts)

    def _function(self, value: ast.AST | None) -> Function | None:
        given = self._meaning(value)
        return given if isinstance(given, Function) else None

    def _meaning(self, value: ast.AST | None) -> ast.AST | None:
        """What a name was given last before this line, or first after it; any other expression is itself."""
        if not isinstance(value, ast.Name | ast.Attribute):
            return value
        given = self.given.get(_dotted(value), [])
        before = [meaning for line, meaning in given if line < value.lineno]
        return before[-1] if before else given[0][1] if given else value


def _definitions(node: ast.AST, method: bool) -> Iterator[tuple[str, int, ast.AST]]:
    if isinstance(node, ast.FunctionDef):
        yield ("self." if method else "") + node.name, node.lineno, node
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield _dotted(target), node.lineno, node.value


def _calls(function: Function | None) -> Iterator[ast.Call]:
    """The calls that a function makes whenever it runs: those under an ``if`` or in inner functions may be rare."""
    if function is None:
        return
    pending: list[ast.AST] = [*function.body] if isinstance(function.body, list) else [function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.If | Function):
            pending.extend(ast.iter_child_nodes(node))


def _receiver(call: ast.Call) -> ast.expr | None:
    """``axes`` of ``axes.plot(f)``."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    return call.args[place] if len(call.args) > place else None


def _name(call: ast.Call) -> str:
    """``plot`` of ``axes.plot(f)``."""
    return _dotted(call.func).rpartition(".")[2]


def _dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
