"""The files of a new project, as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...source.find import Source, SourceError
from ...source.quotation import match
from .subject import Subject

REQUIREMENTS = "cutaway\nmyst-parser\n"
IGNORED = "_build/\n.cutaway/\n__pycache__/\n"
NOXFILE = '''"""``nox -s docs`` builds the pages into _build/html."""

import nox


@nox.session
def docs(session: nox.Session) -> None:
    session.install("-r", "requirements.txt")  # add what your package needs
    session.run("sphinx-build", "-W", "-n", "-j", "2", ".", "_build/html")
'''
HEAD = '''"""What is run and recorded: each run is made in a process of its own, once, until the code changes."""

from cutaway import Run
'''
DIAGRAM = re.compile(r"^What flows into what:\n\n:::\{diagram\}.*?^:::\n\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """Expressions: what builds the object (empty for a function), what it is called with, and which were guessed."""

    build: str
    arguments: str
    guessed: tuple[str, ...] = ()


def conf(package: str, source: str) -> str:
    return f'''project = "{package}, from the inside"

extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
exclude_patterns = ["_build", ".cutaway"]

# The package that is explained, and where its code is.
cutaway_sources = {{"{package}": ["{source}"]}}
'''


def to_add(package: str, source: str, is_markdown: bool, has_sources: bool) -> str:
    """The lines that an existing conf.py needs."""
    new = f'cutaway_sources = {{"{package}": ["{source}"]}}'
    entry = f'cutaway_sources["{package}"] = ["{source}"]' if has_sources else new
    lines = ['extensions += ["cutaway"]', entry]
    if is_markdown:
        lines.append('myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]')
    return "\n".join(f"    {line}" for line in lines)


def runs(found: Sequence[Subject], examples: Mapping[str, Example]) -> str:
    """The file that says what is run and recorded."""
    return "\n\n".join([HEAD, *(_run(subject, examples[subject.name]) for subject in found)])


def _run(subject: Subject, example: Example) -> str:
    said = f"{example.build} {example.arguments}"
    imports = [f"import {name}" for name in ("torch",) if "torch." in said]
    imports += ["import numpy as np"] if "np." in said else []
    called = re.findall(r"\b[A-Z]\w*(?=\()", said)
    others = sorted({subject.name, *(name for name in called if hasattr(subject.module, name))})
    imports += ["", f"from {subject.module.__name__} import {', '.join(others)}", ""]
    lines = ["torch.manual_seed(1)"] if "torch." in said or subject.is_torch else []
    if lines and "import torch" not in imports:
        imports.insert(0, "import torch")
    guess = "  # guessed, because it works: put in what you want to show" if example.guessed else ""
    if subject.method:
        lines.append(f"example = {example.build}")
    shown = "example" if subject.method else subject.name
    passed = f'record("forward"{", example" if subject.is_torch else ""})'
    lines += [f"with {passed}:", f"    result = {shown}({example.arguments}){guess}"]
    parameters = "n_params=sum(p.numel() for p in example.parameters())"
    lines.append(f"record.fact({parameters if subject.is_torch else 'returns=type(result).__name__'})")
    while not imports[0]:
        del imports[0]
    body = "\n".join(f"        {line}" if line else "" for line in [*imports, *lines]).replace("        \n", "\n")
    return f'''class {subject.name.title().replace("_", "")}Example(Run):
    """`{subject.name}`, called once."""

    name = "{subject.page}"
    sources = ("{subject.package}",)

    def trace(self, weights, record):
{body}
'''


def index(package: str, found: Sequence[Subject]) -> str:
    pages = "\n".join(subject.page for subject in found)
    return f"""# {package}, from the inside

Every shape, drawing and number here comes from a run of the code beside it.

```{{toctree}}
{pages}
```
"""


def page(subject: Subject, example: Example) -> str:
    """A page in MyST: the code with its shapes and a first note, its drawing, a fact."""
    quotation = first_quotation(subject)
    says = ": Say here what this line does. Another note quotes another line.\n"
    note = f"`{quotation}`{{#first}}\n{says}" if quotation else ""
    called = f"{example.build or subject.name}({example.arguments})"
    return f'''({subject.page})=
# {subject.name}

`{called}`: {_fact_of(subject, "{fact}`", "`")}.

:::{{listing}} {subject.dotted}
:run: {subject.page}
:name: {subject.page}-code

{note}:::

What flows into what:

:::{{diagram}} {subject.dotted}
:run: {subject.page}
:::

'''


def _fact_of(subject: Subject, begin: str, end: str) -> str:
    if subject.is_torch:
        return f"{begin}{subject.page}.n_params:,{end} parameters"
    return f"it returns a value of the type {begin}{subject.page}.returns{end}"


def rst_page(subject: Subject, example: Example) -> str:
    """The same in reStructuredText."""
    quotation = first_quotation(subject)
    note = f"   ``{quotation}`` {{#first}}\n      Say here what this line does.\n" if quotation else ""
    line = "=" * len(subject.name)
    return f'''.. _{subject.page}:

{subject.name}
{line}

{_fact_of(subject, ":fact:`", "`").capitalize() if not subject.is_torch else _fact_of(subject, ":fact:`", "`")}.

.. listing:: {subject.dotted}
   :run: {subject.page}
   :name: {subject.page}-code

{note}
.. diagram:: {subject.dotted}
   :run: {subject.page}
'''


def without_diagram(text: str) -> str:
    return DIAGRAM.sub("", text)


def first_quotation(subject: Subject) -> str:
    """The first line of a statement that occurs exactly once in the code; empty where none can be quoted."""
    obj = Source({subject.package: [Path(subject.folder)]}).find(subject.dotted)
    body = getattr(obj.node, "body", [])
    for statement in body:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        line = "" if is_text else obj.module.lines[statement.lineno - 1].strip()
        if line and len(line) < 80 and "`" not in line and not line.endswith((":", "(", "[", "{", ",")):
            try:
                match(obj, line)
            except SourceError:
                continue
            return line
    return ""
