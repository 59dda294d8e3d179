"""One vector for each token, drawn as columns, and the first of its channels in numbers: shared by the chapters
before attention."""

from collections.abc import Sequence

import numpy as np
from manim import RIGHT, Text, VGroup

from scenes.kit import CELL, FOCUS_AT, GRID_AT, Cells, at

THIN = 14  # height of a channel where all of them are shown
LISTED = 12  # channels in numbers: as high as all of them together
UNDER = GRID_AT[1] + 48 * THIN + 40  # the line of the tensors' names


class Vectors:
    """Added to a Stage: (T, C) as thin cells with channels down, in the place of the residual stream."""

    def vectors(
        self,
        name: str,
        part: tuple[int | slice, ...] = (0,),
        left: float = GRID_AT[0],
        width: float = CELL,
        most: float | None = None,
    ) -> Cells:
        """The rows of ``self.value(name)[part]`` as columns, tagged."""
        cells = self.signed(self.value(name)[part].T, (left, GRID_AT[1]), (width, THIN), most)
        return self.tensor(cells, name, part, transposed=True)

    def called(self, name: str, cells: Cells) -> Text:
        """The tensor's name in the code, below it."""
        text = self.code(name, color=self.theme.muted)
        return text.move_to(at(cells.corner[0] + cells.columns * cells.size[0] / 2, UNDER))

    def listed(self, values: Sequence[float], right: float, digits: int = 3) -> VGroup:
        """The first channels of a vector as numbers below each other, ``right`` being their right edge."""
        numbers = (self.number(value, digits) for value in np.asarray(values)[:LISTED])
        return VGroup(
            *(
                number.move_to(at(right, FOCUS_AT[1] + (i + 0.5) * CELL), aligned_edge=RIGHT)
                for i, number in enumerate(numbers)
            )
        )

    def channels(self, right: float) -> VGroup:
        """The indices of the channels that are listed, under the letter of their axis."""
        rows = self.column(np.zeros(LISTED), right)
        labels = (
            self.code(str(i), color=self.theme.muted).move_to(row, aligned_edge=RIGHT) for i, row in enumerate(rows)
        )
        letter = self.letter("C").move_to(at(right, FOCUS_AT[1] - 36), aligned_edge=RIGHT)
        return VGroup(letter, *labels)

    def shown(self, cells: Cells, column: int) -> VGroup:
        """The cells of a column whose channels are listed."""
        return VGroup(*(cells.cell(i, column) for i in range(LISTED)))
