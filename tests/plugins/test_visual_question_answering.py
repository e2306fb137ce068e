from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nlptasks import Message, Prompts
from nlptasks_question_answering.visual import VisualQuestion, VisualQuestionAnswering

Ask = Callable[..., Any]
URI = "data:image/png;base64,aGVsbG8="


@pytest.mark.parametrize("name", ["image", "images"])
def test_pictures_are_in_the_users_message(ask: Ask, name: str) -> None:
    asked = ask(VisualQuestionAnswering(), {"question": "Welche Farbe?", name: [URI, URI]}, lambda _: " Rot\n")
    system, user = asked.requests[0].messages
    assert "language of the question" in system.content
    assert user == Message("user", "Welche Farbe?", (b"hello", b"hello"))
    assert asked.result.answer == "Rot"


def test_own_prompts(ask: Ask) -> None:
    task = VisualQuestionAnswering(Prompts("", "Look: {{ question }}"))
    asked = ask(task, {"question": "这是什么？", "image": URI}, lambda _: "猫")
    assert asked.requests[0].messages == (Message("user", "Look: 这是什么？", (b"hello",)),)


def test_pictures_beside_the_input_file(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"cat")
    row = {"question": "What?", "image": "cat.png"}
    assert VisualQuestion.model_validate(row, context={"base": tmp_path}).images == (b"cat",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "What?", "images": []}, "there is no picture: give one with --image"),
        ({"question": "What?"}, "Field required"),
        ({"question": "\t", "image": URI}, "the question is empty"),
        ({"question": "What?", "image": "cat.png"}, "must be a data URI here"),
    ],
)
def test_bad_input(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        VisualQuestion.model_validate(row)
    [error] = caught.value.errors()
    assert message in error["msg"]


@pytest.mark.parametrize("package", ["nlptasks_question_answering", "nlptasks_chat"])
def test_registering_costs_next_to_nothing(package: str) -> None:
    code = (
        f"import sys, {package} as plugin; plugin.register_tasks(); "
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'httpx', 'numpy', 'pydantic', 'bm25s'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
