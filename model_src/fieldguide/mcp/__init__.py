"""The read-only tools, and the book, for agents that speak the Model Context Protocol (MCP), over standard input."""

import argparse
from pathlib import Path

from fieldguide.report import Report, Table, UsageProblem

HELP = "serve the read-only tools and the book to agents, over standard input and output (MCP)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="files outside are not read "
                        "(default: the folder where it is started)")
    parser.add_argument("--book", type=Path, metavar="DIR", help="the built book, with llms.txt, for search_book "
                        "(default: none)")
    parser.add_argument("--docs", type=Path, metavar="DIR", help="the book's source, with conf.py, for why and explain "
                        "(default: none)")
    parser.add_argument("--seconds", type=float, default=120.0, metavar="X", help="for one call (default: 120)")
    parser.add_argument("--list", action="store_true", help="say which tools are served, and end")


def run(options: argparse.Namespace) -> Report:
    """Serve until the input ends. Nothing but messages goes to the output, so there is no report at the end."""
    from fieldguide.mcp.offers import offers

    for name in ("root", "book", "docs"):
        folder = getattr(options, name)
        if folder is not None and not folder.is_dir():
            raise UsageProblem(f"--{name} {folder}: there is no such folder")
    found = offers(options.root, options.book, options.docs, options.seconds)
    if options.list:
        rows = [(offer.name, offer.told.split("\n")[0]) for offer in found]
        return Report(f"mcp: {len(rows)} tools, files below {options.root.resolve()}",
                      tables=[Table(("tool", "does"), rows)], data={"tools": [name for name, _ in rows]})  # fmt: skip
    try:
        from fieldguide.mcp.serving import serve
    except ImportError as error:
        raise UsageProblem(f"the Python SDK of MCP is missing ({error}): pip install 'mcp>=2.3,<3', or "
                           "'cutaway-models[mcp]' with this package") from error  # fmt: skip
    serve(found)
    raise SystemExit(0)
