"""A stylesheet without the rules that no page of the site can match.

A selector stays if every class, id and element that it requires occurs in a page, or as a word in a script, which may
set it later. What stands in ``:not()``, ``:is()`` and the like is not looked at, so when in doubt a rule stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise

import tinycss2
from tinycss2 import ast

_TAG = re.compile(r"<([a-zA-Z][\w-]*)")
_NAMES = re.compile(r"""\s(?:class|id)=(?:"([^"]*)"|'([^']*)')""")
_WORD = re.compile(r"[a-zA-Z][\w-]*")
_VARIABLE = re.compile(r"(?<![\w-])(--[a-zA-Z][\w-]*)\s*:[^;{}\"']*(?:;|(?=\}))")
_USED = re.compile(r"var\(\s*(--[a-zA-Z][\w-]*)")
_NESTED = {"media", "supports", "layer", "container"}
_EVERYWHERE = {"html", "head", "body", "root"}


def names_in_page(html: str) -> set[str]:
    """Elements, classes and ids of a page; an id that begins with a digit is none for CSS."""
    found = {tag.lower() for tag in _TAG.findall(html)}
    for double, single in _NAMES.findall(html):
        found.update((double or single).split())
    return found


def names_in_script(text: str) -> set[str]:
    """Every word of a script: any may be a class that it sets or an element that it makes."""
    return set(_WORD.findall(text))


def prune(css: str, names: Set[str]) -> str:
    """The rules of ``css`` that pages with these names can match, without comments."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return "\n".join(_kept(rules, names | _EVERYWHERE)) + "\n"


def without_unused_variables(css: str, scripts: str) -> str:
    """``css`` without custom properties that neither it nor a script reads; a script may put a name together."""
    starts = tuple(set(re.findall(r"--[a-zA-Z][\w-]*", scripts)))
    used = set(_USED.findall(css))

    def kept(found: re.Match[str]) -> str:
        return found[0] if found[1] in used or found[1].startswith(starts) else ""

    less = _VARIABLE.sub(kept, css)
    return css if less == css else without_unused_variables(less, scripts)  # what only they read


def _kept(rules: Iterable[ast.Node], names: Set[str]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, ast.AtRule) and rule.lower_at_keyword in _NESTED and rule.content is not None:
            inner = list(_kept(tinycss2.parse_blocks_contents(rule.content, True, True), names))
            if inner:
                head = f"@{rule.at_keyword} {tinycss2.serialize(rule.prelude).strip()}"
                yield head + "{" + "\n".join(inner) + "}"
        elif isinstance(rule, ast.QualifiedRule):
            selectors = [one for one in _selectors(rule.prelude) if _required(one) <= names]
            if selectors:
                written = ",".join(tinycss2.serialize(one).strip() for one in selectors)
                yield written + "{" + _body(rule.content) + "}"
        else:
            yield rule.serialize()


def _body(content: Iterable[ast.Node]) -> str:
    return tinycss2.serialize([part for part in content if part.type != "comment"]).strip()


def _selectors(prelude: Iterable[ast.Node]) -> Iterator[list[ast.Node]]:
    one: list[ast.Node] = []
    for part in prelude:
        if part == ",":
            yield one
            one = []
        elif part.type != "comment":
            one.append(part)
    yield one


def _required(selector: list[ast.Node]) -> set[str]:
    """The classes, ids and elements without which a selector matches nothing."""
    found: set[str] = set()
    for before, part in pairwise([None, *selector]):
        if part is None:
            continue
        if part.type == "hash" or (part.type == "ident" and before == "."):
            found.add(part.value)
        elif part.type == "ident" and before != ":":
            found.add(part.lower_value)
    return found
