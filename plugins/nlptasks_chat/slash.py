"""The commands of a conversation: what begins with a slash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nlptasks import InputError, UnknownNameError, UsageError
from nlptasks_chat import transcript as transcripts
from nlptasks_chat.talk import Answering, Talk

KEYS = """
Enter sends, Alt-Enter (or Esc, then Enter) begins a new line, Tab completes, up and down recall.
Ctrl-C stops an answer and keeps what was said so far; at the prompt it clears the line. Ctrl-D leaves.
Put a space before a message that begins with a slash."""


@dataclass(frozen=True)
class Command:
    """``argument`` stands in brackets where it may be left out.

    ``run`` returns a note or an answer to show, or None to leave.
    """

    run: Callable[[Talk, str], str | Answering | None]
    help: str
    argument: str = ""

    @property
    def takes_file(self) -> bool:
        """Whether the argument is a path."""
        return self.argument == "FILE"


def execute(talk: Talk, line: str) -> str | Answering | None:
    """Run the command in ``line``, slash and argument included; see ``Command.run``.

    Raises:
        UnknownNameError: there is no such command.
        UsageError: its argument is missing, or it takes none.
        NLPTasksError: what the command itself raises.
    """
    name, _, argument = line.strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        raise UnknownNameError("command", name, COMMANDS, "See: /help")
    argument = argument.strip()
    required = bool(command.argument) and not command.argument.startswith("[")
    if (required and not argument) or (argument and not command.argument):
        raise UsageError(f"Say: {name} {command.argument}".rstrip())
    return command.run(talk, argument)


def _path(argument: str) -> Path:
    """Return a path, which a terminal may have quoted as it was dropped there."""
    return Path(argument.strip("'\"")).expanduser()


def _help(talk: Talk, argument: str) -> str:
    usages = {f"{name} {command.argument}": command.help for name, command in COMMANDS.items()}
    width = max(map(len, usages))
    return "\n".join(f"{usage.ljust(width)}  {text}" for usage, text in usages.items()) + "\n" + KEYS


def _retry(talk: Talk, argument: str) -> Answering:
    return talk.retry()


def _image(talk: Talk, argument: str) -> str:
    path = _path(argument)
    try:
        talk.images = (*talk.images, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    return f"{path} goes with the next message."


def _system(talk: Talk, argument: str) -> str:
    if argument:
        talk.set_system("" if argument == "-" else argument)
    return f"System prompt: {talk.transcript.system}" if talk.transcript.system else "There is no system prompt."


def _model(talk: Talk, argument: str) -> str:
    if argument:
        talk.switch(argument)
    return f"Model: {talk.model}"


def _save(talk: Talk, argument: str) -> str:
    path = _path(argument)
    talk.save_to(path)
    return f"Saved. {path} is kept up to date from now on."


def _load(talk: Talk, argument: str) -> str:
    transcript = transcripts.load(_path(argument))
    return describe(transcript, talk.model) + talk.start_over(transcript)


def _reset(talk: Talk, argument: str) -> str:
    return "A new conversation." + talk.start_over(transcripts.empty(system=talk.transcript.system))


def _exit(talk: Talk, argument: str) -> None:
    """Leave."""


def describe(transcript: transcripts.Transcript, model: str) -> str:
    """Return what a user should know of a transcript before going on with it."""
    count = len(transcript.messages)
    text = f"{count} message{'' if count == 1 else 's'} so far."
    if transcript.model not in ("", model):
        text += f" {transcript.model} answered them; {model} goes on."
    if count and transcript.messages[-1].role == "user":
        text += " The last has no answer: /retry asks for one."
    return text


COMMANDS = {
    "/help": Command(_help, "Show this."),
    "/retry": Command(_retry, "Ask for another answer to the last message, or for one that failed."),
    "/image": Command(_image, "Send a picture with the next message.", "FILE"),
    "/system": Command(_system, "Show or set the system prompt; - for none.", "[TEXT]"),
    "/model": Command(_model, "Show or change who answers: provider/model.", "[NAME]"),
    "/save": Command(_save, "Keep the conversation in a file, now and as it goes on.", "FILE"),
    "/load": Command(_load, "Go on with a saved conversation.", "FILE"),
    "/reset": Command(_reset, "Forget the conversation; the model and the system prompt stay."),
    "/exit": Command(_exit, "Leave, as Ctrl-D does."),
}
