"""All commands by one name: ``nanogpt train --max_iters=100`` is ``python -m nanogpt.train --max_iters=100``."""

import ast
import importlib
import sys
from pathlib import Path

COMMANDS = ("data", "train", "sample", "train_sort")  # in the order in which one needs them


def usage() -> str:
    """Each command with the first line of its explanation, which is read, not imported: torch takes seconds."""
    lines = ["usage: nanogpt COMMAND [options]; nanogpt COMMAND --help lists them", ""]
    for name in COMMANDS:
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
        lines.append(f"  {name:<12}{(ast.get_docstring(tree) or '').splitlines()[0]}")
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Hand the options to the command that stands first; hyphens in its name count as underscores."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        raise SystemExit(0 if argv else 2)
    name = argv[0].replace("-", "_")
    if name not in COMMANDS:
        raise SystemExit(f"nanogpt: there is no command {argv[0]!r}, but {', '.join(COMMANDS)}")
    importlib.import_module(f"nanogpt.{name}").main(argv[1:])


def console() -> None:
    """What the installed command ``nanogpt`` calls."""
    main(sys.argv[1:])


if __name__ == "__main__":
    console()
