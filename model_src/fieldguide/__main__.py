"""All tools by one name: ``fieldguide memory --model nanogpt`` is ``python -m fieldguide memory --model nanogpt``."""

import argparse
import ast
import importlib
import importlib.util
import os
import sys
from pathlib import Path

from fieldguide.report import UsageProblem, escaped

NAMES = (  # in the order in which one needs them; each is a module, or a package
    "memory", "scale", "check", "train", "data", "loss", "checkpoint", "watch", "stuck", "distributed", "notify",
    "runs", "visualize", "skills", "mcp",
)  # fmt: skip
EXITS = "exit codes: 0 all is well, 1 something is wrong, 2 the tool was used wrongly"


def source_of(module: str) -> Path:
    """The file of a tool's module, or of its package."""
    path = Path(__file__).with_name(f"{module}.py")
    return path if path.is_file() else Path(__file__).with_name(module) / "__init__.py"


TOOLS = {name: name for name in NAMES if source_of(name).is_file()}  # those that are written by now


def help_of(module: str) -> str:
    """The module's HELP, which is read, not imported: torch takes seconds."""
    path = source_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "HELP" for t in node.targets):
            return str(ast.literal_eval(node.value))
    raise LookupError(f"{path} has no HELP")


def usage() -> str:
    """Each tool with what it does."""
    lines = ["usage: fieldguide TOOL [options]; fieldguide TOOL --help lists them", ""]
    lines += [f"  {name:<12}{help_of(module)}" for name, module in TOOLS.items()]
    return "\n".join([*lines, "", f"  --json prints a report for programs; {EXITS}"])


def ours_first() -> None:
    """In an upstream checkout ``python -m`` finds its ``nanochat`` first, which is another package than ours."""
    source = Path(__file__).resolve().parents[1]
    for name in ("nanochat", "nanogpt", "ngpt"):
        found = importlib.util.find_spec(name)
        if found and not Path(found.origin or ".").resolve().is_relative_to(source):
            sys.path.insert(0, str(source))
            return


def main(argv: list[str]) -> int:
    """Run the tool that stands first; its exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0 if argv else 2
    name = argv[0].replace("-", "_")
    if name not in TOOLS:
        print(f"fieldguide: there is no tool {escaped(argv[0])!r}, but {', '.join(TOOLS)}", file=sys.stderr)
        return 2
    tool = importlib.import_module(f"fieldguide.{TOOLS[name]}")
    parser = argparse.ArgumentParser(prog=f"fieldguide {name}", description=tool.HELP, epilog=EXITS)
    tool.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(argv[1:])
    try:
        report = tool.run(options)
    except UsageProblem as problem:
        print(f"fieldguide {name}: {escaped(str(problem))}", file=sys.stderr)
        return 2
    print(report.as_json() if options.json else report.as_text())
    return report.exit_code


def console() -> None:
    """What the installed command ``fieldguide`` calls."""
    try:
        ours_first()
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:  # whoever read our text, for instance `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    raise SystemExit(code)


if __name__ == "__main__":
    console()
