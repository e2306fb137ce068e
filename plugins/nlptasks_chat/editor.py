"""The prompt: keys, history and completion."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from nlptasks.backends.guarded import Guards
from nlptasks.plugin import registry
from nlptasks_chat.slash import COMMANDS

log = logging.getLogger("nlptasks")


def reader() -> Callable[[], str]:
    """Return what asks the user for a message or command.

    It raises EOFError on Ctrl-D and KeyboardInterrupt on Ctrl-C where the line is empty.
    """
    session: PromptSession[str] = PromptSession(
        "> ",
        multiline=True,
        key_bindings=_keys(),
        history=_history(),
        completer=_Commands(),
        complete_while_typing=Condition(lambda: get_app().current_buffer.text.startswith("/")),
    )
    return session.prompt


def _keys() -> KeyBindings:
    keys = KeyBindings()
    editing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=editing)
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=editing)
    def begin_line(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=editing)
    def clear(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return keys


class _Commands(Completer):
    """Completes a command's name, then its path."""

    def __init__(self) -> None:
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        name, space, argument = document.text_before_cursor.partition(" ")
        if not space and name.startswith("/"):
            for one, command in COMMANDS.items():
                if one.startswith(name):
                    yield Completion(one, -len(name), display_meta=command.help)
        elif name in COMMANDS and COMMANDS[name].takes_file:
            yield from self._paths.get_completions(Document(argument), complete_event)


def history_file() -> Path:
    """Return where what the user typed is kept for the next time."""
    import platformdirs

    return Path(platformdirs.user_state_dir("nlptasks")) / "chat-history"


def _history() -> History:
    if Guards(registry().plugins):  # only guarded text may lie on disk, and this is not
        return InMemoryHistory()
    path = history_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except OSError as error:
        log.warning("What you type is not kept for the next time: %s: %s", path, error.strerror)
        return InMemoryHistory()
    return _FileHistory(path)


class _FileHistory(FileHistory):
    """Goes on in memory where the file can be written no longer."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError as error:
            log.warning("%s cannot be written: %s", self.filename, error.strerror)
