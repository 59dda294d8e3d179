"""How fast a training is, by what it prints: seconds of a step, tokens a second, MFU, the number of steps."""

import json
import re
import statistics
from collections import deque
from typing import Any

NANOGPT = re.compile(r"\btime ([\d.]{1,20})ms(?:, mfu (-?[\d.]{1,20})%)?")
NANOCHAT = re.compile(r"dt: ([\d.]{1,20})ms(?: \| tok/sec: (\d[\d,]{0,19}))?(?: \| \w{0,9}mfu: ([\d.]{1,20}))?")
TOKENS = re.compile(r"tokens per iteration(?: will be)?: (\d[\d,]{0,19})")
STEPS = (
    re.compile(r"\bstep \d{1,15}/(\d{1,15}) \("),  # nanochat's lines
    re.compile(r"^\s*max_iters\s*=\s*(\d[\d_]{0,14})\b"),  # a config that nanoGPT prints
    re.compile(r"; (\d[\d,]{0,19}) steps of"),  # base_train
    re.compile(r"\bnumber of iterations.{0,60}: (\d[\d,]{0,19})\s*$"),  # nanochat's own
    re.compile(r"\| *\d{1,15}/(\d{1,15}) \["),  # a bar
)
OVERRIDDEN = re.compile(r"^Overriding: max_iters = (\d{1,15})\s*$")


class Speed:
    """What was said last. ``mfu`` is a share, 1 for all."""

    def __init__(self) -> None:
        self.seconds: deque[float] = deque(maxlen=50)  # of the last steps
        self.tokens_per_s: float | None = None
        self.mfu: float | None = None
        self.steps: int | None = None  # of the whole training
        self.one_more = False  # nanoGPT counts from 0 to max_iters, that included
        self.tokens: int | None = None  # of a step

    @property
    def step_seconds(self) -> float | None:
        """The median of the last steps: evaluations and checkpoints do not count."""
        return statistics.median(self.seconds) if self.seconds else None

    def take_line(self, line: str) -> None:
        """Take what a line says about speed."""
        if line[0] == "{":
            self.take_json(line)
            return
        line = line[:4000]
        if found := TOKENS.search(line):
            self.tokens = whole(found[1])
        if found := NANOCHAT.search(line):
            self.step(found[1])
            self.tokens_per_s = number(found[2], self.tokens_per_s)
            self.percent(found[3])
        elif found := NANOGPT.search(line):
            self.step(found[1])
            self.percent(found[2])
        for pattern in (*STEPS, OVERRIDDEN):
            if found := pattern.search(line):
                self.steps = whole(found[1]) or self.steps
                self.one_more = "max_iters" in found[0]
                return

    def take_json(self, line: str) -> None:
        """Take the fields of a line of JSON."""
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(fields, dict):
            self.take_values(fields)

    def take_values(self, values: dict[Any, Any]) -> None:
        """Take values by the names that nanochat and this book give them."""
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
                continue
            short = str(name).split("/")[-1]
            if short in ("tokens_per_s", "tok_per_sec", "tokens_per_second"):
                self.tokens_per_s = float(value)
            elif short == "mfu":
                self.mfu = float(value) if value <= 1 else value / 100
            elif short in ("step_seconds", "dt"):
                self.seconds.append(float(value))

    def step(self, milliseconds: str) -> None:
        """Take the time of a step."""
        if (value := number(milliseconds, None)) is not None:
            self.seconds.append(value / 1000)
            if self.tokens and value:
                self.tokens_per_s = self.tokens / (value / 1000)

    def percent(self, text: str | None) -> None:
        """Take a printed MFU; nanoGPT prints -100 before it knows."""
        value = number(text, None)
        if value is not None and value >= 0:
            self.mfu = value / 100


def number(text: str | None, otherwise: float | None) -> float | None:
    """A printed number, or what stands for none."""
    try:
        return float(text.replace(",", "")) if text else otherwise
    except ValueError:
        return otherwise


def whole(text: str) -> int:
    """A printed whole number."""
    return int(text.replace(",", "").replace("_", ""))
