"""A book full of what nobody would type by accident: every place where an author types, filled with every hostile text.

``write(folder)`` makes its pages, its source and its scenes, some of which are links out of their folders, to files
that hold :data:`SECRET`; :func:`leaks` says where a built site has markup or text that it must not have.
"""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
SECRET = "dragons-live-here"
MARKUP = '"><hacked onhack=1>'  # whoever lets it through makes an element that no page has
SCRIPT = "alert(1)"  # in prose, where quotes would become others
InHtml = Callable[[str], list[str]]
# Elements and attributes that only a hostile text can have made, as a browser sees them.
IN_HTML = """text => {
    const found = [];
    for (const element of new DOMParser().parseFromString(text, "text/html").querySelectorAll("*")) {
        if (element.localName.includes("hacked")) found.push(`element <${element.localName}>`);
        for (const {name, value} of element.attributes) {
            const place = name === "content" ? element.httpEquiv : ["href", "src", "action"].includes(name);
            if (name.startsWith("on")) found.push(`element with a handler ${name}=${value}`);
            if (place && /javascript:/i.test(value.replace(/[\\s\\x00-\\x1f]/g, ""))) found.push(`address ${value}`);
        }
    }
    return found;
}"""
BREAKING = [  # what ends the place that it stands in
    MARKUP, "'><hacked onhack='1'>", f"</pre></textarea></title></script><script>{SCRIPT}</script><hacked>",
    "--><hacked>", "]]><hacked>", "x' onhack='1", 'x" onhack="1', "&quot;&gt;&lt;hacked&gt;", "`<hacked>`",
    "[x](<hacked>)", "javascript:alert('hacked')", "[x](javascript:hacked())", "{hacked}`x`", "{{ hacked }}", "%s%n",
    "\\", "|hacked|_", r"\href{javascript:hacked()}{x}", r"\text{<hacked>}", "</math><hacked>",
    r"\unicode{x3c}", r"\def\a{\a\a}\a",
]  # fmt: skip
LEADING_OUT = [  # out of the folders that an author may quote from
    "../../secret/outside", "/etc/passwd", "..\\..\\secret", "mixer.../secret/outside", "mixer.outside.leak",
    "mixer.linked.outside.leak", "mixer..model.mix", "good..Good", "stolen.Stolen", "linked.stolen.Stolen", "mixer",
    "mixer./etc/passwd", "~/x", "file:///etc/passwd", "CON", ".", "..", "%2e%2e%2f", "mixer.model.mix/../..",
]  # fmt: skip
ODD = [
    "a\x00b", "\x1b[31mred\x07", "\u202eesrever\u202c", "zero\u200bwidth\u200d", "\ufeffmark", "a\u2028b\u2029c",
    "a\x0bb\x0cc\x85d",
    "\ufffe\uffff", "𝕏" * 80, "é" * 300, "x" * 5000, "a." * 3000, "(" * 3000, "[" * 3000, "-" * 3000, " " * 3000 + "->",
    "a -> " * 800,
    "9" * 5000, "mix.answer:999999999d", "mix.answer:.999999999f", "mix.answer:>99999999",
    "mix.answer:{}", "mix.answer:c",
    "mix/scores[0, 99999999999999999999]", f"mix/scores[{'9' * 5000}]", f"mix/scores[{'-' * 3000}1]",
    "mix/scores[]", "mix/scores[0,,0]",
    f"mix.forward@{'9' * 5000}/scores", "mix.forward/" + "a." * 2000 + "/x", "'" * 2001, '"""' * 500, "f'{" * 500,
    "a" * 3000 + "!", "",
    "scores = x @ weight ... ", " ... scores", "if", "\\" * 999, "#", "##" * 500, "a\tb",
]  # fmt: skip
TEXTS = [*BREAKING, *LEADING_OUT, *ODD]

# A place in which a text stands, by the page that holds it with every text. Prose is Markdown, which may hold HTML of
# the author's own; scripts in it are not run.
PLACES = {
    "listing-object": ":::{listing} TEXT\n:::",
    "listing-run": ":::{listing} mixer.model.mix\n:run: TEXT\n:::",
    "listing-collapse": ":::{listing} mixer.model.mix\n:collapse: TEXT\n:::",
    "listing-name": ":::{listing} mixer.model.mix\n:name: TEXT\n\n`scores = x @ weight`{#NUMBER}\n: Words.\n:::",
    "listing-only": ":::{listing} mixer.model.mix\n:only: TEXT\n:::",
    "note-code": ":::{listing} mixer.model.mix\n:name: code-NUMBER\n\n`TEXT`{#id}\n: Words.\n:::",
    "note-id": ":::{listing} mixer.model.mix\n:name: id-NUMBER\n\n`rows, _ = x.shape`{#TEXT}\n: Words.\n:::",
    "note-id-quoted": ':::{listing} mixer.model.mix\n:name: q-NUMBER\n\n`rows, _ = x.shape`{id="TEXT"}\n: Words.\n:::',
    "note-prose": ":::{listing} mixer.model.mix\n\n`total = 0.0`\n: TEXT\n:::",
    "listing-prose": ":::{listing} mixer.model.mix\nTEXT\n:::",
    "diagram-object": ":::{diagram} TEXT\n:::",
    "diagram-run": ":::{diagram} mixer.model.mix\n:run: TEXT\n:::",
    "diagram-name": ":::{diagram} mixer.model.mix\n:name: TEXT\n:::",
    "drawn-alt": "```{diagram}\n:alt: TEXT\n┌───┐\n│ a │\n└───┘\n```",
    "drawn-name": "```{diagram}\n:alt: words\n:name: TEXT\n┌───┐\n│ a │\n└───┘\n```",
    "drawn-body": "```````{diagram}\n:alt: words\n┌───┐ TEXT\n│ a │\n└───┘\n```````",
    "drawn-label": "```{diagram}\n:alt: words\n┌───┐\n│ a │\n└───┘\n\nTEXT -> index\n```",
    "drawn-target": "```{diagram}\n:alt: words\n┌───┐\n│ a │\n└───┘\n\na -> TEXT\n```",
    "clip-scene": ":::{clip} TEXT\n:alt: words\n:::",
    "clip-run": ":::{clip} good.Good\n:run: TEXT\n:alt: words\n:::",
    "clip-alt": ":::{clip} good.Good\n:alt: TEXT\n:::",
    "clip-name": ":::{clip} good.Good\n:name: TEXT\n:alt: words\n:::",
    "clip-download": ":::{clip} good.Good\n:download: TEXT\n:alt: words\n:::",
    "clip-prose": ":::{clip} good.Good\n:alt: words\n\nTEXT\n:::",
    "live-value": ":::{live} TEXT\n:alt: words\n:::",
    "live-show": ":::{live} mix.main\n:show: TEXT\n:alt: words\n:::",
    "live-matrix": ":::{live} mix/mix-scores\n:show: probe\n:matrix: TEXT\n:labels: a, b\n:alt: words\n:::",
    "live-labels": ":::{live} mix/mix-scores\n:show: probe\n:matrix: cell.probe\n:labels: TEXT\n:alt: words\n:::",
    "live-alt": ":::{live} mix/mix-scores\n:alt: TEXT\n:::",
    "live-name": ":::{live} mix/mix-scores\n:alt: words\n:name: TEXT\n:::",
    "live-prose": ":::{live} mix/mix-scores\n:alt: words\n\nTEXT\n:::",
    "walk-object": ":::{walk} TEXT\n:alt: words\n:::",
    "walk-run": ":::{walk} mixer.model.mix\n:run: TEXT\n:alt: words\n:::",
    "walk-alt": ":::{walk} mixer.model.mix\n:run: mix\n:alt: TEXT\n:::",
    "walk-name": ":::{walk} mixer.model.mix\n:run: mix\n:alt: words\n:name: TEXT\n:::",
    "walk-prose": ":::{walk} mixer.model.mix\n:run: mix\n:alt: words\n\nTEXT\n:::",
    "sequence-run": ":::{sequence}\n:run: TEXT\n:::",
    "reference-table": ":::{reference} TEXT\n:::",
    "sequence-body": ":::{sequence}\nTEXT\n:::",
    "maths": "A $TEXT$ b.",
    "maths-displayed": "```````{math}\nTEXT\n```````",
    "role-fact": "A {fact}`TEXT` b.",
    "role-fact-format": "A {fact}`mix.answer:TEXT` b.",
    "answer-expression": ":::{answer} TEXT\nWords.\n:::",
    "answer-within": ":::{answer} mix.answer\n:within: TEXT\n\nWords.\n:::",
    "answer-code": ":::{answer}\n:code: TEXT\n:::",
    "answer-mistake": ":::{answer} mix.answer\n\n`TEXT`\n: Hint.\n\nWords.\n:::",
    "answer-hint": ":::{answer} mix.answer\n\n`mix.answer + 1`\n: TEXT\n\nWords.\n:::",
    "answer-prose": ":::{answer} mix.answer\nTEXT\n:::",
    "claim-condition": ":::{claim} TEXT\nWords.\n:::",
    "claim-prose": ":::{claim} mix.answer == 42\nTEXT\n:::",
    "claim-text": ":::{claim} mix.answer != 'TEXT'\nWords.\n:::",
    "role-claim": "A {claim}`TEXT` b.",
    "role-claim-condition": "A {claim}`Words. <TEXT>` b.",
    "role-define": "Words, and {define}`TEXT` among them.",
    "role-claim-prose": "A {claim}`TEXT <mix.answer == 42>` b.",
    "role-dim": "A {dim}`TEXT` b.",
    "role-step": "A {step}`TEXT` b.",
    "role-step-title": "A {step}`TEXT <code-0-id>` b.",
    "section-title": "(title-NUMBER)=\n## `TEXT`",
    "section-label": "(TEXT)=\n## Words NUMBER",
}
PROSE = (
    *("answer-hint", "answer-prose", "note-prose", "listing-prose", "clip-prose"),
    *("live-prose", "walk-prose", "claim-prose", "role-claim-prose"),
)
FACTS = {f"odd{number}": text for number, text in enumerate(BREAKING)}  # what a run says, words of its own
CODE = "def odd(x):\n" + "".join(f"    x = {text!r}  # {text}\n" for text in BREAKING) + "    return x\n"
LEAK = f'def leak():\n    """{SECRET}"""\n    return 1\n'
SCENE = '''
from manim import Scene, Square


class Good(Scene):
    def construct(self):
        self.next_section('"><hacked onhack=1>')
        self.add_subcaption("--> <hacked> ]]> </script>", duration=1)
        self.add(Square())
        self.wait(1)
'''


def write(folder: Path) -> list[str]:
    """Write the book into a folder; its settings, as options of Sphinx."""
    secret, source, scenes, pages = (folder / name for name in ("secret", "mixer", "scenes", "pages"))
    shutil.copytree(ROOT / "tests/foreign/src/mixer", source)
    for made in (secret, scenes, pages):
        made.mkdir()
    (secret / "outside.py").write_text(LEAK, "utf-8")
    (secret / "stolen.py").write_text(f"from manim import Scene\nclass Stolen(Scene):\n    '''{SECRET}'''\n", "utf-8")
    (scenes / "good.py").write_text(SCENE, "utf-8")
    for link, target in ((source / "outside.py", "outside.py"), (scenes / "stolen.py", "stolen.py")):
        link.symlink_to(secret / target)
    for place in (source, scenes):
        (place / "linked").symlink_to(secret)
    names = [*PLACES, "large", "made"]
    for name, place in PLACES.items():
        texts = [text for text in TEXTS if not (name.startswith("role") and "`" in text)]  # a backtick ends a role
        parts = [place.replace("NUMBER", str(n)).replace("TEXT", text) for n, text in enumerate(texts)]
        (pages / f"{name}.md").write_text("\n\n".join([f"(page-{name})=\n# {name}", *parts]) + "\n", "utf-8")
    (pages / "large.md").write_text(large(), "utf-8")
    (pages / "made.md").write_text(made_of_code(), "utf-8")
    (source / f"{MARKUP.replace('/', '')}.py").write_text(CODE, "utf-8")
    (source / "odd.py").write_text(CODE, "utf-8")
    runs = (ROOT / "tests/foreign/runs.py").read_text("utf-8").replace("answer=42", f"answer=42, **{FACTS!r}")
    (folder / "runs.py").write_text(runs, "utf-8")
    toc = "\n".join(names)
    (pages / "index.md").write_text(f"# Hostile\n\n```{{toctree}}\n{toc}\n```\n", "utf-8")
    settings = {"sources.mixer": source, "runs": folder / "runs.py", "scenes": scenes, "permalinks": ""}
    settings |= {"draft": 1, "cards": 0}  # no scene is drawn, and no card: what they are made of has its own tests
    return [part for name, value in settings.items() for part in ("-D", f"cutaway_{name}={value}")]


def large() -> str:
    """Bodies of up to ten megabytes."""
    bodies = {
        ":::{listing} mixer.model.mix": "word " * 2_000_000,
        ":::{clip} good.Good\n:alt: words\n": "word " * 250_000,
        "```{diagram}\n:alt: words": "┌─" * 5_000_000,
        "```{diagram} ": "a -> b\n" * 100_000,
    }
    return "# Large\n\n" + "\n\n".join(f"{head}\n{body}\n{head[:3]}" for head, body in bodies.items()) + "\n"


def made_of_code() -> str:
    """What the source, a run and a scene say, which is hostile here."""
    facts = "\n".join(f"- {{fact}}`mix.{name}`" for name in FACTS)
    quoted = [text for text in BREAKING if "`" not in text]
    notes = "\n\n".join(f"`x = {text!r}`{{#id-{number}}}\n: Words." for number, text in enumerate(quoted))
    listing = f":::{{listing}} mixer.odd.odd\n:name: odd\n\n{notes}\n:::\n"
    drawn = ":::{diagram} mixer.odd.odd\n:::\n\n:::{claims}\n:::\n\n:::{definitions}\n:::\n"  # of all pages
    answers = "\n\n".join(f":::{{answer}} mix.{name}\nWords.\n:::" for name in FACTS)
    return f"# Made of code\n\n{facts}\n\n{answers}\n\n{listing}\n{drawn}"


# What a site must not have


def leaks(site: Path, in_html: InHtml) -> Iterator[str]:
    """Every file that holds the secret, or markup that an author typed where text belongs."""
    for path in sorted(site.rglob("*")):
        if not path.is_file() or {"_sources", "_static", "jupyter_execute"} & set(path.parts):
            continue
        data = path.read_bytes()
        if SECRET.encode() in data:
            yield f"{path}: the secret"
        prose = path.stem in PROSE
        for found in _of_file(path, data.decode("utf-8", "replace"), in_html):
            if not (prose and found.startswith("element")):
                yield f"{path}: {found}"


def _of_file(path: Path, text: str, in_html: InHtml) -> Iterator[str]:
    if path.suffix == ".html":
        yield from in_html(text)
        yield from allowed_scripts(text)
    elif path.suffix == ".md":
        yield from in_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    elif path.suffix in (".svg", ".xml"):
        yield from in_xml(text)
    elif path.suffix == ".json" or path.name == "objects.txt":
        json.loads(text)


def in_xml(text: str) -> Iterator[str]:
    for element in ElementTree.fromstring(text).iter():
        handlers = [name for name in element.attrib if name.startswith("on")]
        if handlers or "hacked" in element.tag or "script" in element.tag.lower():
            yield f"element <{element.tag}>"


def allowed_scripts(text: str) -> Iterator[str]:
    """That a page's policy allows what an author typed."""
    allowed = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    if policy is None:
        yield "no policy"
    elif allowed in policy[1] or "'unsafe-inline'" in policy[1].partition("script-src")[2].partition(";")[0]:
        yield "a policy that lets a typed script run"
