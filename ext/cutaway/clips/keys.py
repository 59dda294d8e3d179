"""What a clip is made of, and the keys that follow from it. Pure: nothing is imported or executed.

Two steps, as ccache does it. The *source key* covers what is known before a scene runs: its class and all it
uses of its file, the repository's modules that it imports, size and rate, palette, fonts, versions. Below
that key lie *readings*: which recorded values the scene read when it ran, with their digests. Values that
still have those digests make the *artifact key* of a clip that is there already. Each reading is a file named by its
content, so that stores are joined by copying.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..digests import digest, version
from ..made_with import completed
from ..settings import Book
from ..source.find import Module, Source, SourceError
from ..source.imports import closure, without_docstrings
from ..source.own import own_code, own_names
from ..store import Store
from ..theme import dimensions
from ..theme.fonts import fonts_digest
from ..trace.names import Names
from .readings import unchanged

KIND: Final = "clip"
READS = "reads"
PACKAGES = ("manim", "pycairo", "manimpango", "av", "typst", "pillow", "numpy")
DRAWING = "cutaway.clips.scene.run"  # what a scene's process does; what is around it, the worker, decides no pixel


class SceneSource(NamedTuple):
    """Where a scene stands: its file, the module's dotted name, the class."""

    module: Module
    node: ast.ClassDef

    @property
    def path(self) -> Path:
        return self.module.path


def find_scene(book: Book, dotted: str) -> SceneSource:
    """The class of ``attention.CausalMask`` in the scenes' folder; SourceError says what is there."""
    if not book.scenes.is_dir():
        raise SourceError(f"no folder {book.scenes} for the scene '{dotted}' (cutaway_scenes)")
    found = _scenes(book).find(f"{book.scenes.name}.{dotted}")
    if not isinstance(found.node, ast.ClassDef):
        raise SourceError(
            f"'{dotted}' ({found.path}:{found.first_line}) is no class; name a scene as in file.Scene"
        )
    return SceneSource(found.module, found.node)


def around(book: Book, scene: SceneSource) -> list[ast.Module]:
    """The scene's file, and the files of the folder that it imports."""
    modules = closure(_scenes(book), ast.Module(needed(scene.module, scene.node.name), []))
    return [scene.module.tree, *(module.tree for module in modules)]


def source_key(book: Book, dotted: str) -> str:
    """Digest of everything that decides the clip and is known before the scene runs."""
    return with_setup(book, code_key(book, dotted))


def with_setup(book: Book, code: str) -> str:
    """A source key from its code: what draws it is this machine's, or, if that lacks it, what drew it elsewhere."""
    return digest(code, completed(book.store, code, setup(drawing=False)))


def code_key(book: Book, dotted: str) -> str:
    """Digest of the scene and of all code that it uses, of its size and its letters."""
    scene = find_scene(book, dotted)
    body = needed(scene.module, scene.node.name)
    packages = {**book.sources, **_scenes(book).packages}
    source, tree = Source(packages), ast.Module(body, [])
    modules = closure(source, tree)
    code = [without_docstrings(statement) for statement in body]
    local = {module.name: without_docstrings(module.tree) for module in modules}
    looks = [book.clip_size, book.clip_fps, dimensions.plain()]
    used = {name for each in (tree, *(module.tree for module in modules)) for name in own_names(each)}
    return digest(KIND, dotted, code, local, *looks, own_code(DRAWING, *sorted(used)))


def import_key(book: Book, dotted: str) -> str:
    """Digest of the scene's file and of all that it imports, whether the scene uses it or not."""
    scene = find_scene(book, dotted)
    modules = closure(Source({**book.sources, **_scenes(book).packages}), scene.module.tree)
    return digest("imported", {each.name: without_docstrings(each.tree) for each in (scene.module, *modules)})


def setup(drawing: bool = True) -> dict[str, str | None]:
    """What this machine draws with; another that has the same makes the same bytes. Without our own code if asked.

    Typefaces draw nothing where Manim is absent, and count as absent, too.
    """
    found = {name: version(name) for name in PACKAGES}
    found["the typefaces"] = fonts_digest() if found["manim"] else None
    return {**found, "cutaway": own_code(DRAWING)} if drawing else found


def needed(module: Module, name: str) -> list[ast.stmt]:
    """The statements of a file that a definition depends on: what it names, transitively, and what merely
    runs.

    Other definitions don't count: an edit in one scene leaves its neighbours alone.
    """
    kept: set[int] = set()
    pending = {name}
    statements = module.tree.body[1:] if ast.get_docstring(module.tree) is not None else module.tree.body
    while True:
        new = [
            i
            for i, statement in enumerate(statements)
            if i not in kept and (not (names := set(_defined(statement))) or names & pending)
        ]
        if not new:
            return [_absolute(statements[i], module.name) for i in sorted(kept)]
        kept.update(new)
        pending |= {node.id for i in new for node in ast.walk(statements[i]) if isinstance(node, ast.Name)}


def look_up(store: Store, key: str, names: Names) -> str | None:
    """The artifact key of a finished clip whose values are what they were, or None."""
    for artifact in store.keys(f"{READS}/{key}"):
        entry = store.read_json(f"{READS}/{key}", artifact)
        if entry and unchanged(entry["reads"], names):
            return artifact
    return None


def note(store: Store, key: str, reads: Mapping[str, str], artifact: str) -> None:
    """Keep what a finished clip read, below its source key."""
    store.write_json(f"{READS}/{key}", artifact, {"reads": dict(reads)})


def _scenes(book: Book) -> Source:
    return Source({book.scenes.name: [book.scenes]})


def _defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module binds; none for one that merely runs."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def _absolute(statement: ast.stmt, module: str) -> ast.stmt:
    """``from .kit import Stage`` as ``from scenes.kit import Stage``."""
    if not (isinstance(statement, ast.ImportFrom) and statement.level):
        return statement
    package = module.split(".")[: -statement.level]
    name = ".".join([*package, *([statement.module] if statement.module else [])])
    return ast.copy_location(ast.ImportFrom(name, statement.names, 0), statement)


def hint_key(dotted: str) -> str:
    """Key of what was learnt of a scene last time, its cost and its run: it decides order, never bytes."""
    return digest("hint", dotted)


def hint(store: Store, dotted: str) -> dict[str, Any]:
    return store.read_json(KIND, hint_key(dotted)) or {}
