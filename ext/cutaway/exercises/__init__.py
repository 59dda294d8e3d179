"""Exercises that a reader answers and that are checked: an answer in the page, a function in a cell.

``directive`` has the page's side, ``:::{answer}``. In cells, and in the files of the folder ``exercises`` beside
conf.py, are the names below. Nothing of Sphinx is imported here: a kernel needs none.
"""

from .checking import Case as Case
from .checking import Exercise as Exercise
from .checking import ExerciseError as ExerciseError
from .checking import check as check
from .checking import mistake as mistake
