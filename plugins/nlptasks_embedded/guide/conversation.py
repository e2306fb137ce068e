"""The conversation: rules in order, each of which answers or leaves the turn to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nlptasks import Completion, Failure, Message, Request
from nlptasks.text import detect_language, sentences
from nlptasks_embedded.guide.message import PASSAGE, Said, is_question, makes, understand
from nlptasks_embedded.guide.orders import Order
from nlptasks_embedded.guide.phrases import PHRASES
from nlptasks_embedded.guide.search import Named, excerpt, find, named
from nlptasks_embedded.guide.small_talk import small_talk
from nlptasks_embedded.guide.speech import language_of, simplified, size

Answer = Completion | Failure
Do = Callable[[Request], Answer]
"""What answers a request of a task: summarization, question-answering, translation."""

ASKED = 1000  # characters of a message that may be a question about nlptasks


@dataclass(frozen=True)
class Turn:
    """What the user says now, and what was said before."""

    message: str
    before: Sequence[Message]
    do: Do

    @cached_property
    def said(self) -> Said:
        """The message taken apart."""
        return understand(self.message)

    @cached_property
    def language(self) -> str:
        """The language to answer in: the user's own words tell, else what they said before, else the text."""
        own = (self.said.own, *(understand(text).own for text in self._earlier))
        return next((found for words in own if (found := language_of(words))), "") or language_of(self.message) or "en"

    @cached_property
    def texts(self) -> Sequence[str]:
        """The texts that the user gave before this turn, the last one first."""
        return [text for message in self._earlier if (text := understand(message).text)]

    @cached_property
    def passage(self) -> str:
        """The last text that a question may be about; "" if none."""
        return next((text for text in self.texts if size(text) >= PASSAGE), "")

    @cached_property
    def reply(self) -> str:
        """The last answer, if it was made from the user's text; "" if it was not."""
        last = self.before[-1].content if self.before and self.before[-1].role == "assistant" else ""
        whole = " ".join(" ".join(self.texts).split())
        made = all(" ".join(part.removeprefix("- ").split()) in whole for part in sentences(last))
        return last if last.strip() and made else ""

    @cached_property
    def named(self) -> Named:
        """What the message names."""
        return named(self.message[:ASKED])

    @property
    def _earlier(self) -> Iterator[str]:
        return (message.content for message in reversed(self.before) if message.role == "user")

    def say(self, *phrases: str) -> Completion:
        """Return fixed sentences; the route is the last one's name."""
        text = ("" if self.language == "zh" else " ").join(PHRASES[self.language][phrase] for phrase in phrases)
        return Completion(text, data={"route": phrases[-1]})


def respond(messages: Sequence[Message], do: Do) -> Answer:
    """Return the guide's answer to a conversation that ends with the user's message.

    ``data["route"]`` of the completion says what was understood: a task's name, or a phrase's.
    """
    *before, last = [message for message in messages if message.role != "system"]
    turn = Turn(last.content, before, do)
    return next(answer for rule in RULES if (answer := rule(turn)))


def _order(turn: Turn) -> Answer | None:
    order = turn.said.order
    if order is None:
        return None
    replied = order.about == "reply" or (order.task == "translation" and order.about != "text")
    text = turn.said.text or (turn.reply if replied else "") or next(iter(turn.texts), "")
    if not text:
        return turn.say("no_text")
    if order.task == "summarization":
        return _done(
            turn.do, order, {"text": text, **order.shape, **({"lang": order.language} if order.language else {})}
        )
    source = detect_language(text)
    target = order.language or (turn.language if source != turn.language else "")
    if not target:
        return turn.say("no_language")
    known = {} if source == "und" else {"source_lang": source}
    return _done(turn.do, order, {"text": text, "target_lang": target, **known})


def _done(do: Do, order: Order, fields: Mapping[str, str]) -> Answer:
    """Have a part do what is ordered. What no part can do is said as the part says it."""
    answer = do(Request((), task=order.task, fields=fields))
    if isinstance(answer, Failure) and answer.type == "unsupported":
        answer = Completion(answer.message)
    return _routed(answer, order.task)


def _small_talk(turn: Turn) -> Answer | None:
    kind = small_talk(turn.message)
    return turn.say(kind) if kind else None


def _about_nlptasks(turn: Turn) -> Answer | None:
    """Answer from the documentation what names nlptasks or one of its options."""
    return _quoted(turn) if not turn.said.text and turn.named.tool else None


def _about_text(turn: Turn) -> Answer | None:
    question, text = turn.said.question, turn.said.text or turn.passage
    if not question or not text or makes(question):
        return None
    if simplified(text) == text:  # then words in traditional characters would not meet those of the text
        question = simplified(question)
    answer = turn.do(Request((), task="question-answering", fields={"question": question, "context": text}))
    if isinstance(answer, Completion) and not answer.text:
        return None
    return _routed(answer, "question-answering")


def _documented(turn: Turn) -> Answer | None:
    return None if turn.said.text else _quoted(turn)


def _given(turn: Turn) -> Answer | None:
    """Take note of a text, or say that it does not answer the question that came with it."""
    if turn.said.text and turn.said.question:
        return turn.say("not_in_text")
    return turn.say("text") if turn.said.text else None


def _undocumented(turn: Turn) -> Answer | None:
    return turn.say("undocumented") if turn.named.tool or turn.named.only_concepts else None


def _otherwise(turn: Turn) -> Answer:
    asked_of_text = turn.passage and is_question(turn.message) and not makes(turn.message)
    return turn.say(*(["not_in_text"] if asked_of_text else []), "model")


RULES: Sequence[Callable[[Turn], Answer | None]] = (
    _order,
    _small_talk,
    _about_nlptasks,
    _about_text,
    _documented,
    _given,
    _undocumented,
    _otherwise,
)


def _quoted(turn: Turn) -> Answer | None:
    """Quote the documentation, with its source."""
    passage = find(turn.named, turn.language)
    if passage is None:
        return None
    foreign = PHRASES[turn.language]["quoted"] if passage.language != turn.language else ""
    lines = [*([foreign] if foreign else []), excerpt(passage, turn.named), f"({passage.source})"]
    return Completion("\n".join(lines), data={"route": "documentation", "source": passage.source})


def _routed(answer: Answer, route: str) -> Answer:
    return replace(answer, data={**answer.data, "route": route}) if isinstance(answer, Completion) else answer
