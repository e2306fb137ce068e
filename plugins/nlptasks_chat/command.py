"""``nlptasks chat``: one message, or a conversation on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import TaskCommand

if TYPE_CHECKING:
    from nlptasks.cli.call import Call
    from nlptasks_chat.transcript import Transcript

TRANSCRIPT = click.Option(
    ["transcript", "--transcript"],
    type=click.Path(path_type=Path),
    help="A JSON file that keeps the conversation; one that is there is gone on with.",
)


class ChatCommand(TaskCommand):
    """Converses where a terminal is there and no message; else answers one message, as other tasks do."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), TRANSCRIPT]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                "Without a message, on a terminal, this is a conversation; /help in it shows its commands. "
                "Text that is piped in is the message, or goes before the one given."
            )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        record = TRANSCRIPT.get_help_record(ctx)
        with formatter.section("Conversation"):
            formatter.write_dl([record] if record else [])
        super().format_options(ctx, formatter)

    def invoke(self, ctx: click.Context) -> int:
        if ctx.params["transcript"] and ctx.params["source"]:
            raise click.UsageError("--transcript keeps one conversation; it does not go with --input.", ctx)
        return super().invoke(ctx)

    def run_one(self, call: Call, ctx: click.Context) -> int:
        from nlptasks_chat import transcript as transcripts

        file: Path | None = call.given["transcript"]
        transcript = transcripts.begin(file) if file else transcripts.empty()
        on_terminal = _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and not call.given["as_json"]
        if on_terminal and call.given[self._message_key] is None:
            return _converse(call, transcript)
        return _answer(call, self.first_value(call, ctx), transcript)

    def first_value(self, call: Call, ctx: click.Context) -> Any:
        message = super().first_value(call, ctx)
        if call.given[self._message_key] in (None, "-") or sys.stdin is None or sys.stdin.isatty():
            return message
        from nlptasks.data import read_text

        piped = read_text(Path("-")).rstrip()
        return f"{piped}\n\n{message}" if piped else message

    @property
    def _message_key(self) -> str:
        return self.sections.first.key


def _converse(call: Call, transcript: Transcript) -> int:
    from nlptasks_chat.editor import reader
    from nlptasks_chat.repl import Repl
    from nlptasks_chat.talk import Talk

    with Talk(call, transcript) as talk:
        return Repl(talk, reader()).run()


def _answer(call: Call, message: str, transcript: Transcript) -> int:
    """Answer one message, the next one of the transcript."""
    from nlptasks.cli.single import run_single
    from nlptasks_chat import transcript as transcripts
    from nlptasks_chat.task import Turn

    past = transcript.model_copy(update={"messages": transcript.answered})
    record = run_single(call, {**call.values(call.sections.input), "message": message, "messages": past.turns})
    if file := call.given["transcript"]:
        said = Turn(role="user", content=record.sample.input.message, images=record.sample.input.images)
        turns = (*past.messages, said, Turn(role="assistant", content=record.result.reply))
        system = call.given["system"] or transcript.system
        known = {"messages": turns, "system": system, "model": call.job().factory.model}
        transcripts.save(past.model_copy(update=known), file)
    return 0


def _is_terminal(stream: Any) -> bool:
    return stream is not None and stream.isatty()


chat = ChatCommand("chat:chat", "chat")
