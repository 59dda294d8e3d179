"""Somebody's model on somebody's site: what a walk shows of it, from every number to shapes alone, and what it says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import recorded as recording
import torch
from bs4 import BeautifulSoup
from conftest import ROOT, BuildBook
from test_exported import traced
from torch.nn import functional as F

from cutaway.computing.graph import graph_of
from cutaway.computing.interpret import compare, run
from cutaway.trace.reading import Trace, TraceError
from cutaway.walks.cases import case_of
from cutaway.walks.inside import Opened, opened
from cutaway.walks.layout import overlapping
from cutaway.walks.taped import Taped

CASES = {
    "whole": r"\d+ operations, all of them computed in the page$",
    "nameless": r"computed in the page; 5 of them have axes without letters, so that their sizes choose",
    "fused": r"1 fused attention opened into scores and weights",
    "choosing": r"tensors as they were recorded, .*because torch can't export Net: .*data-dependent",
    "large": r"the shapes alone of 1 of 7 tensors .*because a tensor of it has 9\.2 MiB",
}
FUSED = """
from torch.nn import functional as F

class Model(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, {options})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, build_book: BuildBook) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("walked") / "book"
    shutil.copytree(ROOT / "tests/walked", folder)
    found = build_book(folder, folder / "_html", "-c", str(folder), "-W", "--keep-going")
    assert found.returncode == 0, found.warnings
    return folder / "_html", found.log


@pytest.mark.parametrize("name", CASES)
def test_a_line_of_the_build_says_what_is_shown_and_why(site: tuple[Path, str], name: str) -> None:
    (line,) = [line for line in site[1].splitlines() if f"walk {name}.model.Net" in line]
    assert re.search(CASES[name], line)


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_picture_its_blocks_and_its_script(site: tuple[Path, str], name: str) -> None:
    folder, _ = site
    page = BeautifulSoup((folder / "index.html").read_text("utf-8"), "html.parser")
    figure = page.select("figure[data-show=walk]")[[*CASES].index(name)]
    assert str(figure["data-model"]).startswith(f"nets.{name}")
    assert all((folder / str(image["src"])).is_file() for image in figure.select("img"))
    data = json.loads(figure.select_one("script").string)  # type: ignore[union-attr,arg-type]
    assert data["blocks"] and data["stops"]
    files = json.loads(page.select_one(".cutaway-live-files").string)  # type: ignore[union-attr,arg-type]
    address, size = files["models"][figure["data-model"]]
    assert (folder / address).stat().st_size == size < 200_000


OPTIONS = ["is_causal=True", "scale=0.3", "attn_mask=torch.ones(5, 5, dtype=torch.bool).tril()",
           "attn_mask=torch.arange(25).view(5, 5) / 25", "is_causal=True, enable_gqa=True"]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
def test_opened_attention_is_what_torch_computes_in_one_operation(tmp_path: Path, options: str) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(1, 4, 5, 6), *torch.randn(2, 1, 2 if "gqa" in options else 4, 5, 6)
    _, trace = traced(tmp_path, FUSED.format(options=options), q, k, v)
    graph = opened(graph_of(trace, "forward"))
    assert isinstance(graph, Opened) and {"scores", "attention"} <= {*graph.inside.values()}
    values = run(graph, graph.inputs)
    assert compare(graph, values)[0] < 1e-5
    theirs = F.scaled_dot_product_attention(q, k, v, **eval(f"dict({options})"))
    assert np.abs(np.asarray(values[-1]) - theirs.numpy()).max() < 1e-5
    weights = next(values[number] for number, name in graph.inside.items() if name == "attention")
    assert np.asarray(weights).sum(-1) == pytest.approx(1, abs=1e-5)


def test_what_was_made_of_what_is_known_without_a_graph(tmp_path: Path) -> None:
    """The same tensors as with a graph, in an order in which each stands after what it was made of."""
    code = (ROOT / "tests/walked/src/choosing/model.py").read_text("utf-8").replace("class Net", "class Model")
    _, trace = traced(tmp_path, code, torch.linspace(-2, 4, 30).view(1, 5, 6))
    found = case_of(trace, "forward")
    assert isinstance(found.seen.graph, Taped) and "does not say record.live" in found.said
    labels = [found.seen.graph.label(number) for number in found.seen.shown]
    assert labels[2:] == ["h", "h", "last"]  # after the sum, and what is decided with it
    _, _, h, activated, last = found.seen.shown
    assert found.seen.taken[activated] == [h] and found.seen.taken[last] == [activated]
    assert overlapping(found.found.blocks) == []
    named = {found.seen.graph.label(block.node) for block in found.found.blocks if block.kind == "weight"}
    assert named == {"large.weight", "large.bias", "last.weight", "last.bias"}


def test_a_pass_without_tensors_has_nothing_to_be_seen(tmp_path: Path) -> None:
    code = "class Model(nn.Module):\n    def forward(self, x):\n        return x\n"
    _, trace = recording.record(tmp_path, code, lambda names: names["model"](3))
    with pytest.raises(TraceError, match="recorded no tensor"):
        case_of(trace, "forward")
    assert isinstance(trace, Trace)
