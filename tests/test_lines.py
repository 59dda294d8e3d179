"""The table that leads from nanoGPT's lines to notes: complete, and true of nanoGPT's files."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest
from conftest import ROOT

UPSTREAM = ROOT.parent / "shared/upstream/nanoGPT"
DIGESTS = {  # sha256 of the files whose lines are counted, at the commit that the page names
    "model": "7c01703240dbec5d554527dc666e35b3df8391d0b117fddc07afcf325a21d11c",
    "train": "413bd97b40bb400a2a0d01230e2946f056c263ebac1b7281c2367d964a123085",
    "sample": "1c4bb3716ec55395be2e6ad136693614b0b38de9defda889041efe2057a0c1f1",
}
UNLISTED = {"train": range(1, 32), "sample": range(1, 12), "model": range(1, 10)}  # an opening comment, imports


def rows(name: str) -> list[list[str]]:
    with (ROOT / f"docs/start/lines-{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def spans(name: str) -> list[range]:
    numbers = [[int(number) for number in row[0].strip("`").split("-")] for row in rows(name)]
    return [range(pair[0], pair[-1] + 1) for pair in numbers]


@pytest.mark.parametrize("name", DIGESTS)
def test_rows_rise_and_no_line_is_in_two(name: str) -> None:
    listed = [line for span in spans(name) for line in span]
    assert listed == sorted(set(listed)) and len(rows(name)) > 5


def test_every_note_of_the_model_is_in_its_table() -> None:
    pages = {"model/embedding", "model/layernorm", "model/attention", "model/mlp", "model/block", "model/output"}
    ids = json.loads((ROOT / "permalinks.json").read_text("utf-8"))["ids"]
    chapters = "\n".join((ROOT / f"docs/{page}.md").read_text("utf-8") for page in pages)
    quoted = re.findall(r"^:::\{listing\} nanogpt\.model\.\S+\n(?::.*\n)*?:name: (\S+)", chapters, flags=re.MULTILINE)
    notes = {id for id in ids for name in quoted if re.fullmatch(rf"{name}-[\w-]+", id) and ids[id]["kind"] == "step"}
    table = (ROOT / "docs/start/lines-model.csv").read_text("utf-8")
    assert len(notes) > 50 and notes - set(re.findall(r"\{step\}`([\w-]+)`", table)) == set()


@pytest.mark.skipif(not UPSTREAM.is_dir(), reason="nanoGPT is not beside this checkout")
@pytest.mark.parametrize("name", DIGESTS)
def test_the_table_covers_nanogpts_file(name: str) -> None:
    path = Path(UPSTREAM, f"{name}.py")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == DIGESTS[name]
    lines = path.read_text("utf-8").splitlines()
    listed = {line for span in spans(name) for line in span} | set(UNLISTED[name])
    left = [n for n, text in enumerate(lines, 1) if text.strip() and not text.startswith("# ---") and n not in listed]
    assert left == []
    for row, span in zip(rows(name), spans(name), strict=True):
        body = "\n".join(lines[span.start - 1 : span.stop - 1])
        for function in re.findall(r"`(?:\w+\.)?(\w+)`", row[1]):
            assert function in body, f"{row[1]} is not in lines {row[0]}"
