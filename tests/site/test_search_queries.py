"""What readers ask of the search, with the built site's own scripts: the right section stands among the first three.

``tests/search_queries.txt`` has the questions. Weights and synonyms were chosen by the parts *asked* and *typed*, and
never by *held*: that part says how the search does with words that nobody thought of.
"""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe import COLOURS, EVERYTHING, LAYOUT, violations
from built_site import ROOT, Reader
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.site
FIRST = 3
# Of the queries of each part. The aim is 0.95; of those that were never looked at while weights were chosen 54 of 60
# are answered, where 52 were before.
RIGHT = {"asked": 0.95, "typed": 0.95, "held": 0.88}
INDEX_BYTES = 350_000  # compressed
KEY_MS = 60  # on a processor a quarter as fast as this one, with other tests beside; 34 measured alone, 40 is the aim
TYPED = (
    "how does attention work",
    "learning rate schedule",
    "weight dcay",
    "CUDA out of memory",
    "masked_fill(",
    "50304",
)


FOUND = re.compile(r"result|Nothing")


class Query(NamedTuple):
    part: str
    text: str
    sections: list[str]


def queries() -> list[Query]:
    found: list[Query] = []
    part = ""
    for line in (ROOT / "tests/search_queries.txt").read_text("utf-8").splitlines():
        text, arrow, sections = line.partition(" => ")
        if line.startswith("["):
            part = line[1:].partition("]")[0]
        elif arrow and not line.startswith("#"):
            found.append(Query(part, text, sections.split()))
    return found


@pytest.fixture(scope="module")
def answers(site: Path) -> list[dict[str, Any]]:
    node = shutil.which("node")
    assert node, "no node; `nox -s site-check` brings one"
    command = [node, str(ROOT / "tests/search.mjs"), str(site)]
    asked = "\n".join(query.text for query in queries())
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["answers"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("part", list(RIGHT))
def test_the_right_section_is_among_the_first(
    part: str, answers: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    missed = []
    asked = [(query, answer) for query, answer in zip(queries(), answers, strict=True) if query.part == part]
    for query, answer in asked:
        first = answer["best"][:FIRST]
        if not any({hit["id"], hit["section"]} & {*query.sections} for hit in first):
            missed.append(f"{query.text}: {', '.join(hit['id'] for hit in first)}")
    with capsys.disabled():
        print(f"\n{part}: {len(asked) - len(missed)} of {len(asked)}")
    assert len(asked) >= 60
    assert 1 - len(missed) / len(asked) >= RIGHT[part], "\n".join(missed)


def test_every_section_that_answers_is_in_the_book(site: Path) -> None:
    registry = json.loads((ROOT / "permalinks.json").read_text("utf-8"))["ids"]
    named = {id for query in queries() for id in query.sections if not id.startswith("glossary-")}
    assert sorted(named - registry.keys()) == []


def test_a_book_that_says_nothing_answers_nothing(site: Path, tmp_path: Path) -> None:
    """The test itself: with the texts of other entries hardly any query is answered."""
    shutil.copytree(site / "_static", tmp_path / "_static")
    shutil.copy(site / "index.html", tmp_path)
    head, _, data = (site / "searchindex.js").read_text("utf-8").partition("=")
    index = json.loads(data)
    index["ids"].reverse()
    (tmp_path / "searchindex.js").write_text(f"{head}={json.dumps(index)}", "utf-8")
    command = [str(shutil.which("node")), str(ROOT / "tests/search.mjs"), str(tmp_path)]
    asked = queries()
    done = subprocess.run(
        command, input="\n".join(q.text for q in asked), capture_output=True, text=True, timeout=300, check=True
    )
    found = json.loads(done.stdout)["answers"]
    right = sum(
        any(hit["id"] in query.sections for hit in one["best"][:FIRST]) for query, one in zip(asked, found, strict=True)
    )
    assert right < 0.1 * len(asked)


def test_the_index_is_small_and_asked_for_by_nobody_who_only_reads(
    site: Path, lonely_chromium: Browser, address: str
) -> None:
    assert len(gzip.compress((site / "searchindex.js").read_bytes(), 9)) <= INDEX_BYTES
    page = lonely_chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + "model/attention.html", wait_until="networkidle")
    assert not [url for url in asked if "searchindex" in url]
    page.keyboard.press("Control+k")
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("searchindex.js"))
    page.close()


TIMES = """async (typed) => {
  const times = [];
  for (const text of typed)
    for (let k = 1; k <= text.length; k++) {
      const start = performance.now();
      const { hits, terms } = cutawayFind.find(text.slice(0, k));
      for (const { entry } of hits.slice(0, 12)) {
        cutawayExcerpt.excerpt(entry, terms);
        cutawayExcerpt.marked(entry.title, terms);
      }
      times.push(performance.now() - start);
      await new Promise((done) => setTimeout(done, 20));
    }
  return times;
}"""


def _opened(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("a")
    page.locator("#pst-search-dialog .cutaway-search-count", has_text=FOUND).wait_for(timeout=60_000)  # ms


def test_a_key_takes_little_on_a_slow_processor(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    """The least of three visits for each key: this machine may be busy with something else."""
    visits = []
    for _ in range(3):
        with reader("index.html") as page:
            _opened(page)
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            visits.append(page.evaluate(TIMES, list(TYPED)))
    least = sorted(map(min, zip(*visits, strict=True)))
    with capsys.disabled():
        print(
            f"\na key: median {least[len(least) // 2]:.1f} ms,"
            f" 95 of 100 below {least[int(0.95 * len(least))]:.1f}, most {least[-1]:.1f}"
        )
    assert least[int(0.95 * len(least))] <= KEY_MS


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_list(reader: Reader, npm: Path, width: int, scheme: str) -> None:
    with reader("model/attention.html", width=width, color_scheme=scheme) as page:
        _opened(page)
        page.keyboard.type("ttention mask")
        page.wait_for_timeout(300)
        page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
        assert page.locator("#pst-search-dialog li a").count() > 3
        assert violations(page, **EVERYTHING) + violations(page, runOnly=[*LAYOUT, *COLOURS]) == []
        box = page.locator("#pst-search-dialog").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
