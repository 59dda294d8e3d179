"""What one clip more costs: books of small scenes, 5 to 80 of them, beside the straight line through the first two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .measure import Case, Options, seconds
from .programs import emptied, sphinx

FIRST, SECOND, MORE, MOST = 5, 10, (20, 40), 80
BUILDS = 5  # of an unchanged book, the quickest counts: five clips are a hundredth of it, less than a machine's moods
BUDGET_MS = 2.0  # of a build in which nothing changed, for each clip
CONF = """
extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["colon_fence"]
cutaway_sources = {}
"""
IMPORTS = "from manim import Circle, Create, Scene, Square, Transform\n"
SCENE = """

class Small{n}(Scene):
    def construct(self):
        square = Square(side_length=1 + {n} / 100)
        self.play(Create(square), run_time=1)
        self.play(Transform(square, Circle(radius=1 + {n} / 100)), run_time=1)
        self.wait({n} / 100)
"""
PAGE = """# Clip {n}

:::{{clip}} small.Small{n}
:name: small-{n}
:alt: A square becomes a circle.
:::
"""


def cases(options: Options) -> Iterator[Case]:
    sizes = [*MORE, *([MOST] if options.every else [])]
    books = {n: options.folder / f"growth-{n}" for n in (FIRST, SECOND, *sizes)}

    def line(n: int, cost: Callable[[Path], float]) -> float:
        first, second = cost(books[FIRST]), cost(books[SECOND])
        return first + (second - first) * (n - FIRST) / (SECOND - FIRST)

    def prepare() -> None:
        for n, folder in books.items():
            if not folder.exists():
                _write(folder, n)

    def prepare_built() -> None:
        prepare()
        for folder in books.values():
            _built(folder)

    def each(n: int) -> float:
        """Milliseconds of a clip more."""
        return 1000 * (_unchanged(books[n]) - _unchanged(books[FIRST])) / (n - FIRST)

    for n in sizes:
        yield Case(f"growth-cold-{n}", 1.1, partial(lambda n: _cold(books[n]), n), partial(line, n, _cold), prepare)
    for n in sizes:
        unchanged = partial(lambda n: _unchanged(books[n]), n)
        yield Case(f"growth-no-change-{n}", 1.1, unchanged, partial(line, n, _unchanged), prepare_built)
    told = f"beside {BUDGET_MS} ms for each clip"
    yield Case("growth-each", 1.0, partial(each, sizes[-1]), lambda: BUDGET_MS, prepare_built, lambda: told)


def _write(folder: Path, count: int) -> None:
    docs = emptied(folder / "docs")
    (docs / "scenes").mkdir()
    (docs / "conf.py").write_text(CONF, "utf-8")
    (docs / "runs.py").write_text("", "utf-8")
    scenes = [SCENE.format(n=n) for n in range(count)]
    (docs / "scenes/small.py").write_text("".join([IMPORTS, *scenes]), "utf-8")
    for n in range(count):
        (docs / f"page-{n}.md").write_text(PAGE.format(n=n), "utf-8")
    (docs / "index.md").write_text("# Clips\n\n```{toctree}\n:glob:\npage-*\n```\n", "utf-8")


def _built(folder: Path) -> float:
    return seconds(partial(sphinx, folder / "docs", folder / "html"))


def _unchanged(folder: Path) -> float:
    return min(_built(folder) for _ in range(BUILDS))


def _cold(folder: Path) -> float:
    for name in ("docs/.cutaway", "html", "html-doctrees"):
        emptied(folder / name)
    return _built(folder)
