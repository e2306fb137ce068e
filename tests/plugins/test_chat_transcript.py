"""One message without a terminal, and transcripts."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nlptasks import InputError, NLPTasksError
from nlptasks_chat import transcript as transcripts
from nlptasks_chat.task import Turn
from tests.support import Cli

SCRIPT = Path(__file__).with_name("chat_script.py")
PNG = b"\x89PNG\r\n\x1a\n-not-looked-into"


def messages(path: Path) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in json.loads(path.read_text("utf-8"))["messages"]]


def test_one_message_needs_no_terminal(cli: Cli, tmp_path: Path) -> None:
    script = ("--plugin-file", SCRIPT, "chat", "-m", "script/ada")
    assert cli(*script, "hi").out == "<ada: user=hi>\n"
    assert cli(*script, stdin="从管道\n").out == "<ada: user=从管道>\n"
    assert cli(*script, "-", stdin="piped").out == "<ada: user=piped>\n"
    assert cli(*script, "Explain this.", stdin="a text\n\n").out == "<ada: user=a text\n\nExplain this.>\n"
    assert cli(*script, "--system", "kurz", "hi").out == "<ada: system=kurz | user=hi>\n"
    nothing = cli(*script)
    assert (nothing.code, nothing.out) == (2, "")
    assert "the message is empty" in nothing.err
    failed = cli(*script, "down")
    assert (failed.code, failed.out, failed.err) == (1, "", "error: the server is down\n")


def test_single_messages_go_on_with_a_transcript(cli: Cli, tmp_path: Path) -> None:
    script = ("--plugin-file", SCRIPT, "chat", "-m", "script/ada", "--transcript", "talk.json")
    (tmp_path / "a.png").write_bytes(PNG)
    assert cli(*script, "--system", "kurz", "--image", "a.png", "one").out == "<ada: system=kurz | user=one+image>\n"
    first = messages(tmp_path / "talk.json")
    assert cli(*script, "down").code == 1
    assert messages(tmp_path / "talk.json") == first
    second = json.loads(cli(*script, "--json", "two").out)
    assert second["prediction"].startswith("<ada: system=kurz | user=one+image | assistant=<ada: ")
    assert [role for role, _ in messages(tmp_path / "talk.json")] == ["user", "assistant"] * 2
    assert stat.S_IMODE((tmp_path / "talk.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"version": 2, "messages": []}', b'{"version": 1}'])
def test_a_broken_transcript_is_one_line_and_stays_as_it_is(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "talk.json").write_bytes(content)
    done = cli("chat", "-m", "echo", "--transcript", "talk.json", "hi")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "talk.json is no transcript of a chat" in done.err
    assert (tmp_path / "talk.json").read_bytes() == content


def test_a_transcript_goes_with_one_conversation_and_a_folder_that_exists(cli: Cli) -> None:
    batch = cli("chat", "-m", "echo", "--transcript", "talk.json", "--input", "-")
    assert (batch.code, batch.out) == (2, "")
    assert "--transcript keeps one conversation" in batch.err
    nowhere = cli("chat", "-m", "echo", "--transcript", "none/talk.json", "hi")
    assert (nowhere.code, nowhere.out) == (1, "")
    assert "none/talk.json cannot be written: No such file or directory" in nowhere.err


def test_the_help_imports_nothing_heavy_and_shows_the_options(cli: Cli) -> None:
    shown = cli("chat", "-m", "echo", "--help")
    assert shown.code == 0
    assert "--transcript" in shown.out
    assert "--max-new-tokens" in shown.out
    code = (
        "import sys; from nlptasks.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({'torch', 'prompt_toolkit', 'pydantic', 'nlptasks_chat.command'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "converse on a terminal" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_a_transcript_is_what_it_was_after_a_round_trip(tmp_path: Path) -> None:
    said = (Turn(role="user", content="Was zeigt 图片?", images=(PNG, b"other")), Turn(role="assistant", content="x\n"))
    before = transcripts.Transcript(version=1, model="echo", system="kurz", messages=said)
    transcripts.save(before, tmp_path / "talk.json")
    assert transcripts.load(tmp_path / "talk.json") == before
    assert "图片" in (tmp_path / "talk.json").read_text("utf-8")


def test_a_transcript_opens_no_path_that_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    turn = {"role": "user", "content": "", "images": [str(tmp_path / "secret")]}
    (tmp_path / "talk.json").write_text(json.dumps({"version": 1, "messages": [turn]}))
    with pytest.raises(InputError, match="must be a data URI"):
        transcripts.load(tmp_path / "talk.json")


def test_a_transcript_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    link.symlink_to(target)
    transcripts.save(transcripts.empty("kept"), link)
    assert link.is_symlink()
    assert transcripts.load(target).system == "kept"
    with pytest.raises(NLPTasksError, match="cannot be written"):
        transcripts.save(transcripts.empty("new"), tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.json", "target.json"]
    assert sorted(one.name for one in tmp_path.parent.iterdir() if one.name.startswith(f".{tmp_path.name}")) == []
