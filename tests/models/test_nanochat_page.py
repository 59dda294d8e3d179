"""The chat's page in Chromium: what one types, sees arrive, stops, and is told."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from chat_server import CONTEXT, HELLO, Script, Served, conversation, hello, serving, small_tokenizer, until
from playwright.sync_api import Browser, Locator, Page, expect

from nanochat.chat.conversation import render
from nanochat.chat.turns import Speaker

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    script = hello(small_tokenizer())
    with serving(Speaker(script, script.tokenizer, CONTEXT)) as it:
        yield it


@pytest.fixture
def served(server: Served) -> Served:
    """The one server, as it was at first."""
    fresh = hello(server.script.tokenizer)
    server.script.__dict__.update(fresh.__dict__)
    return server


@pytest.fixture
def script(served: Served) -> Script:
    return served.script


@dataclass
class Seen:
    """A page in the browser, and what went wrong in it."""

    page: Page
    problems: list[str]

    def ask(self, text: str) -> None:
        self.page.get_by_label("Message").fill(text)
        self.page.keyboard.press("Enter")

    def answer(self, i: int = -1) -> Locator:
        return self.page.locator(".message.assistant .said").nth(i)


@pytest.fixture
def seen(served: Served, chromium: Browser) -> Iterator[Seen]:
    page = chromium.new_page(viewport={"width": 360, "height": 640})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if str(served.port) not in request.url else None)
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{served.port}/")
    yield Seen(page, problems)
    page.close()


def test_in_the_browser_an_answer_grows_and_the_next_turn_knows_it(seen: Seen, served: Served, script: Script) -> None:
    script.gate = threading.Semaphore(2)
    seen.ask("<b>hi</b>")
    expect(seen.answer()).to_have_text(script.tokenizer.decode(script.ids[:2]))  # two tokens, and no more yet
    expect(seen.page.locator("#log")).to_have_attribute("aria-busy", "true")
    expect(seen.page.get_by_role("button", name="Send")).to_be_disabled()
    script.gate.release(1000)
    expect(seen.answer()).to_have_text(HELLO)
    expect(seen.page.locator("#log")).to_have_attribute("aria-busy", "false")
    expect(seen.page.locator(".message.user .said")).to_have_text("<b>hi</b>")
    seen.ask("again")
    expect(seen.answer(1)).to_have_text(HELLO)
    whole = conversation("<b>hi</b>", HELLO, "again")
    expected, _ = render(whole, script.tokenizer.encode, script.tokenizer.encode_special)
    assert script.asked[1][0][:-1] == expected
    wide = seen.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    assert seen.problems == []


def test_in_the_browser_errors_are_shown_and_nothing_typed_is_lost(seen: Seen, script: Script) -> None:
    error, text = seen.page.get_by_role("alert"), seen.page.get_by_label("Message")
    seen.ask("x" * 8001)
    expect(error).to_contain_text("No answer: messages[0].content: found 8,001 characters, and at most 8,000")
    expect(text).to_have_value("x" * 8001)
    expect(seen.page.locator(".message")).to_have_count(0)
    seen.page.get_by_text("Sampling").click()
    seen.page.get_by_label("Temperature").fill("")
    seen.ask("hi")
    expect(error).to_contain_text("No answer: temperature: found null, and a number from 0 to 2 is allowed")
    seen.page.get_by_label("Temperature").fill("1")
    whole, script.ids, script.error = script.ids, script.tokenizer.encode("hell"), RuntimeError("broken")
    seen.ask("hi")
    expect(error).to_contain_text("The answer broke off: the model failed (RuntimeError: broken)")
    expect(seen.answer()).to_have_text("hell")
    script.ids, script.error = whole, None
    seen.ask("hi")
    expect(seen.answer(1)).to_have_text(HELLO)
    expect(error).to_be_hidden()
    assert all("status of 400" in problem for problem in seen.problems), seen.problems


def test_in_the_browser_stop_stops_the_model(seen: Seen, served: Served, script: Script) -> None:
    script.ids = script.tokenizer.encode("a") * 500
    script.gate = threading.Semaphore(3)
    seen.ask("hi")
    expect(seen.answer()).to_have_text("aaa")
    seen.page.get_by_role("button", name="Stop").click()
    expect(seen.page.get_by_text("(stopped)")).to_be_visible()
    until(lambda: all(ticket.answer.is_stopped for ticket in served.line.tickets))
    script.gate.release(1000)
    until(lambda: served.stats()["running"] == 0)
    assert script.written < 10
    seen.page.get_by_role("button", name="New conversation").click()
    expect(seen.page.locator(".message")).to_have_count(0)
    seen.ask("hello")
    expect(seen.page.get_by_text("(cut off after 500 tokens")).to_have_count(0)
    expect(seen.answer()).to_have_text("a" * 500)
    assert len(script.asked[1][0]) < 10
    assert seen.problems == []
