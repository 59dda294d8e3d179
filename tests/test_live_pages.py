"""The model in the page, in a browser: it computes what torch computes, for every word; and it says why."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Book
from playwright.sync_api import Browser, Page, expect

from cutaway.cells import VARIABLE, load
from cutaway.live.known import KNOWN
from cutaway.live.making import PARTS, STATIC, code
from cutaway.live.shown import Shown, with_probe
from cutaway.trace.names import UnknownName
from cutaway.trace.reading import Value

pytestmark = pytest.mark.browser
MODEL = "cutawayLive.models['sort.forward']"
CHECKED = "214 of 214 recorded tensors recomputed here"


@pytest.fixture(scope="module")
def recorded() -> Iterator[Any]:
    """``load``, as a cell of the book has it."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(ROOT / "docs")
    yield load
    os.environ.pop(VARIABLE)
    if before:
        os.environ[VARIABLE] = before


@pytest.fixture
def page(chromium: Browser, mini_book: Book) -> Iterator[Page]:
    """The page of figures, opened as a file by a reader who moves; no error may go by unheard."""
    context = chromium.new_context()
    errors: list[Any] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(mini_book.url("live"))
    page.mouse.move(300, 300)
    expect(page.locator(".cutaway-live-status").first).to_contain_text(CHECKED, timeout=30_000)
    yield page
    context.close()
    assert not errors


def field(page: Page) -> Any:
    return page.locator("figure[data-show=input] input")


def test_recorded_numbers_are_recomputed_and_compared(page: Page) -> None:
    said = page.locator("figure[data-model]:not([data-show=input]) .cutaway-live-status").first.inner_text()
    assert CHECKED in said
    assert page.evaluate(f"{MODEL}.check({MODEL}.runNow()).worst") < 2e-5


def test_all_729_words_as_torch_computes_them(page: Page, recorded: Any) -> None:
    import torch

    model = recorded("sort").model()
    from nanogpt.sort import all_examples

    idx, targets = all_examples()
    with torch.no_grad():
        logits = model(idx, targets)[0]
    asked = [idx.tolist(), targets.tolist(), logits.flatten(1).tolist()]
    worst, others = page.evaluate(
        f"""([idx, targets, logits]) => {{
          const node = {MODEL}.graph.nodes.findLastIndex(([op]) => op === "linear.default");
          let worst = 0, others = 0;
          idx.forEach((ids, n) => {{
            const {{ d }} = {MODEL}.runNow([ids, targets[n]])[node], largest = Math.max(...logits[n].map(Math.abs));
            logits[n].forEach((one, i) => (worst = Math.max(worst, Math.abs(one - d[i]) / largest)));
            const best = (row) => row.indexOf(Math.max(...row));
            for (let i = 0; i < d.length; i += 3) {{
              others += best([...d.slice(i, i + 3)]) !== best(logits[n].slice(i, i + 3));
            }}
          }});
          return [worst, others];
        }}""",
        asked,
    )
    assert worst <= 2e-5
    assert others == 0


def test_sums_behind_random_cells_are_the_cells(page: Page) -> None:
    found = page.evaluate(
        f"""async () => {{
          await cutawayLive.part("why");
          const model = {MODEL}, values = model.runNow(), wrong = [], kinds = {{}};
          let seed = 7;
          const chance = (n) => (seed = (seed * 48271) % 2147483647) % n;
          for (const [node, [op]] of model.graph.nodes.entries()) {{
            const value = values[node];
            if (!value?.s) continue;
            for (let k = 0; k < 60; k++) {{
              const index = value.s.map((size) => chance(size)), why = cutawayLive.why(model, values, node, index);
              const again = cutawayLive.total(why), scale = Math.max(...value.d.map(Math.abs).filter(Number.isFinite));
              kinds[why.kind] = (kinds[why.kind] ?? 0) + 1;
              const isRight = again === why.value || Math.abs(again - why.value) <= 1e-5 * scale;
              if (!isRight) wrong.push([op, index, again, why.value]);
            }}
          }}
          return [wrong, kinds];
        }}"""
    )
    wrong, kinds = found
    assert not wrong
    assert {"product", "softmax", "norm", "function", "pick", "mask", "mean", "same", "weight", "input"} <= kinds.keys()


def test_own_input_is_followed_everywhere_marked_and_taken_back(page: Page, mini_book: Book) -> None:
    recorded_cell = page.locator("figure[data-show=grid] [role=gridcell]").nth(11).inner_text()
    field(page).fill("baccab")
    answer = page.locator("figure[data-show=input] output")
    expect(answer).to_contain_text("AABBCC")
    expect(page.locator(".cutaway-live-yours:visible")).to_have_count(6)
    assert page.url.endswith("?in=BACCAB")
    assert page.locator("figure[data-show=grid] [role=gridcell]").nth(11).inner_text() != recorded_cell
    expect(page.locator("p > span[data-live]").first).to_have_attribute("data-own", "1")
    page.get_by_role("button", name="back to CBABBC").first.click()
    expect(answer).to_contain_text("ABBBCC")
    assert "?in" not in page.url
    assert page.locator("figure[data-show=grid] [role=gridcell]").nth(11).inner_text() == recorded_cell


@pytest.mark.parametrize("typed", ["ABCD", "ABCABCA", "", "ab", "123456", "🙂🙂🙂🙂🙂🙂", "A" * 5000, "<b>AAA</b>"])
def test_what_the_model_cant_read_is_said(page: Page, typed: str) -> None:
    field(page).fill(typed)
    status = page.locator("figure[data-show=input] .cutaway-live-status")
    expect(status).to_have_attribute("data-error", "")
    assert 10 < len(status.inner_text()) < 200
    expect(page.locator("figure[data-show=input] output")).to_contain_text("ABBBCC")  # the last good one


def test_an_address_brings_its_input(chromium: Browser, mini_book: Book) -> None:
    page = chromium.new_page()
    page.goto(mini_book.url("live") + "?in=BACCAB")
    expect(page.locator("figure[data-show=input] output")).to_contain_text("AABBCC", timeout=30_000)
    page.get_by_role("link", name="What can be linked to").first.click()
    assert page.url.endswith("things.html?in=BACCAB")
    page.close()


def test_the_panel_leads_back_and_returns(page: Page) -> None:
    page.locator("figure[data-show=grid] [role=gridcell]").nth(11).click()
    panel = page.locator("aside.cutaway-live-why")
    expect(panel).to_contain_text("att[0, 0, 1, 0]")
    expect(panel).to_contain_text("F.softmax(att")
    for _ in range(5):
        operands = panel.locator(".cutaway-live-operand")
        if not operands.count():
            break
        operands.first.click()
    assert panel.locator("nav li").count() >= 3
    panel.locator("nav button").first.click()
    expect(panel).to_contain_text("att[0, 0, 1, 0]")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "gridcell"


def test_a_name_beside_a_line_is_asked_by_keyboard(page: Page) -> None:
    name = page.locator(".cutaway-shape i[data-live]").first
    name.focus()
    page.keyboard.press("Enter")
    panel = page.locator("aside.cutaway-live-why")
    expect(panel).to_be_visible()
    panel.locator("[role=gridcell]").first.click()
    expect(panel).to_contain_text("att")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_left_out_heads_change_the_answer_and_come_back(page: Page) -> None:
    figure = page.locator("figure[data-show=ablation]")
    figure.scroll_into_view_if_needed()
    before = figure.locator("table").inner_text()
    for button in figure.get_by_role("button", name="head").all():
        button.click()
    expect(figure.locator("table")).not_to_have_text(before)
    figure.get_by_role("button", name="all on").click()
    expect(figure.locator("table")).to_have_text(before, use_inner_text=True)


def test_a_number_of_a_table_follows_and_is_asked(page: Page) -> None:
    number = page.locator("table span[data-live]")
    expect(number).to_have_attribute("role", "button")
    field(page).fill("BACCAB")
    expect(number).to_have_attribute("data-own", re.compile(r"^0\.\d+"))
    number.click()
    panel = page.locator("aside.cutaway-live-why")
    expect(panel).to_contain_text("att[0, 0, 1, 0]")
    assert number.get_attribute("data-own") in panel.inner_text()


def test_a_moved_score_is_what_softmax_and_the_model_go_on_with(page: Page, recorded: Any) -> None:
    """The weights are a softmax of what the sliders say, and the answers are torch's with that row in its place."""
    import torch
    from torch.nn import functional as F

    figure = page.locator("figure[data-show=softmax]")
    figure.scroll_into_view_if_needed()
    sliders = figure.locator("input[type=range]:enabled")
    expect(sliders).to_have_count(6)  # at the word's last letter; what comes later is masked
    sliders.nth(4).evaluate("(one) => { one.value = one.max; one.dispatchEvent(new Event('input')); }")
    result = figure.locator(".cutaway-live-scroll table")
    expect(result).to_be_visible()
    scores = torch.tensor([float(one.input_value()) for one in sliders.all()], dtype=torch.double)
    scores = F.pad(scores, (0, 5), value=-torch.inf)
    shown = [float(one) for one in figure.locator("li button").all_inner_texts()]
    np.testing.assert_allclose(shown, torch.softmax(scores, 0), atol=5e-4)
    assert shown[4] > 0.9

    sort, calls = recorded("sort"), []
    model = sort.model()

    def moved(x: torch.Tensor, dim: int) -> torch.Tensor:
        calls.append(x)
        if len(calls) == 1:
            x = x.clone()
            x[0, 0, 5] = scores.float()
        return softmax(x, dim=dim)

    softmax = F.softmax
    graph = sort.trace.live["forward"]
    idx, targets = (torch.tensor([inputs]) for inputs in page.evaluate(f"{MODEL}.inputs"))
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr("torch.nn.functional.softmax", moved)
        logits = model(idx, targets)[0][0, -6:]
    said = result.locator("tr").nth(1).locator("td > b").all_inner_texts()
    assert said == [graph["reads"]["letters"][best] for best in logits.argmax(-1).tolist()]
    figure.get_by_role("button", name="Scores as they were").click()
    expect(result).to_have_count(0)


def test_with_a_cache_the_logits_are_the_same_and_the_work_is_less(page: Page) -> None:
    figure = page.locator("figure[data-show=cache]")
    figure.scroll_into_view_if_needed()
    field(page).fill("BACCAB")
    expect(page.locator("figure[data-show=input] output")).to_contain_text("AABBCC")
    said = figure.locator(".cutaway-live-drawn")
    figure.get_by_role("button", name="Start again").click()
    for count in range(7, 12):
        figure.get_by_role("button", name="Step").click()
        expect(figure.locator("table").first.locator("th[scope=col]")).to_have_count(count)
        expect(said).to_contain_text("the same logits")
        expect(page.locator(".cutaway-shape i[data-live]").first).to_have_attribute(
            "data-own", "" if count == 11 else re.compile(rf"^\(1, 3, {count}, ")
        )
        times = float(re.search(r"([\d.]+) times less work", said.inner_text())[1])
        assert count - 1 < times <= count + 0.1  # all rows but one were known
    assert figure.locator("table").nth(1).locator("td.cutaway-live-kept").count() == 10 * 4
    figure.get_by_role("button", name="Step").click()  # the last letter is written, and not read
    expect(figure.get_by_role("button", name="Step")).to_be_disabled()
    expect(page.locator("figure[data-show=input] output")).to_contain_text("AABBCC")


@pytest.mark.slow
def test_on_a_slow_machine_a_token_waits_for_the_one_before(page: Page) -> None:
    """A run that takes longer than the beat: every token comes of what the model said of all before it."""
    field(page).fill("CABBAC")
    output = page.locator("figure[data-show=input] output")
    expect(output).to_contain_text("AABBCC")
    page.evaluate(
        f"""() => {{
          const model = {MODEL}, run = model.run.bind(model);
          model.run = (...asked) => new Promise((done) => setTimeout(() => done(run(...asked)), 1000));
        }}"""
    )
    figure = page.locator("figure[data-show=cache]")
    figure.scroll_into_view_if_needed()
    figure.get_by_role("button", name="Play").click()
    figure.get_by_role("button", name="Step").click()  # nothing is begun twice
    tokens = figure.locator("table").first.locator("th[scope=col]")
    expect(tokens).to_have_count(7, timeout=30_000)
    expect(tokens).to_have_count(11, timeout=30_000)
    assert "".join(text[0] for text in tokens.all_inner_texts()) == "CABBACAABBC"
    expect(figure.get_by_role("button", name="Play")).to_be_visible()


def test_what_a_cache_saves_is_all_that_is_known(page: Page) -> None:
    """Every node with the cache against the whole pass: the last row, for every length."""
    worst = page.evaluate(
        f"""() => {{
          const model = {MODEL}, {{ finish }} = cutawayLive.numbers, ids = [1, 0, 2, 2, 0, 1, 0, 0, 1, 1, 2];
          const inputs = (T) => [ids.slice(0, T), ids.slice(0, T).map(() => 0)];
          let values = model.runNow(inputs(3)), worst = 0;
          for (let T = 4; T <= 11; T++) {{
            const whole = model.runNow(inputs(T));
            values = finish(cutawayLive.cachedSteps(model, values, inputs(T), {{}}));
            whole.forEach(({{ s, d }}, node) => {{
              if (!s?.length || s.at(-2) !== T) return;
              const row = s.at(-1), from = d.length - row, largest = cutawayLive.largest(d);
              for (let i = from; i < d.length; i++) {{
                const same = Object.is(d[i], values[node].d[i]) || Math.abs(d[i] - values[node].d[i]) <= 1e-6 * largest;
                if (!same) throw Error(`node ${{node}} (${{model.graph.nodes[node][0]}}) differs at T = ${{T}}`);
              }}
            }});
          }}
          return worst;
        }}"""
    )
    assert worst == 0


def test_a_page_loads_the_code_that_it_needs(chromium: Browser, mini_book: Book) -> None:
    """What asks why comes with the first question."""
    page = chromium.new_page()
    page.goto(mini_book.url("live"))
    page.mouse.move(300, 300)
    expect(page.locator(".cutaway-live-status").first).to_contain_text(CHECKED, timeout=30_000)
    assert page.evaluate("[typeof cutawayLive.why, typeof cutawayLive.bpe]") == ["undefined", "undefined"]
    page.locator("figure[data-show=grid] [role=gridcell]").nth(11).click()
    expect(page.locator("aside.cutaway-live-why")).to_be_visible()
    assert page.evaluate("typeof cutawayLive.why") == "function"
    page.close()


@pytest.mark.parametrize("part", PARTS)
def test_the_code_is_small(part: str) -> None:
    """What a figure of cells loads, and what every other part adds."""
    packed = {name: len(gzip.compress(code(name).encode(), 9)) for name in ("", "grid", part)}
    assert packed[""] + packed["grid"] < 13_700
    assert part == "" or packed[part] < (8_000 if part == "space" else 6_000)  # it is drawn by code of our own


def test_what_a_walk_loads_at_once_is_twelve_kilobytes() -> None:
    assert sum(len(gzip.compress(code(name).encode(), 9)) for name in ("space", "walk")) <= 12 * 1024


def test_without_a_script_the_recorded_numbers_stand_there(chromium: Browser, mini_book: Book) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(mini_book.url("live"))
    assert page.locator("figure[data-show=grid] table tr").count() == 12
    assert page.locator("figure[data-show=grid] td").nth(1).inner_text() == "1"
    expect(page.get_by_text("A field for six letters.")).to_be_visible()
    context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium: Browser, mini_book: Book) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(mini_book.url("live"))
    page.touchscreen.tap(100, 300)
    expect(page.locator(".cutaway-live-status").first).to_contain_text(CHECKED, timeout=30_000)
    page.locator("figure[data-show=grid] [role=gridcell]").first.tap()
    expect(page.locator("aside.cutaway-live-why")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


@pytest.fixture
def blank(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page with the parts that need no model."""
    page = chromium.new_page()
    (tmp_path / "blank.html").write_text("<!DOCTYPE html><title>blank</title>")
    page.goto((tmp_path / "blank.html").as_uri())
    for name in ("tensors", "numbers", "model", "why", "bpe", "text", "sampling"):
        page.add_script_tag(content=(STATIC / f"{name}.js").read_text("utf-8"))
    yield page
    page.close()


def test_a_distribution_is_what_nanochat_draws_from(blank: Page) -> None:
    import torch

    from nanochat.chat.sampling import keep_nucleus

    torch.manual_seed(11)
    logits = torch.randn(1000, 40) * 3
    settings = [(0.3 + 0.1 * (n % 20), n % 7, None if n % 3 else 0.1 + 0.1 * (n % 9)) for n in range(1000)]
    asked = [
        [row.tolist(), {"temperature": heat, "topK": k or None, "topP": p}]
        for row, (heat, k, p) in zip(logits, settings, strict=True)
    ]
    found = blank.evaluate(
        "(asked) => asked.map(([logits, how]) => [...cutawayLive.distribution(logits, how).p])", asked
    )
    for row, (heat, k, p), ours in zip(logits, settings, found, strict=True):
        kept, tokens = torch.topk(row[None], k) if k else (row[None], None)
        probs = torch.softmax(kept.double() / heat, -1)
        probs = keep_nucleus(probs, p) if p is not None else probs
        probs = probs / probs.sum()
        full = torch.zeros(40, dtype=torch.double)
        full[tokens[0] if tokens is not None else torch.arange(40)] = probs[0]
        np.testing.assert_allclose(np.array(ours) / sum(ours), full.numpy(), atol=1e-6)


def test_what_the_build_takes_for_known_pages_know(blank: Page) -> None:
    known = blank.evaluate("Object.values(cutawayLive.numbers.kinds).flatMap((kind) => Object.keys(kind))")
    assert set(known) == KNOWN


def test_byte_pairs_are_those_of_the_tokenizer(blank: Page, recorded: Any) -> None:
    reads = recorded("prose").trace.live["inference"]["reads"]
    from nanochat.dataset import documents
    from runs.prose import prepare

    with tempfile.TemporaryDirectory() as folder:
        settings, _, tokenizer = prepare(Path(folder))
        texts = [text for split in ("train", "val") for text in documents(split, settings.data)]
    texts += [
        "",
        "  ",
        "héllo wörld 你好 🙂",
        "I'LL we've  \n\n x=1234567;",
        "a\u0301b",
        "\t\ttab\r\nx",
        "<|bos|>",
        "'S 'Re",
    ]
    texts += [chr(code) * 3 for code in (0, 0x7F, 0xA0, 0x2028, 0xFFFD, 0x1F600)]
    blank.evaluate("(bpe) => { window.reads = bpe; }", reads["bpe"])
    found = blank.evaluate("(texts) => texts.map((text) => cutawayLive.bpe.encode(reads, text))", texts)
    bos = tokenizer.get_bos_token_id()
    assert found == tokenizer.encode(texts, prepend=bos)
    assert len(texts) > 500
    assert json.dumps(found[-1])


TYPED = ["How do I sort lists?", "hello world", "def f(x): return x + 1", "Wie heißt du?", "🙂 ok", "3.14", "\n\n", "A"]


@pytest.mark.slow
def test_the_model_of_text_says_what_torch_says_of_200_texts(blank: Page, recorded: Any) -> None:
    """Beginnings that readers type, and pieces of what the model never read."""
    import torch

    from cutaway.computing.graph import graph_of
    from cutaway.live.script import script
    from cutaway.settings import Book as Settings

    prose, chance = recorded("prose"), random.Random(4)
    source = (ROOT / "README.md").read_text("utf-8")
    pieces = [source[at : at + chance.randint(1, 90)] for at in (chance.randrange(len(source)) for _ in range(192))]
    blank.add_script_tag(content=script(graph_of(prose.trace, "inference"), Settings.read(ROOT / "docs").source, {}))
    found = blank.evaluate(
        """(texts) => {
          const model = cutawayLive.models["prose.inference"], { graph } = model;
          return texts.map((text) => {
            const { ids, error } = cutawayLive.read(graph.reads, text);
            if (error) return [text, error];
            const { s, d } = model.runNow([ids]).findLast((value) => value?.s?.length === 3);
            return [ids, [...d.slice(-s[2])]];
          });
        }""",
        [*TYPED, *pieces],
    )
    model = prose.model()
    assert sum(isinstance(ids, list) for ids, _ in found) >= 190
    for ids, ours in found:
        if isinstance(ids, str):
            assert ours.endswith("this page takes 64.")
            continue
        with torch.no_grad():
            theirs = model(torch.tensor([ids]))[0, -1]
        assert np.abs(np.array(ours) - theirs.numpy()).max() <= 2e-5 * theirs.abs().max().item()
        assert int(np.argmax(ours)) == int(theirs.argmax())


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [
        (["A"], 8, "9 × 1 = 9 numbers, row by row, the last row added; 8 were found"),
        ([], 9, ":labels: of its numbers"),
        (["A", "B"], None, "no :matrix: was named"),
    ],
)
def test_a_probe_that_does_not_fit_is_refused(labels: list[str], count: int | None, message: str) -> None:
    shown = Shown("run.pass", "probe", 3, value=Value("tensor", "digest", (1, 3, 8)))
    assert with_probe(shown, ["A"], [0.5] * 9).probe == (["A"], [0.5] * 9)
    with pytest.raises(UnknownName, match=re.escape(message)):
        with_probe(shown, labels, None if count is None else [0.5] * count)


def test_a_plane_has_two_directions() -> None:
    shown = Shown("run.pass", "plane", 3, value=Value("tensor", "digest", (1, 3, 8)))
    assert with_probe(shown, ["a", "b"], [0.5] * 18).probe == (["a", "b"], [0.5] * 18)
    with pytest.raises(UnknownName, match="a plane has two :labels:, what is across and what is up; 3 were found"):
        with_probe(shown, ["a", "b", "c"], [0.5] * 27)
    with pytest.raises(UnknownName, match=r"a plane of it needs 9 × 2 = 18 numbers"):
        with_probe(shown, ["a", "b"], [0.5] * 16)


def test_a_cell_of_a_clip_says_why(chromium: Browser, mini_book: Book) -> None:
    page = chromium.new_page()
    page.goto(mini_book.url("things"))
    clip = page.locator("figure.cutaway-clip").first
    clip.scroll_into_view_if_needed()
    clip.locator(".cutaway-clip-stage").click()
    page.keyboard.press("End")
    tip = clip.locator(".cutaway-clip-tip")
    for key in ("t", "v", "v"):
        page.keyboard.press(key)
    expect(tip).to_contain_text("why?")
    shown = tip.inner_text()
    page.keyboard.press("Enter")
    panel = page.locator("aside.cutaway-live-why")
    expect(panel).to_be_visible(timeout=30_000)
    index = shown.partition("[")[2].partition("]")[0]
    expect(panel).to_contain_text(f"[{index}]")
    page.close()
