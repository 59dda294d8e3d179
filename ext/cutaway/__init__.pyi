# What type checkers see of the names that ``__getattr__`` imports when they are asked for.
from typing import Any

from sphinx.application import Sphinx

from .cells import load as load
from .cells import note as note
from .cells import table as table
from .clips.scene.scene import RecordedScene as RecordedScene
from .clips.scene.space import SpaceScene as SpaceScene
from .plots import plot as plot
from .plots.interactive import interactive as interactive
from .plots.series import Band as Band
from .plots.series import Level as Level
from .plots.series import Line as Line
from .plots.series import Points as Points
from .runs import Run as Run

__version__: str
PUBLIC: dict[str, str]

def setup(app: Sphinx) -> dict[str, Any]: ...
