"""The summarization task. What is longer than a backend reads at once is summarized part by part, then as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from nlptasks import Completion, Document, Limits, Prompts, Request, Sample, Task
from nlptasks.tasks import Steps
from nlptasks_summarization.brief import Brief, Stage
from nlptasks_summarization.models import SummarizationInput, SummarizationOptions, SummarizationOutput


class Summarization(Task[SummarizationInput, SummarizationOptions, SummarizationOutput]):
    """Summarize one or several documents, in a chosen length, form and language."""

    name = "summarization"
    Input = SummarizationInput
    Options = SummarizationOptions
    Output = SummarizationOutput
    prompts = Prompts.load("nlptasks_summarization")
    reference_column = "summary"
    metrics = ("rouge", "length")
    streaming = True

    def prompt(self, sample: Sample, options: SummarizationOptions) -> Request:
        brief = Brief(self.active_prompts, sample.input, options, Limits())
        return brief.request("whole", brief.documents)

    def parse(self, sample: Sample, completion: Completion) -> SummarizationOutput:
        return SummarizationOutput(summary=completion.text.strip(), truncated=completion.finish_reason == "length")

    def notes(self, output: SummarizationOutput) -> Sequence[str]:
        return ["the summary is cut off: raise --max-new-tokens"] if output.truncated else []

    def steps(self, sample: Sample, options: SummarizationOptions, limits: Limits) -> Steps[SummarizationOutput]:
        brief = Brief(self.active_prompts, sample.input, options, limits)
        stage: Stage = "whole"
        documents, chunks = brief.documents, 1
        while not brief.fits(stage, documents):
            reader = brief.reader(stage)
            groups = reader.groups(documents)
            if len(groups) == 1:  # fits without the blank space between sentences
                [documents] = groups
                break
            completions = yield [brief.request("part", group) for group in groups]
            documents = tuple(reader.shortened(Document(text=each.text.strip())) for each in completions)
            chunks, stage = max(chunks, len(groups)), "combine"
        [completion] = yield [brief.request(stage, documents)]
        found = {"chunks": chunks, "language": brief.language}
        return self.parse(sample, completion).model_copy(update=found)
