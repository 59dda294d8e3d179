"""How a number is computed of its operands: in words, in a formula with the numbers, and operand by operand."""

from __future__ import annotations

from typing import Any

from .graph import Graph
from .terms import Term, Why
from .why import total

SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "remainder": "%", "floordiv": "//", "eq": "==",
    "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<", "bitwise_and": "&", "bitwise_or": "|",
}  # fmt: skip
WORDS = {
    "add": "{} plus {}", "sub": "{} minus {}", "mul": "{} times {}", "div": "{} divided by {}",
    "square": "the square of {}",
    "eq": "whether {} equals {}", "ne": "whether {} differs from {}", "ge": "whether {} is {} or more",
    "gt": "whether {} is more than {}", "le": "whether {} is {} or less", "lt": "whether {} is less than {}",
    "pow": "{} to the power of {}", "neg": "minus {}", "sqrt": "the root of {}", "exp": "e to the {}",
}  # fmt: skip
ROLES = {"own": "number", "row": "number", "id": "index"}  # what an operand is called, if not by its role


def shown(value: Any) -> str:
    """Four significant digits; whole numbers and truth as they are."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def said(graph: Graph, found: Why) -> str:
    """What was done, in words."""
    if found.kind in ("weight", "input", "constant", "unknown"):
        return _end(graph, found)
    says = {
        "product": _product, "softmax": _softmax, "norm": _norm, "mean": _mean, "mask": _mask, "pick": _pick,
        "function": _function,
    }  # fmt: skip
    return says[found.kind](found)


def formula(found: Why) -> str:
    """The operation with its numbers, and the result, computed from what is told; "" where words say it all."""
    result = shown(type(found.cell.value)(total(found)))
    return f"{_FORMULAS[found.kind](found)} = {result}" if found.kind in _FORMULAS else ""


def spelled(term: Term, found: Why | None) -> str:
    """One operand and what comes of it."""
    value, part = shown(term.cell.value), shown(term.part or 0.0)
    if term.by is not None:
        return f"{value} * {shown(term.by.value)} = {part}"
    if found and found.kind == "softmax":
        return f"exp({value} - {shown(found.numbers['max'])}) = {part}"
    if found and found.name == "cross_entropy_loss":
        return f"-log softmax of {value} = {part}"
    if found and found.name == "linalg_vector_norm":
        return f"{value} * {value} = {part}"
    return value if term.role in ("row", "term") and found else f"{ROLES.get(term.role, term.role)} {value}"


def _end(graph: Graph, found: Why) -> str:
    if found.kind == "weight":
        is_learned = graph.nodes[found.cell.node].digest in graph.learned
        return "a weight of the model, learned in training" if is_learned else "a constant of the model"
    if found.kind == "input":
        return _token(graph, found)
    if found.kind == "constant":
        return "a constant, given by its place alone"
    return f"made by {found.op}, of which nothing more is known here"


def _token(graph: Graph, found: Why) -> str:
    id, letters = int(found.cell.value), str(graph.reads.get("letters", ""))
    if id < 0:
        return f"{id} in the input: no token, nothing is asked here"
    return f"the token {id} of the input" + (f", the letter {letters[id]}" if id < len(letters) else "")


def _count(found: Why, *roles: str) -> int:
    return sum(term.role in roles for term in found.terms)


def _value(found: Why, role: str) -> str:
    term = found.term(role)
    return shown(term.cell.value if term else found.numbers[role])


def _product(found: Why) -> str:
    nothing = sum(term.part == 0 for term in found.terms)
    more = f"; {nothing} of them are 0" if nothing else ""
    return f"the sum of {_count(found, 'term')} products{' and a bias' if found.term('bias') else ''}{more}"


def _softmax(found: Why) -> str:
    hidden = sum(term.cell.value == float("-inf") for term in found.terms)
    more = f"; {hidden} of its {len(found.terms)} numbers are -inf and count nothing" if hidden else ""
    own, sum_ = found.term("own"), shown(found.numbers["sum"])
    above = shown(own.cell.value - found.numbers["max"]) if own else ""
    if found.name == "log_softmax":
        return f"{above}, the distance from the row's largest, minus the logarithm of {sum_}, the sum of the row{more}"
    return f"e to the {above}, divided by {sum_}, the sum of the row{more}"


def _norm(found: Why) -> str:
    kind = "its distance from the row's mean" if "mean" in found.numbers else "itself"
    gain, shift = ", times a gain" * bool(found.term("gain")), ", plus a shift" * bool(found.term("shift"))
    of = "deviation" if "mean" in found.numbers else "size"
    return f"{kind}, divided by the {of} of the row's {_count(found, 'row')} numbers{gain}{shift}"


def _mean(found: Why) -> str:
    count, terms = found.numbers["count"], len(found.terms)
    if found.name == "cross_entropy_loss":
        mean = f"the mean over {terms} positions" if count > 1 else f"the sum over {terms} positions"
        return f"{mean} of minus the logarithm of the right token's probability"
    if found.name == "linalg_vector_norm":
        return f"the root of the sum of the squares of {terms} numbers"
    return f"the sum of {terms} numbers" + (f", divided by {count}" if found.name == "mean" else "")


def _mask(found: Why) -> str:
    mask = found.term("mask")
    is_filled = mask is not None and bool(mask.cell.value) == bool(found.numbers["when"])
    return f"masked, so that {shown(found.cell.value)} stands there" if is_filled else "not masked: it stays as it was"


def _pick(found: Why) -> str:
    ids = [shown(term.cell.value) for term in found.terms if term.role == "id"]
    return f"picked from a table by {' and '.join(ids)}" if ids else "picked from a table"


def _operands(found: Why) -> list[str]:
    return [_value(found, role) for role in "abc" if found.term(role) or found.numbers.get(role) is not None]


def _function(found: Why) -> str:
    given = _operands(found)
    words = WORDS.get(found.name, f"{found.name} of {' and '.join(['{}'] * len(given))}")
    alpha = found.numbers.get("alpha", 1)
    return words.format(*given) + (f", which counts {alpha} times" if alpha != 1 else "")


def _called(found: Why) -> str:
    given, alpha = _operands(found), found.numbers.get("alpha", 1)
    if alpha != 1:
        given[1] = f"{given[1]} * {alpha}"
    return f" {SIGNS[found.name]} ".join(given) if found.name in SIGNS else f"{found.name}({', '.join(given)})"


def _power(found: Why) -> str:
    own, numbers = _value(found, "own"), found.numbers
    above = f"{own} - {shown(numbers['max'])}"
    if found.name == "log_softmax":
        return f"{above} - log({shown(numbers['sum'])})"
    return f"exp({above}) / {shown(numbers['sum'])}"


def _scaled(found: Why) -> str:
    numbers, own = found.numbers, _value(found, "own")
    above = f"({own} - {shown(numbers['mean'])})" if "mean" in numbers else own
    root = f"sqrt({shown(numbers.get('variance', numbers.get('square')))} + {numbers['eps']:.3g})"
    gain = f" * {_value(found, 'gain')}" if found.term("gain") else ""
    return f"{above} / {root}{gain}" + (f" + {_value(found, 'shift')}" if found.term("shift") else "")


def _summed(found: Why) -> str:
    if found.name == "linalg_vector_norm":
        return "sqrt(the sum of these)"
    return "the sum of these" + (f" / {found.numbers['count']}" if found.numbers.get("count", 1) > 1 else "")


_FORMULAS = {
    "function": _called, "softmax": _power, "norm": _scaled, "product": _summed, "mean": _summed,
}  # fmt: skip
