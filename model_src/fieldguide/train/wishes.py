"""What the reader wants to train: asked for where it was not said, at a terminal alone."""

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fieldguide.report import UsageProblem, escaped

MODELS = ("nanogpt", "nanochat", "ngpt")
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Size:
    """A model and its batches; ``rate`` is nanoGPT's highest learning rate for it."""

    layers: int
    heads: int
    width: int
    block: int
    batch: int
    accumulation: int
    rate: float
    told: str


SIZES = {  # those of nanoGPT's presets for a processor, for one GPU, and of GPT-2
    "tiny": Size(4, 4, 128, 64, 12, 1, 1e-3, "minutes on a processor"),
    "small": Size(6, 6, 384, 256, 64, 1, 1e-3, "minutes on a GPU, a day on a processor"),
    "medium": Size(12, 12, 768, 1024, 12, 40, 6e-4, "GPT-2's size: days on a GPU, and gigabytes of text"),
}


@dataclass(frozen=True)
class Wish:
    """All that has to be known."""

    model: str
    text: Path  # a text file, or a folder of tokens or shards
    size: str
    device: str
    minutes: float
    steps: int | None
    out: Path
    processes: int

    @property
    def sizes(self) -> Size:
        return SIZES[self.size]


def missing(options: argparse.Namespace) -> list[str]:
    """The options that are not said."""
    names = [name for name in ("model", "text", "size", "device") if getattr(options, name) is None]
    return names + (["minutes"] if options.minutes is None and options.steps is None else [])


def complete(options: argparse.Namespace, ask: Callable[[str], str] | None = None) -> Wish:
    """The wish: as said, as answered, or by default with --yes. UsageProblem where nobody can be asked."""
    away = missing(options)
    if away and not options.yes and not options.dry_run and ask is None:
        if not sys.stdin.isatty():
            names = ", ".join(f"--{name}" for name in away)
            raise UsageProblem(f"train: no terminal to ask for {names}: say them, or --yes for the defaults")
        ask = at_terminal
    asks = None if options.yes or options.dry_run else ask
    model = options.model or chosen("Which model", MODELS, "nanogpt", asks)
    text = options.text or text_of(asks)
    told = ", ".join(f"{name}: {size.told}" for name, size in SIZES.items())
    size = options.size or chosen(f"Which size ({told})", tuple(SIZES), "tiny", asks)
    device = options.device or chosen("Which device", DEVICES, "auto", asks)
    minutes = options.minutes
    if minutes is None:
        minutes = minutes_of(asks) if options.steps is None else 10.0
    out = options.out or Path("out") / f"{model}-{size}"
    wish = Wish(model, text, size, device, minutes, options.steps, out, options.processes)
    check(wish)
    return wish


def check(wish: Wish) -> None:
    """UsageProblem where something can't be meant."""
    if not 0 < wish.minutes < math.inf:
        raise UsageProblem(f"--minutes {wish.minutes}: a number above 0 is needed")
    if wish.steps is not None and wish.steps < 1:
        raise UsageProblem(f"--steps {wish.steps}: 1 is the least")
    if not 1 <= wish.processes <= 1024:
        raise UsageProblem(f"--processes {wish.processes}: 1 to 1,024")
    if not wish.text.exists():
        raise UsageProblem(f"--text {wish.text}: it is not there; name a text file, or a folder of tokens or shards")
    if wish.out.exists() and (not wish.out.is_dir() or any(wish.out.iterdir())):
        raise UsageProblem(f"--out {wish.out}: something is there already; name a new folder")


def at_terminal(question: str) -> str:
    """One answer."""
    try:
        return input(f"{question}: ")
    except EOFError as error:
        raise UsageProblem("train: no more answers: say the options, --help lists them") from error


def chosen(question: str, among: tuple[str, ...], default: str, ask: Callable[[str], str] | None) -> str:
    """One of some words, the default for an empty answer."""
    while ask is not None:
        answer = ask(f"{question}? {', '.join(among)} [{default}]").strip().lower()
        found = [word for word in among if answer and word.startswith(answer)]
        if not answer:
            break
        if len(found) == 1 or answer in found:
            return answer if answer in found else found[0]
        print(f"{escaped(answer)!r} is none of these")
    return default


def text_of(ask: Callable[[str], str] | None) -> Path:
    """The text, for which there is no default."""
    if ask is None:
        raise UsageProblem("train: --text is needed: a text file, or a folder of tokens or shards")
    while True:
        answer = ask("Which text? a file, or a folder of tokens or shards").strip()
        if answer and Path(answer).exists():
            return Path(answer)
        print(f"nothing is at {escaped(answer)!r}")


def minutes_of(ask: Callable[[str], str] | None) -> float:
    """How long it may take."""
    while ask is not None:
        answer = ask("How many minutes may it take? [10]").strip()
        try:
            if not answer or 0 < float(answer) < math.inf:
                return float(answer or 10)
        except ValueError:
            pass
        print(f"{escaped(answer)!r} is no number above 0")
    return 10.0
