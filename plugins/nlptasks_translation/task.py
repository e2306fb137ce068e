"""The translation task: every line is a request of its own, all of them asked at once."""

from __future__ import annotations

from collections.abc import Sequence

from nlptasks import Completion, Limits, Prompts, Request, Sample, Task
from nlptasks.tasks import Steps
from nlptasks.text import language_name
from nlptasks_translation.answers import unwrap
from nlptasks_translation.brief import Brief
from nlptasks_translation.models import TranslationInput, TranslationOptions, TranslationOutput


class Translation(Task[TranslationInput, TranslationOptions, TranslationOutput]):
    """Translate a text; its lines, paragraphs, list marks and code blocks stay where they are."""

    name = "translation"
    Input = TranslationInput
    Options = TranslationOptions
    Output = TranslationOutput
    prompts = Prompts.load("nlptasks_translation")
    reference_column = "target"
    metrics = ("bleu", "chrf")

    def prompt(self, sample: Sample, options: TranslationOptions) -> Request:
        return Brief(self.active_prompts, sample.input, options, Limits()).request(sample.input.source)

    def parse(self, sample: Sample, completion: Completion) -> TranslationOutput:
        text, target = sample.input.source, sample.input.target_lang
        return TranslationOutput(
            translation=unwrap(completion.text, text, language_name(target)),
            source_lang=sample.input.source_lang,
            target_lang=target,
            truncated=completion.finish_reason == "length",
        )

    def notes(self, output: TranslationOutput) -> Sequence[str]:
        notes = ["the translation is cut off: raise --max-new-tokens"] if output.truncated else []
        return [*notes, *(f"the translation of {term!r} is not the glossary's" for term in output.glossary_missed)]

    def steps(self, sample: Sample, options: TranslationOptions, limits: Limits) -> Steps[TranslationOutput]:
        brief = Brief(self.active_prompts, sample.input, options, limits)
        parts = list(brief.parts())
        requests = [part for part in parts if isinstance(part, Request)]
        return brief.output(parts, (yield requests) if requests else [])
