"""Two pages through Lighthouse's telephone: accessibility, best practices and search are gates.

Performance depends on how busy the machine is, so it is printed, and the test of tests/test_weight.py gates what it
follows from.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from built_site import CHROMIUM, chromium_path

pytestmark = pytest.mark.site
FULL = ("accessibility", "best-practices", "seo")


def lighthouse(npm: Path, url: str, report: Path) -> dict[str, float]:
    node = shutil.which("node")
    assert node, "no node; `nox -s site-check` brings one"
    command = [node, str(npm / "lighthouse/cli/index.js"), url, "--quiet", "--output=json", f"--output-path={report}"]
    command += [f"--only-categories={','.join(('performance', *FULL))}"]
    command += [f"--chrome-flags=--headless {' '.join(flags())}"]
    env = {**os.environ, "CHROME_PATH": chromium_path(), "LIGHTHOUSE_ERROR_REPORTING": "false"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text("utf-8"))
    lost = [f"{name}: {audit['title']}" for name, audit in told["audits"].items() if audit["score"] == 0]
    scores = {name: 100 * category["score"] for name, category in told["categories"].items()}
    assert all(scores[name] == 100 for name in FULL), f"{scores}\n" + "\n".join(lost)
    return scores


def flags() -> list[str]:
    """Without the rule for names: its value has blanks, which Lighthouse takes for the end of a flag."""
    return [flag for flag in CHROMIUM if not flag.startswith("--host-resolver-rules")]


@pytest.mark.parametrize("name", ["index.html", "model/attention.html"])
def test_lighthouse(name: str, address: str, npm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = lighthouse(npm, address + name, tmp_path / "report.json")
    with capsys.disabled():
        print(f"\n{name}: Lighthouse performance {scores['performance']:.0f}, measured once")
