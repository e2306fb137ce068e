"""Three hundred identifiers, in three languages: none reaches a server, a log, the cache, a run or an error."""

from __future__ import annotations

import json
import os
import random
import re
import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nlptasks.testing.faults import status
from nlptasks.testing.servers import Exchange, FaultServer, ok
from tests.examples.environment import Environment

SENTENCES = {
    "en": ["Write to {0} or call {1} today.", "Her card {0} was charged twice; her passport is {1}.", "It is {0}/{1}?"],
    "de": [
        "Bitte an {0} schreiben oder {1} anrufen.",
        "Seine Karte {0} ist gesperrt, sein Ausweis: {1}.",
        "»{0}«, {1}",
    ],
    "zh": ["请发邮件到{0}或拨打{1}。", "他的银行卡{0}已停用，身份证号码是{1}。", "号码是{0}，不是{1}！"],
}
QUOTING = """
from nlptasks import GenerationOptions, Message, Request, Spec, Task, hookimpl
from pydantic import BaseModel

@hookimpl
def register_tasks():
    return [Spec("quoting", __name__ + ":Quoting")]

class Text(BaseModel):
    text: str

class Quoting(Task[Text, GenerationOptions, Text]):
    name = "quoting"
    Input, Options, Output = Text, GenerationOptions, Text

    def prompt(self, sample, options):
        return Request((Message("user", sample.input.text),))

    def parse(self, sample, completion):
        raise ValueError(f"no sense in {completion.text}")
"""
STREAM = """
import json, sys, nlptasks
chat = nlptasks.task("chat", model="openai/tiny", base_url=sys.argv[1])
for line in open("in.jsonl", encoding="utf-8"):
    *deltas, reply = chat.stream(json.loads(line)["message"])
    print(json.dumps([[delta.text for delta in deltas], reply.reply]))
"""


class Planter:
    """Draws identifiers as they are written in a language."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def digits(self, form: str) -> str:
        """Fill in a form: # is a digit, @ a capital letter."""
        chance = self._chance
        fill = {"#": lambda: chance.choice(string.digits), "@": lambda: chance.choice(string.ascii_uppercase)}
        return "".join(fill[sign]() if sign in fill else sign for sign in form)

    def email(self, names: Sequence[str], hosts: Sequence[str]) -> str:
        name = self._chance.choice(names) + self.digits("##")
        return f"{name}@{self._chance.choice(hosts)}"

    def draw(self, lang: str) -> str:
        chance = self._chance
        card = self.digits(chance.choice(["#### #### #### ####", "4###############", "5###-####-####-####"]))
        if lang == "en":
            mail = self.email(["anna.smith", "o'brien", "J_Doe+x"], ["example.com", "mail.example.co.uk"])
            phone = self.digits(
                chance.choice(["+1 ### ### ####", "(###) ###-####", "020 7### ####", "+44 7### ######"])
            )
            number = self.digits(
                chance.choice(["###-##-####", "@@ ## ## ## A", "@########", "GB## WEST #### #### #### ##"])
            )
        elif lang == "de":
            mail = self.email(["jürgen.groß", "Anna-Lena", "k.möller"], ["büro-müller.de", "beispiel.de"])
            phone = self.digits(
                chance.choice(["+49 30 #######", "0151/########", "(089) ## ## ## ##", "0#### ####-##"])
            )
            number = self.digits(
                chance.choice(["## ### ### ###", "DE## #### #### #### #### ##", "L##X##T##", "## ###### @ ###"])
            )
        else:
            mail = self.email(["zhang.wei", "liming", "wang_fang"], ["qq.com", "例子.中国", "sina.com.cn"])
            phone = self.digits(chance.choice(["138########", "139 #### ####", "+86 150 #### ####", "010-6#######"]))
            number = self.digits(chance.choice(["110101199###07123X", "31010119850#######", "E########", "G########"]))
            card = chance.choice([card, self.digits("6222###############"), self.digits("6228 #### #### #### ###")])
        return chance.choice([mail, phone, card, number])


class Planted:
    """Rows of texts with identifiers in them, and what may be found of these nowhere else."""

    def __init__(self) -> None:
        planter = Planter(5)
        self.texts: list[str] = []
        self.identifiers: list[str] = []
        for lang, sentences in SENTENCES.items():
            wanted = len(self.identifiers) + 100
            while len(self.identifiers) < wanted:
                pair = [planter.draw(lang), planter.draw(lang)]
                if len({*pair} - {*self.identifiers}) == 2:
                    self.texts.append(sentences[len(self.texts) % len(sentences)].format(*pair))
                    self.identifiers += pair
        self._traces = {trace for one in self.identifiers for trace in _traces(one)}

    def leaks(self, text: str) -> list[str]:
        """Return what of the identifiers stands in a text, however it is escaped and spaced."""
        unescaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        forms = text + unescaped
        squeezed = re.sub(r"[\s()/+-]", "", unescaped)
        return sorted(trace for trace in self._traces if trace in forms or trace in squeezed)


def _traces(identifier: str) -> Iterator[str]:
    yield identifier
    if "@" in identifier:
        yield identifier.partition("@")[0]
    else:
        yield re.sub(r"[\s()/+-]", "", identifier)


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


def refuses_every_third(exchange: Exchange) -> None:
    """Echo, or answer with an error that quotes what was sent."""
    if sum(map(ord, exchange.text)) % 3:
        ok(exchange)
    else:
        status(400, f"cannot read {exchange.text}")(exchange)


def everything_written(*folders: Path) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                yield file, file.read_bytes().decode("utf-8", "replace")


def sent(server: FaultServer) -> str:
    return "\n".join(
        f"{one.path} {dict(one.headers)} {json.dumps(one.body, ensure_ascii=False)}" for one in server.requests
    )


def test_three_hundred_are_planted_and_would_be_found(planted: Planted) -> None:
    assert len(planted.identifiers) == 300
    assert len(set(planted.identifiers)) == 300
    for text, pair in zip(
        planted.texts, zip(planted.identifiers[::2], planted.identifiers[1::2], strict=True), strict=True
    ):
        assert {*pair} <= {*planted.leaks(text)}
        assert {*pair} <= {*planted.leaks(json.dumps(json.dumps({"text": text})))}
    assert planted.leaks("a text without any, from 2026-11-24") == []


def test_none_gets_out_of_batches(installed: Environment, planted: Planted, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    numbers = [int(one) for one in planted.identifiers if one.isdecimal()]
    assert len(numbers) > 30
    rows: list[dict[str, Any]] = [{"id": text, "message": text, "reference": text} for text in planted.texts]
    rows.append({"id": "all", "message": " ".join(planted.texts), "reference": numbers})
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "nlptasks.toml").write_text('required_plugins = ["pii"]\n')
    with FaultServer(refuses_every_third) as server:
        model = ["--model", "openai/tiny", "--base-url", server.base_url, "--max-retries", 0, "--cache"]
        done = installed.nlptasks("run", "chat", *model, "-i", "in.jsonl", "-o", "work/out.jsonl", cwd=tmp_path)
        scored = installed.nlptasks(
            "eval", "chat", *model, "--data", "in.jsonl", "--metric", "exact_match", cwd=tmp_path
        )
    assert done.code == 3, done.err
    found = [json.loads(line) for line in (work / "out.jsonl").read_text("utf-8").splitlines()]
    answered = [row for row in found if row.get("prediction") is not None]
    assert len(answered) > 75
    assert len(found) - len(answered) > 25
    assert [row["prediction"] for row in answered] == [row["message"] for row in answered]
    assert len(server.requests) > 75
    assert planted.leaks(sent(server)) == []
    assert planted.leaks(done.out + done.err + scored.out + scored.err) == []
    (work / "out.jsonl").unlink()
    (tmp_path / "in.jsonl").unlink()
    kept = dict(everything_written(tmp_path, Path(os.environ["HOME"])))
    assert {"run.json", "samples.jsonl", "completions.sqlite"} <= {file.name for file in kept}
    assert {str(file): leaks for file, text in kept.items() if (leaks := planted.leaks(text))} == {}


def test_none_stands_in_an_error(installed: Environment, planted: Planted, tmp_path: Path) -> None:
    (tmp_path / "quoting.py").write_text(QUOTING)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in planted.texts))
    with FaultServer() as server:
        model = ["--model", "openai/tiny", "--base-url", server.base_url]
        run = ["--plugin-file", "quoting.py", "--traceback", "run", "quoting", *model]
        batch = installed.nlptasks(*run, "-i", "in.jsonl", cwd=tmp_path)
        single = installed.nlptasks(*run, planted.texts[0], cwd=tmp_path)
    assert batch.code == 3
    assert single.code == 1
    for done in (batch, single):
        assert "no sense in" in done.err
        assert planted.leaks(done.err) == []


def test_a_stream_says_the_same_piece_by_piece(installed: Environment, planted: Planted, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"message": text}) + "\n" for text in planted.texts))
    with FaultServer() as server:
        done = installed.run("-c", STREAM, server.base_url, cwd=tmp_path)
    assert done.code == 0, done.err
    streamed = [json.loads(line) for line in done.out.splitlines()]
    assert ["".join(deltas) for deltas, _ in streamed] == [reply for _, reply in streamed] == planted.texts
    assert all(len(deltas) > 2 for deltas, _ in streamed)
    assert planted.leaks(sent(server)) == []
