"""The summarization task: documents in, a summary out."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute the task."""
    return [
        Spec(
            name="summarization",
            target="nlptasks_summarization.task:Summarization",
            summary="summarize one or more documents of any length",
            verb="summarize",
        )
    ]
