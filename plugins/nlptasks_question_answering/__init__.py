"""Questions answered from documents, with the place that supports the answer, and from pictures."""

from nlptasks import Spec, hookimpl
from nlptasks_question_answering.languages import MLQA, XQUAD


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


@hookimpl
def register_benchmarks() -> list[Spec]:
    """Contribute published datasets of questions."""
    module = "nlptasks_question_answering.benchmarks"
    return [
        Spec("squad", f"{module}:SQUAD", "English questions on Wikipedia"),
        Spec("squad_v2", f"{module}:SQUAD_V2", "the same, and questions without an answer"),
        Spec("cmrc2018", f"{module}:CMRC2018", "Chinese questions on Wikipedia"),
        Spec("drcd", f"{module}:DRCD", "the same in traditional script"),
        Spec("triviaqa", f"{module}:TRIVIAQA", "English quiz questions on whole articles of Wikipedia"),
        *(Spec(f"xquad.{lang}", f"{module}:xquad_{lang}", f"SQuAD's questions, translated: {lang}") for lang in XQUAD),
        *(Spec(f"mlqa.{lang}", f"{module}:mlqa_{lang}", f"questions on parallel passages: {lang}") for lang in MLQA),
    ]
