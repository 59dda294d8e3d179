"""Fill in a listing when its page is written: as HTML, or as standard nodes for other builders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of, warn
from ..clips.directive import clips_showing
from ..diagrams.lookup import boxes_showing
from ..domain import Step, cutaway_domain
from ..live.making import address as live_address
from ..live.making import scripts
from ..source.find import SourceObject, Span
from ..source_pages import address
from ..source_pages.code_html import Quote, code_html
from ..source_pages.coverage import file_name
from ..step_order import neighbours
from ..trace.names import PASS, Place, UnknownName, Wanted
from ..trace.reading import Trace, TraceError, Value
from . import html as listing_html
from .directive import annotation, listing
from .excerpt import (
    Margin,
    activation,
    dedented,
    functions,
    has_run,
    indent,
    listed,
    margins,
    shown_lines,
    unused,
)  # fmt: skip


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(listing)):
        if not node["file"]:
            node.replace_self(_without_code(node))
            continue
        obj = listed(build_of(app.env).book.source, node)
        beside, greyed = _recorded(app.env, node, obj)
        shown = shown_lines(obj, node["only"])
        if app.builder.format == "html":
            _as_html(app, docname, node, obj, beside, greyed, shown)
        else:
            node.replace_self(_as_nodes(node, obj, beside, greyed, shown))


def _without_code(node: listing) -> list[nodes.Node]:
    """What is left where there is no such object: its name and the notes, whose links stay alive."""
    notes = [child for child in node.children if isinstance(child, annotation)]
    others = [child for child in node.children if not isinstance(child, annotation)]
    name = nodes.paragraph("", "", nodes.literal("", node["object"]), ids=node["ids"])
    return [name, *others, *([_list(notes)] if notes else [])]


def _recorded(env: BuildEnvironment, node: listing, obj: SourceObject) -> tuple[dict[int, Margin], set[int]]:
    """The values beside each line and the lines not reached; nothing where no run is declared, or a script shown."""
    build = build_of(env)
    if not (node["run"] or build.outcomes) or not has_run(build.book.source, obj):
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
    blanks = indent(obj)
    quotes = [_quote(child, blanks) for child in notes if child["span"] is not None and child["span"][0] in shown]
    beside_html = {line: listing_html.margin(found, _addresses(app.env, node)) for line, found in beside.items()}
    node["code"] = code_html(dedented(obj), obj.first_line, quotes, beside_html, greyed, shown)
    node["caption"] = file_name(obj.module)
    node["source"] = address(app, docname, obj.module, min(shown))
    node["lines"] = f"{min(shown)}–{max(shown)}" if len(shown) > 1 else f"{min(shown)}"
    node["summary"] = _summary(obj)
    node["text"] = _as_text(notes, obj, beside, greyed, shown)
    node["origin"] = build_of(app.env).book.origin(obj.path)


def _addresses(env: BuildEnvironment, node: listing) -> Callable[[Value], str]:
    """What tells where a page computes a value that stands beside a line."""
    return partial(live_address, env, trace_of(env, Wanted.read(node["run"]).run))


def _quote(child: annotation, blanks: int) -> Quote:
    """A note's place in code that lost so many blanks at the left."""
    line, col, end_line, end_col = child["span"]
    span = Span(line, col - blanks, end_line, end_col - blanks)
    return Quote(child["number"], span, child["href"], " ".join(child.astext().split()), child["stands_for"])


def _link(app: Sphinx, docname: str, node: listing, child: annotation) -> None:
    """Where a note and its number in the code lead, and what it stands for.

    That is its step, or the step that owns its place; a note about a place that nobody owns stands for itself.
    """
    owner: Step | None = None
    source = build_of(app.env).book.source
    if not child["step"] and child["span"] is not None and has_run(source, listed(source, node)):
        owner = cutaway_domain(app.env).owner(Place(node["object"], Span(*child["span"])))
    if not child["ids"]:
        child["ids"].append(f"note-{node.line}-{child['number']}")
    child["href"] = f"#{child['ids'][0]}"
    child["stands_for"] = owner.id if owner else child["ids"][0]
    child["owner"] = _address(app, docname, owner.docname, owner.id) if owner else ""
    child["elsewhere"] = _elsewhere(app, docname, child["step"]) if child["step"] else []
    child["ways"] = _ways(app, docname, child["step"]) if child["step"] else []


def _elsewhere(app: Sphinx, docname: str, step: str) -> list[tuple[str, str]]:
    """Where else a step is seen, in words and as an address: its box, its clips (those of this page first), a walk."""
    if app.builder.name == "epub":
        return []  # drawings and clips are plain text and pictures there
    boxes, clips = boxes_showing(app.env, step), clips_showing(app.env, step)
    boxes = [box for box in boxes if box[0] == docname] or boxes
    clips = [clip for clip in clips if clip[0] == docname] or clips
    links = [("diagram", page, id) for page, id in boxes[:1]]
    links += [("clip" if len(clips) == 1 else f"clip: {title}", page, id) for page, id, title in clips]
    walk = scripts(app.env).walks.get(step)
    links += [("in 3D", walk, f"walk={step}")] if walk else []
    return [(words, _address(app, docname, page, id)) for words, page, id in links]


def _ways(app: Sphinx, docname: str, step: str) -> list[tuple[str, str, str]]:
    """To the step before and the step after, in the order in which they run: what it is, its code, its address."""
    found = zip(("prev", "next"), neighbours(app.env).get(step, (None, None)), strict=True)
    return [(rel, one.quotation, _address(app, docname, one.docname, one.id)) for rel, one in found if one is not None]


def _address(app: Sphinx, docname: str, page: str, id: str) -> str:
    return f"{app.builder.get_relative_uri(docname, page)}#{id}"


def _summary(obj: SourceObject) -> str:
    name = obj.dotted.removeprefix(obj.module.name + ".")
    return f"{name}, {obj.last_line - obj.first_line + 1} lines"


# Every other builder


def _as_nodes(
    node: listing, obj: SourceObject, beside: dict[int, Margin], greyed: set[int], shown: set[int]
) -> list[nodes.Node]:
    """A literal block with line numbers, call-outs and shapes as comments, then the notes."""
    notes = [child for child in node.children if isinstance(child, annotation)]
    text = _as_text(notes, obj, beside, greyed, shown)
    name = f"{file_name(obj.module)}, {_summary(obj)}"
    block = nodes.literal_block(text, text, language="none")
    block["ids"] = node["ids"]
    others = [child for child in node.children if not isinstance(child, annotation)]
    return [
        nodes.paragraph("", "", nodes.emphasis("", name)),
        block,
        *others,
        *([_list(notes)] if notes else []),
    ]


def _as_text(
    notes: Sequence[annotation], obj: SourceObject, beside: dict[int, Margin], greyed: set[int], shown: set[int]
) -> str:
    """The lines with their numbers; as a comment behind each its call-outs, its shapes, and that it did not run."""
    rows = []
    for number, line in enumerate(dedented(obj).split("\n"), obj.first_line):
        if number in shown:
            marks = "".join(
                f" ({n['number']})" for n in notes if n["span"] is not None and n["span"][2] == number
            )
            margin = "; ".join(
                f"{', '.join(found.names)} {found.text} {found.times}".rstrip() for found in beside.get(number, [])
            )
            idle = "not run" if number in greyed and line.strip() else ""
            said = " ".join(filter(None, [marks.strip(), margin, idle]))
            comment = f"  # {said}" if said else ""
            rows.append(f"{number:4} {line}{comment}".rstrip())
    return "\n".join(rows)


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
    app.add_node(listing, html=(listing_html.visit, listing_html.depart))
    app.add_node(annotation, html=(listing_html.visit_note, listing_html.depart_note))
