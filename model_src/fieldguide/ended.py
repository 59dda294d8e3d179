"""The report of a tool that ran a command of the reader's: its exit code is the command's."""

from dataclasses import dataclass

from fieldguide.report import Report


@dataclass
class Ended(Report):
    """A report with the exit code that it is given."""

    code: int = 0

    @property
    def exit_code(self) -> int:
        """The command's own; 128 and the signal's number where a signal ended it, as shells say."""
        return self.code if self.code >= 0 else 128 - self.code


def duration(seconds: float) -> str:
    """A time as one says it: '45 s', '12 min', '3 h 20 min'."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60:,} h {minutes % 60} min"
