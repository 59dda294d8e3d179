"""Every mistake is a warning with its page, its line and what to do; nothing else is said, and every page is built."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGES = sorted(path.stem for path in (HERE / "broken").glob("*.md") if path.stem != "index")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of broken pages, built in one go: the site, and all that was said."""
    folder = tmp_path_factory.mktemp("broken")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-n",
        "-q",
        "-j",
        "2",
        str(HERE / "broken"),
        str(folder / "html"),
    ]
    options = ["-D", f"cutaway_store={folder / 'store'}", "-d", str(folder / "doctrees")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return folder / "html", done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_mistake(page: str, broken: tuple[Path, str]) -> None:
    site, said = broken
    expected = (HERE / "broken" / f"{page}.md").read_text("utf-8").split("\n")[0].removeprefix("% ")
    warnings = [line for line in said.split("\n") if f"/broken/{page}.md:" in line.split("WARNING")[0]]
    if expected == "none":
        assert warnings == []
        return
    line, _, message = expected.partition(": ")
    assert len(warnings) == 1, warnings
    assert re.search(rf"/broken/{page}\.md:{line}: WARNING: {message}$", warnings[0]), warnings[0]
    assert (site / f"{page}.html").is_file()


def test_a_second_build_says_it_again(tmp_path: Path) -> None:
    """A build that failed must not pass because nothing changed since."""
    conf = (HERE / "broken/conf.py").read_text("utf-8").replace("../foreign", str(HERE / "foreign"))
    (tmp_path / "conf.py").write_text(conf, "utf-8")
    (tmp_path / "index.md").write_text("# Mistakes\n\nA number: {fact}`mix.anwser`. See {step}`nothing`.\n")
    command = [sys.executable, "-m", "sphinx", "-nqW", "--keep-going", str(tmp_path), str(tmp_path / "html")]
    said = [subprocess.run(command, capture_output=True, text=True, timeout=300, check=False).stderr for _ in range(2)]
    assert "no fact 'anwser'" in said[0] and "no step 'nothing'" in said[0]
    assert said[1] == said[0]
