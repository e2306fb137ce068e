"""The tasks that come with nlptasks pass the contract that a stranger's must."""

from __future__ import annotations

import base64

from nlptasks import Completion
from nlptasks.testing import TaskContract
from nlptasks.testing.contracts.requests import PIXEL


class TestSummarization(TaskContract):
    name = "summarization"
    row = {"document": "Die Fähre fährt über den Hafen. Sie ist neu.", "summary": "Eine neue Fähre."}
    options = {"length": "short"}


class TestTranslation(TaskContract):
    name = "translation"
    row = {"source": "Guten Morgen.\n\n- eins", "target_lang": "zh", "target": "早上好。\n\n- 一"}


class TestQuestionAnswering(TaskContract):
    name = "question-answering"
    row = {"question": "When?", "context": ["Built in 1842.", "A river."], "answers": ["1842"]}
    answer = Completion("1842", data={"start": 9, "end": 13, "score": 0.5})


class TestVisualQuestionAnswering(TaskContract):
    name = "visual-question-answering"
    row = {"question": "什么颜色?", "image": "data:;base64," + base64.b64encode(PIXEL).decode(), "answers": ["红色"]}


class TestChat(TaskContract):
    name = "chat"
    row = {"messages": [{"role": "user", "content": "Hallo"}, {"role": "assistant", "content": "Guten Tag."},
                        {"role": "user", "content": "Wie spät ist es?"}], "reference": "Drei Uhr."}  # fmt: skip
    answer = Completion("Drei Uhr.", reasoning="The clock says three.")


class TestChatOfSeveralTurns(TaskContract):
    name = "chat"
    row = {"turns": [{"role": "user", "content": "A poem."}, {"role": "user", "content": "Shorter."}]}


class TestTextGeneration(TaskContract):
    name = "text-generation"


class TestLogLikelihood(TaskContract):
    name = "loglikelihood"
    answer = Completion("", data={"loglikelihood": -3.5, "tokens": 4})
