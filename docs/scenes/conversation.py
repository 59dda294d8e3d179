"""The clip for docs/chat/conversation.md: a real conversation becomes tokens, and its mask lights up."""

import textwrap
from dataclasses import dataclass
from itertools import count, groupby

from manim import LEFT, RIGHT, FadeIn, Rectangle, ReplacementTransform, VGroup

from scenes.kit import GAP, HAIRLINE, REST, Stage, at, px

LEFT_EDGE, TOP, PITCH = 80, 188, 97  # of the lines; the middle of the first, and from one to the next
TILE, TALL = 160, 84  # a token's box
ADVANCE, SPACE = 36, 48  # from a character to the next; what a piece has around it
LINES = ((0, 1), (2,), (3, 4), (5,), (6, 7, 8), (9, 10, 11), (12, 13))  # pieces that stand beside each other
ROLES = {0: "user", 3: "assistant", 6: "python", 9: "python_output"}  # what the data call what begins there
COLUMNS, IN_LINE = 28, 10  # characters of a line of text, and ids of a line, where they need more than one

MASK = "sft.render@0/mask"


@dataclass
class Piece:
    """A special token or a text, and where it stands."""

    text: str
    ids: list[int]
    learned: bool
    x: float = 0
    y: float = 0

    @property
    def is_special(self):
        return self.text.startswith("<|")

    @property
    def lines(self):
        return textwrap.wrap(self.text.replace("\n", "↵"), COLUMNS)


class Tokens(Stage):
    """Messages, special tokens around them, the ids of all, the mask, and what the model is asked with."""

    def setup(self):
        super().setup()
        self.glyphs = {}  # made once: their copies cost little

    def construct(self):
        pieces = self.placed(self.pieces())
        special = [piece for piece in pieces if piece.is_special]
        texts = [piece for piece in pieces if not piece.is_special]
        words, marks = self.written(texts), self.tag(self.written(special), "conversation-rendering-special")
        roles = VGroup(*(self.role(pieces[i], name) for i, name in ROLES.items()))
        size, taught = (sum(len(p.ids) for p in pieces if p.learned >= least) for least in (False, True))
        numbers, lit = self.tiles(pieces)
        dark = VGroup(*(tile for tile, on in zip(numbers, self.listed(MASK), strict=True) if on))
        said, read = (self.written([p for p in pieces if p.learned == on], on) for on in (True, False))
        self.tag(said, "conversation-rendering-add")

        self.next_section("Messages")
        say = "A conversation as the data have it: who speaks, and what. The assistant asks a calculator."
        self.beat("Roles and parts", FadeIn(roles, words), say=say, rest=1.5 * REST)

        self.next_section("Special tokens")
        say = "A special token begins and ends each message, what the calculator is asked, and what it answers."
        self.beat("Special tokens in between", FadeIn(marks), away=[roles], say=say, rest=2 * REST)

        self.next_section("Ids")
        say = f"The texts are encoded one by one. All together are one row of {size} ids."
        self.beat(f"{size} token ids", FadeIn(numbers), away=[words, marks], say=say)

        self.next_section("Mask", "poster")
        say = f"The mask is 1 for {taught} of them, and 0 for the others: those are read, and do not teach."
        light = ReplacementTransform(dark, lit, lag_ratio=0.02)
        self.beat(f"{taught} of {size} teach", light, say=say, run_time=1.0)
        say = "It teaches what the assistant says, what it asks, and where it ends; not what the calculator answers."
        title = f"{taught} of {size} teach: as text"
        self.beat(title, FadeIn(said, read), away=[numbers, lit], say=say, rest=2 * REST)

        self.next_section("Prompt")
        primed = len(self.listed("sft.prompt/conversation-asked-start"))
        first = sum(len(piece.lines) for piece in self.first(pieces, primed))
        frame = self.tag(self.focus(read[:first]), "conversation-asked-start")
        say = f"In use the model is given the first {primed} tokens, up to the start of its turn. It writes the rest."
        self.beat(f"The prompt: {primed} tokens", FadeIn(frame), say=say, rest=2 * REST)

    def listed(self, name):
        """The items of a recorded list."""
        return [item.scalar for item in self.reading.find(name).value.items]

    def pieces(self):
        """The special tokens and the texts, in order."""

        def recorded():
            for n in count():
                try:
                    yield self.fact(f"sft.render@{n}/text")
                except LookupError:
                    return

        ids, mask = self.listed("sft.render@0/ids"), self.listed(MASK)
        pieces, texts, begin = [], count(1), 0
        for text, _ in groupby(recorded()):  # a function and the one that it calls have the same
            size = 1 if text.startswith("<|") else len(self.listed(f"sft.render@{next(texts)}/ids"))
            pieces.append(Piece(text, ids[begin : begin + size], bool(mask[begin])))
            begin += size
        return pieces

    def placed(self, pieces):
        y = TOP
        for line in LINES:
            x = LEFT_EDGE
            for piece in (pieces[i] for i in line):
                piece.x, piece.y = x, y
                x += ADVANCE * len(piece.text) + SPACE
            y += PITCH * max(len(pieces[i].lines) for i in line)
        return pieces

    def first(self, pieces, tokens):
        """The pieces that so many tokens make."""
        taken = []
        for piece in pieces:
            if sum(len(p.ids) for p in taken) < tokens:
                taken.append(piece)
        return taken

    def role(self, piece, name):
        return self.words(name, color=self.theme.muted).move_to(at(piece.x, piece.y), aligned_edge=LEFT)

    def typed(self, text, color):
        """Every character by itself: the typeface would make one sign of ``<|``, and of ``##``."""
        line = VGroup()
        for i, character in enumerate(text):
            if character != " ":
                line.add(self.glyph(character, color).copy().shift(RIGHT * px(i * ADVANCE)))
        return line

    def glyph(self, character, color):
        """A character as it stands on the line after an H whose middle is the origin."""
        if (character, color) not in self.glyphs:
            pair = self.code("H" + character, color=color)
            self.glyphs[character, color] = pair[1].shift(-pair[0].get_center())
        return self.glyphs[character, color]

    def written(self, pieces, lit=False):
        """Pieces as text; special tokens and what is lit stand on a ground of their own."""
        words = VGroup()
        for piece in pieces:
            ground = self.theme.weight(0.75) if lit else self.theme.panel
            for i, line in enumerate(piece.lines):
                y = piece.y + i * PITCH
                word = self.typed(line, self.theme.on(ground)).shift(at(piece.x + ADVANCE, y))
                if lit or piece.is_special:
                    box = self.box(word.width + px(24), ground).move_to([word.get_x(), at(0, y)[1], 0])
                    words.add(VGroup(box, word))
                else:
                    words.add(word)
        return words

    def tiles(self, pieces):
        """The ids in boxes; those of the mask once more, lit."""
        numbers, lit = VGroup(), VGroup()
        for piece in pieces:
            line = [p for p in pieces if p.y == piece.y]
            before = sum(len(p.ids) for p in line if p.x < piece.x)
            for i, number in enumerate(piece.ids):
                column, row = (i % IN_LINE, i // IN_LINE) if len(piece.lines) > 1 else (before + i, 0)
                place = LEFT_EDGE + (column + 0.5) * TILE, piece.y + row * PITCH
                numbers.add(self.tile(number, place, self.theme.panel))
                if piece.learned:
                    lit.add(self.tile(number, place, self.theme.weight(0.75)))
        return self.tag(numbers, "conversation-render-ids"), self.tag(lit, "conversation-rendering-add")

    def tile(self, number, place, ground):
        box = self.box(px(TILE - 2 * GAP), ground).move_to(at(*place))
        return VGroup(box, self.code(str(number), color=self.theme.on(ground)).move_to(box))

    def box(self, width, ground):
        return Rectangle(ground, px(TALL), width).set_stroke(self.theme.line, HAIRLINE).set_fill(ground, 1)
