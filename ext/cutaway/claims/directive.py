"""A sentence with its condition: a false one is a warning.

What the author types::

    {claim}`Arithmetic was nearly perfect. <mid.after_arithmetic >= 0.9>`

    :::{claim} mid.after_arithmetic > 3 * mid.before_arithmetic
    After midtraining it is right in {fact}`mid.after_arithmetic:.0%` of the cases.
    :::

What appears: the sentence, or the body. Who points at it, or reaches it by keyboard, sees the condition with its
values. False is a warning ``cutaway.claim`` with all of them, so that ``-W`` fails. What a condition may hold is in
:mod:`cutaway.claims.syntax`, :mod:`cutaway.claims.functions` and :mod:`cutaway.trace.names`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from ..build import bounded, warn
from ..domain import cutaway_domain
from ..page_order import page_of
from ..prose.facts import fact
from ..settings import replaced_sources
from ..store import digest
from ..targets import plain
from .syntax import ConditionError, parse
from .verdicts import Verdict, claims_of, told, verdict

# The condition begins at the first "<" that has a blank before it and neither a blank nor "=" after it.
_SPLIT = re.compile(r"^(?P<sentence>.*?\S)\s+<(?P<condition>[^\s=].*)>$", re.DOTALL)


class claim(nodes.Inline, nodes.TextElement):
    """A sentence with a condition; attributes ``claim`` (its id) and, once judged, ``verdict``."""


class claim_block(nodes.General, nodes.Element):
    """The same of paragraphs."""


class ClaimRole(SphinxRole):
    """A sentence with its condition, ``Nearly all were right. <mid.share >= 0.9>``, which the build checks."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        parsed = _SPLIT.match(" ".join(self.text.split()))
        if parsed is None:
            message = f"'{self.text}' has no condition: write the sentence, then <RUN.FACT >= 0.9>"
            warn(self.env, message, self.get_location(), "claim")
            return [nodes.inline(self.rawtext, self.text)], []
        node = claim(self.rawtext)
        node.source, node.line = self.get_source_info()
        parser: Any = self.inliner
        children, messages = parser.parse(parsed["sentence"], self.lineno, parser, node)
        node += children
        return _declared(self, node, parsed["condition"]), messages


class ClaimDirective(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        bounded(self, "claim")
        node = claim_block()
        node.source, node.line = self.get_source_info()
        node += self.parse_content_to_nodes()
        if not node.children:
            warn(self.env, "a claim needs a body: the sentences that the condition is about", node, "claim")
            return []
        return _declared(self, node, " ".join(self.arguments[0].split()))


def _declared(typed: ClaimRole | ClaimDirective, node: claim | claim_block, condition: str) -> list[nodes.Node]:
    """The node, noted as the page's; what it holds alone, if its condition is none."""
    try:
        parse(condition)
    except ConditionError as error:
        warn(typed.env, f"<{condition}>: {error}", node, "claim")
        return list(node.children)
    docname = typed.env.current_document.docname
    sentence = _sentence(node)
    known = {use["id"] for page, use in cutaway_domain(typed.env).uses("claim") if page == docname}
    name = f"claim-{digest(sentence, condition)[:8]}"
    node["claim"] = next(id for n in range(1, 10_000) if (id := name if n == 1 else f"{name}-{n}") not in known)
    node["ids"].append(node["claim"])
    use = {"id": node["claim"], "sentence": sentence, "condition": condition}
    cutaway_domain(typed.env).note_use(docname, "claim", use)
    return [node]


def _sentence(node: nodes.Element) -> str:
    """What a claim says in plain words; facts, which are known later, are marked (verdicts.FACT)."""
    copy = node.deepcopy()
    for found in list(copy.findall(fact)):
        found.replace_self(nodes.Text(f"\x01{found['name']}\x02{found['format']}\x03"))
    return " ".join(plain(copy).split())


def judge(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn of what does not hold; leave the words alone where a page can show nothing more.

    Around another checkout the book tells of other runs: what is not true of them is listed at the end (verdicts.keep).
    """
    for node in [*doctree.findall(claim), *doctree.findall(claim_block)]:
        page = page_of(node, docname)
        use = next(use for use in claims_of(app.env)[page] if use["id"] == node["claim"])
        found = verdict(app.env, page, use)
        _warn_of(app, node, use["condition"], found)
        if app.builder.format != "html" or app.builder.name == "epub" or found.holds is None:
            node.replace_self(_words(node, app.builder.format == "html"))
        else:
            node["condition"], node["verdict"] = use["condition"], found


def _words(node: nodes.Element, addressed: bool) -> list[nodes.Node]:
    """The words of a claim, as any builder prints them; with its id, where links lead to it."""
    ids, node["ids"] = node["ids"], []
    if not addressed:
        return list(node.children)
    if isinstance(node, claim):
        return [nodes.inline("", "", *node.children, ids=ids)]
    return [nodes.target("", "", ids=ids), *node.children]


def _warn_of(app: Sphinx, node: nodes.Element, condition: str, found: Verdict) -> None:
    if found.holds is None and found.error:
        warn(app.env, f"“{found.sentence}” <{condition}>: {found.error}", node, "claim")
    elif found.holds is False and not replaced_sources():
        warn(app.env, f"false: “{found.sentence}” <{condition}>, where {told(found.values)}", node, "claim")
