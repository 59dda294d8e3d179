"""What the scenes of the gallery share."""

from functools import partial

import manim as m

from cutaway.theme.palette import DARK

SHORT = 0.3  # seconds: three frames
SIX = [m.BLUE, m.RED, m.GREEN, m.YELLOW, m.PURPLE, DARK.accent]

Words = partial(m.Text, font="DejaVu Sans")
Number = partial(m.DecimalNumber, mob_class=Words)
Whole = partial(m.Integer, mob_class=Words)


def sheet(*objects: m.VMobject, cols: int | None = None, buff: float = 0.4) -> m.VGroup:
    """Objects in a grid as large as the stage."""
    group = m.VGroup(*objects).arrange_in_grid(cols=cols, buff=buff)
    return group.scale(min(13 / group.width, 7 / group.height))


def six(shape: type[m.VMobject] = m.Square, **options) -> m.VGroup:
    """A row of six in six colours."""
    return m.VGroup(*(shape(color=color, **options) for color in SIX)).arrange(buff=0.5).scale_to_fit_width(11)
