"""Conversation, plain continuation of a text, and the log-likelihood of one."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute chat, text-generation and loglikelihood."""
    return [
        Spec("chat", "nlptasks_chat.task:Chat", "reply to a message, given the conversation before it"),
        Spec("text-generation", "nlptasks_chat.continuation:TextGeneration", "continue a text as it stands"),
        Spec("loglikelihood", "nlptasks_chat.likelihood:LogLikelihood", "say how probable a model finds a text"),
    ]


@hookimpl
def register_benchmarks() -> list[Spec]:
    """Contribute sets of questions, and a text for perplexity."""
    return [
        Spec("mt_bench", "nlptasks_chat.benchmarks:MT_BENCH", "80 conversations of two turns, rated by a judge"),
        Spec(
            "alpaca_eval", "nlptasks_chat.benchmarks:ALPACA_EVAL", "805 instructions, compared with another's answers"
        ),
        Spec("wikitext2", "nlptasks_chat.benchmarks:WIKITEXT2", "paragraphs of Wikipedia to measure perplexity on"),
    ]


@hookimpl
def register_commands() -> list[Spec]:
    """Contribute the chat command, which is a conversation on a terminal."""
    return [Spec("chat", "nlptasks_chat.command:chat", "converse on a terminal, or answer one message")]
