"""The README's first command: what it needs, what it says when that is missing; and CI types the same."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(__file__).parents[1]
Commands = list[tuple[str, ...]]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def apt_names(tests: bool) -> list[str]:
    return bootstrap.listed((ROOT / "apt.txt").read_text("utf-8"), tests)


def test_comments_and_empty_lines_of_an_apt_txt_are_no_packages() -> None:
    text = "# a comment\n\nlibfoo-dev   # why\nchromium # tests: a browser\n  bar\n"
    assert bootstrap.listed(text, tests=False) == ["libfoo-dev", "bar"]
    assert bootstrap.listed(text, tests=True) == ["libfoo-dev", "chromium", "bar"]


def test_each_package_of_apt_txt_has_a_probe_and_no_probe_is_left_over() -> None:
    assert set(apt_names(tests=True)) == set(bootstrap.PACKAGES)
    assert "chromium" not in apt_names(tests=False)


def test_other_lists_of_system_packages_agree_with_apt_txt() -> None:
    hosted = re.findall(r"^    - ([\w.-]+)$", (ROOT / ".readthedocs.yaml").read_text("utf-8"), re.MULTILINE)
    assert hosted == apt_names(tests=False)


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Commands]:
    """``newcomer(lacks=[...], root=...)`` pretends to be one; the list it returns fills with what is run."""

    def pretend(
        lacks: list[str], *, root: bool = False, sudo: bool = False, apt: bool = True, works: bool = True
    ) -> Commands:
        commands: Commands = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            commands.append(tuple(command))
            is_sudo_question = list(command) == ["sudo", "-n", "true"]
            fails = not sudo if is_sudo_question else not works
            return subprocess.CompletedProcess(command, int(fails), "", "")

        there = {
            name: package._replace(is_there=lambda name=name: name not in lacks)
            for name, package in bootstrap.PACKAGES.items()
        }
        programs = {"apt-get": apt, "sudo": True}
        monkeypatch.setattr(bootstrap, "PACKAGES", there)
        monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if programs.get(name) else None)
        monkeypatch.setattr(bootstrap.subprocess, "run", run)
        return commands

    return pretend


def test_nothing_is_run_where_nothing_is_missing(newcomer: Callable[..., Commands]) -> None:
    commands = newcomer(lacks=[])
    assert bootstrap.main(["--tests"]) == 0
    assert commands == []


@pytest.mark.parametrize(("root", "prefix"), [(True, ()), (False, ("sudo", "-n"))])
def test_missing_packages_are_installed_by_whoever_may(
    newcomer: Callable[..., Commands], root: bool, prefix: tuple[str, ...]
) -> None:
    commands = newcomer(lacks=["libcairo2-dev", "chromium"], root=root, sudo=True)
    assert bootstrap.main([]) == 0
    assert commands[-1][: len(prefix)] == prefix
    assert commands[-1][-2:] == ("--no-install-recommends", "libcairo2-dev")  # chromium is for the tests


@pytest.mark.parametrize(
    "system", [{"sudo": False}, {"apt": False, "root": True}, {"root": True, "works": False}], ids=str
)
def test_who_may_not_install_is_told_what_to_type(
    newcomer: Callable[..., Commands],
    capsys: pytest.CaptureFixture[str],
    system: dict[str, bool],
) -> None:
    newcomer(lacks=["libpango1.0-dev", "build-essential"], **system)
    assert bootstrap.main([]) == 1
    said = capsys.readouterr().out
    assert "sudo apt-get install -y build-essential libpango1.0-dev" in said
    assert "sudo dnf install -y gcc pango-devel" in said
    assert "sudo pacman -S --needed base-devel pango" in said
    assert "brew install pango" in said


def test_bootstrap_needs_nothing_but_python() -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "bootstrap.py"), "--tests"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=300, check=False).returncode == 0


def test_continuous_integration_types_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no ```sh block"
    commands = [line.strip() for line in block[1].splitlines() if line.strip()]
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert len(commands) == 2
    assert all(command in script for command in commands)
    called = re.search(r"^\.venv/bin/nox -s (tests .*?) 2>&1", script, re.MULTILINE)
    assert called and called[1].split() == ["tests", "lint", "slow", "stages", "site-check"]


def sessions() -> set[str]:
    """The names of all sessions, as `nox -l` lists them: those that have a line of help."""
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "-l", "-f", str(ROOT / "noxfile.py")],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env={**os.environ, "NOX_ENVDIR": ""},
    ).stdout
    return {name for name, _ in re.findall(r"^[*-] ([\w-]+) -> (.+)$", listed, re.MULTILINE)}


def test_sessions_are_the_ones_that_the_readme_may_name() -> None:
    known = "book docs live pdf epub tests slow stages clips site-check bench faults bytes runs proofs links nightly"
    assert sessions() == {*known.split(), "notebooks", "permalinks", "cells", "lint"}


def test_a_foreign_project_needs_none_of_the_books_own_packages() -> None:
    names = {re.split(r"[<>=\[]", line)[0] for line in PROJECT["project"]["dependencies"]}
    assert names.isdisjoint({"torch", "manim", "myst-nb", "sphinx-book-theme"})


def test_every_part_of_the_nightly_is_a_session_and_has_a_job() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    (parts,) = (
        ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "NIGHTLY"
    )
    jobs = re.search(r"^ +part: \[(.+)\]$", (ROOT / ".github/workflows/nightly.yml").read_text("utf-8"), re.MULTILINE)
    assert jobs and jobs[1].split(", ") == list(parts)
    assert {name for name, _ in parts.values()} <= sessions()


def test_tests_of_the_models_are_run_again_when_anything_that_they_read_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    assert spec and spec.loader
    noxfile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(noxfile)
    read = ["model_src/nanogpt/model.py", "tests/models/test_one.py", "tests/conftest.py", "docs/runs/sort.py"]
    for name in [*read, "docs/train/yours.md", "pyproject.toml", "docs/index.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.chdir(tmp_path)
    found = [noxfile.models_passed()]
    Path("docs/index.md").write_text("after")
    Path("model_src/__pycache__").mkdir()
    Path("model_src/__pycache__/model.pyc").write_text("after")
    assert noxfile.models_passed() == found[0]
    for name in [*read, "docs/train/yours.md", "pyproject.toml", "model_src/new.py"]:
        Path(name).write_text("after")
        found.append(noxfile.models_passed())
    assert len(set(found)) == len(found)
