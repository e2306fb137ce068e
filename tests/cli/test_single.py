"""One text: from a file, --text, an argument or stdin, to stdout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support import Cli

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TEXT = "Die Fähre fährt. 渡轮在航行。\n"


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "latin.txt").write_bytes("Größe".encode("latin-1"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "folder").mkdir()
    shutil.copy(EXAMPLES / "harbour.en.txt", tmp_path / "folder")
    shutil.copy(EXAMPLES / "harbour.de.txt", tmp_path / "folder")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["summarize", "a.txt"], ""),
        (["summarize", "--text", TEXT], ""),
        (["summarize", "-"], TEXT),
        (["summarize"], TEXT),
        (["run", "summarization", "a.txt"], ""),
        (["translate", "a.txt", "--to", "en"], ""),
        (["translate", "--to", "English", "--text", TEXT], ""),
        (["run", "text-generation", TEXT], ""),
        (["run", "text-generation", "-"], TEXT),
        (["chat", TEXT], ""),
        (["chat"], TEXT),
    ],
)
def test_every_way_in(cli: Cli, arguments: list[str], stdin: str) -> None:
    done = cli(*arguments, "--model", "echo", stdin=stdin)
    assert done.code == 0, done.err
    assert done.out.strip() == TEXT.strip()


def test_json_is_the_row_a_file_would_get(cli: Cli) -> None:
    done = cli("summarize", "a.txt", "--model", "echo", "--json")
    found = json.loads(done.out)
    assert found["prediction"] == TEXT.strip()
    assert found["output"]["summary"] == TEXT.strip()
    assert found["model"] == "echo"
    assert found["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(("language", "word"), [("en", "electric"), ("de", "elektrische"), ("zh", "渡轮")])
def test_a_summary_without_any_model(cli: Cli, language: str, word: str) -> None:
    document = (EXAMPLES / f"harbour.{language}.txt").read_text("utf-8")
    done = cli("summarize", EXAMPLES / f"harbour.{language}.txt")
    assert done.code == 0
    assert word in done.out
    assert 0 < len(done.out) < 0.7 * len(document)


def test_an_answer_names_its_source(cli: Cli) -> None:
    done = cli("qa", "How many passengers does the ferry take?", "--context", "folder")
    assert done.code == 0
    assert "180" in done.out
    assert "harbour.en.txt" in done.err
    found = json.loads(cli("qa", "Who raised the rest of the money?", "--context", "folder", "--json").out)
    document = Path(found["output"]["document"]).name
    start, end = found["output"]["start"], found["output"]["end"]
    assert (EXAMPLES / document).read_text("utf-8")[start:end] == found["output"]["support"]


def test_no_answer_is_said_and_not_invented(cli: Cli) -> None:
    done = cli("qa", "Which moons orbit Jupiter?", "--context", "folder")
    assert (done.code, done.out.strip()) == (0, "")
    assert "no answer" in done.err


def test_what_the_default_cannot_do_names_the_next_step(cli: Cli) -> None:
    done = cli("translate", "a.txt", "--to", "fr")
    assert done.code == 1
    assert "--model hf/" in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sumarize", "a.txt"], ["Unknown command 'sumarize'", "summarize"]),
        (["run", "sumarization", "a.txt"], ["Unknown task 'sumarization'", "'summarization'"]),
        (["summarize", "a.txt", "--model", "openia/gpt"], ["Unknown backend 'openia'", "'openai'"]),
        (["summarize", "a.txt", "--model", "folder"], ["hf/folder"]),
        (["summarize", "a.txt", "--model", "Qwen/Qwen3-0.6B"], ["hf/Qwen/Qwen3-0.6B"]),
        (["summarize", "none.txt"], ["No such file: none.txt", "--text"]),
        (["summarize", "latin.txt"], ["latin.txt is not UTF-8", "iconv"]),
        (["summarize", "picture.png"], ["no text file"]),
        (["summarize", "empty.txt"], ["empty"]),
        (["summarize"], ["empty"]),
        (["summarize", "a.txt", "--text", "b"], ["not both"]),
        (["summarize", "a.txt", "--lenght", "short"], ["--length"]),
        (["summarize", "a.txt", "--length", "huge"], ["'huge'", "short"]),
        (["summarize", "a.txt", "--max-new-tokens", "0"], ["max_new_tokens", "greater than or equal to 1"]),
        (["summarize", "a.txt", "--prompt", "none.jinja"], ["No such file: none.jinja"]),
        (["summarize", "a.txt", "--model", "echo", "--system", "{{ documnets }}"], ["prompt", "documnets"]),
        (["summarize", "a.txt", "--model", "echo", "--system", "{% if %}"], ["prompt does not render"]),
        (["translate", "a.txt", "--model", "echo"], ["--to"]),
        (["translate", "a.txt", "--model", "echo", "--to", "Germmann"], ["Germmann", "'German'"]),
        (["qa", "Why?"], ["--context"]),
        (["qa", "Why?", "--context", "none"], ["No such file"]),
        (["summarize", "a.txt", "--schema", "a.txt", "--model", "echo"], ["JSON"]),
        (["--plugin-file", "none.py", "summarize", "a.txt"], ["No such file"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_a_wrong_call_is_one_line(cli: Cli, arguments: list[str], words: list[str]) -> None:
    done = cli(*arguments)
    assert done.code in (1, 2)
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1, done.err
    for word in words:
        assert word in done.err


def test_a_traceback_on_request(cli: Cli) -> None:
    done = cli("summarize", "none.txt", "--traceback")
    assert done.code == 1
    assert "Traceback" in done.err


def test_the_model_is_chosen_by_flag_then_variable_then_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(*arguments: str) -> str:
        found: str = json.loads(cli("summarize", "a.txt", "--json", *arguments).out)["model"]
        return found

    assert model() == "embedded"
    (tmp_path / "nlptasks.toml").write_text('model = "echo"\n')
    assert model() == "echo"
    monkeypatch.setenv("NLPTASKS_MODEL", "echo/variable")
    assert model() == "echo/variable"
    assert model("--model", "echo/flag") == "echo/flag"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('modle = "echo"', ["'modle'", "'model'"]),
        ("model = 3", ["model must be a str"]),
        ("model = ", ["nlptasks.toml cannot be read"]),
        ("model = " + "[" * 5000, ["nlptasks.toml cannot be read"]),
        ('[backends.openai]\nbase_url = "http://elsewhere"\n', ["[backends] belongs into"]),
    ],
)
def test_a_wrong_settings_file_is_one_line(cli: Cli, tmp_path: Path, content: str, words: list[str]) -> None:
    (tmp_path / "nlptasks.toml").write_text(content)
    done = cli("summarize", "a.txt", "--model", "openai/x")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    for word in words:
        assert word in done.err


def test_prompts_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from nlptasks import Backend, Completion, Spec, hookimpl\n"
        "class Mirror(Backend):\n"
        "    def complete(self, requests):\n"
        "        return [Completion(' | '.join(f'{m.role}: {m.content}' for m in r.messages)) for r in requests]\n"
        "def load(model):\n"
        "    return Mirror()\n"
        "@hookimpl\n"
        "def register_backends():\n"
        "    return [Spec('mirror', 'mine:load')]\n"
    )
    (tmp_path / "prompt.jinja").write_text("{{ documents[0].text }} auf {{ language }}")
    done = cli(
        "--plugin-file", "mine.py", "summarize", "a.txt", "--model", "mirror",
        "--prompt", "prompt.jinja", "--system", "Sei kurz.",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "system: Sei kurz. | user: Die Fähre fährt." in done.out


def test_the_cache_answers_the_second_time(cli: Cli) -> None:
    first = json.loads(cli("summarize", "a.txt", "--model", "echo", "--cache", "--json").out)
    assert json.loads(cli("cache", "info", "--json").out)["completions"] == 1
    again = json.loads(cli("summarize", "a.txt", "--model", "echo", "--cache", "--json").out)
    assert again["prediction"] == first["prediction"]
    assert json.loads(cli("cache", "info", "--json").out)["completions"] == 1
    assert cli("cache", "clear").code == 0
    assert json.loads(cli("cache", "info", "--json").out)["completions"] == 0


def test_help_shows_the_options_of_the_chosen_backend(cli: Cli) -> None:
    assert "--base-url" not in cli("summarize", "--help").out
    assert "--base-url" in cli("summarize", "--model", "openai/x", "--help").out
    assert "--device" in cli("summarize", "--help", "-mhf/x").out


@pytest.mark.parametrize("name", ["summarization", "translation", "question-answering", "chat", "text-generation"])
def test_tasks_show(cli: Cli, name: str) -> None:
    found = json.loads(cli("tasks", "show", name, "--json").out)
    assert found["name"] == name
    assert found["input"]["properties"]
    assert cli("tasks", "show", name).code == 0


def test_lists(cli: Cli) -> None:
    names = {row["name"] for row in json.loads(cli("tasks", "list", "--json").out)}
    assert {"summarization", "translation", "question-answering", "chat", "text-generation"} <= names
    backends = {line.split("\t")[0] for line in cli("backends", "list").out.splitlines()}
    assert {"hf", "openai", "embedded", "echo"} <= backends


def test_doctor_finds_nothing_wrong_here(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert done.code == 0, done.out
    assert {check["name"] for check in json.loads(done.out)} >= {"python", "torch", "devices", "default model"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(cli: Cli, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_NLPTASKS_COMPLETE", f"{shell}_source")
    assert "_NLPTASKS_COMPLETE" in cli().out
    monkeypatch.setenv("_NLPTASKS_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "nlptasks summarize --le")
    monkeypatch.setenv("COMP_CWORD", "--le" if shell == "fish" else "2")
    assert "--length" in cli().out


def test_backend_options_come_from_the_users_own_settings(cli: Cli, tmp_path: Path) -> None:
    import os

    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "nlptasks"
    folder.mkdir(parents=True)
    (folder / "nlptasks.toml").write_text('[backends.openai]\nbase_ulr = "x"\n')
    done = cli("summarize", "a.txt", "--model", "openai/x")
    assert done.code == 2
    assert "'base_ulr'" in done.err
    assert "'base_url'" in done.err


def test_one_final_newline_is_enough(cli: Cli) -> None:
    assert cli("translate", "a.txt", "--to", "en", "--model", "echo").out == TEXT


def test_a_disabled_plugin_is_not_taken_for_a_typing_error(cli: Cli) -> None:
    assert cli("plugins", "disable", "chat").code == 0
    assert "plugins enable" in cli("chat", "hi").err
