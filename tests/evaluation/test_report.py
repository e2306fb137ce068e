"""``runs report``: what the page says, does and leaves alone, in a real browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptasks import Backend, Capability, Completion, Failure, Request
from nlptasks.errors import InputError, RunError, UsageError
from nlptasks.evaluation.comparison import compare
from nlptasks.evaluation.evaluate import evaluate
from nlptasks.evaluation.report import payload, report
from nlptasks.evaluation.report.diff import diff

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
HOSTILE = "</script><h1 id=owned>x</h1><img src='http://127.0.0.1:{port}/leak' onerror=\"document.title='owned'\">"
ROWS = [  # id, prompt, prediction of the first run, reference
    ("hostile", "<script>document.title='owned'</script>", HOSTILE, "plain <i>text</i>"),
    ("ar", "ما عاصمة فرنسا؟", "عاصمة فرنسا هي مدينة باريس.", "باريس هي عاصمة فرنسا."),
    ("zh", "法国的首都是哪里?", "法国的首都是里昂。", "法国的首都是巴黎。"),
    ("de", "Was sagte man?", "Die Straße ist größer 😀, SAGT man heute.", "Die Straße ist größer 😀, sagt man."),
    ("fail", "boom", None, "something"),
    ("empty", "nothing", " ", "something"),
    *((f"r{n:02}", f"row {n}", "word " * (n + 1) + "tail", f"word tail {n}") for n in range(54)),
]


class Planned(Backend):
    """Answers as planned, or with the references."""

    capabilities = frozenset({Capability.CHAT})

    def __init__(self, name: str, answers: dict[str, str | None]) -> None:
        self.name, self.answers = name, answers

    def identity(self) -> dict[str, str]:
        return {"model": self.name}

    def complete(self, requests: Sequence[Request]) -> list[Completion | Failure]:
        return [self._answer(self.answers[request.messages[-1].content]) for request in requests]

    def _answer(self, text: str | None) -> Completion | Failure:
        return Failure("server", "it is <b>down</b>") if text is None else Completion(text, reasoning="Let me think.")


def run(name: str, rows: Sequence[tuple[str, str, str | None, str]], **more: Any) -> Path:
    """Return the directory of a run whose model answered as the rows say."""
    data = Path(f"{name}-data.jsonl") if "data" not in more else Path(more.pop("data"))
    if not data.exists():
        lines = [
            {"id": id_, "prompt": prompt, "reference": reference, "kind": id_[0]} for id_, prompt, _, reference in rows
        ]
        data.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    model = Planned(name, {prompt: answer for _, prompt, answer, _ in rows})
    evaluate("text-generation", data, model=model, output=name, **{"metrics": "chrf,length", **more})
    return Path(name).absolute()


@pytest.fixture(scope="module")
def leak() -> Iterator[list[str]]:
    """A server on the port that the hostile sample names, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Leak.port = server.server_port
    yield asked
    server.shutdown()
    server.server_close()


class Leak:
    port = 0


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, leak: list[str]) -> tuple[Path, Path]:
    """Two runs on the same data: one as planned, one whose answers are the references."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("runs"))
        rows = [(id_, p, text and text.replace("{port}", str(Leak.port)), r) for id_, p, text, r in ROWS]
        best = [(id_, prompt, reference, reference) for id_, prompt, _, reference in ROWS]
        return run("first", rows), run("best", best, data="first-data.jsonl")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; closed with the module, as its driver keeps an event loop in this thread."""
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'nlptasks[dev]'")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with driver.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


Opened = Callable[..., "Page"]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Open a report; in the end, nothing but its file was asked for, and its script complained of nothing."""
    asked: list[str] = []
    said: list[str] = []
    contexts = []

    def open_it(path: Path, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("#live", state="visible")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


def names(page: Page) -> list[str]:
    return page.locator("button.open").all_inner_texts()


def sample(page: Page, name: str) -> Page:
    """Search for a sample and open it."""
    page.get_by_label("Search").fill(name)
    page.get_by_role("button", name=name, exact=True).click()
    return page


def embedded(path: Path) -> Any:
    """Return the samples that a report holds."""
    found = re.search(r'id="data">([^<]*)<', path.read_text("utf-8"))
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


@pytest.mark.parametrize(
    ("prediction", "reference", "only_here", "only_there"),
    [
        ("The cat sat.", "the CAT lay there.", ["sat"], ["lay there"]),
        ("Die Straße ist lang.", "Die Strasse ist lang.", ["Straße"], ["Strasse"]),
        ("法国的首都是里昂,GPT说。", "法国的首都是巴黎,GPT说。", ["里昂"], ["巴黎"]),
        ("東京は大きい", "京都は大きい", ["東"], ["都"]),
        ("ฉันกินข้าว", "ฉันกินปลา", ["ข้", "ว"], ["ปล"]),
        ("用GPT模型", "用BERT模型", ["GPT"], ["BERT"]),
        ("a 😀 b", "a 😀 c", ["b"], ["c"]),
        ("한국어 문장", "한국어 글", ["문장"], ["글"]),
        ("پیش‌بینی شد", "پیش‌بینی نشد", ["شد"], ["نشد"]),
        ("", "all of it", [], ["all of it"]),
    ],
)
def test_words_are_compared_and_characters_where_none_are_spaced(
    prediction: str, reference: str, only_here: list[str], only_there: list[str]
) -> None:
    found = diff(prediction, [reference])
    assert found
    assert marked(prediction, found.prediction) == only_here
    assert marked(reference, found.reference) == only_there


def marked(text: str, lengths: list[int]) -> list[str]:
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    return [text[ends[place - 1] : ends[place]] for place in range(1, len(lengths), 2)]


@given(st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_any_texts_can_be_compared(prediction: str, references: list[str]) -> None:
    found = diff(prediction, [*references, prediction])
    assert found
    assert sum(found.prediction) == len(prediction)
    assert found.prediction == [len(prediction)]
    other = diff(prediction, references)
    assert other
    assert sum(other.prediction) == len(prediction)
    assert sum(other.reference) == len(references[other.nearest])


def test_the_page_says_what_the_run_came_to(folders: tuple[Path, Path], opened: Opened) -> None:
    path = report([folders[0]])
    assert path == folders[0] / "report.html"
    page = opened(path)
    results = json.loads((folders[0] / "run.json").read_text("utf-8"))["results"]
    for name, one in results.items():
        low, high = one["ci95"]
        said = f"{name} {one['value']:.2f}, 95 % interval {low:.2f} to {high:.2f}"
        assert page.get_by_role("img", name=said, exact=True).count() == 1
        row = page.locator("#scores tbody", has_text=name)
        assert f"{one['value']:.2f} {low:.2f} to {high:.2f}" in " ".join(row.inner_text().split())
    assert page.locator("#runs tbody").inner_text().split() == ["first", "60", "59", "1", "1", "1", "0", "0"]
    page.get_by_text("Signatures and sample sizes").click()
    assert results["chrf"]["signature"] + ", n 59" in page.locator("#scores + details").inner_text()
    page.get_by_text("Data, options, versions").click()
    facts = page.locator("header details").inner_text()
    for fact in ("first-data.jsonl", "options.temperature", "versions.nlptasks", "sha256 of the data"):
        assert fact in facts
    assert page.locator("#failures").inner_text() == "1 × server: it is <b>down</b>"


def test_texts_are_shown_and_do_nothing(folders: tuple[Path, Path], opened: Opened, leak: list[str]) -> None:
    page = sample(opened(report([folders[0]])), "hostile")
    texts = page.locator(".detail .text p").all_inner_texts()
    assert texts[0] == HOSTILE.replace("{port}", str(Leak.port))
    assert texts[1] == "plain <i>text</i>"
    page.locator(".detail summary", has_text="Prompt").click()
    assert "<script>document.title='owned'</script>" in page.locator(".detail").inner_text()
    assert page.title() == "text-generation (version 1): first"
    assert page.locator("#owned, #samples img").count() == 0
    assert leak == []


def test_a_policy_would_stop_what_slipped_through(
    folders: tuple[Path, Path], browser: Browser, leak: list[str]
) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(report([folders[0]]).as_uri())
    url = f"http://127.0.0.1:{Leak.port}/slipped"
    refused = page.evaluate(
        """async (url) => {
            document.body.append(Object.assign(new Image(), {src: url}));
            return fetch(url).then(() => 'sent', () => 'refused');
        }""",
        url,
    )
    page.close()
    assert refused == "refused"
    assert leak == []
    assert any("Content Security Policy" in line for line in said)


def test_differing_words_are_marked_in_every_script(folders: tuple[Path, Path], opened: Opened) -> None:
    page = opened(report([folders[0]]))
    for name, here, there in (
        ("zh", ["里昂"], ["巴黎"]),
        ("de", ["heute"], []),
        ("ar", ["هي مدينة باريس"], ["باريس هي"]),
    ):
        detail = sample(page, name).locator(".detail")
        assert detail.locator("ins").all_inner_texts() == here
        assert detail.locator("del").all_inner_texts() == there
    assert detail.locator("ins").evaluate("(node) => getComputedStyle(node.parentNode).direction") == "rtl"
    assert page.get_by_text("Answer as it came").count() == 1


def test_samples_are_sorted_filtered_and_turned_by_mouse_and_keys(folders: tuple[Path, Path], opened: Opened) -> None:
    page = opened(report([folders[0]]))
    data = embedded(folders[0] / "report.html")
    scores = {each[0]["name"]: each[0]["scores"][0] for each in data["samples"]}
    assert names(page) == [row[0] for row in ROWS[:50]]
    assert page.locator("#page").inner_text() == "page 1 of 2"
    page.get_by_role("button", name="Next").click()
    assert names(page) == [row[0] for row in ROWS[50:]]
    assert page.get_by_role("button", name="Next").is_disabled()
    head = page.locator("th", has=page.get_by_role("button", name="chrf"))
    assert head.get_attribute("aria-sort") == "none"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    low = [scores[name] for name in names(page)]
    assert low == sorted(score for score in scores.values() if score is not None)[:50]
    page.keyboard.press("Enter")  # the button is still the one in focus
    assert head.get_attribute("aria-sort") == "descending"
    assert [scores[name] for name in names(page)][:3] == sorted(filter(None, scores.values()))[:-4:-1]
    page.get_by_role("button", name="Next").click()
    assert names(page)[-1] == "fail"
    page.get_by_label("Search").fill("ROW 4")  # of the prompt
    assert page.locator("#count").inner_text() == f"{len(names(page))} of 60 samples"
    assert set(names(page)) == {f"r{n:02}" for n in range(54) if "4" in str(n)}
    page.get_by_label("Search").fill("")
    for state, expected in (("failed", ["fail"]), ("unanswered", ["empty"])):
        page.get_by_label("Show").select_option(state)
        assert names(page) == expected
    page.get_by_role("button", name="empty", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.locator("button.open").get_attribute("aria-expanded") == "true"
    assert "(empty)" in page.locator(".detail").inner_text()
    page.keyboard.press("Enter")
    assert page.locator(".detail").count() == 0


def test_another_score_is_chosen_for_plot_and_table(folders: tuple[Path, Path], opened: Opened) -> None:
    page = opened(report([folders[0]]))
    first, second = page.get_by_role("combobox", name="Score").all()
    assert page.locator("#plot circle").count() == 59
    second.select_option("length_words")
    assert first.input_value() == "length_words"
    page.get_by_role("combobox", name="Length of the").select_option("prediction")
    plot = page.locator("#plot > svg")
    assert (plot.get_attribute("aria-label") or "").startswith("length_words by length of the prediction; ")
    pairs = page.locator("#samples tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [row.cells[1].innerText, row.cells[2].innerText])"
    )
    assert [float(score) for score, _ in pairs if score != "–"] == [
        float(length) for _, length in pairs if length != "–"
    ]
    dot = page.locator("#plot circle", has=page.locator("title", has_text="r53:"))
    dot.dispatch_event("click")
    assert page.locator("#page").inner_text() == "page 2 of 2"
    assert page.evaluate("document.activeElement.innerText") == "r53"
    assert page.locator(".detail").count() == 1


def test_bins_hold_the_score_of_their_samples_together(folders: tuple[Path, Path]) -> None:
    data = embedded(report([folders[0]]))
    at = data["figures"].index("length_words")
    sizes = [each[0]["scores"][at] for each in data["samples"] if each[0]["scores"][at] is not None]
    bins = data["bins"][0]["prediction"]
    assert len(bins) == 5
    assert sum(one["n"] for one in bins) == len(sizes) == 59
    for one in bins:
        among = [size for size in sizes if one["low"] <= size <= one["high"]]
        assert len(among) == one["n"]
        assert one["figures"]["length_words"] == pytest.approx(sum(among) / len(among))


def test_runs_stand_side_by_side(folders: tuple[Path, Path], opened: Opened, tmp_path: Path) -> None:
    page = opened(report(folders, tmp_path / "both.html"))
    assert page.locator("#runs th[scope=row]").all_inner_texts() == [f"{path.name}\n{path}" for path in folders]
    found = compare(folders, metrics="chrf,length").pairs[0].differences["chrf"]
    row = page.locator("#differences tr", has_text="chrf").inner_text()
    for cell in (f"{found.difference:+.2f}", f"{found.p_holm:.4f}", f"{found.wins}/{found.ties}/{found.losses}"):
        assert cell in row.split()
    assert page.locator("#samples tbody tr").first.locator("td").nth(2).inner_text() == "100.00"
    page.get_by_role("button", name="B − A").click()
    cells = page.locator("#samples tbody tr").evaluate_all("(rows) => rows.map((row) => row.cells[3].innerText)")
    assert [float(cell) for cell in cells] == sorted(map(float, cells))
    detail = sample(page, "zh").locator(".detail")
    assert detail.locator("h3").all_inner_texts() == ["A first", "B best"]
    assert [side.locator("ins").count() for side in detail.locator(".side").all()] == [1, 0]
    assert detail.locator("summary", has_text="Prompt").count() == 1
    sample(page, "fail")
    assert page.locator(".state").all_inner_texts() == ["failed A"]
    assert "server: it is <b>down</b>" in page.locator(".detail .side").first.inner_text()
    assert "something" in page.locator(".detail .side").last.inner_text()


def test_scores_are_broken_down(folders: tuple[Path, Path], opened: Opened) -> None:
    page = opened(report(folders, by="kind"))
    groups = page.locator("#groups tbody th").all_inner_texts()
    assert groups == sorted({row[0][0] for row in ROWS})
    assert page.locator("#groups tbody tr").count() == 2 * len(groups)
    with pytest.raises(UsageError, match="column 'colour'"):
        report(folders, by="colour")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_fits_the_screen(folders: tuple[Path, Path], opened: Opened, scheme: str, width: int) -> None:
    page = opened(report(folders, by="kind"), color_scheme=scheme, viewport={"width": width, "height": 800})
    sample(page, "hostile")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    [*rgb] = map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")))
    assert (max(rgb) < 60) == (scheme == "dark")
    unnamed = page.evaluate(
        """[...document.querySelectorAll('input, select, button, [role=img], [role=region]')]
            .filter((node) => !(node.labels?.length || node.ariaLabel || node.innerText)).length"""
    )
    assert unnamed == 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


SECRET = [("secret-id", "the secret question", "a secret answer", "the secret reference"), ("f", "boom", None, "x")]


@pytest.mark.parametrize("kept", ["none", "hash"])
def test_texts_that_a_run_did_not_keep_are_not_there(here: Path, opened: Opened, kept: str) -> None:
    path = report([run("private", SECRET, log_content=kept)])
    assert "secret" not in json.dumps(embedded(path)) + path.read_text("utf-8")
    page = opened(path)
    assert "kept no texts" in page.locator("[role=note]").inner_text()
    assert names(page) == ["row 1", "row 2"]
    page.get_by_role("button", name="row 1").click()
    assert "chrf" in page.locator(".detail").inner_text()


def test_what_is_shown_is_what_was_scored(here: Path, opened: Opened) -> None:
    folder = run("edited", SECRET)
    file = folder / "predictions.jsonl"
    file.write_text(file.read_text("utf-8").replace("a secret answer", "the better answer"), "utf-8")
    page = sample(opened(report([folder])), "secret-id")
    assert page.locator(".detail .text p").first.inner_text() == "the better answer"
    assert page.locator(".state").all_inner_texts() == ["edited"]
    assert "1 predictions were edited" in page.locator("[role=note]").inner_text()


def test_a_judge_is_asked_again_only_on_request(here: Path, opened: Opened) -> None:
    folder = run("judged", SECRET[:1], metrics="chrf", judge="echo")  # echo gives no verdict
    path = report([folder])
    assert embedded(path)["figures"] == ["chrf"]
    page = opened(path)
    assert page.get_by_role("img", name="judge_failed 100.00,").count() == 1
    assert "--ask" in page.locator("[role=note]").inner_text()
    data = embedded(report([folder], ask=True))
    assert data["figures"] == ["chrf", "judge_failed"]
    assert data["samples"][0][0]["scores"][1] == 100


def test_an_unfinished_run_says_so(here: Path, opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    folder = run("stopped", ROWS[6:16])
    values = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**values, "status": "started", "results": {}}), "utf-8")
    log = folder / "samples.jsonl"
    lines = log.read_text("utf-8").splitlines(keepends=True)
    log.write_text("".join(lines[:4]) + lines[4][:20], "utf-8")
    page = opened(report([folder]))
    assert "not finished (started), so only its 4 samples are here" in page.locator("[role=note]").inner_text()
    assert len(names(page)) == 4
    assert page.get_by_role("img", name="chrf").first.count() == 1


def test_long_texts_are_cut_where_the_file_would_grow_too_large(
    here: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = " ".join(f"word{n}" for n in range(3000))
    folder = run("long", [("a", long, long + " end", long + " fin")])
    whole = embedded(report([folder]))
    assert long in whole["texts"]
    monkeypatch.setattr(payload, "MOST", 10)
    path = report([folder])
    assert max(map(len, embedded(path)["texts"])) < 1000
    page = sample(opened(path), "a")
    assert "prompts to 500 characters a message, all else to 500" in page.locator("[role=note]").inner_text()
    assert "characters: see samples.jsonl" in page.locator(".detail").inner_text()
    assert page.locator(".detail").locator("ins, del").count() == 0


def test_a_text_that_several_runs_have_is_there_once(folders: tuple[Path, Path], tmp_path: Path) -> None:
    texts = embedded(report(folders, tmp_path / "both.html"))["texts"]
    assert len(texts) == len(set(texts))
    assert texts.count("法国的首都是哪里?") == 1


def test_only_an_older_report_is_replaced(here: Path) -> None:
    folder = run("some", SECRET)
    precious = here / "precious.html"
    precious.write_text("my thesis", "utf-8")
    with pytest.raises(UsageError, match="no report"):
        report([folder], precious)
    assert precious.read_text("utf-8") == "my thesis"
    with pytest.raises(UsageError, match="no report"):
        report([folder], folder / "predictions.jsonl")
    assert report([folder]) == report([folder]) == folder / "report.html"
    with pytest.raises(RunError, match=r"Cannot write .*: No such file or directory"):
        report([folder], here / "nowhere" / "x.html")
    assert not [path for path in folder.iterdir() if path.suffix == ".new"]


def test_what_cannot_be_reported_is_one_line(here: Path) -> None:
    with pytest.raises(UsageError, match="Name a run"):
        report([])
    with pytest.raises(RunError, match="no run"):
        report([here / "nothing"])
    with pytest.raises(RunError, match="All 1 samples failed"):
        run("bad", SECRET[1:])
    with pytest.raises(InputError, match="all 1 samples failed"):
        report(["bad"])
    with pytest.raises(RunError, match=r"data\.sha256 differs"):
        report([run("one", SECRET), run("other", ROWS[1:4])])


def test_a_run_without_references_still_has_its_samples(here: Path, opened: Opened) -> None:
    Path("in.jsonl").write_text('{"id": "a", "prompt": "one"}\n{"id": "b", "prompt": "two"}\n', "utf-8")
    model = Planned("m", {"one": "first answer", "two": "second answer"})
    evaluate("text-generation", "in.jsonl", model=model, output="bare", metrics="length")
    values = json.loads(Path("bare/run.json").read_text("utf-8"))
    Path("bare/run.json").write_text(json.dumps({**values, "results": {}, "metrics": []}), "utf-8")
    page = opened(report(["bare"]).absolute())
    notes = " ".join(page.locator("[role=note]").all_inner_texts())
    assert "There are no references to compare with." in notes
    assert names(page) == ["a", "b"]
    assert page.get_by_role("img", name="length_words 2.00,").count() == 1
