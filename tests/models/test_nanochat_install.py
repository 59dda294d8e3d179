"""``pip install ./model_src``: what it brings, and the two commands that it gives."""

import os
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from conftest import ROOT

SOURCE = ROOT / "model_src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built from the folder as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(SOURCE)], check=True, capture_output=True, text=True)
    (found,) = folder.glob("cutaway_models-*.whl")
    return found


def test_everything_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(SOURCE))
        for package in ("nanogpt", "nanochat", "ngpt", "micro", "fieldguide") for path in (SOURCE / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }  # fmt: skip
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert {"nanogpt/config/train_gpt2.py", "nanochat/chat/page/index.html"} <= wanted


@pytest.mark.slow
def test_the_commands_run_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(wheel)], check=True, capture_output=True)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def says(*words: str) -> tuple[int, str]:
        done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    for name in ("nanogpt", "fieldguide", "nanochat"):
        script = [sys.executable, str(tmp_path / "site" / "bin" / name)]
        assert says(*script) == (2, (listed := says(*script, "--help")[1]))
        assert listed == says(sys.executable, "-m", name, "--help")[1]
    text = ["dataset", "--text", "nowhere.txt", "--folder", "shards"]
    assert says(*script, *text) == (1, "dataset: no text at nowhere.txt\n")


@pytest.mark.parametrize("package", ["nanogpt", "nanochat"])
def test_every_command_is_listed(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = import_module(f"{package}.__main__")
    with pytest.raises(SystemExit):
        entry.main(["--help"])
    told = capsys.readouterr().out
    started = {
        path.stem: ".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in (SOURCE / package).rglob("*.py")
        if path.stem != "__main__" and 'if __name__ == "__main__"' in path.read_text("utf-8")
    }  # fmt: skip
    assert set(entry.COMMANDS) == set(started)
    for name, module in started.items():
        line = next(line for line in told.splitlines() if line.startswith(f"  {name} "))
        assert line.endswith(import_module(module).__doc__.splitlines()[0])


def test_a_command_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from nanochat import __main__ as entry
    from nanochat.cli import base_train

    heard = []
    monkeypatch.setattr(base_train, "main", heard.append)
    entry.main(["base-train", "--depth", "4"])
    monkeypatch.setattr(sys, "argv", ["nanochat", "base_train", "--resume"])
    entry.console()
    assert heard == [["--depth", "4"], ["--resume"]]
    with pytest.raises(SystemExit, match=r"^nanochat: there is no command 'basetrain', but dataset, "):
        entry.main(["basetrain"])
