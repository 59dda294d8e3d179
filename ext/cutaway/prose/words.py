"""Numbers in words, computed: ``{fact}`mid.share:about``` gives "about a third".

``:about``     a share from 0 to 1 ("about a third", "nearly all", "about one in nine"), or a ratio above 1 ("about
               twice", "about 2.3 times", "a few thousand times")
``:words``     a whole number: "six"; above twelve digits, 1,234
``:ordinal``   "sixth"; above twelve digits, 13th

With a capital (``:About``) the first letter is one, too. What is said is true: for each phrase :func:`approximately`
gives the numbers that it stands for, and the number is one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
ORDINALS = (
    *("zeroth", "first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
NEAR = 0.05  # "about" allows so much of what it names
# Shares that have a name, from the smallest; those below are "one in N".
SHARES = (
    (1 / 6, "a sixth"),
    (1 / 5, "a fifth"),
    (1 / 4, "a quarter"),
    (1 / 3, "a third"),
    (2 / 5, "two fifths"),
    (1 / 2, "half"),
    (3 / 5, "three fifths"),
    (2 / 3, "two thirds"),
    (3 / 4, "three quarters"),
    (4 / 5, "four fifths"),
    (9 / 10, "nine tenths"),
)
NEARLY = 0.95  # "nearly all" begins here
RAREST = 10_000
# Ratios that have a name.
RATIOS = (
    (1.5, "one and a half times"),
    (2.0, "twice"),
    (2.5, "two and a half times"),
    (3.0, "three times"),
    (3.5, "three and a half times"),
    *((float(n), f"{SMALL[n]} times") for n in range(4, 13)),
    (100.0, "a hundred times"),
    (1000.0, "a thousand times"),
    (10_000.0, "ten thousand times"),
    (100_000.0, "a hundred thousand times"),
    (1_000_000.0, "a million times"),
)
# Ratios of which nobody wants the digits.
MANY = (
    (2500.0, 6500.0, "a few thousand times"),
    (20_000.0, 95_000.0, "tens of thousands of times"),
    (200_000.0, 950_000.0, "hundreds of thousands of times"),
    (2_000_000.0, math.inf, "millions of times"),
)


class Phrase(NamedTuple):
    """Words, and the numbers they stand for: from ``low`` to ``high``, both included."""

    text: str
    low: float
    high: float


def approximately(number: Any) -> Phrase:
    """A share or a ratio in words; ValueError for what is neither."""
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < math.inf:
        raise ValueError(f"{number!r} is no share and no ratio, so it has no words; give it a format such as :.2f")
    return _share(float(number)) if number <= 1 else _ratio(float(number))


def _share(share: float) -> Phrase:
    if share in (0, 1):
        return Phrase("all" if share else "none", share, share)
    if share >= NEARLY:
        return Phrase("nearly all", NEARLY, 1)
    if share < SHARES[0][0] * (1 - NEAR):
        return _one_in(share)
    for exact, name in SHARES:
        if abs(share - exact) <= NEAR * min(exact, 1 - exact):
            return Phrase(f"about {name}", exact - NEAR * min(exact, 1 - exact), exact + NEAR * min(exact, 1 - exact))
    ends = [*SHARES, (1.0, "all")]
    (low, less), (high, more) = next(pair for pair in pairwise(ends) if share < pair[1][0])
    if more == "all":
        return Phrase("more than nine tenths", low, 1)
    return Phrase(f"between {less} and {more}", low, high)


def _one_in(share: float) -> Phrase:
    if 1 / share > RAREST:
        return Phrase("fewer than one in ten thousand", 0, 1 / RAREST)
    of = round(1 / share) if 1 / share < 20 else _two_digits(1 / share)
    slack = 0.5 if of < 20 else _slack(of)
    return Phrase(f"about one in {SMALL[of] if of < len(SMALL) else f'{of:,}'}", 1 / (of + slack), 1 / (of - slack))


def _ratio(ratio: float) -> Phrase:
    for exact, name in RATIOS:
        if abs(ratio - exact) <= NEAR * exact:
            return Phrase(f"about {name}", exact * (1 - NEAR), exact * (1 + NEAR))
    for low, high, name in MANY:
        if low <= ratio < high:
            return Phrase(name, low, high)
    if ratio < 10:
        tenth = round(ratio, 1)
        return Phrase(f"about {tenth} times", tenth - 0.05, tenth + 0.05)
    digits = _two_digits(ratio)
    return Phrase(f"about {digits:,} times", digits - _slack(digits), digits + _slack(digits))


def _two_digits(number: float) -> int:
    return int(float(f"{number:.1e}"))


def _slack(number: int) -> float:
    """Half of the second digit's worth; above a power of ten, its upper neighbour's."""
    return 0.5 * 10.0 ** (math.floor(math.log10(number)) - 1)


def _approximately(number: Any) -> str:
    return approximately(number).text


def exactly(number: Any) -> str:
    whole = _whole(number)
    text = SMALL[abs(whole)] if abs(whole) < len(SMALL) else f"{abs(whole):,}"
    return f"minus {text}" if whole < 0 else text


def ordinal(number: Any) -> str:
    whole = _whole(number)
    if whole < 0:
        raise ValueError(f"{whole} counts nothing, so it has no ordinal")
    if whole < len(ORDINALS):
        return ORDINALS[whole]
    teen = 10 <= whole % 100 <= 20
    return f"{whole:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(whole % 10, 'th')}"


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number or abs(number) == math.inf:
        raise ValueError(f"{number!r} is no whole number")
    if number != int(number):
        raise ValueError(f"{number} is no whole number; give it a format such as :.2f")
    return int(number)


FORMS: dict[str, Callable[[Any], str]] = {"about": _approximately, "words": exactly, "ordinal": ordinal}


def in_words(value: Any, form: str) -> str | None:
    """A value in words, if the format asks for words; ValueError where there are none for it."""
    if form.lower() not in FORMS or form[1:] != form[1:].lower():
        return None
    text = FORMS[form.lower()](value)
    return text[0].upper() + text[1:] if form[0].isupper() else text
