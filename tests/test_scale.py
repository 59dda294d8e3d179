"""Models to scale: counted from the source on the meta device, drawn in true proportion, and read on a page."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import CHROMIUM, Book, Launch
from playwright.sync_api import expect

from cutaway.walks.scale import scaled
from cutaway.walks.towers import Unreadable, boxes, described, picture, share, towers

SMALL = {"block_size": 16, "vocab_size": 31, "n_layer": 3, "n_head": 4, "n_embd": 24}
LARGE = {"block_size": 32, "vocab_size": 500, "n_layer": 5, "n_head": 4, "n_embd": 48}


@cache
def gpt(**sizes: int) -> str:
    from nanogpt.model import GPT, GPTConfig

    return scaled(f"C {sizes['n_embd']}", lambda: GPT(GPTConfig(**sizes)), sizes["block_size"])


def both() -> list[Any]:
    return towers([gpt(**SMALL), gpt(**LARGE)])


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
def test_parameters_operations_and_cache_are_those_of_the_formulas(sizes: dict[str, int]) -> None:
    T, V, L, C = (sizes[name] for name in ("block_size", "vocab_size", "n_layer", "n_embd"))
    parameters = V * C + T * C + L * (12 * C * C + 13 * C) + 2 * C
    operations = L * (24 * T * C * C + 4 * T * T * C) + 2 * T * C * V
    assert json.loads(gpt(**sizes))["totals"] == [parameters, operations, 2 * 2 * L * T * C]


def test_published_sizes_are_met_without_memory() -> None:
    from nanogpt.model import GPT, GPTConfig

    sizes = {"n_layer": 48, "n_head": 25, "n_embd": 1600, "vocab_size": 50257}
    found = json.loads(scaled("XL", lambda: GPT(GPTConfig(**sizes)), 1024))
    assert found["totals"][0] == 1_557_611_200 and len(json.dumps(found)) < 2000


def test_layers_that_differ_are_refused() -> None:
    from nanochat.config import GPTConfig
    from nanochat.gpt import GPT

    config = GPTConfig.newest(n_layer=4, n_head=2, n_kv_head=2, n_embd=256, vocab_size=64)
    with pytest.raises(ValueError, match="layers of this model differ"):
        scaled("newest", lambda: GPT(config), 64)


def test_a_part_is_as_wide_as_its_columns_and_as_high_as_its_rows() -> None:
    for tower in both():
        highest = max(part[1] for part in tower.parts if part[7])
        for at, _, top, _, width, height, layers in tower.boxes:
            _, rows, columns, *_, is_inside = tower.parts[int(at)]
            times = width / columns  # of a table that is folded
            assert times == int(times) and rows <= height * times < rows + times
            assert top == -height and height <= highest and layers == (tower.layers if is_inside else 1)


def test_nothing_overlaps_and_shares_add_up_to_one() -> None:
    found = both()
    edges = [(x, x + width) for tower in found for _, x, _, _, width, *_ in tower.boxes]
    assert all(right <= left for (_, right), (left, _) in itertools.pairwise(edges))
    for tower in found:
        for quantity in range(3):
            assert sum(share(tower, at, quantity) for at in range(len(tower.parts))) == pytest.approx(1)
    assert len(json.dumps(described(found))) < 4000


@pytest.mark.parametrize("text", ["", "3", "[]", "{}", '{"name":"x","tokens":1,"layers":0,"parts":[],"totals":[]}', 7,
                                  gpt(**SMALL).replace('"layers":3', '"layers":-3'), None])  # fmt: skip
def test_what_is_no_model_is_refused(text: Any) -> None:
    with pytest.raises(Unreadable, match=r"item 1 is no model: note what cutaway\.walks\.scale"):
        towers([gpt(**SMALL), text])


def test_sheets_that_are_too_near_are_drawn_as_one() -> None:
    from cutaway.walks.colours import paints

    found = both()
    one, many = (list(boxes(found, paints("dark"), fine=fine)) for fine in (1e9, 0))
    assert len(one) == sum(len(tower.boxes) for tower in found) < len(many)
    ends = [(min(box.low[2] for box in all), max(box.high[2] for box in all)) for all in (one, many)]
    assert ends[0] == pytest.approx(ends[1])
    assert np.unique(picture(found, "dark").reshape(-1, 3), axis=0).shape[0] > 10


@pytest.mark.browser
def test_a_page_flies_to_a_model_and_says_what_is_pointed_at(launch: Launch, mini_book: Book) -> None:
    options = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    browser = launch(args=[*(option for option in CHROMIUM if option != "--disable-gpu"), *options])
    page = browser.new_context(color_scheme="dark", reduced_motion="reduce").new_page()
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(mini_book.url("scale"))
    page.mouse.move(300, 300)
    figure = page.locator("figure[data-show=scale]")
    note = figure.locator(".cutaway-live-note")
    expect(note).to_contain_text("fly to a model", timeout=60_000)
    figure.get_by_role("radio", name="larger").check(force=True)
    expect(note.locator("h3")).to_have_text("larger")
    figure.get_by_role("radio", name="what the cache holds").check(force=True)
    expect(note.locator("table")).to_contain_text("50.0 %")
    wrong = page.evaluate(
        """() => {
          const walk = document.querySelector("figure[data-show=scale]").cutawayWalk, wrong = [];
          for (const block of walk.boxes.filter(({ layer }) => !layer)) {
            const point = block.at.map((x, i) => x + block.size[i] * (i < 2 ? 0.5 : 1));
            walk.space.look({ target: point, yaw: 0.1, pitch: 0.1, far: 500 });
            const [x, y] = walk.space.seen(point), found = walk.space.pick(x, y);
            if (found?.block !== block) wrong.push([block.number, block.part]);
          }
          walk.draw();
          return wrong;
        }"""
    )
    assert wrong == []
    browser.close()
    assert not errors
