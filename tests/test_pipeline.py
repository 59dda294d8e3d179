"""The table of handlers: in the order in which they are called, and the only place where any is connected."""

import re
from itertools import groupby
from pathlib import Path

from cutaway import pipeline

TOOL = Path(pipeline.__file__).parent
# The live server's handler is there only where there is something to end.
ELSEWHERE = ("pipeline.py", "dev/live/__init__.py")


def test_the_table_has_the_order_in_which_they_are_called() -> None:
    events = [event for event, _ in groupby(pipeline.HANDLERS, key=lambda handler: handler.event)]
    assert len(events) == len(set(events)), "the handlers of an event stand together"
    for event, rows in groupby(pipeline.HANDLERS, key=lambda handler: handler.event):
        priorities = [handler.priority for handler in rows]
        assert priorities == sorted(priorities), event


def test_no_handler_is_connected_elsewhere() -> None:
    texts = {path.relative_to(TOOL).as_posix(): path.read_text("utf-8") for path in TOOL.rglob("*.py")}
    places = [place for place, text in texts.items() if re.search(r"\bapp\.connect\(", text)]
    assert [place for place in places if not place.startswith(ELSEWHERE)] == []
