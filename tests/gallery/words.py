"""Texts, formulae, listings, tables and numbers."""

import manim as m
from manim import DOWN, DR, LEFT, RIGHT, UP, UR

from .shared import SHORT, Number, Whole, Words, sheet


class Texts(m.Scene):
    """Texts, their colours and weights, written and unwritten."""

    def construct(self):
        text = Words("Causal self-attention", t2c={"self": m.RED}, t2w={"Causal": m.BOLD}, t2s={"attention": m.ITALIC})
        gradient = Words("gradient", gradient=(m.BLUE, m.GREEN, m.YELLOW), stroke_width=1)
        markup = m.MarkupText(
            f'<span fgcolor="{m.RED}">red</span> <b>bold</b> <i>slanted</i> x<sup>2</sup> H<sub>2</sub>O '
            '<gradient from="YELLOW" to="RED">flowing</gradient> <u>under</u> <s>gone</s> <tt>mono</tt>',
            font="DejaVu Sans",
        )
        lines = m.Paragraph("A paragraph", "of three lines,", "centred", alignment="center", font="DejaVu Sans")
        title = m.VGroup(Words("Title"), m.Line(LEFT * 5, RIGHT * 5)).arrange(DOWN)
        sheet(title, text, gradient, markup, lines, cols=1)
        self.play(m.Write(title), m.Write(text), m.AddTextLetterByLetter(markup), run_time=0.6)
        self.play(m.FadeIn(gradient, lines, lag_ratio=0.1), run_time=SHORT)
        self.play(m.Unwrite(text), m.Unwrite(title, reverse=False), lines[1].animate.set_color(m.RED), run_time=0.4)


class Letters(m.Scene):
    """One letter, word or part after the other."""

    def construct(self):
        one, two, three, four = rows = m.VGroup(*(Words(w) for w in ("letter", "typed", "part by part", "once")))
        rows.arrange(DOWN).scale(1.5)
        cursor = m.Rectangle(height=0.9, width=0.4, fill_opacity=1, color=m.GREY).move_to(two[0])
        self.play(m.AddTextLetterByLetter(one), m.ShowIncreasingSubsets(three), run_time=0.6)
        self.play(m.TypeWithCursor(two, cursor), m.ShowSubmobjectsOneByOne(four), run_time=0.5)
        self.play(m.Blink(cursor, time_on=0.1, time_off=0.1, blinks=2))
        self.play(m.RemoveTextLetterByLetter(one), m.UntypeWithCursor(two, cursor), run_time=0.5)


class Formulae(m.Scene):
    def construct(self):
        one = m.MathTypst('op("softmax")((Q K^T) / sqrt(d_k)) V').scale(2)
        two = m.MathTypst("sum_(i=1)^n V_i sqrt(Q)", color=m.YELLOW).scale(2)
        prose = m.Typst("*Bold*, _slanted_ and $x^2$").next_to(one, UP)
        self.play(m.Write(one), m.FadeIn(prose), run_time=0.4)
        self.play(m.TransformMatchingShapes(one, two), run_time=0.4)
        self.play(m.Indicate(two[0]), m.FadeOut(prose), run_time=SHORT)


class Listing(m.Scene):
    def construct(self):
        code = m.Code(
            code_string='def f(x):\n    """Twice x."""\n    return 2 * x  # a comment\n', language="python",
            background="window", formatter_style="monokai", paragraph_config={"font": "DejaVu Sans Mono"},
        ).scale_to_fit_width(9)  # fmt: skip
        self.play(m.FadeIn(code), run_time=SHORT)
        bar = m.SurroundingRectangle(code.code_lines[2], color=m.YELLOW, fill_opacity=0.2, stroke_width=0)
        self.play(m.FadeIn(bar), code.code_lines[0].animate.set_opacity(0.3), run_time=SHORT)


class Tables(m.Scene):
    def construct(self):
        words = m.Table(
            [["a", "bc"], ["def", "g"]], row_labels=[Words("x"), Words("y")], col_labels=[Words("p"), Words("q")],
            include_outer_lines=True, element_to_mobject=Words,
        )  # fmt: skip
        words.add_highlighted_cell((2, 2), color=m.GREEN)
        numbers = m.IntegerTable([[1, 20], [-3, 4]], element_to_mobject=Whole, line_config={"color": m.RED})
        shapes = m.MobjectTable([[m.Circle(0.4), m.Square(0.7)], [m.Star().scale(0.4), m.Dot()]])
        sheet(words, numbers, shapes)
        self.play(words.create(), m.FadeIn(numbers), m.Create(shapes), run_time=0.6)
        self.play(words.get_entries((3, 3)).animate.set_color(m.YELLOW), m.Circumscribe(numbers), run_time=0.4)


class Brackets(m.Matrix):
    """A matrix whose brackets are lines: Manim's own are LaTeX."""

    def _add_brackets(self, *_):
        height = self.height + 0.5
        marks = (m.VGroup(m.Line(DOWN, UP), m.Line(UP, UR * [0.2, 1, 0]), m.Line(DOWN, DR * [0.2, 1, 0])) for _ in "[]")
        left, right = (mark.stretch_to_fit_height(height) for mark in marks)
        self.brackets = m.VGroup(left.next_to(self, LEFT), right.flip().next_to(self, RIGHT))
        self.add(self.brackets)
        return self


class Matrices(m.Scene):
    def construct(self):
        one = Brackets([["a", "b"], ["c", "d"]], element_to_mobject=Words)
        two = Brackets([[0.5, -1], [2.25, 3]], element_to_mobject=Number, h_buff=2).set_column_colors(m.RED, m.GREEN)
        m.VGroup(one, two).arrange(buff=1)
        self.play(m.Write(one), m.FadeIn(two, scale=0.5), run_time=0.4)
        self.play(m.Swap(one, two), m.FadeToColor(two.get_rows()[0], m.YELLOW), run_time=0.4)


class Numbers(m.Scene):
    def construct(self):
        value, count = Number(0.5, num_decimal_places=2, include_sign=True), Whole(998, group_with_commas=True)
        value.add_updater(lambda number: number.move_to(UP * 2))
        variable = m.VGroup(Words("x = "), Number(1, edge_to_fix=RIGHT)).arrange()
        self.add(value, variable, count.shift(DOWN * 2))
        self.play(m.ChangeDecimalToValue(value, -12.25), m.ChangeDecimalToValue(count, 1003), run_time=0.5)
        self.play(variable[1].animate.set_value(7), m.Indicate(count), run_time=SHORT)
