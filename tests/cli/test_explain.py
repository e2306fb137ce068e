"""``nlptasks explain``: what it prints and saves, and a line for each mistake."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nlptasks.cli.main import main
from nlptasks.explain import fonts
from tests.conftest import Tiny
from tests.support import Cli

Called = Callable[..., tuple[int, str, str]]
GUARD = """
from nlptasks import hookimpl

@hookimpl
def before_generate(request):
    return request.map_text(lambda text: text.replace("Ada", "Eve")), None
"""


@pytest.fixture
def called(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """Call the verb in this process; a family's name behind ``hf:`` becomes its model."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        given = [f"hf/{tiny(one[3:])}" if one.startswith("hf:") else one for one in arguments]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main(["explain", *given])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return call


def test_the_terminal_shows_tokens_and_a_map_of_each_layer(called: Called) -> None:
    code, out, err = called("今天天气很好 the weather", "--model", "hf:gpt2")
    assert (code, err) == (0, "")
    assert "GPT2LMHeadModel, 2 layers, 4 heads" in " ".join(out.split())  # behind the path of any length
    assert "今天天气很好" in out
    assert out.count("mean of heads") == 2
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (["--layer", "1"], [f"layer 1, head {head}" for head in range(4)]),
        (["--head", "3"], ["layer 0, head 3", "layer 1, head 3"]),
        (["--head", "0", "--head", "2", "--layer", "0"], ["layer 0, head 0", "layer 0, head 2"]),
        (["--layer", "all"], [f"layer {layer}, head {head}" for layer in (0, 1) for head in range(4)]),
    ],
)
def test_layers_and_heads_are_chosen_by_number(called: Called, arguments: list[str], titles: list[str]) -> None:
    code, out, _ = called("The weather", "--model", "hf:llama", *arguments)
    assert code == 0
    assert [title for title in titles if title in out] == titles
    assert out.count("layer ") == len(titles)


def test_text_comes_from_argument_file_or_stdin(called: Called, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("The weather is fine\n", "utf-8")
    found = [
        called("The weather is fine", "--model", "hf:gpt2"),
        called("--file", "text.txt", "--model", "hf:gpt2"),
        called("--model", "hf:gpt2", stdin="The weather is fine\n"),
        called("-", "--model", "hf:gpt2", stdin="The weather is fine\n"),
    ]
    assert len(set(found)) == 1
    assert found[0][0] == 0


def test_json_holds_every_head(called: Called) -> None:
    code, out, _ = called("The weather is fine", "--model", "hf:gpt2", "--json")
    found = json.loads(out)
    [part] = found["parts"]
    assert (code, found["family"], found["text"]) == (0, "causal", "The weather is fine")
    assert (part["name"], part["layers"], part["heads"]) == ("self", 2, 4)
    assert [(one["layer"], one["head"]) for one in part["attention"]] == [(a, b) for a in range(2) for b in range(4)]
    for one in part["attention"]:
        assert np.array(one["weights"]).shape == (len(part["queries"]), len(part["keys"]))
        assert np.allclose(np.sum(one["weights"], axis=-1), 1, atol=1e-4)


def test_the_numbers_of_a_position(called: Called) -> None:
    place = ["--layer", "0", "--head", "1", "--position", "2"]
    code, out, _ = called("The weather is fine", "--model", "hf:gpt2", *place, "--json")
    one = json.loads(out)["steps"]
    assert (code, one["layer"], one["head"], one["position"], one["exact"]) == (0, 0, 1, 2, True)
    assert [key["position"] for key in one["keys"]] == [0, 1, 2]
    weights = np.array([key["weight"] for key in one["keys"]])
    scores = np.array([key["key"] for key in one["keys"]]) @ one["query"] * one["scale"]
    assert np.allclose(np.exp(scores) / np.exp(scores).sum(), weights, atol=1e-4)
    assert np.allclose(weights @ np.array([key["value"] for key in one["keys"]]), one["sum"], atol=1e-4)
    assert f"{weights[0]:.4f}" in called("The weather is fine", "--model", "hf:gpt2", *place)[1]


def test_an_encoder_decoder_links_words(called: Called) -> None:
    arguments = ["The weather is fine.", "--model", "hf:marian", "--target", "Das Wetter ist schön."]
    code, out, _ = called(*arguments, "--json")
    found = json.loads(out)
    assert (code, found["target"]) == (0, "Das Wetter ist schön.")
    assert [part["name"] for part in found["parts"]] == ["cross", "encoder", "decoder"]
    assert [link["target"] for link in found["parts"][0]["words"]] == ["Das", "Wetter", "ist", "schön"]
    alone = json.loads(called(*arguments, "--part", "decoder", "--json")[1])
    assert [part["name"] for part in alone["parts"]] == ["decoder"]
    assert "decoder attention" in called(*arguments, "--part", "decoder")[1]


def test_an_extractive_model_answers(called: Called) -> None:
    asked = ["--question", "How is the weather?", "--model", "hf:bert-qa"]
    code, out, _ = called("The weather is fine.", *asked, "--json")
    assert code == 0
    assert set(json.loads(out)["spans"]) == {"starts", "ends", "answer", "score", "no_answer"}
    assert "How is the weather?" in called("The weather is fine.", *asked)[1]


def test_picture_and_page_are_saved_beside_the_output(called: Called, tmp_path: Path) -> None:
    code, out, err = called("The weather", "--model", "hf:gpt2", "--png", "a.png", "--html", "a.html", "--head", "0")
    assert code == 0
    assert "head 0" in out
    assert err.splitlines()[-2:] == ["written: a.png", "written: a.html"]
    assert Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())).format == "PNG"
    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_font_that_lacks_characters_is_told_of(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "KNOWN", ())
    code, _, err = called("今天天气很好", "--model", "hf:gpt2", "--png", "a.png")
    assert code == 0
    assert "No font here can write 今天天气很好" in err
    assert "--font" in err


def test_the_page_holds_what_was_chosen_only(called: Called, tmp_path: Path) -> None:
    called("The weather", "--model", "hf:gpt2", "--html", "all.html")
    called("The weather", "--model", "hf:gpt2", "--html", "one.html", "--layer", "0", "--head", "0")
    sizes = [(tmp_path / name).stat().st_size for name in ("all.html", "one.html")]
    assert sizes[0] > sizes[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("x --model echo", 1, "'echo' cannot be looked into"),
        ("x --model embedded", 1, "'embedded' cannot be looked into"),
        ("x --model openai/gpt --layer 0", 1, "name a local model: --model hf/FOLDER"),
        ("x", 1, "'embedded' cannot be looked into"),
        ("x --model nowhere/x", 2, "say hf/nowhere/x"),
        ("x --model hf/./nowhere", 1, "No folder './nowhere'"),
        ("x --model hf:llava", 1, "cannot be looked into: explain knows causal"),
        ("x --model hf:gpt2 --layer 2", 2, "There is no layer 2: the self attention of this model has layers 0 to 1"),
        ("x --model hf:gpt2 --head 4", 2, "There is no head 4"),
        ("x --model hf:gpt2 --head one", 2, "'one' is neither a number from 0 nor 'all'"),
        ("x --model hf:gpt2 --position 0", 2, "Name one --layer and one --head with --position"),
        ("x --model hf:gpt2 --layer 0 --head 0 --position 9", 2, "There is no position 9"),
        ("x --model hf:gpt2 --part cross", 2, "has no cross attention; it has self"),
        ("x --model hf:gpt2 --device nonsense", 2, "nonsense"),
        ("x --model hf:bert-qa", 2, "give one with --question"),
        ("x --model hf:gpt2 --question y", 2, "--question means nothing"),
        ("x --file y.txt --model hf:gpt2", 2, "Give a text or --file, not both"),
        ("--file y.txt --model hf:gpt2", 2, "No such file: y.txt"),
        ("--model hf:gpt2", 2, "There is no text to explain"),
        ("x --model hf:gpt2 --png nowhere/a.png", 1, "nowhere/a.png cannot be written"),
        ("x --model hf:gpt2 --html nowhere/a.html", 1, "nowhere/a.html cannot be written"),
        ("x --model hf:gpt2 --png a.png --font nowhere.ttf", 2, "nowhere.ttf is no font"),
    ],
)
def test_a_mistake_is_one_line(called: Called, arguments: str, code: int, words: str) -> None:
    ended, out, err = called(*arguments.split())
    assert (ended, out) == (code, "")
    assert err.count("\n") == 1
    assert words in err


def test_too_long_a_text_is_one_line(called: Called) -> None:
    code, out, err = called("今天天气很好 the weather " * 100, "--model", "hf:gpt2")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "explain shows at most 256: give a shorter one" in err


def test_guards_come_before_what_is_shown(cli: Cli, tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "guard.py").write_text(GUARD)
    done = cli("--plugin-file", "guard.py", "explain", "Ada wrote it", "--model", f"hf/{tiny('gpt2')}", "--json")
    assert json.loads(done.out)["text"] == "Eve wrote it"
    assert "Ada" not in done.out


def test_help_imports_nothing_heavy(cli: Cli) -> None:
    code = "import sys; sys.argv = ['nlptasks', 'explain', '--help']\nfrom nlptasks.cli.main import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "print(sorted({'torch', 'transformers', 'numpy', 'PIL', 'rich'} & set(sys.modules)))"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Show the tokens of TEXT" in done.stdout
