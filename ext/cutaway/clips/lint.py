"""Idioms of a scene that cost its author dearly, found in its syntax tree, each with what to write instead.

Manim runs an updater, and what ``always_redraw`` is given, once a frame; what is quick to write there can take
longer than all the rest of the scene. Functions are followed into what the scene imports. Only what is certain from
the text is told: a text that is made under an ``if``, a curve that comes from elsewhere or a size that is computed is
no finding.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

NUMBERS = {"DecimalNumber", "Integer"}
TEXTS = NUMBERS | {"Text", "MarkupText", "Paragraph", "Code", "MathTypst", "Typst", "Tex", "MathTex", "Variable"}
CHANGING_NUMBERS = {"ChangingDecimal", "ChangeDecimalToValue"}
CURVES = {"plot", "plot_parametric_curve", "ParametricFunction", "FunctionGraph", "ImplicitFunction"}
UPDATED = {"add_updater": 0, "always_redraw": 0, "UpdateFromFunc": 1, "UpdateFromAlphaFunc": 1}  # which argument runs
FACES = {"Surface": 32 * 32, "plot_surface": 32 * 32, "Torus": 24 * 24, "Cylinder": 24 * 24, "Sphere": 0, "Cone": 0}
MOST_FACES = 16 * 16

MADE = (
    "{what}() makes a text anew in every frame, which can more than double the time of the scene; make the texts once "
    "before, and in the updater move one, or take the shape of one: label.become(texts[k].move_to(label))"
)
SET = (  # a copy with match_center takes twice as long as set_value; a glyph that is moved, a tenth
    "a DecimalNumber makes its glyphs anew in every frame, each time at the cost of several drawn frames; make "
    "digits = Text('0123456789') once before, and let the glyphs become them: glyph.become(digits[k].move_to(glyph))"
)
MEASURED = (
    "{what} measures the whole plotted curve again in every frame, a long one at ten times the cost of drawing; "
    "measure it once before, places = [curve.point_from_proportion(k / 200) for k in range(201)], and in the updater "
    "take one"
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


def lint(tree: ast.AST, around: Sequence[ast.AST] = ()) -> list[Finding]:
    """What is costly in a scene's class, or a whole file of scenes, by line.

    ``around`` are its file and the modules that it imports: functions that the tree does not define are followed there.
    """
    scene = _Scene(tree, around)
    found = {finding for node in ast.walk(tree) if isinstance(node, ast.Call) for finding in scene.costly(node)}
    return sorted(found)


class _Names:
    """What names stand for in a tree: assigned values and functions, in the order of their lines.

    Of a class they are left out unless its name is among ``classes``, if given.
    """

    def __init__(self, tree: ast.AST, classes: Set[str] | None = None) -> None:
        self.given: dict[str, list[tuple[int, ast.AST]]] = {}
        for owner in ast.walk(tree):
            if isinstance(owner, ast.ClassDef) and classes is not None and owner.name not in classes:
                continue
            for node in ast.iter_child_nodes(owner):
                for name, line, value in _definitions(node, isinstance(owner, ast.ClassDef)):
                    self.given.setdefault(name, []).append((line, value))
        for values in self.given.values():
            values.sort(key=lambda pair: pair[0])

    def meaning(self, value: ast.AST | None) -> ast.AST | None:
        """What a name was given last before this line, or first after it; any other expression is itself."""
        if not isinstance(value, ast.Name | ast.Attribute):
            return value
        given = self.given.get(_dotted(value), [])
        before = [meaning for line, meaning in given if line < value.lineno]
        return before[-1] if before else given[0][1] if given else value

    def function(self, name: str) -> Function | None:
        """The function that a name stands for at the end of the file."""
        found = [meaning for _, meaning in self.given.get(name, []) if isinstance(meaning, Function)]
        return found[-1] if found else None


class _Scene:
    """A scene's tree and those that it takes functions from."""

    def __init__(self, tree: ast.AST, around: Sequence[ast.AST]) -> None:
        self.names = _Names(tree)
        bases = _bases(tree, around)
        self._around = [_Names(each, bases) for each in around]

    def costly(self, call: ast.Call) -> Iterator[Finding]:
        name = _name(call)
        if name in UPDATED:
            place = UPDATED[name]
            owner = _argument(call, 0) if place else _receiver(call)
            function, where = self._function(_argument(call, place), self.names)
            if where is self.names:
                yield from self._in_each_frame(owner, function)
            elif any(self._makes_text(inner, where, set()) for inner in _calls(function)):
                yield Finding(call.lineno, MADE.format(what=_dotted(call.args[place])))
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
            if self._makes_text(call, self.names, set()):
                yield Finding(call.lineno, MADE.format(what=_dotted(call.func)))
            if _name(call) == "set_value" and self._is_one_of(NUMBERS, of):
                yield Finding(call.lineno, SET)
            if _name(call) == "point_from_proportion" and self._is_one_of(CURVES, of):
                yield Finding(call.lineno, MEASURED.format(what=_name(call)))

    def _makes_text(self, call: ast.Call, names: _Names, seen: set[int]) -> bool:
        """Whether a call makes a text, itself or in a function that it leads to."""
        if _name(call) in TEXTS:
            return True
        function, where = self._function(call.func, names)
        if function is None or id(function) in seen:
            return False
        seen.add(id(function))
        return any(self._makes_text(inner, where, seen) for inner in _calls(function))

    def _is_one_of(self, makers: set[str], value: ast.AST | None) -> bool:
        """Whether a value was made by one of these: ``axes.plot(f).set_color(RED)`` by ``plot``."""
        seen: list[ast.AST] = []
        while value is not None and value not in seen:
            seen.append(value)
            if isinstance(value, ast.Call) and _name(value) in makers:
                return True
            value = _receiver(value) if isinstance(value, ast.Call) else self.names.meaning(value)
        return False

    def _faces(self, call: ast.Call, default: int) -> int:
        """How many faces a surface has; 0 where that is not to be read here."""
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "resolution" not in given:
            return 0 if None in given else default  # **options may hold it
        size = given["resolution"]
        both = size.elts if isinstance(size, ast.Tuple | ast.List) else [size, size]
        counts = [getattr(self.names.meaning(count), "value", 0) for count in both]
        return math.prod(count if isinstance(count, int) else 0 for count in counts)

    def _function(self, value: ast.AST | None, names: _Names) -> tuple[Function | None, _Names]:
        """The function that an expression in a tree stands for, and the names of the tree in which it is."""
        given = names.meaning(value)
        if isinstance(given, Function):
            return given, names
        if given is value and isinstance(value, ast.Name | ast.Attribute):  # not defined there
            for each in self._around:
                if found := each.function(_dotted(value)):
                    return found, each
        return None, names


def _bases(tree: ast.AST, around: Sequence[ast.AST]) -> set[str]:
    """The names of the classes that those in a tree are based on, directly or through others."""
    known = [node for each in (tree, *around) for node in ast.walk(each) if isinstance(node, ast.ClassDef)]
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    while more := {_dotted(b).split(".")[-1] for node in known if node.name in found for b in node.bases} - found:
        found |= more
    return found


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
