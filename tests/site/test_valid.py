"""Every page through html-validate: what the HTML standard asks."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from built_site import pages

pytestmark = pytest.mark.site
HERE = Path(__file__).parent


def test_every_page_is_valid_html(site: Path, npm: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "no node; `nox -s site-check` brings one"
    validate = npm / "html-validate/bin/html-validate.mjs"
    report = tmp_path / "report.json"
    command = [node, str(validate), "--config", str(HERE / "html-validate.mjs"), "--formatter", f"json={report}"]
    done = subprocess.run([*command, *pages(site)], cwd=site, capture_output=True, text=True, timeout=120, check=False)
    assert report.is_file(), done.stderr
    found = [
        f"{Path(file['filePath']).name}:{message['line']}: {message['message']} ({message['ruleId']})"
        for file in json.loads(report.read_text("utf-8"))
        for message in file["messages"]
    ]
    assert found == [], "\n".join(found)
