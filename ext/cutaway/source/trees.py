"""Source as a tree, one text at a time.

Where two threads of Python 3.11 parse at once, either may end with SystemError (python/cpython#106905, 2023).
"""

from __future__ import annotations

import ast
from threading import Lock

_parsing = Lock()


def parsed(text: str | bytes, name: str = "<unknown>") -> ast.Module:
    """What ``ast.parse`` gives. SyntaxError or ValueError where the text is no Python."""
    with _parsing:
        return ast.parse(text, name)
