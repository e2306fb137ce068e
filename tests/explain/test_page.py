from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nlptasks.errors import UsageError
from nlptasks.explain import page as module
from nlptasks.explain.choice import Choice
from nlptasks.explain.explanation import Explanation
from nlptasks.explain.page import page
from nlptasks.explain.steps import steps
from tests.explain.conftest import Look
from tests.explain.drawn import causal, weighted

ALL = Choice()
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REPORT = """
<script>
addEventListener("load", () => {
  const key = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const lines = (selector) => all(selector).map((one) => one.innerText);
  const report = () => ({
    readout: $("readout").textContent, note: $("steps-note").textContent, chosen: { ...chosen },
    says: $("steps-says").textContent,
    focus: document.activeElement.getAttribute("aria-label"), tokens: lines("#tokens .token"),
    steps: lines("#steps tr"), words: lines("#words tr"), answer: $("answer").hidden ? null : $("answer").innerText,
    vectors: all("#vectors tr:last-child td").map((one) => one.textContent),
    paper: getComputedStyle(document.body).backgroundColor,
  });
  try {
    const found = [report()];
    MOVES
    document.title = JSON.stringify(found);
  } catch (error) { document.title = JSON.stringify({ error: String(error) }); }
});
</script></body>"""


class Numbers(HTMLParser):
    """Finds what a page names from outside itself, its data and its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.scripts += tag == "script"
        self.outside += [value for name, value in attrs if name in ("src", "href", "action") and value != "data:,"]


def data_of(text: str) -> Any:
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]


def array(packed: str) -> Any:
    return np.frombuffer(base64.b64decode(packed), "<f4")


def browsed(text: str, folder: Path, moves: str = "", *flags: str, width: int = 1200) -> Any:
    """Open a page in a browser without a screen, make ``moves`` (JavaScript) and return what it then shows."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no browser here: apt-get install chromium")
    (folder / "page.html").write_text(text.replace("</body>", REPORT.replace("MOVES", moves)), "utf-8")
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", *flags]
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [
        browser,
        *arguments,
        profile,
        "--virtual-time-budget=2000",
        "--dump-dom",
        (folder / "page.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr[-2000:]
    return json.loads(html.unescape(title[1]))


def test_the_page_needs_nothing_beside_it() -> None:
    text = page(causal(), ALL)
    found = Numbers(text)
    assert found.outside == []
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|@import|url\(", text)


def test_its_numbers_are_those_of_the_model() -> None:
    explanation = causal(layers=2, heads=3)
    [part] = data_of(page(explanation, ALL))["parts"]
    assert part["heads"] == [[layer, head] for layer in range(2) for head in range(3)]
    for (layer, head), packed in zip(part["heads"], part["attention"], strict=True):
        expected = explanation.parts[0].layers[layer]
        assert expected.vectors is not None
        assert_allclose(array(packed["weights"]), expected.weights[head].ravel(), rtol=1e-6)
        for name in ("queries", "keys", "values", "sums"):
            assert_allclose(array(packed[name]), getattr(expected.vectors, name)[head].ravel(), rtol=1e-6)
        assert packed["bias"] is None


def test_a_choice_is_all_that_is_in_it() -> None:
    [part] = data_of(page(causal(layers=3, heads=3), Choice((2,), (0, 1), named=True)))["parts"]
    assert part["heads"] == [[2, 0], [2, 1]]


def test_no_text_becomes_markup() -> None:
    words = ["</script>", "<script>alert(1)</script>", "{{ 7 * 7 }}", "<img src=x onerror=y>", "\u2028"]
    explanation = causal(words)
    text = page(explanation, ALL)
    assert Numbers(text).scripts == 2
    assert Numbers(text).outside == []
    assert [token["text"] for token in data_of(text)["parts"][0]["keys"]] == words


def test_a_page_too_large_says_how_to_make_it_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(UsageError, match="choose what it shows with --layer and --head"):
        page(causal(layers=2, heads=4), ALL)


def test_a_browser_shows_the_equation_number_by_number(tmp_path: Path) -> None:
    explanation = causal(layers=2, heads=2)
    [found] = browsed(page(explanation, ALL), tmp_path)
    expected = steps(explanation.parts[0], 0, 0, 3)
    rows = [line.replace("−", "-").split() for line in found["steps"][2:-1]]
    assert [row[:2] for row in rows] == [[str(place), word] for place, word in enumerate(["今天", "天气", "很", "好"])]
    assert_allclose([float(row[2]) for row in rows], expected.products, atol=6e-4)
    assert_allclose([float(row[3]) for row in rows], expected.scores, atol=6e-4)
    assert_allclose([float(row[4]) for row in rows], expected.weights, atol=6e-5)
    total = [float(number.replace("−", "-")) for number in found["vectors"]]
    assert_allclose(total, expected.sum, atol=6e-4)
    assert found["readout"].startswith("“好” (3) reads “今天” (0): ")
    assert "its own" not in found["note"]


def test_the_keyboard_reaches_everything(tmp_path: Path) -> None:
    moves = """
    $("map").focus();
    key($("map"), "ArrowUp"); key($("map"), "ArrowRight"); found.push(report());
    for (let n = 0; n < 9; n++) key($("map"), "ArrowRight");
    found.push(report());
    const heads = $("heads"); heads.querySelector("[tabindex='0']").focus();
    key(document.activeElement, "ArrowDown"); key(document.activeElement, "ArrowRight"); found.push(report());
    key(document.activeElement, "Home"); key(document.activeElement, "ArrowUp"); found.push(report());
    $("tokens").querySelector("[tabindex='0']").focus();
    key(document.activeElement, "ArrowLeft"); found.push(report());
    """
    first, moved, end, head, home, token = browsed(page(causal(layers=2, heads=2), ALL), tmp_path, moves)
    assert [first["chosen"][name] for name in ("query", "key")] == [3, 0]
    assert [moved["chosen"][name] for name in ("query", "key")] == [2, 1]
    assert end["chosen"]["key"] == 3
    assert "0 %, exactly 0.0000" in end["readout"]  # later than its query
    assert (head["chosen"]["head"], head["focus"]) == (3, "layer 1, head 1")
    assert home["chosen"]["head"] == 0
    assert (token["chosen"]["query"], token["focus"]) == (1, "天气, position 1, id 101")
    assert "2 later tokens are hidden" in token["note"]


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_no_width_makes_the_page_scroll_sideways(look: Look, tmp_path: Path, width: int) -> None:
    explanation = look("marian", "The weather is fine today.", target="Das Wetter ist heute schön.")
    frame = f'<iframe style="width:{width}px;height:900px" src="inner.html"></iframe>'
    (tmp_path / "inner.html").write_text(page(explanation, ALL), "utf-8")
    report = """<script>addEventListener("load", () => { const inner = document.querySelector("iframe").contentWindow;
      const root = inner.document.documentElement;
      document.title = JSON.stringify([root.scrollWidth, root.clientWidth]); });</script>"""
    text = f"<!DOCTYPE html><title></title><body>{frame}{report}</html>"
    wide, visible = browsed(text, tmp_path, "", "--allow-file-access-from-files", width=1400)
    assert wide <= visible <= width


@pytest.mark.parametrize(("flag", "dark"), [("1", False), ("0", True)])
def test_light_and_dark_follow_the_reader(tmp_path: Path, flag: str, dark: bool) -> None:
    [found] = browsed(page(causal(), ALL), tmp_path, "", f"--blink-settings=preferredColorScheme={flag}")
    red, green, blue = map(int, re.findall(r"\d+", found["paper"])[:3])
    assert (red + green + blue < 150) is dark


@pytest.mark.parametrize("family", ["marian", "t5", "bert-qa"])
def test_every_part_of_every_family_draws(look: Look, tmp_path: Path, family: str) -> None:
    more = {"question": "How is the weather?"} if family == "bert-qa" else {"target": "Das Wetter ist schön."}
    explanation: Explanation = look(family, "The weather is fine.", **more)
    moves = "for (let n = 1; n < data.parts.length; n++) { choosePart(n); found.push(report()); }"
    found = browsed(page(explanation, ALL), tmp_path, moves)
    assert len(found) == len(explanation.parts)
    for shown, part in zip(found, explanation.parts, strict=True):
        count = len(part.keys) + (len(part.queries) if part.name == "cross" else 0)
        assert len(shown["tokens"]) == count
        assert "its own" not in shown["note"]
        assert bool(shown["words"]) is (part.name == "cross")
    assert (found[0]["answer"] is not None) is (family == "bert-qa")
    if family == "t5":
        assert "distance" in found[1]["note"]


def test_without_vectors_the_weights_are_still_shown(tmp_path: Path) -> None:
    [found] = browsed(page(weighted([[1, 0], [0.25, 0.75]], ["今天", "好"]), ALL), tmp_path)
    assert found["readout"] == "“好” (1) reads “今天” (0): 25 %, exactly 0.2500"
    assert found["steps"] == []
    assert "not its queries and keys" in found["says"]
