"""Conversations on a real (pseudo-)terminal."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from nlptasks_chat import editor
from nlptasks_chat import transcript as transcripts
from tests.plugins.chat_terminal import CTRL_C, PROMPT, Terminal

SCRIPT = Path(__file__).with_name("chat_script.py")
PNG = b"\x89PNG\r\n\x1a\n-not-looked-into"


Talk = Callable[..., Terminal]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    """Begin a conversation with the scripted backend."""
    pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")
    opened: list[Terminal] = []

    def begin(*arguments: str, plugins: Sequence[Path | str] = (SCRIPT,)) -> Terminal:
        files = [f"--plugin-file={one}" for one in plugins]
        opened.append(Terminal(tmp_path, *files, "chat", "--model", "script/ada", *arguments))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def messages(path: Path) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in read(path)["messages"]]


def test_the_backend_hears_the_conversation_so_far(talk: Talk) -> None:
    terminal = talk("--system", "Sei {{ kurz")
    terminal.say("你好", r"\n<ada: system=Sei \{\{ kurz \| user=你好>\n")
    expected = r"\| user=你好 \| assistant=<ada: system=Sei \{\{ kurz \| user=你好> \| user=Grüße>\n"
    terminal.say("Grüße", expected)
    terminal.say("/reset", "A new conversation")
    terminal.say("again", r"\n<ada: system=Sei \{\{ kurz \| user=again>\n")
    terminal.say("/system -", "There is no system prompt")
    terminal.say("/reset", "A new conversation")
    terminal.say("  /usr is what?", r"\n<ada: user=/usr is what\?>\n")
    assert terminal.leave() == 0


def test_an_answer_is_shown_while_it_comes_and_ctrl_c_keeps_what_was_said(talk: Talk, tmp_path: Path) -> None:
    terminal = talk("--transcript", "talk.json")
    terminal.type("slow\r")
    terminal.until("eins zwei")
    assert messages(tmp_path / "talk.json") == [("user", "slow")]
    terminal.type(CTRL_C)
    terminal.until(f"(?s)Stopped.*{PROMPT}")
    assert messages(tmp_path / "talk.json") == [("user", "slow"), ("assistant", "eins zwei")]
    terminal.say("and?", r"assistant=eins zwei \| user=and\?>")

    terminal.type("mute\r")
    while not (tmp_path / "asked").exists():
        time.sleep(0.02)
    terminal.type(CTRL_C + CTRL_C)  # an impatient second one neither leaves nor loses anything
    terminal.until(f"(?s)Stopped.*{PROMPT}")
    terminal.say("so", r"\| assistant=<.*\| user=so>")
    assert ("user", "mute") not in messages(tmp_path / "talk.json")
    assert terminal.leave("/exit\r") == 0


def test_ctrl_c_at_the_prompt_clears_the_line_and_leaves_when_pressed_twice_more(talk: Talk) -> None:
    terminal = talk()
    terminal.type("not this")
    terminal.until("not this")
    terminal.type(CTRL_C)
    terminal.say("but this", "<ada: user=but this>")
    terminal.type(CTRL_C)
    terminal.until(f"(?s)Ctrl-C once more.*{PROMPT}")
    terminal.say("stay", r"\| user=stay>")
    terminal.type(CTRL_C)
    terminal.until(f"(?s)Ctrl-C once more.*{PROMPT}")
    assert terminal.leave(CTRL_C) == 0


def test_a_failing_request_is_one_line_and_can_be_sent_again(talk: Talk, tmp_path: Path) -> None:
    terminal = talk()
    (tmp_path / "a.png").write_bytes(PNG)
    terminal.say("/image a.png", "goes with the next message")
    assert "Traceback" not in terminal.say("down", r"error: the server is down \(/retry asks again\)\n")
    terminal.say("/retry", r"error: the server is down")
    (tmp_path / "up").touch()
    terminal.say("/retry", r"\n<ada: user=down\+image>\n")
    terminal.say("/retry", r"\n<ada: user=down\+image>\n")
    (tmp_path / "up").unlink()
    terminal.say("/retry", "error: the server is down")  # the answer it had stays
    terminal.say("raise", r"> raise\n+error: \w+ raised RuntimeError: a mistake of mine")
    terminal.say("go on", r"\| assistant=<ada: user=down\+image> \| user=go on>\n")
    terminal.say("/reset", "A new")
    terminal.say("/retry", "error: There is no message to ask again")
    assert terminal.leave() == 0


def test_another_model_goes_on_with_the_conversation(talk: Talk) -> None:
    terminal = talk()
    terminal.say("one", "<ada: user=one>")
    terminal.say("/model script/none", "error: There is no model of the name none")
    terminal.say("/model scrip/x", r"error: Unknown backend 'scrip'\. Did you mean 'script'\?")
    terminal.say("/model", "Model: script/ada")
    terminal.say("/model script/bob", "Model: script/bob")
    terminal.say("two", r"<bob: user=one \| assistant=<ada: user=one> \| user=two>")
    terminal.say("/model echo", "Model: echo")
    terminal.say("three", r"> three\n+three\n")
    assert terminal.leave() == 0


def test_a_conversation_is_saved_and_gone_on_with(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "a picture.png").write_bytes(PNG)
    (tmp_path / "notes.txt").write_text("mine")
    terminal = talk("--image", "a picture.png")
    terminal.say("看", r"<ada: user=看\+image>")
    terminal.say("/save notes.txt", "error: notes.txt is no transcript")
    terminal.say("/save talk.json", "Saved")
    terminal.say("/image 'a picture.png'", "goes with")
    terminal.say("more", r"user=more\+image>")
    saved = read(tmp_path / "talk.json")
    assert (saved["version"], saved["model"], len(saved["messages"])) == (1, "script/ada", 4)
    assert saved["messages"][0]["images"][0].startswith("data:")
    terminal.say("/reset", "talk.json keeps what was said before")
    terminal.say("elsewhere", "<ada: user=elsewhere>")
    terminal.say("/load missing.json", "error: No such file: missing.json")
    terminal.say("/load notes.txt", "error: notes.txt is no transcript of a chat: .*JSON")
    terminal.say("/load talk.json", r"4 messages so far\.\n")
    terminal.say("/model script/bob", "Model")
    terminal.say("back", r"<bob: user=看\+image \| assistant=.*user=more\+image \| assistant=.*\| user=back>")
    assert terminal.leave() == 0
    assert read(tmp_path / "talk.json") == saved
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a picture.png", "notes.txt", "talk.json"]


def test_a_crash_loses_nothing_of_a_transcript(talk: Talk, tmp_path: Path) -> None:
    terminal = talk("--transcript", "talk.json", "--system", "kurz")
    terminal.say("one", "user=one>")
    terminal.type("slow\r")
    terminal.until("eins zwei")
    terminal.crash()
    again = talk("--transcript", "talk.json", "--model", "script/bob")
    assert "3 messages so far. script/ada answered them; script/bob goes on. The last has no answer" in again.raw
    again.say("two", r"<bob: system=kurz \| user=one \| assistant=.*\| user=two>")
    assert [role for role, _ in messages(tmp_path / "talk.json")] == ["user", "assistant"] * 2
    assert read(tmp_path / "talk.json")["system"] == "kurz"


def test_a_full_disk_stops_no_conversation(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    terminal = talk("--transcript", "kept/talk.json")
    (tmp_path / "kept/talk.json").unlink()
    (tmp_path / "kept").rmdir()
    terminal.say("one", r"warning: kept/talk.json cannot be written: .*<ada: user=one>")
    terminal.say("/save talk.json", "Saved")
    assert messages(tmp_path / "talk.json")[0] == ("user", "one")
    assert terminal.leave() == 0


def test_what_a_user_should_know_is_said_in_a_line(talk: Talk) -> None:
    terminal = talk()
    shown = terminal.say("/sav x", r"error: Unknown command '/sav'. Did you mean '/save'\? See: /help\n")
    assert "Traceback" not in shown
    terminal.say("/save", "error: Say: /save FILE\n")
    terminal.say("/exit now", "error: Say: /exit\n")
    terminal.say("/image none.png", "error: none.png cannot be read: No such file")
    terminal.say("/help", r"/reset .*Alt-Enter")
    terminal.say("long", "the reply is cut off")
    terminal.say("think", r"first think\n\n<ada")
    assert "\x1b[2mfirst think\x1b[0m" in terminal.raw
    assert terminal.leave() == 0


def test_commands_and_paths_are_completed(talk: Talk, tmp_path: Path) -> None:
    transcripts.save(transcripts.empty("kurz"), tmp_path / "talk.json")
    terminal = talk()
    terminal.type("/sy")
    terminal.until("Show or set the system prompt")
    terminal.type("\t")
    terminal.until("system")
    terminal.say(" 短", "System prompt: 短\n")
    terminal.type("/load ta")
    terminal.until("talk.json")
    terminal.type("\t")
    terminal.until("lk.json")
    terminal.say("", r"0 messages so far\.\n")
    terminal.say("/system", "System prompt: kurz\n")


def test_dropped_turns_are_told_of_once(talk: Talk) -> None:
    terminal = talk("--model", "script/tiny")
    terminal.say("x" * 60, "<tiny: user=x+>")
    assert "left out" in terminal.say("y" * 60, "<tiny: user=y+>")
    assert "left out" not in terminal.say("z" * 60, "<tiny: user=z+>")


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("ein Wort\r", "ein Wort"),
        ("eins\x1b\rzwei\r", "eins\nzwei"),
        ("\x1b[200~def f():\r\n    return 1\r\n\x1b[201~\r", "def f():\n    return 1\n"),
        ("no completion\t here\r", "no completion here"),
        ("away\x03here\r", "here"),
    ],
)
def test_keys(keys: PipeInput, typed: str, line: str) -> None:
    keys.send_text(typed)
    assert editor.reader()() == line


def test_what_was_typed_is_recalled_the_next_time(keys: PipeInput) -> None:
    keys.send_text("zwei\x1b\rZeilen\r")
    editor.reader()()
    assert stat.S_IMODE(editor.history_file().stat().st_mode) == 0o600
    keys.send_text("\x10\r")
    assert editor.reader()() == "zwei\nZeilen"


def test_what_was_typed_stays_off_the_disk_beside_a_guard(talk: Talk, tmp_path: Path) -> None:
    guard = (
        "from dataclasses import replace\n"
        "from nlptasks import hookimpl\n"
        "@hookimpl\n"
        "def before_generate(request):\n"
        "    return request.map_text(lambda text: text.replace('Alice', 'X')), None\n"
        "@hookimpl\n"
        "def after_generate(completion, state):\n"
        "    return replace(completion, text=completion.text.replace('X', 'Alice'))\n"
    )
    (tmp_path / "guard.py").write_text(guard)
    terminal = talk("--model", "echo", plugins=(SCRIPT, "guard.py"))
    terminal.say("Ich bin Alice", r"> Ich bin Alice\n+Ich bin Alice\n")
    terminal.say("/reset", "A new")
    assert terminal.leave() == 0
    assert not editor.history_file().exists()
    plain = talk()
    plain.say("hallo", "user=hallo")
    assert "+hallo" in editor.history_file().read_text("utf-8")
