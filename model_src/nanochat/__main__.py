"""All commands by one name: ``nanochat base_train --depth 4`` is ``python -m nanochat base_train --depth 4``."""

import ast
import importlib
import sys
from pathlib import Path

# In the order in which one needs them, each with its module.
COMMANDS = {
    "dataset": "dataset",
    "tokenizer": "tokenizer",
    **{
        name: f"cli.{name}"
        for name in ("base_train", "sample", "mid_train", "chat_sft", "chat_rl", "eval", "chat", "web", "scaling")
    },
}


def usage() -> str:
    """Each command with the first line of its explanation, which is read, not imported: torch takes seconds."""
    lines = ["usage: nanochat COMMAND [options]; nanochat COMMAND --help lists them", ""]
    for name, module in COMMANDS.items():
        path = Path(__file__).parent.joinpath(*module.split(".")).with_suffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lines.append(f"  {name:<12}{(ast.get_docstring(tree) or '').splitlines()[0]}")
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Hand the options to the command that stands first; hyphens in its name count as underscores."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        raise SystemExit(0 if argv else 2)
    name = argv[0].replace("-", "_")
    if name not in COMMANDS:
        raise SystemExit(f"nanochat: there is no command {argv[0]!r}, but {', '.join(COMMANDS)}")
    importlib.import_module(f"nanochat.{COMMANDS[name]}").main(argv[1:])


def console() -> None:
    """What the installed command ``nanochat`` calls."""
    main(sys.argv[1:])


if __name__ == "__main__":
    console()
