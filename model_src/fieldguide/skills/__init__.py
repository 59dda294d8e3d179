"""Skills, agents and hooks for coding agents, made of the tools' own help, and written where they are looked for."""

import argparse
from pathlib import Path

from fieldguide.report import Finding, Report, Table, UsageProblem

HELP = "write skills, agents and hooks for coding agents into a folder; made of the tools' own help"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--list", action="store_true", help="say which there are")
    way.add_argument("--install", type=Path, metavar="DIR", help="write DIR/skills/NAME/SKILL.md; DIR is the folder "
                     "in which your agent looks, as .agents")
    parser.add_argument("--agents", action="store_true", help="also DIR/agents/NAME.md")
    parser.add_argument("--hooks", action="store_true", help="also DIR/hooks: scripts, and hooks.json that names them")
    parser.add_argument("--all", action="store_true", help="skills, agents and hooks")
    parser.add_argument("--book", default="", metavar="URL", help="the book's address, for links (default: labels)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    parser.add_argument("--force", action="store_true", help="replace files that others have written or changed")


def run(options: argparse.Namespace) -> Report:
    """List, or write; nothing is written where a file is in the way."""
    if options.list:
        return listed()
    from fieldguide.skills import installing
    from fieldguide.skills.collecting import collect

    folder: Path = options.install
    if folder.exists() and not folder.is_dir():
        raise UsageProblem(f"--install {folder}: it is a file, a folder is needed")
    files = collect(folder, options.agents or options.all, options.hooks or options.all, options.book)
    plan = installing.plan(folder, files)
    report = Report(f"skills: {len(files)} files for {folder}", data={"written": [], **vars(plan)})
    if plan.foreign and not options.force:
        report.findings += [in_the_way(folder, name) for name in plan.foreign]
        return report
    replaced = plan.changed + plan.foreign
    report.tables.append(told(folder, plan.new, replaced, plan.same))
    if options.dry_run:
        report.findings.append(Finding("note", "Nothing was written.", advice="leave out --dry-run"))
        return report
    installing.write(folder, files)
    report.data["written"] = plan.new + replaced
    report.findings.append(Finding("good", f"{len(plan.new)} files are new, {len(replaced)} replaced, {len(plan.same)} "
                                   "as they were.", advice=after(options)))  # fmt: skip
    return report


def in_the_way(folder: Path, name: str) -> Finding:
    return Finding("error", f"{folder / name} was not written by this command, or was changed since. Nothing was "
                   "written.", advice="move it away, or replace it with --force")  # fmt: skip


def told(folder: Path, new: list[str], replaced: list[str], same: list[str]) -> Table:
    """Each file with what becomes of it."""
    rows = [(str(folder / name), what) for what, names in (("new", new), ("replaced", replaced), ("same", same))
            for name in names]  # fmt: skip
    return Table(("file", ""), rows)


def after(options: argparse.Namespace) -> str:
    """What remains to be done by hand."""
    if not (options.hooks or options.all):
        return ""
    return f"hooks run once your agent's settings have what is in {options.install / 'hooks' / 'hooks.json'}"


def listed() -> Report:
    """All skills, agents and hooks, and which tools they lack."""
    from fieldguide.parsers import is_there
    from fieldguide.skills.collecting import AGENTS, HOOKS, summary
    from fieldguide.skills.table import SKILLS

    rows = [(skill.name, f"{skill.does}.") for skill in SKILLS]
    agents = [(path.stem, summary(path)) for path in AGENTS]
    hooks = [(path.stem, summary(path)) for path in HOOKS]
    report = Report(
        f"skills: {len(rows)} skills, {len(agents)} agents, {len(hooks)} hooks",
        tables=[Table(("skill", "does"), rows), Table(("agent", "does"), agents), Table(("hook", "does"), hooks)],
        data={"skills": [row[0] for row in rows], "agents": [row[0] for row in agents], "hooks": [r[0] for r in hooks]},
    )
    commands = {step.command for skill in SKILLS for step in skill.steps if step.command}
    lacking = sorted({command.split()[1] for command in commands if not is_there(command)})
    if lacking:
        report.findings.append(Finding("note", f"This version has no tool {', '.join(lacking)}: steps that need it are "
                                       "left out."))  # fmt: skip
    return report
