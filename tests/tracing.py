"""Read a drawing back from its characters alone: which box's lines lead to which boxes.

Knows nothing of how drawings are made, so that tests can compare what a reader would see with what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
BACK = {"up": "down", "down": "up", "left": "right", "right": "left"}
ARMS = {
    "│": {"up", "down"}, "─": {"left", "right"}, "▼": {"up"}, "▽": {"up"}, "┊": {"up", "down"}, "┈": {"left", "right"},
    "┌": {"down", "right"}, "┐": {"down", "left"}, "└": {"up", "right"}, "┘": {"up", "left"},
    "├": {"up", "down", "right"}, "┤": {"up", "down", "left"},
    "┬": {"down", "left", "right"}, "┴": {"up", "left", "right"}, "┼": {"up", "down", "left", "right"},
}  # fmt: skip


@dataclass
class Seen:
    """A box as a reader sees it."""

    row: int
    column: int
    bottom: int
    right: int
    words: list[str]
    leads_to: list[tuple[str, frozenset[int]]] = field(default_factory=list)  # for each line out: its name, its goals


class Unreadable(AssertionError):
    pass


def read(lines: tuple[str, ...] | list[str]) -> list[Seen]:
    """The boxes of a drawing with where their lines lead. Raises Unreadable where a line leads nowhere."""
    width = max(map(len, lines))
    grid = [line.ljust(width) for line in lines]
    boxes = [box for row in range(len(grid)) for column in range(width) if (box := _box(grid, row, column))]
    inside: dict[tuple[int, int], int] = {}
    for number, box in enumerate(boxes):
        for row in range(box.row, box.bottom + 1):
            for column in range(box.column, box.right + 1):
                if (row, column) in inside:
                    raise Unreadable(f"two boxes overlap at row {row}, column {column}")
                inside[row, column] = number
    visits: dict[tuple[int, int], set[tuple[tuple[int, int], bool]]] = {}
    for box in boxes:
        for column in range(box.column, box.right + 1):
            if grid[box.bottom][column] == "┬":
                goals = _follow(grid, inside, (box.bottom, column), visits)
                name = _name(grid, box.bottom + 1, column)
                box.leads_to.append((name, frozenset(goals)))
    _check_all_visited(grid, inside, visits)
    return boxes


def _box(grid: list[str], row: int, column: int) -> Seen | None:
    if grid[row][column] != "┌":
        return None
    right = column + 1
    while right < len(grid[row]) and grid[row][right] == "─":
        right += 1
    if right == len(grid[row]) or grid[row][right] != "┐" or right == column + 1:
        return None
    bottom = row + 1
    while bottom < len(grid) and grid[bottom][column] == "│" and grid[bottom][right] == "│":
        bottom += 1
    if bottom == len(grid) or grid[bottom][column] != "└" or grid[bottom][right] != "┘":
        raise Unreadable(f"the box at row {row}, column {column} is not closed")
    if set(grid[bottom][column + 1 : right]) - {"─", "┬"}:
        raise Unreadable(f"something runs into the box at row {row}, column {column} from below")
    words = [grid[at][column + 1 : right].strip() for at in range(row + 1, bottom)]
    return Seen(row, column, bottom, right, words)


def _name(grid: list[str], row: int, column: int) -> str:
    rest = grid[row][column + 1 :] if row < len(grid) else ""
    return rest.split()[0] if rest[:1] == " " and rest[1:2].isalnum() else ""


def _follow(grid, inside, port, visits):  # type: ignore[no-untyped-def]
    """The boxes that a line reaches, going every way at a branch and straight on at a crossing."""
    goals = set()
    pending = [((port[0] + 1, port[1]), "down")]
    while pending:
        (row, column), heading = pending.pop()
        if not (0 <= row < len(grid) and 0 <= column < len(grid[row])):
            raise Unreadable(f"a line leaves the drawing at row {row}, column {column}")
        character = grid[row][column]
        if (row, column) in inside or BACK[heading] not in ARMS.get(character, ()):
            raise Unreadable(f"a line ends at {character!r}, row {row}, column {column}")
        lying = heading in ("left", "right") if character == "┼" else False
        seen = visits.setdefault((row, column), set())
        if (port, lying) in seen:
            continue
        seen.add((port, lying))
        if character in "▼▽":
            below = inside.get((row + 1, column))
            if below is None or inside.get((row, column)) is not None:
                raise Unreadable(f"the arrow at row {row}, column {column} points at no box")
            goals.add(below)
            continue
        ways = {heading} if character == "┼" else ARMS[character] - {BACK[heading]}
        pending += [((row + STEPS[way][0], column + STEPS[way][1]), way) for way in ways]
    return goals


def _check_all_visited(grid, inside, visits):  # type: ignore[no-untyped-def]
    for row, line in enumerate(grid):
        for column, character in enumerate(line):
            if character in ARMS and (row, column) not in inside:
                seen = visits.get((row, column), set())
                wanted = 2 if character == "┼" else 1
                if len({port for port, _ in seen}) != wanted or len(seen) != wanted:
                    raise Unreadable(f"{character!r} at row {row}, column {column} belongs to {len(seen)} lines")
