"""Costly idioms of scenes are found, each with its remedy; cheap ones that look alike are not."""

import ast
import re
import textwrap
from pathlib import Path

import pytest

from cutaway.clips.keys import around, find_scene
from cutaway.clips.lint import FINE, MADE, MEASURED, SET, lint
from cutaway.settings import Book
from cutaway.store import Store


def found(code):
    return lint(ast.parse(textwrap.dedent(code)))


def inside(*lines):
    """The findings in a scene's ``construct`` of these lines, as (line among them, message)."""
    body = "\n".join("        " + line for line in lines)
    return [(line - 2, message) for line, message in found(f"class S(Scene):\n    def construct(self):\n{body}\n")]


@pytest.mark.parametrize(
    "line",
    [
        "label = always_redraw(lambda: Text(f'{t.get_value():.2f}').next_to(dot))",
        "label = always_redraw(lambda: VGroup(dot, MarkupText('a')))",
        "label = manim.always_redraw(lambda: DecimalNumber(t.get_value()))",
        "label = always_redraw(lambda: MathTypst(f'x = {t.get_value()}'))",
        "label.add_updater(lambda m: m.become(Text(str(t.get_value()))))",
        "label.add_updater(lambda m, dt: m.become(Text('a')).shift(dt * UP))",
        "self.play(UpdateFromFunc(label, lambda m: m.become(Text('a'))))",
        "self.play(UpdateFromAlphaFunc(label, lambda m, a: m.become(Text(str(a)))))",
    ],
)
def test_a_text_in_each_frame(line):
    ((number, message),) = inside("t = ValueTracker(0)", line)
    assert number == 2 and "make the texts" in message and "\n" not in message


def test_a_text_made_by_a_function_of_the_scene():
    findings = found(
        """
        class S(Scene):
            def construct(self):
                def label():
                    return Text("a")
                plain = lambda: Text("b")
                self.add(always_redraw(label), always_redraw(plain))
                self.add(always_redraw(lambda: self.result(3)))
                dot.add_updater(self.follow)

            def result(self, value):
                return VGroup(Dot(), Text("sum"))

            def follow(self, dot):
                dot.become(self.result(1))
        """
    )
    assert [finding.line for finding in findings] == [5, 6, 8, 15]
    assert "self.result()" in findings[2].message


def test_a_decimal_number_set_in_each_frame():
    ((number, _),) = inside("n = DecimalNumber(0).to_edge(UP)", "n.add_updater(lambda m: m.set_value(1))")
    assert number == 2
    assert inside("n = Integer(0)", "d.add_updater(lambda m: n.set_value(1))")
    assert inside("self.n = Integer(0)", "d.add_updater(lambda m: self.n.set_value(1))")
    assert inside("n = DecimalNumber(0).add_updater(lambda m: m.set_value(1))")
    assert inside("n = Integer(0)", "self.play(UpdateFromFunc(n, lambda m: m.set_value(1)))")
    ((_, message),) = inside("self.play(ChangeDecimalToValue(n, 5))")
    assert "0123456789" in message


def test_a_plotted_curve_measured_in_each_frame():
    curve = "curve = axes.plot(lambda x: x**2).set_color(BLUE)"
    for line in (
        "dot.add_updater(lambda d: d.move_to(curve.point_from_proportion(t.get_value())))",
        "dot = always_redraw(lambda: Dot(curve.point_from_proportion(0.5)))",
        "self.play(MoveAlongPath(dot, curve))",
    ):
        ((number, message),) = inside(curve, line)
        assert number == 2 and "measure it once before" in message
    assert inside("self.play(MoveAlongPath(dot, ParametricFunction(f, t_range=[0, 9])))")
    assert inside("graph = axes.plot_line_graph(x, y)['line_graph']", "p = graph") == []


@pytest.mark.parametrize(
    "surface, times",
    [
        ("Sphere(resolution=(24, 24))", "2.2"),
        ("Surface(f, resolution=64)", "16.0"),
        ("Surface(f, u_range=[0, 1])", "4.0"),
        ("axes.plot_surface(f, resolution=(32, 16))", "2.0"),
        ("Torus()", "2.2"),
        ("Sphere(resolution=(n, n))", "6.2"),
    ],
)
def test_a_fine_surface(surface, times):
    ((number, message),) = inside("n = 40", f"s = {surface}")
    assert number == 2 and f"{times} times" in message and "resolution=(16, 16)" in message


@pytest.mark.parametrize(
    "lines",
    [
        ["label = Text('a')", "label.add_updater(lambda m: m.next_to(dot))"],
        ["label = Text('a')", "group = always_redraw(lambda: VGroup(Dot(), Line(a, b), label))"],
        ["n = self.digits(0.5)", "n.add_updater(lambda m: m.set_value(t.get_value()))"],
        ["n = DecimalNumber(0)", "n = self.digits(0.5)", "n.add_updater(lambda m: m.set_value(1))"],
        ["t = ValueTracker(0)", "dot.add_updater(lambda m: t.set_value(1))"],
        ["n = DecimalNumber(0)", "n.set_value(3)", "self.play(n.animate.set_value(2))"],
        ["c = Circle()", "self.play(MoveAlongPath(d, c))", "d.add_updater(lambda m: c.point_from_proportion(1))"],
        ["curve = axes.plot(f)", "dot.move_to(curve.point_from_proportion(0.5))"],
        ["Sphere()", "Sphere(resolution=(16, 16))", "Surface(f, resolution=8)"],
        ["Surface(f, **options)", "Torus(resolution=n)", "Surface(f, resolution=(n, 2 * n))"],
        ["def update(m):", "    if t.get_value() != m.shown:", "        m.become(Text('a'))", "m.add_updater(update)"],
        ["x = x.copy()", "d.add_updater(lambda m: x.set_value(1))"],
        ["frame = always_redraw(lambda: self.focus(self.cells()))"],
        ["label.add_updater(update)", "always_redraw(make)", "label.add_updater()"],
    ],
)
def test_what_is_cheap_or_uncertain_is_no_finding(lines):
    assert inside(*lines) == []


SHARED = """
class Stage(Base):
    def words(self, text):
        return _text(text)

class Base(Scene):
    def number(self, value):
        return self.words(str(value))

class Other:
    def quiet(self):
        return Text("a")

def _text(text):
    return Text(text)

def update(label):
    label.become(_text("a"))
"""


@pytest.mark.parametrize(
    ("line", "of"),
    [
        ("always_redraw(lambda: self.words('a'))", "self.words()"),
        ("always_redraw(lambda: self.number(3))", "self.number()"),
        ("label.add_updater(update)", "update()"),
        ("always_redraw(lambda: self.quiet())", ""),  # of a class that the scene is not based on
        ("self.words = still\n        always_redraw(lambda: self.words('a'))", ""),
    ],
)
def test_functions_are_followed_into_what_the_scene_imports(line, of):
    scene = ast.parse(f"class S(Stage):\n    def construct(self):\n        {line}\n")
    messages = [message for _, message in lint(scene, [ast.parse(SHARED)])]
    assert [message.split(" ")[0] for message in messages] == ([of] if of else [])
    assert lint(scene) == []


def test_the_books_own_scenes_have_none():
    scenes = Path(__file__).parents[1] / "docs/scenes"
    book = Book(scenes.parent, {}, (), scenes, Store(scenes.parent / ".cutaway"))
    for path in sorted(scenes.glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                scene = find_scene(book, f"{path.stem}.{node.name}")
                assert lint(scene.node, around(book, scene)) == []


def test_no_advice_names_what_one_book_has():
    assert not [text for text in (MADE, SET, MEASURED, FINE) if "kit" in text or "self." in text]


def test_a_finding_is_told_once_and_in_order():
    findings = inside(
        "label = always_redraw(lambda: VGroup(Text('a'), Text('b')))",
        "n = always_redraw(lambda: Text('c'))",
    )
    assert [line for line, _ in findings] == [1, 2]
    assert all(re.fullmatch(r"[^\n]{20,300}", message) for _, message in findings)


def test_one_class_of_a_file_keeps_the_lines_of_the_file():
    scene = "class S(Scene):\n    def construct(self):\n        always_redraw(lambda: Text('a'))\n"
    module = ast.parse("import manim\n\n\n" + scene)
    assert [finding.line for finding in lint(module.body[1])] == [6]
