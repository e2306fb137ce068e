"""Questions answered from documents, with the place that supports the answer, and from pictures."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute question-answering and visual-question-answering."""
    return [
        Spec(
            "question-answering",
            "nlptasks_question_answering.task:QuestionAnswering",
            "answer a question from documents and cite what supports the answer",
            verb="qa",
        ),
        Spec(
            "visual-question-answering",
            "nlptasks_question_answering.visual:VisualQuestionAnswering",
            "answer a question about a picture",
        ),
    ]
