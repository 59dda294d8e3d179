"""Plots in cells: one for each theme, in its colours, the same bytes each time, never without words."""

import re
from urllib.parse import unquote

import pytest

from cutaway.plots import plot
from cutaway.theme.palette import BY_NAME

PICTURE = re.compile(
    r'<img class="cutaway-plot-(\w+)" alt="([^"]*)" width="576" height="326" loading="lazy" '
    r'src="data:image/svg\+xml,([^"\s<>]*)">'
)


def line(axes):
    axes.plot([1, 2, 3], [3, 1, 2], label="loss")
    axes.set_xlabel("step")
    axes.legend()


def test_each_theme_has_its_picture_in_its_own_colours():
    pictures = PICTURE.findall(plot(line, "It falls & rises.")._repr_markdown_())
    assert {theme for theme, _, _ in pictures} == BY_NAME.keys()
    for theme, alt, data in pictures:
        svg = unquote(data)
        assert alt == "It falls &amp; rises."
        assert BY_NAME[theme].dimension("C") in svg
        assert BY_NAME[theme].muted in svg
        assert not any(BY_NAME[other].muted in svg for other in BY_NAME.keys() - {theme})


def test_a_plot_is_the_same_each_time():
    assert plot(line, "loss")._repr_markdown_() == plot(line, "loss")._repr_markdown_()


@pytest.mark.parametrize("alt", ["", " ", "two\nlines"])
def test_words_are_asked_for(alt):
    with pytest.raises(ValueError, match="say in words what the plot shows"):
        plot(line, alt)
