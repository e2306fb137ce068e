"""Where the benchmarks are made: models, prompts and the environments of other projects, in one folder."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import launch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = ("torch", "transformers", "accelerate", "lm-eval[api]", "inspect-ai", "openai", "ctranslate2")


@dataclass(frozen=True)
class Workshop:
    """A folder, and how much to do: ``share`` of the prompts and sentences, so many ``rounds``."""

    folder: Path
    share: float
    rounds: int

    def count(self, whole: int) -> int:
        """Return the share of ``whole``, at least one."""
        return max(1, round(self.share * whole))

    @cached_property
    def peers(self) -> Path:
        """The Python of an environment with other projects in it."""
        return self.environment("peers", PEERS)

    def environment(self, name: str, packages: Sequence[str]) -> Path:
        """Return the Python of an environment that holds ``packages``; made when it is not there."""
        python = self.folder / name / "bin" / "python"
        if not python.exists():
            venv.create(self.folder / name, with_pip=True)
        install: list[str | Path] = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", *packages]
        subprocess.run(install, check=True)
        return python

    def model(self, shape: str) -> Path:
        """Return the folder of a model of a shape; made when it is not there."""
        folder = self.folder / shape / "model"
        if not (folder / "tokenizer.json").exists():
            launch([sys.executable, "-m", "tests.benchmarks.shapes", shape, folder], ROOT)
        return folder

    @cached_property
    def converted(self) -> Path:
        """The folder of the Llama shape that has CTranslate2's copy beside it."""
        model = self.model("llama")
        copy = model.with_name("ctranslate2")
        if not (copy / "model.bin").exists():
            convert = self.peers.with_name("ct2-transformers-converter")
            launch([convert, "--model", model, "--output_dir", copy, "--force"], self.folder)
        return model

    def generate(self, way: str, work: dict[str, Any]) -> dict[str, Any]:
        """Return the seconds, CPU seconds and answers of one of the ``generators``, in a process of its own."""
        path = self.folder / f"{way}.json"
        path.write_text(json.dumps({**work, "model": str(work["model"])}), "utf-8")
        python = sys.executable if way.startswith("nlptasks") else self.peers
        offline = {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
        said = launch([python, HERE / "generators.py", way, path], self.folder, offline).said
        outcome: dict[str, Any] = json.loads(said.splitlines()[-1])
        return outcome

    @cached_property
    def limits(self) -> dict[str, Any]:
        """What the machine can do at most, by device: see ``limits``."""
        found: dict[str, Any] = json.loads(launch([sys.executable, HERE / "limits.py"], self.folder).said)
        return found


def words(chance: random.Random, count: int, vocabulary: int) -> list[str]:
    """Return the text of tokens drawn at random, the special ones left out."""
    return [str(chance.randrange(2, vocabulary - 1)) for _ in range(count)]
