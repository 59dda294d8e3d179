"""Fill a listing in when its page is written: the code as HTML, or as standard nodes for every other builder."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from . import shapes
from .build import build_of, trace_of, warn
from .domain import Step, cutaway_domain
from .listing import annotation, listing
from .names import PASS, Place, UnknownName, Wanted
from .source import SourceObject, Span
from .trace import Trace, TraceError
from .weaving.code import Quote, code_html
from .weaving.excerpt import Margin, activation, functions, margins, shown_lines, unused


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(listing)):
        if not node["found"]:
            node.replace_self(_without_code(node))
            continue
        obj = build_of(app.env).book.source.find(node["object"])
        beside, greyed = _recorded(app.env, node, obj)
        shown = shown_lines(obj, node["only"])
        if app.builder.format == "html":
            _as_html(app, docname, node, obj, beside, greyed, shown)
        else:
            node.replace_self(_as_nodes(node, obj, beside, shown))


def _without_code(node: listing) -> list[nodes.Node]:
    """What is left where there is no such object: its name and the notes, whose links stay alive."""
    notes = [child for child in node.children if isinstance(child, annotation)]
    others = [child for child in node.children if not isinstance(child, annotation)]
    name = nodes.paragraph("", "", nodes.literal("", node["object"]), ids=node["ids"])
    return [name, *others, *([_list(notes)] if notes else [])]


def _recorded(env: BuildEnvironment, node: listing, obj: SourceObject) -> tuple[dict[int, Margin], set[int]]:
    """The values beside each line and the lines not reached; nothing where no run is declared."""
    if not node["run"] and not build_of(env).outcomes:
        return {}, set()
    try:
        wanted = Wanted.read(node["run"])
        trace = trace_of(env, wanted.run)
        if wanted.pass_ and wanted.pass_ not in trace.passes:
            raise TraceError(f"the run '{trace.run}' has no pass '{wanted.pass_}'; it has {', '.join(trace.passes)}")
    except (UnknownName, TraceError) as error:
        warn(env, f"{error}; shown without shapes", node, "listing")
        return {}, set()
    beside, greyed = _of_functions(trace, obj, wanted.pass_ or PASS, wanted.module)
    return beside, set() if node["only"] else greyed  # an excerpt is chosen to be read


def _of_functions(
    trace: Trace, obj: SourceObject, pass_: str, module: str | None
) -> tuple[dict[int, Margin], set[int]]:
    beside: dict[int, Margin] = {}
    greyed: set[int] = set()
    for dotted, function in functions(obj):
        call = activation(trace, dotted, pass_, module)
        if call is not None:
            beside |= margins(trace, call)
            greyed |= unused(obj, trace, function, call)
    return beside, greyed


# HTML


def _as_html(
    app: Sphinx,
    docname: str,
    node: listing,
    obj: SourceObject,
    beside: dict[int, Margin],
    greyed: set[int],
    shown: set[int],
) -> None:
    notes = [child for child in node.children if isinstance(child, annotation)]
    for child in notes:
        _link(app, docname, node, child)
    quotes = [
        Quote(child["number"], Span(*child["span"]), child["href"], " ".join(child.astext().split()))
        for child in notes
        if child["span"] is not None and child["span"][0] in shown
    ]
    beside_html = {line: _margin_html(found) for line, found in beside.items()}
    node["code"] = code_html(
        _dedented(obj), obj.first_line, _dedent_quotes(obj, quotes), beside_html, greyed, shown
    )
    node["caption"] = f"{'/'.join(obj.module.name.split('.'))}.py"
    node["lines"] = f"{min(shown)}–{max(shown)}" if len(shown) > 1 else f"{min(shown)}"
    node["summary"] = _summary(obj)
    node["origin"] = build_of(app.env).book.origin(obj.path)


def _link(app: Sphinx, docname: str, node: listing, child: annotation) -> None:
    """Where the number in the code leads: to the note, and from a note that is no step to the step that is."""
    domain = cutaway_domain(app.env)
    owner: Step | None = None
    if not child["step"] and child["span"] is not None:
        owner = domain.owner(Place(node["object"], Span(*child["span"])))
    if not child["ids"]:
        child["ids"].append(f"note-{node.line}-{child['number']}")
    child["href"] = f"#{child['ids'][0]}"
    child["owner"] = ""
    if owner is not None:
        child["owner"] = app.builder.get_relative_uri(docname, owner.docname) + f"#{owner.id}"


def _margin_html(found: Margin) -> str:
    parts = []
    for names, value in found:
        shown = ", ".join(html.escape(name) for name in names)
        if value.type == "tensor":
            parts.append(f"<i>{shown}</i> {shapes.markup(value.shape or (), value.axes)}")
        elif value.type == "tuple":
            inner = [shapes.markup(v.shape or (), v.axes) for v in value.items if v.type == "tensor"]
            parts.append(f"<i>{shown}</i> {' '.join(inner)}")
        else:
            parts.append(f"<i>{shown}</i> {html.escape(shapes.summary(value))}")
    return " ".join(f"<span>{part}</span>" for part in parts)


def _indent(obj: SourceObject) -> int:
    lines = [line for line in obj.text.split("\n") if line.strip()]
    return min(len(line) - len(line.lstrip(" ")) for line in lines)


def _dedented(obj: SourceObject) -> str:
    indent = _indent(obj)
    return "\n".join(line[indent:] for line in obj.text.split("\n"))


def _dedent_quotes(obj: SourceObject, quotes: Sequence[Quote]) -> list[Quote]:
    indent = _indent(obj)
    return [
        Quote(
            q.number,
            Span(q.span.line, q.span.col - indent, q.span.end_line, q.span.end_col - indent),
            q.href,
            q.title,
        )
        for q in quotes
    ]


def _summary(obj: SourceObject) -> str:
    name = obj.dotted.removeprefix(obj.module.name + ".")
    return f"{name}, {obj.last_line - obj.first_line + 1} lines"


def visit_listing(self: Any, node: listing) -> None:
    self.body.append(self.starttag(node, "figure", "", CLASS="cutaway-listing"))
    caption = f"<code>{html.escape(node['caption'])}</code> <span>lines {node['lines']}</span>"
    caption += f" <span>{html.escape(node['origin'])}</span>" if node["origin"] else ""
    self.body.append(f'<figcaption class="cutaway-listing-caption">{caption}</figcaption>\n')
    if node["collapse"]:
        self.body.append(f"<details><summary><code>{html.escape(node['summary'])}</code></summary>\n")
    self.body.append('<div class="cutaway-listing-body">')
    code = f'<pre tabindex="0" aria-label="{html.escape(node["summary"])}">{node["code"]}</pre>'
    self.body.append(f'<div class="highlight-python notranslate"><div class="highlight">{code}</div></div>\n')
    if any(isinstance(child, annotation) for child in node.children):
        self.body.append('<ol class="cutaway-notes">\n')


def depart_listing(self: Any, node: listing) -> None:
    if any(isinstance(child, annotation) for child in node.children):
        self.body.append("</ol>")
    self.body.append("</div>" + ("</details>" if node["collapse"] else "") + "</figure>\n")


def visit_annotation(self: Any, node: annotation) -> None:
    broken = " cutaway-broken" if node["span"] is None else ""
    attributes = {"data-note": str(node["number"]), "value": str(node["number"])}
    self.body.append(self.starttag(node, "li", "", CLASS="cutaway-note" + broken, **attributes))
    back = f' href="{node["href"]}-code"' if not broken else ""
    number = f'<a class="cutaway-note-number"{back} aria-label="to the code">{node["number"]}</a>'
    quotation = f'<code class="cutaway-quotation">{html.escape(node["quotation"])}</code>'
    step = (
        f'<a class="headerlink" href="{node["href"]}" title="Link to this step">#</a>' if node["step"] else ""
    )
    owner = (
        f'<a class="cutaway-owner" href="{html.escape(node["owner"])}">explained here</a>'
        if node["owner"]
        else ""
    )
    self.body.append(f'<p class="cutaway-note-term">{number} {quotation} {owner}{step}</p>\n')


def depart_annotation(self: Any, node: annotation) -> None:
    self.body.append("</li>\n")


# Every other builder


def _as_nodes(
    node: listing, obj: SourceObject, beside: dict[int, Margin], shown: set[int]
) -> list[nodes.Node]:
    """A literal block with line numbers, call-outs and shapes as comments, then the notes."""
    notes = [child for child in node.children if isinstance(child, annotation)]
    rows = []
    for number, line in enumerate(_dedented(obj).split("\n"), obj.first_line):
        if number in shown:
            marks = "".join(
                f" ({n['number']})" for n in notes if n["span"] is not None and n["span"][2] == number
            )
            margin = "; ".join(
                f"{', '.join(names)} {shapes.summary(value)}" for names, value in beside.get(number, [])
            )
            comment = f"  #{marks}{' ' if margin else ''}{margin}" if marks or margin else ""
            rows.append(f"{number:4} {line}{comment}".rstrip())
    text = "\n".join(rows)
    name = "/".join(obj.module.name.split(".")) + f".py, {_summary(obj)}"
    block = nodes.literal_block(text, text, language="none")
    block["ids"] = node["ids"]
    others = [child for child in node.children if not isinstance(child, annotation)]
    return [
        nodes.paragraph("", "", nodes.emphasis("", name)),
        block,
        *others,
        *([_list(notes)] if notes else []),
    ]


def _list(notes: Sequence[annotation]) -> nodes.enumerated_list:
    result = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".")
    for child in notes:
        item = nodes.list_item(
            "", nodes.paragraph("", "", nodes.literal("", child["quotation"])), *child.children
        )
        item["ids"] = child["ids"]
        result += item
    return result


def setup(app: Sphinx) -> None:
    app.add_node(listing, html=(visit_listing, depart_listing))
    app.add_node(annotation, html=(visit_annotation, depart_annotation))
    app.connect("doctree-resolved", fill_in)
