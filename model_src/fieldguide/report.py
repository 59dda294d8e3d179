"""What a tool has found, as text for one screen or as JSON for a program."""

import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

LEVELS = ("good", "note", "warning", "error")
WIDEST = 120  # columns, however wide the terminal is


class UsageProblem(ValueError):
    """Input that can't be used: where, what was asked, what was found, what to do. The exit code is 2."""


@dataclass(frozen=True)
class Finding:
    """One sentence about the reader's training, and how it is known."""

    level: str  # one of LEVELS
    what: str  # one sentence: what was found and where
    evidence: str = ""  # the numbers or lines that show it
    advice: str = ""  # what to do next

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level={self.level!r} is not known: one of {', '.join(LEVELS)}")


@dataclass(frozen=True)
class Table:
    """Rows of text under their heads; numbers come formatted."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


@dataclass
class Report:
    """All that one tool says."""

    title: str
    findings: list[Finding] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)  # what --json prints besides findings and tables

    @property
    def exit_code(self) -> int:
        """1 if a finding is an error, else 0."""
        return int(any(finding.level == "error" for finding in self.findings))

    def as_json(self) -> str:
        """One JSON object; numbers that JSON lacks (NaN, infinities) become null."""
        whole = {
            "title": self.title,
            "exit_code": self.exit_code,
            "findings": [asdict(finding) for finding in self.findings],
            "tables": [asdict(table) for table in self.tables],
            **self.data,
        }
        return json.dumps(plain(whole), indent=2, allow_nan=False)

    def as_text(self, width: int | None = None) -> str:
        """The report for a terminal of so many columns; None asks the terminal."""
        columns = min(width or shutil.get_terminal_size().columns, WIDEST)
        parts = [escaped(self.title)]
        parts += [table_text(table) for table in self.tables]
        parts += ["\n".join(finding_text(finding, columns) for finding in self.findings)] if self.findings else []
        return "\n\n".join(parts)


def escaped(text: str) -> str:
    """The text with every character that a terminal might obey, or not show, written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def plain(value: Any) -> Any:
    """The value in what JSON has: NaN and infinities as None, tuples as lists, keys as text, else its text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def table_text(table: Table) -> str:
    """Columns as wide as their longest cell; those of numbers stand right."""
    rows = [[escaped(cell) for cell in row] for row in (table.heads, *table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.heads))]
    right = [all(starts_as_number(row[i]) for row in rows[1:]) for i in range(len(table.heads))]
    lines = [align(row, widths, right) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*([escaped(table.caption)] if table.caption else []), *("  " + line for line in lines)])


def align(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """One line of a table."""
    cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
    return "  ".join(cells).rstrip()


def starts_as_number(cell: str) -> bool:
    """Whether a cell is a number, with or without its unit, or empty."""
    return not cell or cell.lstrip("-+~$<>. ")[:1].isdigit() or cell in ("-", "yes", "no")


def finding_text(finding: Finding, columns: int) -> str:
    """The level, the sentence, then evidence and advice below it."""
    lines = wrapped(finding.what, f"{finding.level:<8} ", columns)
    lines += wrapped(finding.evidence, " " * 9, columns) if finding.evidence else []
    lines += wrapped(finding.advice, " " * 9 + "-> ", columns) if finding.advice else []
    return "\n".join(lines)


def wrapped(text: str, first: str, columns: int) -> list[str]:
    """Lines of at most so many columns, the first one after ``first``, the rest as far in."""
    lines: list[str] = []
    for line in str(text).split("\n"):
        indent = first if not lines else " " * len(first)
        given = textwrap.wrap(
            escaped(line), max(columns, 40), initial_indent=indent, subsequent_indent=" " * len(first),
            break_on_hyphens=False, replace_whitespace=False,
        )
        lines += given or [indent.rstrip()]
    return lines
