"""Keyword extraction: a text in, its keywords out."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute the task; its verb is a command, ``nlptasks keywords``."""
    return [Spec("keywords", "nlptasks_keywords.task:Keywords", "name what a text is about", verb="keywords")]


@hookimpl
def register_metrics() -> list[Spec]:
    """Contribute the metric that the task is scored with."""
    return [Spec("keyword_f1", "nlptasks_keywords.metric:KeywordF1", "precision, recall and F1 of keywords")]
