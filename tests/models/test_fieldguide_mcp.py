"""`fieldguide mcp`: what an agent is offered, what it gets, and what it can't reach."""

import argparse
import json
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fieldguide import __main__ as command
from fieldguide import mcp as tool
from fieldguide.mcp import book, offers, schemas
from fieldguide.mcp.offers import Offer, guarded
from fieldguide.parsers import actions_of, parser_of
from fieldguide.report import UsageProblem

SOURCE = Path(tool.__file__).parents[2]
WRITING = {"out", "delete", "drop_optimizer", "note", "module"}
PAGES = {
    "loss.md": "# The loss [#loss](s/loss/)\n\nA loss.\n\n## Spikes [#loss-spikes](s/loss-spikes/)\n\nFar above."
               "\n\n```python\n# no heading: spikes spikes\n```\n\n## Plateaus\n\nNo fall.\n",
    "cache.md": "# The cache [#cache](s/cache/)\n\nKeys and values, `n_kv_head` of them.\n",
}  # fmt: skip


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A book of two pages, and a list that also names what is not in it."""
    folder = tmp_path / "html"
    folder.mkdir()
    (tmp_path / "secret.md").write_text("# Secret\n\nspikes spikes spikes")
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    pages = "# B\n\n- [Loss](loss.md): x\n- [C](cache.md)\n- [S](../secret.md)\n- [N](no.md)\n"
    (folder / "llms.txt").write_text(pages)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    lines = [f"iter {i}: loss {'nan' if i > 60 else f'{3 - i / 40:.4f}'}, time 10.00ms, mfu 1.00%" for i in range(80)]
    (folder / "train.log").write_text("\n".join(lines) + "\n")
    return folder


def offer(root: Path, name: str) -> Offer:
    return next(each for each in offers.offers(root, None, None, 60) if each.name == name)


# What is offered


def test_only_tools_that_read_are_offered_and_no_option_that_writes_or_runs_code(root: Path) -> None:
    found = {each.name: each for each in offers.offers(root, None, None, 60)}
    assert {"memory", "scale", "check", "data", "loss", "checkpoint_verify", "runs_compare"} <= found.keys()
    for name in ("checkpoint_thin", "checkpoint_repair", "runs_record", "train", "notify", "skills", "mcp", "watch"):
        assert name not in found
    for name, each in found.items():
        assert not set(each.schema["properties"]) & WRITING - ({"out"} if name == "check" else set())
        assert each.schema["additionalProperties"] is False and each.told


def test_each_text_is_a_path_one_of_a_few_words_or_known_here() -> None:
    free = {("memory", "gpu"), ("scale", "gpu"), ("check", "gpu"), ("runs compare", "runs"), ("stuck", "pattern")}
    for name, without in offers.READING:
        words = name.split()
        parser = parser_of(words[0]) if len(words) == 1 else actions_of(parser_of(words[0]))[words[1]]
        for action in schemas.offered(parser, without):
            text = "string" in json.dumps(schemas.property_of(action))
            if text and not schemas.is_path(action) and not action.choices:
                assert (name, action.dest) in free


def a_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", type=Path, nargs="+", help="100 %% of them")
    parser.add_argument("--size", type=int, default=3)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--kind", choices=("a", "b"))
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--set", action="append")
    parser.add_argument("--json", action="store_true")
    return parser


def test_a_schema_says_what_argparse_takes() -> None:
    made = schemas.schema(a_parser())
    assert made["required"] == ["files"]
    assert made["properties"] == {
        "files": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "100 % of them"},
        "size": {"type": "integer"}, "rate": {"type": "number"}, "kind": {"type": "string", "enum": ["a", "b"]},
        "fast": {"type": "boolean"}, "set": {"type": "array", "items": {"type": "string"}},
    }  # fmt: skip


def test_a_call_becomes_the_words_that_argparse_reads() -> None:
    given = {"files": ["x", "y"], "size": -4, "rate": 1, "kind": "b", "fast": True, "set": ["-a=1", "b"]}
    words = schemas.words(a_parser(), given, str)
    read = vars(a_parser().parse_args(words))
    assert read == {**given, "files": [Path("x"), Path("y")], "json": False}


@pytest.mark.parametrize("given", [
    {"json": True}, {"nothing": 1}, {"files": "x"}, {"files": [1]}, {"size": "3"}, {"size": True}, {"size": 1.5},
    {"fast": "yes"}, {"kind": ["a"]}, {"files": ["a\0b"]},
])  # fmt: skip
def test_a_call_of_another_form_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem):
        schemas.words(a_parser(), given, str)


def test_a_word_that_looks_like_an_option_is_no_positional(root: Path) -> None:
    with pytest.raises(UsageProblem, match="looks like an option"):
        offer(root, "runs_compare").call({"runs": ["--folder=/", "x"]})


# What can't be reached


@pytest.mark.parametrize("path", ["/etc/passwd", "..", "../secret.md", "a/../../x", "link"])
def test_paths_outside_are_refused(root: Path, path: str) -> None:
    (root / "link").symlink_to("/etc/passwd")
    with pytest.raises(UsageProblem, match="outside of"):
        guarded(root.resolve(), path)


def test_a_folder_with_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root / "d").mkdir()
    (root / "d" / "inner").symlink_to(root / "train.log")
    assert guarded(root.resolve(), "d") == str(root.resolve() / "d")
    (root / "d" / "train.bin").symlink_to("/etc/passwd")
    with pytest.raises(UsageProblem, match="leads out of"):
        guarded(root.resolve(), "d")


def test_modules_in_the_readers_folder_are_not_imported(root: Path) -> None:
    (root / "numpy.py").write_text("open('executed', 'w')")
    (root / "argparse.py").write_text("open('executed', 'w')")
    said = json.loads(offer(root, "loss").call({"file": "train.log"}))
    assert said["exit_code"] == 1 and not (root / "executed").exists()


def test_a_tool_that_takes_too_long_is_ended_and_says_so(root: Path) -> None:
    quick = offers.tool("loss", (), root, 0.01)
    with pytest.raises(UsageProblem, match=r"not done after 0\.01 s"):
        quick.call({"file": "train.log"})


@pytest.mark.parametrize("name", ["", "-x", "--docs=/", "a b", "x" * 300, "a;b", 3, None])
def test_names_that_the_book_can_not_have_are_not_asked_for(tmp_path: Path, name: object) -> None:
    why = offers.asking("why", "name", tmp_path, 5, "")
    with pytest.raises(UsageProblem, match="one argument is needed"):
        why.call({"name": name})


# The book


def test_why_is_asked_of_the_books_own_command_and_its_errors_are_told(tmp_path: Path) -> None:
    pytest.importorskip("cutaway")
    why = next(each for each in offers.offers(tmp_path, None, tmp_path, 60) if each.name == "why")
    with pytest.raises(UsageProblem, match=r"^cutaway why: .*conf\.py"):  # this folder has no book
        why.call({"name": "sort.forward/h.0.attn/att[0,0,5,2]"})


def test_the_best_sections_come_first_with_their_addresses(built: Path) -> None:
    said = json.loads(book.search(built.resolve(), {"query": "spike?"}))
    first = said["results"][0]
    assert (first["title"], first["page"], first["id"], first["address"]) == (
        "Spikes", "loss.md", "loss-spikes", "s/loss-spikes/",
    )  # fmt: skip
    assert "no heading" in first["text"]
    assert json.loads(book.search(built.resolve(), {"query": "kv", "count": 1}))["results"][0]["id"] == "cache"


def test_pages_outside_the_book_are_not_read(built: Path) -> None:
    assert {section.page for section in book.sections(built.resolve())} == {"loss.md", "cache.md"}


@pytest.mark.parametrize("given", [{}, {"query": ""}, {"query": "?!"}, {"query": "x", "count": 0},
                                   {"query": "x", "count": True}, {"query": "x", "more": 1}])  # fmt: skip
def test_a_search_for_nothing_is_refused(built: Path, given: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem):
        book.search(built.resolve(), given)


def test_a_folder_without_a_book_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"llms\.txt.*build the book"):
        book.search(tmp_path, {"query": "x"})


# The command and the protocol


def test_the_list_is_printed_without_the_sdk(built: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert command.main(["mcp", "--list", "--book", str(built)]) == 0
    assert "search_book" in capsys.readouterr().out
    monkeypatch.delitem(sys.modules, "fieldguide.mcp.serving", raising=False)
    assert command.main(["mcp"]) == 2
    assert "pip install 'mcp>=2.3,<3'" in capsys.readouterr().err
    assert command.main(["mcp", "--root", str(built / "nowhere")]) == 2


def talk(root: Path, built: Path, ask: Callable[[Any], Awaitable[None]]) -> None:
    """Start the server as an agent does, and ask it with the SDK's own client."""
    import anyio
    from mcp import Client, StdioServerParameters, stdio_client

    words = ["-P", "-m", "fieldguide", "mcp", "--root", str(root), "--book", str(built)]
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}

    async def running() -> None:
        server = StdioServerParameters(command=sys.executable, args=words, env=env, cwd=root)
        async with Client(stdio_client(server)) as client:
            await ask(client)

    with ThreadPoolExecutor(1) as pool:  # a thread without a loop, whatever other tests left in this one
        pool.submit(anyio.run, running).result()


def test_an_agent_lists_the_tools_calls_them_and_hears_of_errors(root: Path, built: Path) -> None:
    async def ask(client: Any) -> None:
        tools = {each.name: each for each in (await client.list_tools()).tools}
        assert tools.keys() == {each.name for each in offers.offers(root, built, None, 60)}
        assert all(each.annotations.read_only_hint for each in tools.values())
        assert tools["loss"].input_schema["required"] == ["file"]
        found = await client.call_tool("loss", {"file": "train.log"})
        assert not found.is_error
        said = json.loads(found.content[0].text)
        assert said["exit_code"] == 1 and any("NaN" in finding["what"] for finding in said["findings"])
        out = await client.call_tool("loss", {"file": "../secret.md"})
        assert out.is_error and "outside of" in out.content[0].text
        assert (await client.call_tool("nothing", {})).is_error
        assert (await client.call_tool("loss", {"file": "no.log"})).is_error
        hit = json.loads((await client.call_tool("search_book", {"query": "spikes"})).content[0].text)
        assert hit["results"][0]["id"] == "loss-spikes"

    talk(root, built, ask)
