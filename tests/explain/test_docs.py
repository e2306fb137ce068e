"""What docs/explain.md shows is what comes out.

After a change, ``NLPTASKS_UPDATE_DOCS=1 pytest tests/explain/test_docs.py`` writes the page's outputs anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from nlptasks.cli.main import main
from tests.explain.weather import train

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explain.md"
SHOWN = re.compile(r"```(console|text sum)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
UPDATE = bool(os.environ.get("NLPTASKS_UPDATE_DOCS"))


def output(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    return "".join(f"{line.rstrip()}\n" for line in out.splitlines())


def worked_sum(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the first dimension of the weighted sum as a sum that can be followed."""
    found = json.loads(output(f"{command} --json", capsys))["steps"]
    parts = [f"{key['weight']:.4f} · {key['value'][0]:.3f}" for key in found["keys"]]
    return f"{' + '.join(parts)} = {found['sum'][0]:.3f}\n".replace("-", "−")


def regenerated(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the page with the output of every command that it shows an output of."""
    last = ""

    def block(match: re.Match[str]) -> str:
        nonlocal last
        if match[1] == "text sum":
            return f"```text sum\n{worked_sum(last, capsys)}```"
        last = match[2].splitlines()[0].removeprefix("$ ")
        return f"```console\n$ {last}\n{output(last, capsys)}```"

    return SHOWN.sub(block, text)


def test_every_output_in_the_page_is_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words exactly, numbers nearly: training adds up in another order on another processor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    train(ROOT / "docs/examples/weather.txt", tmp_path / "weather")
    shown = PAGE.read_text("utf-8")
    fresh = regenerated(shown, capsys)
    if UPDATE:
        PAGE.write_text(fresh, "utf-8")
        return
    bare = [re.sub(r"[░▒▓█ −-]+", " ", NUMBER.sub("#", text)) for text in (shown, fresh)]
    assert bare[0] == bare[1]
    numbers = (NUMBER.findall(text.replace("−", "-")) for text in (shown, fresh))
    for written, found in zip(*numbers, strict=True):
        assert float(written) == pytest.approx(float(found), rel=0.05, abs=2 if "." not in written else 0.05)


def test_the_page_shows_flags_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    known = set(re.findall(r"--[a-z]+", capsys.readouterr().out))
    commands = re.findall(r"^(?:\$ )?nlptasks explain .*", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        assert {word for word in shlex.split(command) if word.startswith("--")} <= known
