"""The two animations of src/ as scenes: the same boxes, words and curve, at the same places and times."""

from itertools import pairwise

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    AnimationGroup,
    Create,
    Dot,
    FadeIn,
    FadeOut,
    Line,
    MoveAlongPath,
    RoundedRectangle,
    Scene,
    Succession,
    Text,
    UpdateFromAlphaFunc,
    VGroup,
    linear,
)

from scenes.moving import Digits

UNIT = 135  # pixels
FPS = 30
TYPE = 48 / 90  # Manim's font_size for one pixel of type
FACE = "DejaVu Sans"


def at(x: float, y: float) -> np.ndarray:
    return np.array([(x - 960) / UNIT, (540 - y) / UNIT, 0.0])


def words(text: str, size: float, color: str, place: np.ndarray, edge: np.ndarray = UP + LEFT) -> Text:
    return Text(text, font=FACE, font_size=size * TYPE, color=color).move_to(place, aligned_edge=edge)


def box(left: float, top: float, width: float, height: float, color: str) -> RoundedRectangle:
    shape = RoundedRectangle(0.08, width=width / UNIT, height=height / UNIT, stroke_width=0)
    return shape.set_fill(color, 1).move_to(at(left, top), aligned_edge=UP + LEFT)


def panel(left: float, top: float, size: tuple[float, float], ground: str, text: str, color: str) -> VGroup:
    shape = box(left, top, *size, ground)
    return VGroup(shape, words(text, 20, color, shape.get_center(), np.zeros(3)))


class TransformerArchitecture(Scene):
    """What enters, the embedding, the blocks, what leaves: one after the other."""

    def construct(self) -> None:
        self.camera.background_color = "#14142a"
        title = words("GPT Transformer Architecture", 48, "#ffffff", at(60, 40))
        brand = words("nanochat • depth=24", 16, "#666666", at(1880, 1050), DOWN + RIGHT)
        self.add(brand)
        self.play(FadeIn(title), self.tokens(), run_time=1, rate_func=linear)
        size = (640, 100)
        embedding = panel(200, 350, size, "#3a3a6a", "Token + Position Embedding", "#f4a261")
        shape = words("vocab_size × hidden_dim (50257 × 1536)", 14, "#888888", at(520, 425), np.zeros(3))
        self.play(FadeIn(embedding, shape), run_time=1, rate_func=linear)
        self.play(FadeIn(self.blocks(), lag_ratio=0.5), run_time=2, rate_func=linear)
        self.wait(2)
        output = panel(200, 700, (640, 64), "#4a4a7a", "Output Logits → Next Token", "#4ade80")
        self.play(FadeIn(output), run_time=1, rate_func=linear)
        self.wait(1)
        self.play(FadeOut(*(shown for shown in self.mobjects if shown not in (title, brand))), run_time=1 / FPS)
        self.wait(2)

    def tokens(self) -> Animation:
        name = words("Input Tokens", 24, "#da7756", at(200, 200))
        shown, left = [], 200.0
        for token in ("Why", "is", "the", "sky", "blue", "?"):
            width = 30 + 11 * len(token)
            shown.append(panel(left, 240, (width, 42), "#2a2a4a", token, "#ffffff"))
            left += width + 10
        return AnimationGroup(FadeIn(name, shift=0.37 * UP), FadeIn(VGroup(*shown), shift=0.37 * UP, lag_ratio=0.2))

    def blocks(self) -> VGroup:
        rows = VGroup()
        for layer in range(3):
            top = 450 + 62 * layer
            ground = box(200, top, 630, 52, "#2a2a5a")
            name = words(f"Layer {layer + 1}", 16, "#da7756", at(215, top + 26), LEFT)
            rows.add(VGroup(ground, name, words("Self-Attention → MLP", 14, "#888888", at(815, top + 26), RIGHT)))
        return rows.add(words("... (24 layers total)", 16, "#666666", at(515, 650), np.zeros(3)))


class TrainingLoss(Scene):
    """A curve that grows point by point, and the loss that it has come to."""

    DATA = ((0, 10.5), (1000, 4.2), (2000, 3.5), (5000, 3.1), (10000, 2.9), (20000, 2.7), (30000, 2.65))

    def construct(self) -> None:
        self.camera.background_color = "#0f0f23"
        self.add(words("Training Loss Curve", 42, "#ffffff", at(260, 50)))
        self.add(words("nanochat depth=24 on FineWeb-Edu", 20, "#888888", at(260, 100)))
        self.add(words("Training Steps", 16, "#666666", at(960, 990), np.zeros(3)))
        for loss in (10, 8, 6, 4, 2):
            self.add(Line(self.place(0, loss), self.place(30000, loss), stroke_width=1, color="#333333"))
            self.add(words(str(loss), 14, "#666666", self.place(0, loss) + 0.4 * LEFT, RIGHT))
        for step in (0, 10, 20, 30):
            self.add(words(f"{step}K", 14, "#666666", self.place(1000 * step, 1.6), UP))
        self.add(box(1480, 220, 180, 100, "#2a2a4a"), words("Current Loss", 14, "#888888", at(1505, 235)))
        number = Digits(10.5, FACE, 36 * TYPE, "#da7756").move_to(at(1505, 280), aligned_edge=LEFT)
        self.add(number)
        self.wait(1)
        places = [self.place(*point) for point in self.DATA]
        lines = [Line(*ends, stroke_width=4, color="#da7756") for ends in pairwise(places)]
        dot = Dot(places[0], 8 / UNIT, color="#da7756")
        moves = (AnimationGroup(Create(line), MoveAlongPath(dot, line.copy()), rate_func=linear) for line in lines)
        falling = UpdateFromAlphaFunc(number, lambda shown, share: shown.set_value(10.5 + share * (2.65 - 10.5)))
        self.play(Succession(*moves), falling, run_time=9, rate_func=lambda t: 1 - (1 - t) ** 3)
        self.wait(2)

    def place(self, step: float, loss: float) -> np.ndarray:
        return at(260 + step / 30000 * 1400, 800 - (loss - 2) / 9 * 600)
