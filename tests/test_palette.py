"""The palette: legible on its ground, honest about colours that an eye may confuse, ramps rising one way."""

import matplotlib
import pytest

from cutaway import palette
from cutaway.palette import BY_NAME, DARK, DIMENSIONS, LIGHT

THEMES = tuple(BY_NAME.values())
each_theme = pytest.mark.parametrize("theme", THEMES, ids=[theme.name for theme in THEMES])


@each_theme
@pytest.mark.parametrize("letter", DIMENSIONS)
def test_each_dimension_reads_on_its_grounds(theme, letter):
    for ground in (theme.ground, theme.panel):
        assert palette.contrast(theme.dimension(letter), ground) >= 5


@each_theme
def test_words_and_marks_read(theme):
    for ground in (theme.ground, theme.panel):
        assert palette.contrast(theme.ink, ground) >= 12
        assert palette.contrast(theme.muted, ground) >= 5
        assert palette.contrast(theme.accent, ground) >= 3


@each_theme
def test_ink_on_a_ramp_always_reads(theme):
    for step in range(41):
        for ground in (theme.weight(step / 40), theme.sign(step / 20 - 1)):
            assert palette.contrast(theme.on(ground), ground) >= 3.5


def test_contrast_is_that_of_the_standard():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@each_theme
def test_dimensions_stand_apart(theme):
    assert min(palette.separation(theme, "normal").values()) >= 8
    # For dichromats some pairs come close, and no other pair may join them: the letter tells those apart.
    close = {"dark": {"BV", "CH", "TD", "DV"}, "light": {"BC", "TD", "BV", "DV", "CH"}}[theme.name]
    for vision in ("protanopia", "deuteranopia"):
        found = {pair for pair, apart in palette.separation(theme, vision).items() if apart < 8}
        assert found <= close


@each_theme
def test_weights_ramp_is_monotone_and_neutral(theme):
    colours = [theme.weight(step / 100) for step in range(101)]
    lights = [palette.luminance(colour) for colour in colours]
    assert lights == sorted(lights, reverse=theme is LIGHT)
    assert len(set(colours)) > 90
    assert all(max(palette.rgb(c)) - min(palette.rgb(c)) < 0.18 for c in colours)


@each_theme
def test_signed_ramp_is_monotone_on_both_sides_and_colour_blind_safe(theme):
    for sign in (1, -1):
        lights = [palette.luminance(theme.sign(sign * step / 100)) for step in range(101)]
        assert lights == sorted(lights, reverse=theme is LIGHT)
    for vision in palette.VISIONS:
        assert palette.difference(theme.sign(-1), theme.sign(1), vision) > 20
        assert palette.difference(theme.sign(-0.5), theme.sign(0.5), vision) > 12


@each_theme
def test_signed_ramp_is_no_dimension(theme):
    for value in (-1, -0.5, 0.5, 1):
        nearest = min(palette.difference(theme.sign(value), theme.dimension(d)) for d in DIMENSIONS)
        assert nearest > 8, value


def test_ramp_clips_and_mixes():
    assert palette.ramp(("#000000", "#ffffff"), 7.0) == "#ffffff"
    assert palette.ramp(("#000000", "#ffffff"), -7.0) == "#000000"
    assert palette.mix("#000000", "#ffffff", 0.5) == "#808080"


def test_css_holds_both_themes_and_every_dimension():
    css = palette.css()
    assert css.count("{") == css.count("}")
    for theme in (DARK, LIGHT):
        for letter in DIMENSIONS:
            assert f"--cutaway-dim-{letter}: {theme.dimension(letter)};" in css


@pytest.mark.parametrize("theme", palette.THEMES)
def test_matplotlib_takes_the_style(theme):
    with matplotlib.rc_context(palette.mpl_style(theme)):
        assert matplotlib.rcParams["text.color"] == BY_NAME[theme].ink
