"""The conversation on a terminal: read a line, do it or answer it, go on whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import click

from nlptasks import Delta, NLPTasksError, SampleError
from nlptasks.cli import console
from nlptasks_chat.slash import describe, execute
from nlptasks_chat.talk import Answering, Talk
from nlptasks_chat.task import Reply

LEAVING = "Ctrl-C once more, Ctrl-D or /exit leaves."
STOPPED = "Stopped. What was said is kept; /retry asks again."


class Repl:
    """Reads with ``read``, which raises EOFError to leave and KeyboardInterrupt on Ctrl-C."""

    def __init__(self, talk: Talk, read: Callable[[], str]) -> None:
        self._talk, self._read = talk, read
        self._reading = self._leaving = False
        self._pending = f"{talk.model} answers. /help shows the commands, Ctrl-D leaves."
        if talk.transcript.messages:
            self._pending += f"\n{describe(talk.transcript, talk.model)}"

    def run(self) -> int:
        """Converse until the user leaves; return the exit code."""
        while self._step():
            pass
        return 0

    def _step(self) -> bool:
        """Take one line; return whether to go on."""
        try:
            if self._pending:
                console.note(self._pending)
                self._pending = ""
            self._reading = True
            line = self._read()
            self._reading = self._leaving = False
            return _respond(self._talk, line)
        except EOFError:
            return False
        except KeyboardInterrupt:  # next to nothing is done here: a second one may follow at once
            again, self._leaving = self._leaving, self._reading
            self._pending = LEAVING if self._reading else STOPPED
            return not again


def _respond(talk: Talk, line: str) -> bool:
    try:
        if not line.strip():
            return True
        outcome = execute(talk, line) if line.startswith("/") else talk.ask(line.strip())
        if isinstance(outcome, str):
            console.note(outcome)
        elif outcome is not None:
            _show(talk, outcome)
        return outcome is not None
    except SampleError as error:
        console.fail(f"{' '.join(str(error).split())} (/retry asks again)")
    except NLPTasksError as error:
        console.fail(" ".join(str(error).split()))
    except Exception as error:  # a third party's backend may raise anything; the conversation shall outlive it
        console.fail(f"{type(error).__name__}: {' '.join(str(error).split())}")
    return True


def _show(talk: Talk, answer: Answering) -> None:
    """Print an answer as it comes, its reasoning dim before it."""
    reply: Reply | None = None
    line = Line()
    with closing(answer):
        try:
            for item in answer:
                if isinstance(item, Delta):
                    line.add(item)
                else:
                    reply = item
        except KeyboardInterrupt:
            line.begun = True  # by the terminal, which shows ^C
            raise
        finally:
            line.end()
    if reply is not None:
        _tell(talk, reply)


class Line:
    """What is being printed; ``begun`` tells whether it has to be ended."""

    def __init__(self) -> None:
        self.begun = self._thinking = False

    def add(self, piece: Delta) -> None:
        thought = click.style(piece.reasoning, dim=True) if piece.reasoning else ""
        gap = "\n\n" if self._thinking and piece.text else ""
        click.echo(thought + gap + piece.text, nl=False, color=console.colour())
        self.begun |= bool(piece.text or piece.reasoning)
        self._thinking = bool(piece.reasoning or self._thinking) and not piece.text

    def end(self) -> None:
        if self.begun:
            click.echo()


def _tell(talk: Talk, reply: Reply) -> None:
    if not reply.reply.strip():
        console.note("The answer is empty; /retry asks again.")
    if talk.told_of_dropped:
        reply = reply.model_copy(update={"dropped": 0})
    talk.told_of_dropped |= reply.dropped > 0
    for line in talk.runner.task.notes(reply):
        console.note(line)
