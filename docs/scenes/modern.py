"""The clip for docs/model/modern.md: nanoGPT's rules beside nanochat's, and what putting one back does to the loss."""

from manim import LEFT, RIGHT, Dot, FadeIn, Line, Rectangle, VGroup

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

TOP, PITCH = 272, 84  # middle of the first row, and from row to row
OLD, NEW, ZERO, RIGHT_EDGE = 96, 608, 1344, 1824  # left edges, the line of no change, right edge of the numbers
SCALE_LEFT, SCALE_RIGHT = 1136, 1584  # of the bars
RULES = (
    ("positions", "+ position", "turned q and k", "modern-attention-turn-q"),
    ("embedding", "embedding", "normed", "modern-forward-embed-norm"),
    ("layernorm", "layer norm", "RMS norm", "modern-norm-rms"),
    ("qk", "q and k", "normed", "modern-attention-norm-q"),
    ("gelu", "GELU", "ReLU²", "modern-squared-square"),
    ("biases", "biases", "none", "modern-linear-bias"),
    ("drawn", "drawn", "zeros at first", "modern-init-attn"),
    ("tied", "tied head", "its own head", "modern-forward-head"),
    ("logits", "logits", "capped", "modern-forward-tanh"),
)


def signed(value: float) -> str:
    """``+0.031``: an effect has its sign, unless it is rounded to nothing."""
    text = number_text(value, 3)
    return text if text.startswith("−") or not float(text) else f"+{text}"


class Nine(Stage):
    """Nine rules in two columns; group by group, the effect of going back."""

    def construct(self):
        self.effects = {rule: self.effect(rule) for rule, *_ in RULES}
        ends = [end for effect in self.effects.values() for end in effect]
        self.low, self.high = min(0.0, *ends), max(0.0, *ends)
        heads = [self.words(text, color=self.theme.muted) for text in ("nanoGPT", "nanochat", "loss, if put back")]
        for head, left in zip(heads, (OLD, NEW, SCALE_LEFT), strict=True):
            head.move_to(at(left, TOP - 92), aligned_edge=LEFT)
        self.add(*heads, *(self.names(i) for i in range(len(RULES))))

        self.next_section("Rules")
        say = f"Nine rules of nanoGPT and what stands for each in nanochat. {self.all()}"
        self.beat("Nine rules, exchanged", rest=2 * REST, say=say)
        line = Line(at(self.across(0), TOP - 44), at(self.across(0), TOP + 8.5 * PITCH))
        self.add(line.set_stroke(self.theme.line, 2 * HAIRLINE))

        frame = None
        for name, title, first, last in (
            ("Where", "What comes in, and where it stands", 0, 2),
            ("Norms", "Norms", 2, 4),
            ("Layers", "Bend and biases", 4, 6),
            ("Ends", "First weights, head, cap", 6, 9),
        ):
            self.next_section(name)
            previous, frame = frame, self.frame(first, last)
            bars = VGroup(*(self.bar(i) for i in range(first, last)))
            away = [previous] if previous else []
            self.beat(title, FadeIn(frame), FadeIn(bars), away=away, rest=2 * REST, say=self.told(first, last))

        self.next_section("All")
        together = f"All nine put back: {signed(self.fact('modern.nanogpt'))}"
        self.beat(together, away=[frame], rest=2 * REST, say=f"{together}, measured by itself, not added up.")

    def effect(self, rule):
        """Lower end, mean and upper end of the change of the loss."""
        return tuple(self.fact(f"modern.{rule}{end}") for end in ("_low", "", "_high"))

    def all(self):
        return f"Each was put back by itself, with {self.fact('modern.seeds')} seeds."

    def told(self, first, last):
        parts = []
        for rule, old, _, _ in RULES[first:last]:
            low, mean, high = self.effects[rule]
            chance = "" if low * high > 0 else ", not to be told from chance"
            parts.append(f"{old}: {signed(mean)}, from {signed(low)} to {signed(high)}{chance}")
        return f"Put back, one at a time. {'; '.join(parts)}."

    def height(self, row):
        return TOP + row * PITCH

    def across(self, effect):
        """The place of an effect on the scale of the bars, in pixels."""
        return SCALE_LEFT + (effect - self.low) / (self.high - self.low) * (SCALE_RIGHT - SCALE_LEFT)

    def names(self, row):
        _, old, new, step = RULES[row]
        texts = self.words(old, color=self.theme.muted), self.words(new)
        for text, left in zip(texts, (OLD, NEW), strict=True):
            text.move_to(at(left, self.height(row)), aligned_edge=LEFT)
        return VGroup(texts[0], self.tag(texts[1], step))

    def frame(self, first, last):
        """Around the names of some rows."""
        top, bottom = self.height(first) - PITCH / 2, self.height(last - 1) + PITCH / 2
        box = Rectangle(width=px(NEW + 432 - OLD + 48), height=px(bottom - top))
        return box.set_stroke(self.theme.accent, ACCENT_LINE).move_to(at(OLD - 24, (top + bottom) / 2), LEFT)

    def bar(self, row):
        """The interval, the mean on it, and the mean as a number; muted where zero is inside."""
        low, mean, high = self.effects[RULES[row][0]]
        color, y = self.theme.ink if low * high > 0 else self.theme.muted, self.height(row)
        line = Line(at(self.across(low), y), at(self.across(high), y)).set_stroke(color, ACCENT_LINE)
        dot = Dot(at(self.across(mean), y), px(14), color=color)
        number = self.code(signed(mean), color=color).move_to(at(RIGHT_EDGE, y), aligned_edge=RIGHT)
        return self.tag(VGroup(line, dot, number), RULES[row][3])
