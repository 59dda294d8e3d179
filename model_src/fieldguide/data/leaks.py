"""Whether the validation part is in the training part: windows of the one are looked for in the other.

A training part of billions of tokens is not read through: stretches from all over it are. A window of it that lies
outside of them is found there as often as the text repeats itself; one of the validation part that is found more often
than that was copied, and the share that was copied is the difference over the share that was read.
"""

from dataclasses import dataclass

import numpy as np

from fieldguide.data import tokens as files
from fieldguide.data.tokens import Tokens
from fieldguide.lines import bar
from fieldguide.report import Finding

CHARS, PAIRS = 96, 48  # tokens of a window that is looked for: of characters, of byte pairs
ALIKE, SAME = 0.05, 0.5  # share of validation windows that may be in the training part: more is odd, is wrong
ERRORS = 3.0  # standard errors that an estimate is lowered by: chance alone must not look like a copy


@dataclass(frozen=True)
class Shares:
    """What was found, each of 1."""

    val_in_train: float
    train_repeated: float
    windows: int  # of the validation part
    of_train: int
    read: float  # of the training part's tokens


def count(train: Tokens, val: Tokens, window: int) -> Shares:
    """Look windows of both parts up in the training part, or in stretches of it."""
    starts = files.stretches(train.count)
    read = min(1.0, len(starts) * files.CHUNK / train.count) if len(starts) else 1.0
    of_val = files.sample(val.path, val.width, val.count, window)
    of_train = files.sample(train.path, train.width, train.count, window, starts)
    wanted = np.union1d(of_val, of_train)
    told, end = bar(int(train.count * train.width * read))
    counts = files.occurrences(wanted, train, window, told, starts)
    end()
    in_val, in_train = counts[np.searchsorted(wanted, of_val)], counts[np.searchsorted(wanted, of_train)]
    whole = not len(starts)
    shared = float((in_val > 0).mean()) if len(of_val) else 0.0
    repeated = float((in_train > (1 if whole else 0)).mean()) if len(of_train) else 0.0
    if not whole and len(of_val) and len(of_train):
        error = (shared * (1 - shared) / len(of_val) + repeated * (1 - repeated) / len(of_train)) ** 0.5
        shared = min(1.0, max(0.0, (shared - repeated - ERRORS * error) / read))
    return Shares(shared, repeated, len(of_val), len(of_train), read)


def look(train: Tokens, val: Tokens) -> tuple[list[Finding], dict[str, float]]:
    """How much of the validation part is in the training part, word for word, and how often the latter repeats."""
    window = CHARS if max(train.distinct, val.distinct) < 1000 else PAIRS
    found = count(train, val, window)
    facts = {"val_in_train": found.val_in_train, "train_repeated": found.train_repeated, "train_read": found.read}
    return [*judged(found, train, window)], facts


def judged(found: Shares, train: Tokens, window: int) -> list[Finding]:
    """The findings."""
    shared, repeated, said = found.val_in_train, found.train_repeated, []
    shown = f"{100 * shared:.1f} % of {found.windows:,} windows of {window} tokens from all over the validation part"
    if found.read < 1:
        shown = (f"at least {shown} (estimated: {int(found.read * train.count):,} of {train.count:,} tokens of the "
                 "training part were read, in stretches from all over it)")  # fmt: skip
    if (shared > ALIKE and shared > 2 * repeated) or shared > SAME:
        said.append(Finding(
            "error" if shared > SAME else "warning", "The validation part is in the training part",
            f"{shown} are there word for word; the training part repeats {100 * repeated:.1f} % of itself",
            "the split is leaked, and val_loss says nothing: cut the text first, then copy or shuffle; remove "
            "documents that are there twice",
        ))  # fmt: skip
    elif shared > ALIKE:
        what = f"The validation part shares phrases with the training part: {shown}"
        repeats = f"the training part repeats {100 * repeated:.1f} % of itself, so this text is so"
        said.append(Finding("note", what, repeats))
    elif found.windows:
        said.append(Finding("good", f"The parts are apart: {shown} are in the training part"))
    if repeated > 0.3:
        said.append(Finding(
            "warning" if repeated > 0.5 else "note",
            f"The training part repeats itself: {100 * repeated:.0f} % of its windows are there twice",
            f"or more often; {found.of_train:,} windows of {window} tokens",
            "remove what is there twice, or count its epochs as more",
        ))  # fmt: skip
    return said
