"""The translation task: text out in another language, its lines and paragraphs kept."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_tasks() -> list[Spec]:
    """Contribute the task."""
    return [
        Spec(
            name="translation",
            target="nlptasks_translation.task:Translation",
            summary="translate text, keeping its lines, paragraphs and a glossary's terms",
            verb="translate",
        )
    ]
