"""The assistant's calculator: reads an expression that a model wrote, whatever it wrote, and runs none of it.

    12/60                       0.2
    (1,000 + 1) * -2            -2002
    'strawberry'.count('r')     3
    2**3, len("a"), 1/0, 2+     None

A parser by recursive descent: one function for each line of the grammar, each takes what it reads off the front of
the tokens.

    sum      = product, then any number of: + product, - product
    product  = factor, then any number of: * factor, / factor, // factor
    factor   = any number of + and -, then: a number, a count, or a sum in parentheses

Values are Python's: ``/`` gives a float, the rest of two ints an int.
"""

import math
import operator
import re
from collections import deque

MAX_CHARACTERS = 1000  # bounds time and memory: no result has many more digits than its expression
MAX_DEPTH = 30         # parentheses in parentheses: bounds how deep functions call each other
END = ""
SUMS = {"+": operator.add, "-": operator.sub}
PRODUCTS = {"*": operator.mul, "/": operator.truediv, "//": operator.floordiv}

NUMBER = re.compile(r"[0-9][0-9,]*\.?[0-9]*|\.[0-9]+")
QUOTED = r"""('[^'\\\r\n]*'|"[^"\\\r\n]*")"""
COUNT = re.compile(rf"{QUOTED} *\. *count *\( *{QUOTED} *\)")
TOKEN = re.compile(rf"{NUMBER.pattern}|{COUNT.pattern}|//|[-+*/()]")


class NoExpression(Exception):
    """What was read follows no line of the grammar."""


def use_calculator(expression):
    """Text -> its value, an int or a float; None where it is no expression, or has no finite value."""
    if len(expression) > MAX_CHARACTERS:
        return None
    try:
        tokens = split(expression)
        value = read_sum(tokens)
    except (NoExpression, ArithmeticError):  # division by zero, an int that no float can hold
        return None
    if tokens[0] != END:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def split(expression):
    """'2*(3+4)' -> 2 * ( 3 + 4 ) END."""
    tokens = []
    rest = expression.strip(" ")
    while rest:
        match = TOKEN.match(rest)
        if match is None:
            raise NoExpression(rest)
        tokens.append(match.group())
        rest = rest[match.end():].lstrip(" ")
    return deque([*tokens, END])


def read_sum(tokens, depth=0):
    """Products, added and subtracted from left to right."""
    value = read_product(tokens, depth)
    while tokens[0] in SUMS:
        combine = SUMS[tokens.popleft()]
        value = combine(value, read_product(tokens, depth))
    return value


def read_product(tokens, depth):
    """Factors, multiplied and divided from left to right."""
    value = read_factor(tokens, depth)
    while tokens[0] in PRODUCTS:
        combine = PRODUCTS[tokens.popleft()]
        value = combine(value, read_factor(tokens, depth))
    return value


def read_factor(tokens, depth):
    """A number, a count, or a sum in parentheses, with its signs."""
    sign = 1
    while tokens[0] in SUMS:
        if tokens.popleft() == "-":
            sign = -sign
    token = tokens.popleft()
    if token == "(":
        return sign * read_parentheses(tokens, depth + 1)
    if NUMBER.match(token):
        return sign * number(token)
    count = COUNT.match(token)
    if count is None:
        raise NoExpression(token)
    text, part = count.groups()
    return sign * text[1:-1].count(part[1:-1])


def read_parentheses(tokens, depth):
    """A sum up to the parenthesis that closes it."""
    if depth > MAX_DEPTH:
        raise NoExpression(f"{depth} parentheses in each other")
    value = read_sum(tokens, depth)
    if tokens.popleft() != ")":
        raise NoExpression("a parenthesis stays open")
    return value


def number(token):
    """'1,000' -> 1000; '.5' -> 0.5."""
    digits = token.replace(",", "")
    return float(digits) if "." in digits else int(digits)
