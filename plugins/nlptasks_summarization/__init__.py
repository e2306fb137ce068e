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


@hookimpl
def register_benchmarks() -> list[Spec]:
    """Contribute published datasets of summaries."""
    return [
        Spec("cnn_dailymail", "nlptasks_summarization.benchmarks:CNN_DAILYMAIL", "English news with their highlights"),
        Spec("xsum", "nlptasks_summarization.benchmarks:XSUM", "English news, each in one sentence"),
        Spec("samsum", "nlptasks_summarization.benchmarks:SAMSUM", "English chats"),
        Spec(
            "scitldr", "nlptasks_summarization.benchmarks:SCITLDR", "English abstracts of papers, each in one sentence"
        ),
        Spec("multi_news", "nlptasks_summarization.benchmarks:MULTI_NEWS", "English news, several articles together"),
        Spec("csl", "nlptasks_summarization.benchmarks:CSL", "Chinese abstracts of papers, with their titles"),
    ]
