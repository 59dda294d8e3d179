"""Where a result first differs from the expected one, in words."""

from __future__ import annotations

from typing import Any

NUMERIC = "biuf"  # kinds of NumPy's types


def difference(got: Any, expected: Any, within: float) -> str:
    """What is wrong with a result, and where first; nothing where it is right.

    Numbers may differ by ``within`` times the largest number expected. Tensors, arrays, lists and numbers are compared
    by shape and then number by number; everything else must be equal.
    """
    if got is None and expected is not None:
        return "the function gave nothing back: it needs a return"
    want, have = _array(expected), _array(got)
    if want is None:
        return "" if _equal(got, expected) else _first_item(got, expected)
    if have is None:
        return f"the function gave {_kind(got)}, where {_asked(want)} is expected"
    if have.shape != want.shape:
        return f"the shape is {have.shape}, and should be {want.shape}"
    return _first_number(have, want, within)


def _array(value: Any) -> Any:
    """A value as an array of numbers; None where it is none."""
    import numpy as np

    if hasattr(value, "detach"):  # of torch
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in NUMERIC else None


def _first_number(have: Any, want: Any, within: float) -> str:
    import numpy as np

    have, want = have.astype(float), want.astype(float)
    finite = np.abs(want[np.isfinite(want)])
    allowed = within * (finite.max() if finite.size else 0.0)
    with np.errstate(invalid="ignore"):
        same = (have == want) | (np.abs(have - want) <= allowed) | (np.isnan(have) & np.isnan(want))
    if same.all():
        return ""
    index = tuple(int(i) for i in np.argwhere(~same)[0])
    where = f"at [{', '.join(map(str, index))}] " if index else ""
    count = f" ({(~same).sum():,} of {same.size:,} numbers differ)" if index else ""
    return f"{where}{_number(want[index])} is expected, and the function gave {_number(have[index])}{count}"


def _number(value: Any) -> str:
    real = float(value)
    return f"{real:,.0f}" if real.is_integer() and abs(real) < 1e15 else f"{real:.6g}"


def _first_item(got: Any, expected: Any) -> str:
    if isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        for index, (one, other) in enumerate(zip(got, expected, strict=False)):
            if not _equal(one, other):
                return f"at [{index}] {_shown(other)} is expected, and the function gave {_shown(one)}"
        return f"{len(expected)} items are expected, and the function gave {len(got)}"
    return f"{_shown(expected)} is expected, and the function gave {_shown(got)}"


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    try:
        return bool(one == other)
    except (TypeError, ValueError, RuntimeError):  # an array, where none is expected
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


def _asked(want: Any) -> str:
    return f"an array of shape {want.shape}" if want.shape else "a number"
