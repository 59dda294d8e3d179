"""The palette: legible on its ground, honest about colours that an eye may confuse, ramps rising one way."""

import matplotlib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cutaway.theme import paints, palette
from cutaway.theme.palette import BY_NAME, DARK, DIMENSIONS, LIGHT
from tests import vision

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
        assert min(palette.contrast(getattr(theme, hue), ground) for hue in ("blue", "green", "red", "yellow")) >= 5


RAMPS = {"weight": [t.weight for t in THEMES], "signed": [lambda v, t=t: t.sign(2 * v - 1) for t in THEMES]}


@pytest.mark.parametrize("ramp", RAMPS)
@given(value=st.floats(0, 1))
@example(value=1 / 3)
@example(value=0.75)
def test_one_ink_on_a_ramp_reads_in_both_themes(ramp, value):
    """A recording is made in the dark theme: what it prints on a cell must read in the light one as well."""
    grounds = [paint(value) for paint in RAMPS[ramp]]
    ink = "ink" if DARK.on(grounds[0]) == DARK.ink else "ground"
    worst = min(palette.contrast(getattr(t, ink), g) for t, g in zip(THEMES, grounds, strict=True))
    other = {"ink": "ground", "ground": "ink"}[ink]
    missed = min(palette.contrast(getattr(t, other), g) for t, g in zip(THEMES, grounds, strict=True))
    assert worst >= 3.5
    assert worst >= missed - 0.1  # eight bits a channel are not enough to tell a tie
    assert LIGHT.on(grounds[1]) == getattr(LIGHT, ink) or abs(worst - missed) < 0.1


@each_theme
def test_ink_on_a_colour_of_its_own_is_the_better_in_this_theme(theme):
    assert palette.contrast(theme.on("#00ff00"), "#00ff00") >= 8
    assert palette.contrast(theme.on("#500000"), "#500000") >= 8


def test_contrast_is_that_of_the_standard():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@each_theme
def test_dimensions_stand_apart(theme):
    assert min(vision.separation(theme, "normal").values()) >= 8
    # For dichromats some pairs come close, and no other pair may join them: the letter tells those apart.
    close = {"dark": {"BV", "CH", "TD", "DV"}, "light": {"BC", "TD", "BV", "DV", "CH"}}[theme.name]
    for eyes in ("protanopia", "deuteranopia"):
        found = {pair for pair, apart in vision.separation(theme, eyes).items() if apart < 8}
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
    for eyes in vision.VISIONS:
        assert vision.difference(theme.sign(-1), theme.sign(1), eyes) > 20
        assert vision.difference(theme.sign(-0.5), theme.sign(0.5), eyes) > 12


@each_theme
def test_signed_ramp_is_no_dimension(theme):
    for value in (-1, -0.5, 0.5, 1):
        nearest = min(vision.difference(theme.sign(value), theme.dimension(d)) for d in DIMENSIONS)
        assert nearest > 8, value


def test_ramp_clips_and_mixes():
    assert palette.ramp(("#000000", "#ffffff"), 7.0) == "#ffffff"
    assert palette.ramp(("#000000", "#ffffff"), -7.0) == "#000000"
    assert palette.mix("#000000", "#ffffff", 0.5) == "#808080"


# Places: what a recording's colours are called


def off(one, other):
    return max(round(255 * abs(a - b)) for a, b in zip(palette.rgb(one), palette.rgb(other), strict=True))


def test_each_entry_has_its_own_colour_and_name():
    entries = paints.entries(DARK)
    assert len(set(entries.values())) == len(entries) == len(paints.entries(LIGHT))
    assert {name: paints.find(palette.rgb(colour), DARK) for name, colour in entries.items()} == {
        name: name for name in entries
    }
    assert list(entries) == list(paints.entries(LIGHT))


STOPS = {"weight": len(DARK.weights), "signed": len(DARK.signed)}


@pytest.mark.parametrize("theme, other", [(DARK, LIGHT), (LIGHT, DARK)], ids=["dark", "light"])
@given(ramp=st.sampled_from(sorted(STOPS)), place=st.floats(0, 1), exact=st.booleans())
def test_a_colour_of_a_ramp_is_found_again_and_so_is_its_twin(theme, other, ramp, place, exact):
    stop, weight = divmod(place * (STOPS[ramp] - 1), 1)
    stop = min(int(stop), STOPS[ramp] - 2)
    pair = f"{ramp}-{stop}", f"{ramp}-{stop + 1}"
    one, end = (paints.entries(theme)[name] for name in pair)
    mixed = [a + (b - a) * weight for a, b in zip(palette.rgb(one), palette.rgb(end), strict=True)]
    found = paints.find(mixed if exact else palette.rgb(palette.hexadecimal(mixed)), theme)
    assert off(paints.colour(found, theme), palette.hexadecimal(mixed)) <= 1
    assert off(paints.colour(found, other), paints.colour((*pair, weight), other)) <= 3


@given(pair=st.lists(st.sampled_from(sorted(paints.entries(DARK))), min_size=2, max_size=2), weight=st.floats(0, 1))
def test_a_mix_of_any_two_entries_has_a_place(pair, weight):
    mixed = paints.colour((*pair, weight), DARK)
    assert off(paints.colour(paints.find(palette.rgb(mixed), DARK), DARK), mixed) <= 1


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_a_place_is_never_another_colour(color):
    found = paints.find(color, DARK)
    if found is None:
        entries = [palette.rgb(entry) for entry in paints.entries(DARK).values()]
        nearest = min(max(abs(a - b) for a, b in zip(color, entry, strict=True)) for entry in entries)
        assert nearest > 0.7 / 255
    else:
        assert off(paints.colour(found, DARK), palette.hexadecimal(color)) <= 2


def test_colours_of_no_theme_have_no_place():
    for colour in ("#00ff00", "#ff0000", "#000000", "#ffffff"):
        assert paints.find(palette.rgb(colour), DARK) is None


def test_css_holds_both_themes_and_every_dimension():
    css = palette.css()
    assert css.count("{") == css.count("}")
    for theme in (DARK, LIGHT):
        for letter in DIMENSIONS:
            assert f"--cutaway-dim-{letter}: {theme.dimension(letter)};" in css
        assert f"--cutaway-weight-4: {theme.weights[4]};" in css
        assert f"--cutaway-signed-0: {theme.signed[0]};" in css


@pytest.mark.parametrize("theme", palette.THEMES)
def test_matplotlib_takes_the_style(theme):
    with matplotlib.rc_context(palette.mpl_style(theme)):
        assert matplotlib.rcParams["text.color"] == BY_NAME[theme].ink
