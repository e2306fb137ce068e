"""The page in a real browser, on a real server: every task, a third party's, errors, lost connections, a phone."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import BaseModel, Field

from nlptasks import Completion, Failure, GenerationOptions, Message, Prompts, Request, Sample, Task
from nlptasks.backends.base import Answer, Backend, Capability
from nlptasks.server.service import Offer
from tests.server.conftest import Serve, Served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
expect.set_options(timeout=30_000)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")


class Slip(BaseModel):
    """A text to file."""

    text: str = Field(description="What to file.")
    drawer: str = "A"
    urgent: bool = False
    copies: int = Field(default=1, ge=1)


class Filed(BaseModel):
    """Where it went."""

    place: str
    copies: int


class Filing(Task[Slip, GenerationOptions, Filed]):
    """A third party's task, which knows nothing of the page."""

    name = "filing"
    Input, Options, Output = Slip, GenerationOptions, Filed
    prompts = Prompts(user="{{ text }}")

    def prompt(self, sample: Sample, options: GenerationOptions) -> Request:
        said = sample.input
        text = f"{said.text} in {said.drawer}{' at once' if said.urgent else ''}"
        return Request((Message("user", text),), self.name, {"text": text}, options.generation())

    def parse(self, sample: Sample, completion: Completion) -> Filed:
        return Filed(place=completion.text, copies=sample.input.copies)


class Parrot(Backend):
    """Answers a question with a phrase of the text, and all else with the text itself."""

    capabilities = frozenset({Capability.CHAT})
    tasks = frozenset({"chat", "summarization", "translation", "question-answering", "text-generation", "filing"})
    seconds = 0.0

    def complete(self, requests: Sequence[Request]) -> Sequence[Answer]:
        time.sleep(self.seconds)
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        if "forbidden" in request.messages[-1].content:
            return Failure("content", "no such words here")
        if request.task == "question-answering":
            text = request.fields["context"]
            start = text.find("Anna")
            return Completion("Anna", data={"start": start, "end": start + 4, "score": 0.9})
        return Completion(request.fields.get("text") or request.messages[-1].content)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


class Visit:
    """A browser's window on a server; every address it asks for is kept."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served = page, served
        self.asked: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda one: self.problems.append(one.text) if one.type == "error" else None)

    def open(self, task: str = "") -> Visit:
        self.page.goto(f"{self.served.url}/#{task}")
        expect(self.page.locator("nav a").first).to_be_visible()
        return self

    def run(self) -> None:
        self.page.locator("button.main").click()

    @property
    def text(self) -> Any:
        return self.page.locator(".result .text").last


@pytest.fixture
def visit(browser: Browser, serve: Serve) -> Iterator[Any]:
    visits: list[Visit] = []

    def start(backend: Backend | None = None, **more: Any) -> Visit:
        window = more.pop("window", {"width": 1200, "height": 900})
        served = serve(backend or Parrot(), **more)
        context = browser.new_context(
            viewport=window, locale="en-GB", permissions=["clipboard-read", "clipboard-write"]
        )
        visits.append(Visit(context.new_page(), served))
        return visits[-1]

    yield start
    for one in visits:
        assert all(url.startswith((one.served.url, "blob:", "data:")) for url in one.asked)
        one.page.context.close()


def fill(page: Page, name: str, value: str) -> None:
    page.locator(f"#input-{name}").fill(value)


@pytest.mark.parametrize(
    ("task", "given", "told"),
    [
        ("summarization", {"document": "It rained."}, "It rained."),
        ("translation", {"source": "Guten Tag 你好", "target_lang": "en"}, "Guten Tag 你好"),
        ("question-answering", {"question": "Who?", "context": "😀 Late came Anna today."}, "Anna"),
        ("text-generation", {"prompt": "Once upon"}, "Once upon"),
    ],
)
def test_every_task_has_a_form_that_runs(visit: Any, task: str, given: dict[str, str], told: str) -> None:
    seen = visit().open(task)
    expect(seen.page.locator("h2").first).to_have_text(task)
    for name, value in given.items():
        fill(seen.page, name, value)
    seen.run()
    expect(seen.text).to_have_text(told)
    if task == "question-answering":
        expect(seen.page.locator("mark")).to_have_text("Anna")
    assert seen.problems == []


def test_a_conversation_remembers(visit: Any) -> None:
    seen = visit().open("chat")
    for message in ("Hello", "And <b>now</b>?"):
        fill(seen.page, "message", message)
        seen.page.keyboard.press("Control+Enter")
        expect(seen.text).to_have_text(message)
    with seen.page.expect_request("**/v1/tasks/chat") as asked:
        fill(seen.page, "message", "Third")
        seen.page.keyboard.press("Control+Enter")
    sent = json.loads(asked.value.post_data or "")["input"]
    assert [turn["content"] for turn in sent["messages"]] == ["Hello", "Hello", "And <b>now</b>?", "And <b>now</b>?"]
    expect(seen.page.locator(".said li")).to_have_count(6)
    seen.page.get_by_text("New conversation").click()
    expect(seen.page.locator(".said li")).to_have_count(0)
    assert seen.problems == []


def test_an_answer_streams_from_a_local_model(visit: Any, hf: Any) -> None:
    seen = visit(hf("llama")).open("chat")
    seen.page.locator("form summary").click()
    seen.page.locator("#option-max_new_tokens").fill("100")
    fill(seen.page, "message", "Hello")
    seen.run()
    seen.page.evaluate("""() => {
        const text = document.querySelector(".result .text");
        window.lengths = [];
        new MutationObserver(() => window.lengths.push(text.textContent.length)).observe(text, { childList: true });
    }""")
    expect(seen.page.locator(".result .buttons")).to_be_visible()
    lengths = seen.page.evaluate("window.lengths")
    assert len(set(lengths)) > 5
    assert lengths == sorted(lengths)


def test_a_third_partys_task_gets_a_form_for_free(visit: Any) -> None:
    seen = visit()
    offers = dict(seen.served.service.offers)
    seen.served.service.__dict__["offers"] = {**offers, "filing": Offer(Filing(), "file a text", None)}
    from nlptasks.server import tasks

    tasks.add_routes(seen.served.app, seen.served.service)
    seen.open("filing")
    fill(seen.page, "text", "A letter")
    fill(seen.page, "drawer", "B")
    seen.page.locator("#input-urgent").check()
    fill(seen.page, "copies", "2")
    seen.run()
    expect(seen.text).to_have_text("A letter in B at once")
    seen.page.locator(".result summary").click()
    expect(seen.page.locator("dd")).to_have_text("2")


def test_an_error_is_said_and_the_form_stays(visit: Any) -> None:
    seen = visit().open("text-generation")
    fill(seen.page, "prompt", "forbidden")
    seen.run()
    expect(seen.page.locator(".status.bad")).to_have_text("no such words here")
    assert seen.page.locator("#input-prompt").input_value() == "forbidden"
    fill(seen.page, "prompt", "Hello")
    seen.run()
    expect(seen.text).to_have_text("Hello")
    expect(seen.page.locator(".status.bad")).to_have_count(0)


def test_a_lost_connection_is_said(visit: Any) -> None:
    seen = visit().open("summarization")
    fill(seen.page, "document", "It rained.")
    seen.page.route("**/v1/tasks/**", lambda route: route.abort())
    seen.run()
    expect(seen.page.locator(".status.bad")).to_contain_text("connection was lost")
    seen.page.unroute("**/v1/tasks/**")
    cut = 'data: {"index": 0, "delta": {"text": "half", "reasoning": ""}}\n\n'
    seen.page.route("**/v1/tasks/**", lambda route: route.fulfill(body=cut, content_type="text/event-stream"))
    seen.run()
    expect(seen.page.locator(".status.bad")).to_contain_text("connection was lost")
    expect(seen.text).to_have_text("half")


def test_a_run_can_be_stopped(visit: Any) -> None:
    backend = Parrot()
    backend.seconds = 2.0
    seen = visit(backend).open("summarization")
    fill(seen.page, "document", "It rained.")
    seen.page.keyboard.press("Control+Enter")
    expect(seen.page.locator(".status")).to_have_text("Working …")
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator(".status")).to_have_text("Stopped.")
    assert seen.served.idle()


def test_files_are_dropped_or_chosen_and_results_are_kept(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "late.txt").write_text("Late came Anna.", "utf-8")
    seen = visit().open("question-answering")
    fill(seen.page, "question", "Who?")
    seen.page.locator(".zone input").first.set_input_files(tmp_path / "late.txt")
    expect(seen.page.locator(".files li")).to_contain_text("late.txt")
    seen.run()
    expect(seen.page.locator("figcaption")).to_contain_text("late.txt")
    with seen.page.expect_download() as downloading:
        seen.page.get_by_text("Download").click()
    kept = json.loads(Path(downloading.value.path()).read_text("utf-8"))
    assert kept["answer"] == "Anna"
    seen.page.get_by_text("Copy").click()
    expect(seen.page.get_by_text("Copied")).to_be_visible()
    assert seen.page.evaluate("navigator.clipboard.readText()") == "Anna"


def test_a_token_is_asked_for_once(visit: Any) -> None:
    seen = visit(token="open sesame")
    seen.page.goto(seen.served.url)
    for wrong in ("closed sesame", "open sesame"):
        seen.page.locator("#token").fill(wrong)
        seen.page.keyboard.press("Enter")
    expect(seen.page.locator("nav a").first).to_be_visible()
    seen.page.reload()
    expect(seen.page.locator("nav a").first).to_be_visible()


@pytest.mark.parametrize(("code", "run"), [("de", "Ausführen"), ("zh", "运行"), ("en", "Run")])
def test_the_page_speaks_its_users_languages(visit: Any, code: str, run: str) -> None:
    seen = visit().open("summarization")
    seen.page.locator("#language").select_option(code)
    expect(seen.page.locator("button.main")).to_have_text(run)
    assert seen.page.locator("html").get_attribute("lang") == code
    assert seen.page.evaluate("[...document.querySelectorAll('[data-word]')].every((one) => one.textContent)")


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Any) -> None:
    seen = visit(window={"width": 360, "height": 740})
    for task in ("chat", "question-answering", "translation"):
        seen.open(task)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
    page = seen.page
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_dark_and_light_follow_the_system_and_a_choice(visit: Any) -> None:
    seen = visit().open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = seen.page.evaluate(ground)
    seen.page.emulate_media(color_scheme="dark")
    dark = seen.page.evaluate(ground)
    assert light != dark
    seen.page.locator("#theme").click()
    assert seen.page.evaluate(ground) == light
