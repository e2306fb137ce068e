"""The pages are built without a warning, lead nowhere that is not there, and ask the network for nothing."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.support import ROOT

LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
}
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(HTMLParser):
    """What a page loads, where it leads, and what can be led to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.classes: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        self.classes |= {*found.get("class", "").split()}
        if tag in LOADING and LOADING[tag] in found:
            self.loads.add(found[LOADING[tag]])
        if tag == "link" and LOADING_LINKS & {*found.get("rel", "").split()}:
            self.loads.add(found["href"])
        if tag == "a" and "href" in found:
            self.links.add(found["href"])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages, which are to be strict about warnings by themselves."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "strict: true" in (ROOT / "mkdocs.yml").read_text("utf-8")
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_of_the_folder_is_built(site: Path) -> None:
    written = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    expected = {path for path in written if path.parts[0] != "examples"}
    assert {path.relative_to(site) for path in site.rglob("*.html")} - {Path("404.html")} == expected


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert page.loads
        for address in page.loads:
            assert urlsplit(address)[:2] == ("", ""), f"{path.name} loads {address}"
        assert "mermaid" not in page.classes  # for which the theme would fetch a script


def test_styles_load_nothing_from_elsewhere(site: Path) -> None:
    sheets = [sheet.read_text("utf-8") for sheet in site.rglob("*.css")]
    assert sheets
    for sheet in sheets:
        assert "@import" not in sheet
        assert "url(http" not in sheet.replace('"', "").replace("'", "")


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    followed = 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            if urlsplit(link).scheme:
                continue
            address, anchor = urldefrag(unquote(link))
            target = (path.parent / address).resolve() if address else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(site)} leads to {link}"
            if anchor and target in pages:
                assert anchor in pages[target].ids, f"{path.relative_to(site)} leads to {link}"
            followed += 1
    assert followed > 100


@pytest.mark.parametrize("word", ["--concurrency", "NLPTASKS_STRICT_PLUGINS", "before_generate", "置信区间"])
def test_the_index_of_the_search_has_it(site: Path, word: str) -> None:
    entries = json.loads((site / "search/search_index.json").read_text("utf-8"))["docs"]
    assert any(word in entry["text"].replace("\u200b", "") + entry["title"] for entry in entries)


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
def test_a_browser_asks_nobody_else_and_can_search(served: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for name in ("index.html", "quickstart.zh.html", "explain.html", "reference/commands.html"):
            page.goto(f"{served}/{name}", wait_until="networkidle")
        found = page.locator(".md-search-result__link").first
        for _ in range(20):  # what is typed before the page's script listens is lost
            page.locator("input.md-search__input").fill("")
            page.locator("input.md-search__input").press_sequentially("concurrency")
            page.wait_for_timeout(1000)
            if found.is_visible():
                break
        assert "concurrency" in page.locator(".md-search-result__list").inner_text()
        browser.close()
    assert len(asked) > 10
    assert [one for one in asked if not one.startswith((served, "data:", "blob:"))] == []
