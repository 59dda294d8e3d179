"""`fieldguide skills`: what is written for coding agents fits the tools, and each command in it runs."""

import json
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from fieldguide import __main__ as command
from fieldguide.parsers import formatted, help_text, is_there, parser_of
from fieldguide.skills import collecting, installing
from fieldguide.skills.table import SKILLS
from fieldguide.skills.writing import present, skill_text
from nanogpt.model import GPT, GPTConfig

SEED = ["debug-oom", "debug-loss", "debug-distributed", "debug-stuck", "fix-checkpoint", "verify-data", "train",
        "gpu-check", "config-memory", "scaling", "rent-gpu", "explain", "visualize"]  # fmt: skip
ALONE = ("train", "distributed", "visualize")  # they ask, or start processes; their own tests run them
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
STEPS = sorted({step.command for skill in SKILLS for step in present(skill) if step.command.startswith("fieldguide")})
TOLD = {path.stem: [line.strip() for fence in FENCE.findall(path.read_text()) for line in fence.strip().splitlines()]
        for path in collecting.AGENTS}  # fmt: skip


def run(*words: str | Path) -> int:
    return command.main(["skills", *map(str, words)])


@pytest.fixture(scope="module")
def waiting() -> Iterator[int]:
    """A process that has nothing to do."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


@pytest.fixture
def own(tmp_path: Path, waiting: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a reader has, small and whole, by the word that stands for it."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(3)
    losses = [1.5 + 2 / (i + 1) + rng.gauss(0, 0.05) for i in range(200)]
    lines = ["learning_rate = 6e-4", "tokens per iteration: 100"]
    lines += [f"iter {i}: loss {loss:.4f}, time 10.00ms, mfu 1.00%" for i, loss in enumerate(losses)]
    Path("train.log").write_text("\n".join(lines) + "\n")
    Path("mine").mkdir()
    for name, size in (("train", 20_000), ("val", 3000)):
        ids = np.random.default_rng(size).integers(0, 65, size)
        ids.astype("<u2").tofile(Path("mine", f"{name}.bin"))
    Path("saved").mkdir()
    config = {"n_layer": 1, "n_head": 1, "n_embd": 8, "block_size": 8, "vocab_size": 65, "bias": True, "dropout": 0.0}
    model = GPT(GPTConfig(**config))
    optimizer = torch.optim.AdamW(model.parameters())
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "model_args": config, "iter_num": 3,
                "best_val_loss": 2.0, "config": config}, "saved/ckpt.pt")  # fmt: skip
    for step in range(1, 5):
        save_file({"w": torch.ones(2)}, f"saved/model_{step:06d}.safetensors")
    for name in ("one", "two"):
        assert command.main(["runs", "record", "train.log", "--name", name]) == 0
    return {
        "LOG": "train.log", "DATA": "mine", "CHECKPOINT": "saved/ckpt.pt", "FOLDER": "saved", "COPY": "copy.pt",
        "MODEL": "nanogpt", "DEPTH": "1", "BATCH": "2", "RUN": "one", "OTHER": "two", "NAME": "new",
        "PID": str(waiting), "FLOPS": "1e18", "GPU": "H100-SXM", "PRICE": "2.5",
        "TEXT": "mine.txt", "SIZE": "tiny",
    }  # fmt: skip


def typed(line: str, own: dict[str, str]) -> list[str]:
    """The words after ``fieldguide``, with what the reader has in place of the capitals."""
    words = shlex.split(line)
    assert words[0] == "fieldguide"
    return [own.get(word, word) for word in words[1:]]


def test_there_is_a_skill_for_each_of_the_seeds_fourteen_commands() -> None:
    assert [skill.name for skill in SKILLS] == [*SEED, "clips-setup"]  # in place of remotion-setup
    assert "remotion-setup" in skill_text(SKILLS[-1])
    assert len(collecting.AGENTS) == len(collecting.HOOKS) == 4


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_a_skill_has_the_open_format_and_the_tools_own_help(skill) -> None:
    text = skill_text(skill)
    _, head, body = text.split("---\n", 2)
    front = yaml.safe_load(head)
    assert front.keys() == {"name", "description"}
    assert front["name"] == skill.name and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", skill.name)
    assert 40 < len(front["description"]) <= 1024 and len(text.splitlines()) < 500
    assert present(skill) and all(step.command in body for step in present(skill))
    assert f"`{skill.chapter}`" in body
    assert f"<https://b.example/s/{skill.chapter}/>" in skill_text(skill, "https://b.example")
    for line in skill.helps:
        assert not is_there(line) or help_text(line) in body
    assert "thin --delete" not in text or "## Ask first" in text


def test_the_chapters_are_in_the_book() -> None:
    pages = Path(__file__).parents[2] / "docs"
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages.rglob("*.md"))
    labels = set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    has_guide = "guide-costs" in labels  # else its chapters are on their way
    for skill in SKILLS:
        assert skill.chapter in labels or (not has_guide and skill.chapter.startswith("guide-"))


def test_a_new_option_of_a_tool_is_in_its_skills_without_an_edit() -> None:
    parser = parser_of("loss")
    before = formatted(parser)
    parser_of.cache_clear()
    try:
        parser_of("loss").add_argument("--newest-option", help="which nobody has typed into a skill")
        skill = next(skill for skill in SKILLS if skill.name == "debug-loss")
        assert "--newest-option" not in before and "which nobody has typed into a skill" in skill_text(skill)
    finally:
        parser_of.cache_clear()


def test_steps_whose_tool_is_missing_are_left_out(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("fieldguide.parsers.TOOLS", {"watch": "watch"})
    stuck = next(skill for skill in SKILLS if skill.name == "debug-stuck")
    assert [step.command for step in present(stuck)] == ["fieldguide watch LOG --once"]
    assert "fieldguide stuck" not in skill_text(stuck)


@pytest.mark.parametrize("line", STEPS)
def test_every_step_of_a_skill_runs(line: str, own: dict[str, str]) -> None:
    words = typed(line, own)
    if words[0] in ALONE:
        parser_of(words[0]).parse_args(words[1:])
        return
    fails = words[0] in ("stuck", "check")  # a process that does nothing; a training that can't run here
    assert command.main(words) in ((0, 1) if fails else (0,))


def test_the_books_own_commands_take_what_the_skills_type() -> None:
    main = pytest.importorskip("cutaway.__main__")
    lines = [step.command for skill in SKILLS for step in skill.steps if step.command.startswith("python -m cutaway")]
    assert len(lines) == 5
    for line in lines:
        main._parser().parse_args(shlex.split(line)[3:])


@pytest.mark.parametrize("name", TOLD)
def test_an_agent_names_commands_that_run(name: str, own: dict[str, str]) -> None:
    text = next(path for path in collecting.AGENTS if path.stem == name).read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front.keys() == {"name", "description", "tools"} and front["name"] == name
    assert re.search(r"Ask (the user|first)", text)
    assert len(TOLD[name]) >= 2
    for line in TOLD[name]:
        assert command.main(typed(line, own)) == 0 or "check" in line


# Installing


def test_all_is_written_and_a_second_time_nothing_changes(tmp_path: Path, capsys) -> None:
    assert run("--install", tmp_path / "a", "--all", "--dry-run") == 0
    assert not (tmp_path / "a").exists() and "Nothing was written" in capsys.readouterr().out
    assert run("--install", tmp_path / "a", "--all", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    written = {str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert written == {*said["written"], installing.MANIFEST}
    assert len(list((tmp_path / "a").glob("skills/*/SKILL.md"))) == 14
    assert run("--install", tmp_path / "a", "--all", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == [] and len(said["same"]) == len(written) - 1


def test_only_what_is_asked_for_is_written(tmp_path: Path) -> None:
    run("--install", tmp_path / "a")
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"skills", installing.MANIFEST}
    run("--install", tmp_path / "a", "--agents")
    assert (tmp_path / "a" / "agents").is_dir() and not (tmp_path / "a" / "hooks").exists()


def test_what_others_wrote_or_changed_is_left_alone_unless_forced(tmp_path: Path, capsys) -> None:
    path = tmp_path / "skills" / "train" / "SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert run("--install", tmp_path) == 1
    assert path.read_text() == "mine" and len(list(tmp_path.rglob("*.md"))) == 1  # nor is anything else written
    assert "--force" in capsys.readouterr().out
    assert run("--install", tmp_path, "--force") == 0
    assert path.read_text() != "mine"
    path.write_text(path.read_text() + "my own line\n")
    assert run("--install", tmp_path) == 1
    assert path.read_text().endswith("my own line\n")


def test_a_file_that_we_wrote_is_replaced_when_the_tools_change(tmp_path: Path, monkeypatch) -> None:
    run("--install", tmp_path)
    before = (tmp_path / "skills" / "train" / "SKILL.md").read_text()
    assert run("--install", tmp_path, "--book", "https://b.example") == 0
    assert (tmp_path / "skills" / "train" / "SKILL.md").read_text() != before


def test_no_link_leads_the_files_elsewhere(tmp_path: Path, capsys) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "skills").symlink_to(tmp_path / "else")
    assert run("--install", tmp_path / "a") == 2
    assert "leads out of" in capsys.readouterr().err and not any((tmp_path / "else").iterdir())


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, monkeypatch, capsys) -> None:
    made = installing.draft

    def draft(path: Path, text: str) -> str:
        if path.parent.name == "visualize":
            raise OSError(28, "No space left on device")
        return made(path, text)

    monkeypatch.setattr(installing, "draft", draft)
    assert run("--install", tmp_path) == 2
    assert "No space left" in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
