"""What a command costs before it does anything, and how soon a chat's first token is there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from tests.benchmarks.generation import prompt
from tests.benchmarks.measuring import Outcome, interleaved, launch, middle, ratios, table
from tests.benchmarks.shapes import STEPS
from tests.benchmarks.workshop import Workshop

BARE = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer, TextStreamer
folder, prompt = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
streamer = TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
model.generate(**tokenizer(prompt, return_tensors="pt"), max_new_tokens=32, do_sample=False, streamer=streamer)
"""


def first_token(command: Sequence[str | Path], folder: Path) -> float:
    """Return the seconds until a command first writes to its terminal."""
    terminal, inner = pty.openpty()
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=inner, stderr=subprocess.PIPE, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    ) as process:
        os.close(inner)
        try:
            while not os.read(terminal, 1).strip():
                pass
        except OSError:  # how a terminal says that nobody writes to it any more
            assert process.stderr
            raise click.ClickException(process.stderr.read().decode()) from None
        finally:
            seconds = time.perf_counter() - start
            process.kill()
            os.close(terminal)
    return seconds


def measure(shop: Workshop) -> str:
    """Return the tables of CPU seconds, and of the time to a first token."""
    llm = shop.environment("llm", ["llm"]).with_name("llm")
    ours = Path(sys.executable).with_name("nlptasks")
    home = {"HOME": str(shop.folder), "LLM_USER_PATH": str(shop.folder / "llm-home")}
    commands: Mapping[str, Sequence[str | Path]] = {
        "`llm --version`": [llm, "--version"],
        "`nlptasks --help`": [ours, "--help"],
        "`nlptasks tasks list`": [ours, "tasks", "list"],
    }
    for command in commands.values():
        launch(command, shop.folder, home)  # compiles
    starts: Mapping[str, list[Outcome]] = interleaved(
        {name: partial(launch, command, shop.folder, home) for name, command in commands.items()}, 4 * shop.rounds
    )
    base = [each.cpu for each in next(iter(starts.values()))]
    rows = []
    for name, found in starts.items():
        taken = [each.cpu for each in found]
        rows.append([name, middle((1000 * one for one in taken), 0), ratios(taken, base)])
    return (
        "### Start\n\n"
        + table(["", "CPU ms", "of llm's"], rows)
        + "\n"
        + table(["", "seconds to the first token", "of bare transformers'"], chats(shop, ours))
    )


def chats(shop: Workshop, ours: Path) -> list[list[str]]:
    """Return the rows about a first token."""
    import random

    model, text = shop.model("llama"), prompt(random.Random(0), 24, STEPS)
    commands: Mapping[str, Sequence[str | Path]] = {
        "transformers' `generate`, streamed": [sys.executable, "-c", BARE, model, text],
        "`nlptasks chat`": [ours, "chat", text, "-m", f"hf/{model}"],
    }
    taken = interleaved(
        {name: partial(first_token, command, shop.folder) for name, command in commands.items()}, shop.rounds
    )
    base = next(iter(taken.values()))
    return [[name, middle(found, 2), ratios(found, base)] for name, found in taken.items()]
