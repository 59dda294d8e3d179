"""What is installed: skills from the table, agents and hooks from the files beside this one."""

import ast
import json
import re
import shlex
import sys
from pathlib import Path

from fieldguide.skills.table import SKILLS
from fieldguide.skills.writing import skill_text

HERE = Path(__file__).resolve().parent
AGENTS = sorted((HERE / "agents").glob("*.md"))
HOOKS = sorted((HERE / "hooks").glob("*.py"))
SHELLS = "Bash|bash|shell|run_shell_command|run_in_terminal"  # what agents call the tool that runs a command
EVENTS = (  # event, which tools, script, seconds
    ("SessionStart", "", "session_start", 30),
    ("PreToolUse", SHELLS, "before_tool", 10),
    ("PreToolUse", SHELLS, "pre_training", 120),
    ("PostToolUse", SHELLS, "post_training", 30),
)


def collect(folder: Path, agents: bool, hooks: bool, book: str) -> dict[str, str]:
    """The files by their path in the folder."""
    files = {f"skills/{skill.name}/SKILL.md": skill_text(skill, book) for skill in SKILLS}
    if agents:
        files |= {f"agents/{path.name}": path.read_text(encoding="utf-8") for path in AGENTS}
    if hooks:
        files |= {f"hooks/{path.name}": path.read_text(encoding="utf-8") for path in HOOKS}
        files["hooks/hooks.json"] = json.dumps(settings(folder), indent=2) + "\n"
    return files


def settings(folder: Path) -> dict[str, object]:
    """What an agent's settings need: for each event the commands, with this Python, in which the tools are found."""
    events: dict[str, list[dict[str, object]]] = {}
    for event, tools, script, seconds in EVENTS:
        command = shlex.join([sys.executable, str(folder.resolve() / "hooks" / f"{script}.py")])
        hook = {"type": "command", "command": command, "timeout": seconds}
        groups = events.setdefault(event, [])
        same = next((group for group in groups if group.get("matcher", "") == tools), None)
        if same is None:
            groups.append({**({"matcher": tools} if tools else {}), "hooks": [hook]})
        else:
            same["hooks"].append(hook)  # type: ignore[attr-defined]
    return {"hooks": events}


def summary(path: Path) -> str:
    """An agent's description, or the first line of a script's explanation."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]
    found = re.search(r"^description: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""
