"""A conversation under way: what was said, who answers, and the file that keeps it."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from nlptasks import Delta, NLPTasksError, TaskRunner, UsageError
from nlptasks_chat import transcript as transcripts
from nlptasks_chat.task import Reply, Turn
from nlptasks_chat.transcript import Transcript

if TYPE_CHECKING:
    from nlptasks.cli.call import Call

log = logging.getLogger("nlptasks")
Answering = Generator["Delta | Reply", None, None]


class Talk:
    """Begins with the options of the command line. ``images`` go with the next message.

    Where it has a ``file``, the transcript is there at every moment, a message that waits for its answer included.
    """

    def __init__(self, call: Call, transcript: Transcript) -> None:
        self._call = call
        self._first_provider: str | None = None
        self.runner, self.model = self._open(call.given["model"])
        self._first_provider = _provider(self.model)
        self.file: Path | None = call.given["transcript"]
        self.transcript = transcript.model_copy(update={"system": call.given["system"] or transcript.system})
        self.images: tuple[bytes, ...] = tuple(call.values(call.sections.input).get("images", ()))
        self.told_of_dropped = False

    def _open(self, model: str | None) -> tuple[TaskRunner, str]:
        sections = self._call.sections
        if model and self._first_provider not in (None, _provider(model)):
            sections = replace(sections, backend=())  # they were meant for another
        # The system prompt may change at any time and is plain text: it goes with the messages.
        given = {**self._call.given, "model": model, "system": None}
        job = replace(self._call, given=given, sections=sections).job()
        return TaskRunner(job.task, job.options, job.factory.build()), job.factory.model

    def switch(self, model: str) -> None:
        """Let another model answer from now on.

        Raises:
            NLPTasksError: it cannot be had, and the old one stays.
        """
        runner, name = self._open(model)
        runner.__enter__()  # weights that cannot be loaded are better found while the old model is there
        self.runner.close()
        self.runner, self.model = runner, name

    def ask(self, message: str) -> Answering:
        """Say something, in place of a message that got no answer; return the answer as it comes."""
        turn = Turn(role="user", content=message, images=self.images)
        self.images = ()
        self._set(messages=(*self.transcript.answered, turn))
        return self._answer(self.transcript.messages)

    def retry(self) -> Answering:
        """Ask for another answer to the last message; one that it has stays until the new one is there.

        Raises:
            UsageError: there is none.
        """
        messages = self.transcript.messages
        if messages and messages[-1].role == "assistant":
            messages = messages[:-1]
        if not messages or messages[-1].role != "user":
            raise UsageError("There is no message to ask again.")
        return self._answer(messages)

    def _answer(self, messages: tuple[Turn, ...]) -> Answering:
        said = ""
        asked = self.transcript.model_copy(update={"messages": messages})
        try:
            for item in self.runner.stream(messages=asked.turns):
                said = said + item.text if isinstance(item, Delta) else item.reply
                yield item
        except (KeyboardInterrupt, GeneratorExit):
            self._keep(messages, said)
            raise
        self._keep(messages, said)

    def _keep(self, messages: tuple[Turn, ...], said: str) -> None:
        if said.strip():
            answer = Turn(role="assistant", content=said.rstrip())
            self._set(messages=(*messages, answer), model=self.model)

    def start_over(self, transcript: Transcript) -> str:
        """Go on with another conversation, kept in no file: the old one stays as it is in its own.

        Return what to tell the user of that.
        """
        file, self.file = self.file, None
        self.transcript = transcript
        self.images, self.told_of_dropped = (), False
        return f" {file} keeps what was said before; /save FILE keeps what follows." if file else ""

    def save_to(self, file: Path) -> None:
        """Keep the conversation in a file from now on.

        Raises:
            InputError: there is a file that is no transcript; it stays as it is.
            NLPTasksError: it cannot be written.
        """
        if file.exists():
            transcripts.load(file)
        transcripts.save(self.transcript, file)
        self.file = file

    def set_system(self, text: str) -> None:
        """Replace the system prompt."""
        self._set(system=text)

    def _set(self, **changes: Any) -> None:
        self.transcript = self.transcript.model_copy(update=changes)
        if self.file:
            try:
                transcripts.save(self.transcript, self.file)
            except NLPTasksError as error:  # the conversation itself can go on
                log.warning("%s", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.runner.close()


def _provider(model: str) -> str:
    return model.partition("/")[0]
