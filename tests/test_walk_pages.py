"""The walk in a browser: what is picked and what is said, the picture drawn without a GPU, and a page without one."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import CHROMIUM, ROOT, Book, Launch
from PIL import Image
from playwright.sync_api import Page, expect

from cutaway import runs
from cutaway.computing.graph import graph_of
from cutaway.settings import Book as Settings
from cutaway.trace.reading import load
from cutaway.walks.still import built, picture

pytestmark = pytest.mark.browser
SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WITHOUT = ["--disable-3d-apis"]
WALK = "document.querySelector('figure[data-show=walk]').cutawayWalk"


def opened(launch: Launch, book: Book, options: list[str]) -> Iterator[Page]:
    """The page, in a browser with these options; no error may go by unheard."""
    errors: list[object] = []
    browser = launch(args=[*(option for option in CHROMIUM if option != "--disable-gpu"), *options])
    page = browser.new_context(color_scheme="dark", reduced_motion="reduce").new_page()
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(book.url("walk"))
    page.mouse.move(300, 300)
    expect(page.locator(".cutaway-live-note")).to_contain_text("stops", timeout=60_000)
    yield page
    browser.close()
    assert not errors


@pytest.fixture(scope="module")
def page(launch: Launch, mini_book: Book) -> Iterator[Page]:
    yield from opened(launch, mini_book, SOFTWARE)


@pytest.fixture(scope="module")
def flat(launch: Launch, mini_book: Book) -> Iterator[Page]:
    yield from opened(launch, mini_book, WITHOUT)


def test_a_cell_that_is_pointed_at_is_the_cell_that_stands_there(page: Page) -> None:
    """A thousand cells by chance, in the foremost grids, looked at from the front and from the side."""
    wrong = page.evaluate(
        f"""() => {{
          const walk = {WALK}, {{ space }} = walk, wrong = [], front = walk.solid.filter(({{ slice }}) => !slice);
          let seed = 7;
          const chance = (n) => (seed = (seed * 48271) % 2147483647) % n;
          for (let k = 0; k < 1000; k++) {{
            const block = front[chance(front.length)], cell = [chance(block.size[0]), chance(block.size[1])];
            const point = [block.at[0] + cell[0] + 0.5, block.at[1] + cell[1] + 0.5, block.at[2] + block.size[2]];
            space.look({{ target: point, yaw: (chance(80) - 40) / 100, pitch: (chance(60) - 30) / 100, far: 30 }});
            const [x, y] = space.seen(point), found = space.pick(x, y);
            const isRight = found?.block === block && `${{found.cell}}` === `${{cell}}`;
            if (!isRight) wrong.push([block.node, cell, found?.cell]);
          }}
          walk.draw();
          return wrong;
        }}"""
    )
    assert wrong == []


def test_a_cell_has_the_number_of_its_place_in_the_tensor(page: Page) -> None:
    wrong, count = page.evaluate(
        f"""() => {{
          const walk = {WALK}, {{ session, space }} = walk, wrong = [];
          let count = 0;
          for (const block of walk.solid) for (let k = 0; k < block.size[0] * block.size[1]; k += 7) {{
            const cell = [k % block.size[0], Math.floor(k / block.size[0])], [start, across, down] = block.data;
            const shown = space.numbers[start + cell[0] * across + cell[1] * down];
            const own = cutawayLive.at(session.tensor(block.node), walk.building.index(block, cell));
            if (!Object.is(shown, Math.fround(own))) wrong.push([block.node, cell, shown, own]);
            count++;
          }}
          return [wrong.slice(0, 5), count];
        }}"""
    )
    assert wrong == [] and count > 10_000


def test_operands_that_are_lit_are_those_that_the_reason_names(page: Page) -> None:
    """Of scores: a query's row and a key's column, as many cells as a head has channels in each."""
    lit = page.evaluate(
        f"""async () => {{
          await cutawayLive.part("why");
          const walk = {WALK}, {{ nodes }} = walk.session.graph;
          const block = walk.solid.find(({{ node, kind }}) => kind === 0 && nodes[node][0].startsWith("matmul"));
          walk.light(block, [1, 2]);
          const found = walk.space.lit.length;
          walk.focus(null);
          return found;
        }}"""
    )
    assert lit >= 1 + 16


def test_both_parts_of_a_sum_are_lit_though_a_dropout_stands_between(page: Page) -> None:
    lit = page.evaluate(
        f"""async () => {{
          await cutawayLive.part("why");
          const walk = {WALK}, {{ nodes }} = walk.session.graph;
          const added = ([op, , , module]) => op === "add.Tensor" && module;
          const sums = walk.solid.filter(({{ node, kind }}) => kind === 0 && added(nodes[node]));
          const found = sums.map((block) => {{
            walk.light(block, [1, 2]);
            return walk.space.lit.length;
          }});
          walk.focus(null);
          return found;
        }}"""
    )
    assert lit == [3] * 6  # the cell itself, what was there and what is added; two sums in each of three blocks


def test_steps_say_the_line_the_shapes_and_the_note(page: Page) -> None:
    canvas = page.locator(".cutaway-live-space canvas")
    for _ in range(20):
        canvas.press("n")
        if "four times as many" in page.locator(".cutaway-live-note").inner_text():
            break
    note = page.locator(".cutaway-live-note")
    expect(note).to_contain_text("Each token gets four times as many numbers.")
    expect(note.locator("code")).to_have_text(re.compile(r"self\.c_fc\(x\)|F\.linear"))
    expect(note).to_contain_text("1 × 11 × 48 → 1 × 11 × 192")
    expect(note.locator("a")).to_have_attribute("href", re.compile(r"walk\.html#walk-mlp-wider$"))
    assert "#walk=walk-mlp-wider" in page.url
    canvas.press("p")
    expect(note).not_to_contain_text("four times as many")
    canvas.press("Home")
    expect(note).to_contain_text("stops")
    assert "#walk" not in page.url


def test_cells_are_walked_by_keys_and_asked(page: Page) -> None:
    canvas = page.locator(".cutaway-live-space canvas")
    for key in ("n", "n", "ArrowRight", "ArrowDown"):
        canvas.press(key)
    expect(page.locator(".cutaway-live-cell b")).to_contain_text("=")
    canvas.press("Enter")
    expect(page.locator(".cutaway-live-why")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".cutaway-live-why")).to_be_hidden()
    canvas.press("Escape")
    canvas.press("Home")


def test_own_input_changes_the_colours_and_stays_in_place(page: Page) -> None:
    before = page.evaluate(f"[{WALK}.solid.length, [...{WALK}.space.numbers.slice(0, 2000)]]")
    page.locator("figure[data-show=walk] input[type=text]").fill("AABBCC")
    expect(page.locator("figure[data-show=walk] .cutaway-live-yours")).to_be_visible()
    after = page.evaluate(f"[{WALK}.solid.length, [...{WALK}.space.numbers.slice(0, 2000)]]")
    assert after[0] == before[0] and after[1] != before[1]
    page.locator("figure[data-show=walk] button", has_text="back to").click()
    expect(page.locator("figure[data-show=walk] .cutaway-live-yours")).to_be_hidden()


def test_the_browser_s_picture_is_the_one_drawn_without_a_gpu(page: Page) -> None:
    address = page.evaluate(
        f"""() => {{
          const walk = {WALK};
          Object.assign(walk.canvas, {{ width: 960, height: 540 }});
          walk.space.draw(walk.shot(-1));
          return walk.canvas.toDataURL();
        }}"""
    )
    theirs = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"), "f4")
    outcome = runs.ensure(Settings.read(ROOT / "docs"), lambda _: None, ["sort"])["sort"]
    ours = picture(*built(graph_of(load(Path(outcome.trace)), "forward")), "dark").astype("f4")
    assert np.abs(theirs - ours).mean() <= 1
    assert (np.abs(theirs - ours).max(-1) > 32).mean() < 0.02


def test_beams_are_those_drawn_without_a_gpu(page: Page) -> None:
    """At the stop of the first softmax, with every head's attention between tokens as beams."""
    canvas = page.locator(".cutaway-live-space canvas")
    canvas.press("b")
    expect(page.get_by_role("button", name="beams")).to_have_attribute("aria-pressed", "true")
    node, address = page.evaluate(
        f"""() => {{
          const walk = {WALK}, [node] = walk.looks;
          Object.assign(walk.canvas, {{ width: 960, height: 540 }});
          walk.space.draw(walk.shot(walk.stops.findIndex(([of]) => of === node)));
          return [node, walk.canvas.toDataURL()];
        }}"""
    )
    theirs = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"), "f4")
    outcome = runs.ensure(Settings.read(ROOT / "docs"), lambda _: None, ["sort"])["sort"]
    seen, found = built(graph_of(load(Path(outcome.trace)), "forward"))
    ours, plain = (picture(seen, found, "dark", node=node, is_beamed=on).astype("f4") for on in (True, False))
    assert np.abs(theirs - ours).mean() <= 1
    assert np.abs(theirs - plain).mean() > 1
    canvas.press("b")
    assert page.evaluate(f"{WALK}.space.beams.length") == 0


def test_a_chosen_token_has_the_beams_of_its_row_alone(page: Page) -> None:
    beams = page.get_by_role("button", name="beams")
    beams.click()
    expect(beams).to_have_attribute("aria-pressed", "true")
    rows = page.evaluate(
        f"""async () => {{
          await cutawayLive.part("beams");
          const walk = {WALK}, block = walk.solid.find(({{ node, slice }}) => node === walk.looks[0] && slice === 1);
          const all = walk.space.beams.length;
          walk.focus({{ block, cell: [0, 4] }});
          const own = walk.space.beams.filter(({{ look }}) => look[2] === block.stop);
          const rows = own.map(({{ look }}) => Math.floor((look[3] - block.look[3]) / block.size[0]));
          walk.focus(null);
          return [all, walk.space.beams.length, [...new Set(rows)]];
        }}"""
    )
    page.locator(".cutaway-live-space canvas").press("b")
    assert rows[0] == rows[1] > 300 and rows[2] == [4]


def test_a_million_cells_are_drawn_fast_enough(page: Page) -> None:
    """Copies of the model side by side until there are as many; fifteen pictures a second, by the processor alone."""
    frames = page.evaluate(
        f"""() => {{
          const walk = {WALK}, {{ space }} = walk, {{ blocks, numbers }} = space, many = [];
          const moved = (one, by) => ({{ ...one, at: [one.at[0] + by, ...one.at.slice(1)] }});
          for (let i = 0; i < 9; i++) many.push(...blocks.map((one) => moved(one, 800 * i)));
          Object.assign(walk.canvas, {{ width: 960, height: 540 }});
          space.put(many, numbers);
          const pixel = new Uint8Array(4), draw = (yaw) => {{
            space.draw({{ ...walk.shot(-1), target: [3400, 300, 0], far: 4500, yaw }});
            space.gl.readPixels(0, 0, 1, 1, space.gl.RGBA, space.gl.UNSIGNED_BYTE, pixel);
          }};
          draw(0);
          const start = performance.now();
          for (let i = 1; i < 9; i++) draw(i / 50);
          const each = (performance.now() - start) / 8;
          const cells = many.reduce((sum, {{ size }}) => sum + size[0] * size[1], 0);
          space.put(blocks, numbers);
          walk.update();
          return [each, cells];
        }}"""
    )
    print(f"{frames[1]:,.0f} cells: {frames[0]:.1f} ms a picture")
    assert frames[1] > 1e6


def test_without_webgl_the_picture_and_the_words_are_there(flat: Page) -> None:
    expect(flat.locator("figure[data-show=walk] img:visible")).to_have_count(1)
    flat.get_by_role("button", name="next stop").click()
    expect(flat.locator(".cutaway-live-note")).to_contain_text("1 of")
    expect(flat.locator(".cutaway-live-space canvas")).to_have_count(0)
    expect(flat.locator(".cutaway-live-space [role=gridcell]").first).to_be_visible()


def test_an_address_restores_step_layer_cell_and_input(page: Page) -> None:
    page.evaluate("location.hash = '#walk=walk-mlp-wider@h.1/0,3,5'")
    note = page.locator(".cutaway-live-note")
    expect(note).to_contain_text("h.1.mlp")
    expect(note.locator(".cutaway-live-cell b")).to_contain_text("[0, 3, 5]")
    canvas = page.locator(".cutaway-live-space canvas")
    canvas.press("ArrowDown")
    expect(note.locator(".cutaway-live-cell b")).to_contain_text("[0, 3, 6]")
    assert page.url.endswith("#walk=walk-mlp-wider@h.1/0,3,6")
    page.evaluate("location.hash = '#walk=walk-mlp-wider@h.1/0,3,999'")
    expect(note.locator(".cutaway-live-cell")).to_have_count(0)
    for key in ("Escape", "Home"):
        canvas.press(key)
    assert "walk=" not in page.url


def test_heads_are_fanned_out_and_come_back(page: Page) -> None:
    deep = f"[...new Set({WALK}.solid.filter(({{ slices }}) => slices > 1).map(({{ at }}) => at[2]))].sort((a, b) => a - b)"  # noqa: E501
    before = page.evaluate(deep)
    page.locator(".cutaway-live-space canvas").press("h")
    after = page.evaluate(deep)
    assert len(before) > 1 and after == pytest.approx([4 * z for z in before])
    page.get_by_role("button", name="fan out heads").click()
    assert page.evaluate(deep) == before


def test_a_note_leads_into_the_walk(mini_book: Book) -> None:
    links = mini_book.page("walk").select(".cutaway-elsewhere a")
    assert [link["href"] for link in links if link.text == "in 3D"] == ["#walk=walk-mlp-wider"]


def test_two_fingers_move_and_bring_nearer_one_turns(page: Page) -> None:
    found = page.evaluate(
        f"""() => {{
          const walk = {WALK}, {{ canvas }} = walk, state = () => [
            walk.camera.far, walk.camera.yaw, walk.camera.target[0]];
          canvas.setPointerCapture = () => {{}};
          canvas.focus();
          const send = (type, id, x, y) => canvas.dispatchEvent(new PointerEvent(
            type, {{ pointerId: id, pointerType: "touch", clientX: x, clientY: y }}));
          const before = state();
          send("pointerdown", 1, 100, 100);
          send("pointermove", 1, 140, 100);
          const turned = state();
          send("pointerdown", 2, 240, 100);
          send("pointermove", 2, 340, 100);
          const pinched = state();
          for (const id of [1, 2]) send("pointerup", id, 0, 0);
          walk.go(-1);
          return [before, turned, pinched];
        }}"""
    )
    before, turned, pinched = found
    assert turned[1] == pytest.approx(before[1] - 0.2) and turned[0] == before[0]
    assert pinched[0] == pytest.approx(turned[0] / 2) and pinched[2] < turned[2]


def test_without_a_script_the_picture_stands_in_the_page(mini_book: Book) -> None:
    figure = mini_book.page("walk").select_one("figure[data-show=walk]")
    assert figure is not None
    shown = figure.select("img")
    assert [image["alt"] for image in shown] == ["The model as blocks of cells in space."] * 2
    assert all((mini_book.folder / str(image["src"])).is_file() for image in shown)
    assert len(str(figure.select_one("script"))) < 20_000
