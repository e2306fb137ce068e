"""A contract without a row makes one up from what Input declares; a single file can be held to its contract too."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from nlptasks import Completion, GenerationOptions, Images, Request, Sample, Task
from nlptasks.testing.contracts.examples import PICTURE, SENTENCE, example_row

SINGLE = """
from nlptasks import Backend, Completion, Spec, hookimpl

@hookimpl
def register_backends():
    return [Spec("single", "single:Single", "a backend in a file")]

class Single(Backend):
    def __init__(self, model): pass
    def complete(self, requests):
        return [Completion(request.fields.get("text", "")) for request in requests]
"""
TEST = """
from pathlib import Path
from nlptasks.testing import BackendContract

class TestSingle(BackendContract):
    name = "single"
    plugin_file = Path(__file__).with_name("single.py")
"""


class Colour(enum.Enum):
    RED = "red"


class Many(BaseModel):
    text: str = Field(validation_alias="body")
    colour: Colour
    style: Literal["short", "long"]
    count: int
    share: float
    words: list[str]
    flags: tuple[bool, ...]
    pictures: Images
    author: str = Field(examples=["Ada"])
    place: str = Field(default="", examples=["Kiel"])
    left_out: str = ""


class Everything(Task[Many, GenerationOptions, BaseModel]):
    name = "everything"
    Input = Many
    Options = GenerationOptions
    Output = BaseModel

    def prompt(self, sample: Sample, options: GenerationOptions) -> Request:
        raise NotImplementedError

    def parse(self, sample: Sample, completion: Completion) -> BaseModel:
        raise NotImplementedError


def test_a_row_is_made_of_what_input_declares() -> None:
    row = example_row(Everything(), "right")
    assert row == {
        "body": SENTENCE,
        "colour": "red",
        "style": "short",
        "count": 1,
        "share": 0.5,
        "words": [SENTENCE],
        "flags": [True],
        "pictures": PICTURE,
        "author": "Ada",
        "place": "Kiel",
        "reference": "right",
    }
    assert Many.model_validate(row).colour is Colour.RED


def test_a_single_file_can_be_held_to_its_contract(tmp_path: Path) -> None:
    (tmp_path / "single.py").write_text(SINGLE)
    (tmp_path / "test_single.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "nlptasks.testing.fixtures", "test_single.py"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert "a single file is loaded only where it is named" in done.stdout
