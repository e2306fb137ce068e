"""Conversation, and plain continuation of a text."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute chat and text-generation."""
    return [
        Spec("chat", "nlptasks_chat.task:Chat", "reply to a message, given the conversation before it"),
        Spec("text-generation", "nlptasks_chat.continuation:TextGeneration", "continue a text as it stands"),
    ]


@hookimpl
def register_commands() -> list[Spec]:
    """Contribute the chat command, which is a conversation on a terminal."""
    return [Spec("chat", "nlptasks_chat.command:chat", "converse on a terminal, or answer one message")]
