"""The command line: ``python -m cutaway explain|clip|frame|link|…``. Each command works on the book around it.

The commands import their module when they run: ``--help`` needs neither Sphinx nor manim.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Book


KINDS = ("mp4", "webm", "gif", "webp", "png")  # of a clip as a file
LINKS = ("url", "markdown", "rst", "html", "card", "animated", "gif", "badge", "myst", "sphinx")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    from .runs import RunError
    from .settings import BookError
    from .source.find import SourceError
    from .trace.names import UnknownName
    from .trace.reading import TraceError

    try:
        return int(options.run(options) or 0)
    except (BookError, RunError, SourceError, TraceError, UnknownName, LookupError, OSError) as error:
        print(f"cutaway {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cutaway", description=__doc__)
    parser.add_argument(
        "--docs", type=Path, default=None, help="the book's folder, that of conf.py (default: look around)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="write a small Sphinx project about a class or a function of yours")
    new.add_argument("target", help="PACKAGE.MODULE:NAME, or PACKAGE.MODULE for all that is called in it")
    new.add_argument("folder", nargs="?", type=Path, help="(default: PACKAGE-docs here)")
    new.add_argument("--in", dest="into", type=Path, metavar="DOCS", help="add to a Sphinx project that there is")
    new.add_argument("--build", default="", metavar="EXPRESSION", help='how the object is made, as in "Net(4, 8)"')
    new.add_argument("--input", default="", metavar="ARGUMENTS", help='arguments, as in "torch.randn(2, 4)"')
    new.set_defaults(run=_new)
    explain = commands.add_parser("explain", help="print the diagram of a function or class, or a page's section")
    explain.add_argument(
        "object",
        help="dotted path, as in nanogpt.model.CausalSelfAttention.forward, a short name, as in attention, or '#ID', a "
        "section of a Markdown page or a diagram in it",
    )
    explain.add_argument(
        "--run", dest="of", help="RUN, RUN.PASS or RUN.PASS/MODULE (default: the first run that fits); of a short name "
        "also the program that is drawn, as in nanochat",
    )  # fmt: skip
    explain.add_argument(
        "--prove", action="store_true", help="change what each box gives and see whether exactly those feel it"
        " to which its arrows lead; 1 where they differ",
    )  # fmt: skip
    explain.set_defaults(run=_explain)
    why = commands.add_parser("why", help="say which numbers a recorded number was made of, and how")
    why.add_argument("name", help="as in sort.forward/h.0.attn/att[0,0,5,2]; a step may stand for the variable")
    why.set_defaults(run=_why)
    walk = commands.add_parser("walk", help="draw a recorded pass in three dimensions, or what made one of its values")
    walk.add_argument("name", help="RUN.PASS, as in sort.forward, or a value of it, as in sort.forward/h.0.attn/att")
    walk.add_argument("--still", type=Path, required=True, metavar="FILE.png", help="the picture")
    walk.add_argument("--theme", choices=("dark", "light"), default="dark")
    walk.add_argument("--beams", action="store_true", help="draw attention as beams between tokens")
    walk.set_defaults(run=_walk)
    clip = commands.add_parser("clip", help="one scene outside the book: in the browser, live, or as a file")
    clip.add_argument("scene", help="dotted path, as in attention.CausalMask")
    clip.add_argument("--run", dest="of", help="the run whose values it shows (default: the first)")
    kinds = clip.add_mutually_exclusive_group()
    for kind in KINDS:
        kinds.add_argument(f"--{kind}", type=Path, metavar="FILE")
    clip.add_argument("--theme", choices=("dark", "light"), default="dark")
    clip.add_argument("--quality", metavar="1080p60", help="of a file: height and frames (default: the book's)")
    clip.set_defaults(run=_clip)
    frame = commands.add_parser("frame", help="one frame of a clip as a PNG")
    frame.add_argument("scene", help="dotted path, as in attention.CausalMask")
    frame.add_argument("when", help="a time, as in 2.5s, or the number of a frame")
    frame.add_argument("--run", dest="of", help="the run whose values it shows (default: the first)")
    frame.add_argument("--theme", choices=("dark", "light"), default="dark")
    frame.add_argument("--png", type=Path, metavar="FILE", help="(default: SCENE-WHEN.png here)")
    frame.set_defaults(run=_frame)
    coverage = commands.add_parser("coverage", help="how much of the source the last build's steps explain")
    coverage.add_argument("file", nargs="?", help="as in nanogpt/model.py (default: all)")
    coverage.set_defaults(run=_coverage)
    link = commands.add_parser("link", help="what one copies to link to a part of the book")
    link.add_argument("what", help="an id, as in attention-forward-mask, or a line, as in nanogpt/model.py:62")
    link.add_argument("--as", dest="kind", choices=LINKS, help="only this (default: all, with their names)")
    link.set_defaults(run=_link)
    permalinks = commands.add_parser("permalinks", help="record the last build's ids in permalinks.json")
    permalinks.add_argument("--move", nargs=2, action="append", default=[], metavar=("OLD", "NEW"))
    permalinks.add_argument("--retire", action="append", default=[], metavar="ID", help="it is gone; needs --to")
    permalinks.add_argument("--to", default="", metavar="ID", help="the nearest to what is retired")
    permalinks.set_defaults(run=_permalinks)
    store = commands.add_parser("store", help="copy to another store what it lacks, or from it what is lacking here")
    store.add_argument("way", choices=("push", "pull"))
    store.add_argument("url", help="a folder, or a URL that fsspec knows, as in s3://bucket/book")
    store.set_defaults(run=_store)
    cells = commands.add_parser("cells", help="run a page's cells and print what they print")
    cells.add_argument("page", help="document name, as in model/attention")
    cells.set_defaults(run=_cells)
    anew = commands.add_parser("runs", help="train runs anew, beside the store, and compare them with what is pinned")
    anew.add_argument("names", nargs="*", metavar="NAME", help="of a run (default: all)")
    ways = anew.add_mutually_exclusive_group()
    ways.add_argument("--check", action="store_true", help="fail where they differ: in bits here, in claims elsewhere")
    ways.add_argument("--pin", action="store_true", help="write what was trained into the folder `pinned`")
    anew.set_defaults(run=_runs)
    return parser


def _book(options: argparse.Namespace) -> Book:
    from .cells import find_book
    from .settings import Book

    return Book.read(options.docs) if options.docs else find_book()


def _new(options: argparse.Namespace) -> None:
    from .dev.new import make

    print(make(options.target, options.folder, options.into, options.build, options.input))


def _explain(options: argparse.Namespace) -> int:
    from .prose.page_sections import drawings, explain

    book = _book(options)
    print(explain(book, options.object, options.of))
    return max(_prove(book, *drawing) for drawing in drawings(book, options.object, options.of)) if options.prove else 0


def _prove(book: Book, dotted: str, of: str | None) -> int:
    from .diagrams.proof.asking import proof_of

    proof, place = proof_of(book, dotted, of, lambda line: print(line, file=sys.stderr))
    print(f"\n{place}: {proof.boxes} boxes, {proof.arrows} arrows; {len(proof.moved)} boxes changed, ", end="")
    print(f"{len(proof.missing)} arrows missing, {len(proof.surplus)} too many")
    print(*proof.lines(), sep="\n", end="\n" if any(proof.lines()) else "")
    return 0 if proof.holds else 1


def _why(options: argparse.Namespace) -> None:
    from .cells import reasons

    print(reasons(_book(options), options.name))


def _walk(options: argparse.Namespace) -> None:
    from .walks.command import draw

    print(draw(_book(options), options.name, options.still, options.theme, is_beamed=options.beams))


def _clip(options: argparse.Namespace) -> None:
    kind = next((kind for kind in KINDS if getattr(options, kind)), None)
    if kind is None:
        from .clips.preview import preview

        preview(_book(options), options.scene, options.of)
        return
    from .clips.export import in_quality, render_one

    book = in_quality(_book(options), options.quality) if options.quality else _book(options)
    print(render_one(book, options.scene, getattr(options, kind), kind, options.of, options.theme))


def _frame(options: argparse.Namespace) -> None:
    from .clips.export import frame_at

    print(frame_at(_book(options), options.scene, options.when, options.png, options.of, options.theme))


def _coverage(options: argparse.Namespace) -> None:
    from .source_pages.coverage import report

    print(report(_book(options), options.file))


def _link(options: argparse.Namespace) -> None:
    from .permalinks.command import link

    print(link(_book(options), options.what, options.kind))


def _permalinks(options: argparse.Namespace) -> None:
    from .permalinks.command import record

    print(record(_book(options), options.move, options.retire, options.to))


def _store(options: argparse.Namespace) -> None:
    from .clips.pool import copying

    {"push": copying.push, "pull": copying.pull}[options.way](_book(options).store, options.url, print)


def _runs(options: argparse.Namespace) -> int:
    from .progress import printed
    from .runs import retrain

    book, moving = _book(options), printed()
    if options.pin:
        return retrain.write(book, options.names, moving)
    if options.check:
        return retrain.compare(book, options.names, moving)
    retrain.train_anew(book, options.names, moving)
    return 0


def _cells(options: argparse.Namespace) -> int:
    from .cells.command import run_page

    return run_page(_book(options), options.page)


if __name__ == "__main__":
    sys.exit(main())
