"""The metrics that come with nlptasks, named without importing them."""

from __future__ import annotations

from nlptasks.plugin.spec import Spec, hookimpl


@hookimpl
def register_metrics() -> list[Spec]:
    """The built-in metrics."""
    return [
        Spec("bleu", "nlptasks.metrics.bleu:Bleu", "overlap with reference translations, as sacreBLEU computes it"),
        Spec("chrf", "nlptasks.metrics.chrf:Chrf", "overlap in characters, as sacreBLEU computes it; chrF++ too"),
        Spec("distinct_n", "nlptasks.metrics.distinct_n:DistinctN", "variety: distinct words and pairs of words"),
        Spec(
            "embedding_similarity", "nlptasks.metrics.embedding_similarity:EmbeddingSimilarity", "likeness in meaning"
        ),
        Spec("exact_match", "nlptasks.metrics.exact_match:ExactMatch", "share of predictions that equal a reference"),
        Spec("length", "nlptasks.metrics.length:Length", "length, compression, truncation and repetition"),
        Spec("llm_judge", "nlptasks.metrics.llm_judge:LlmJudge", "a language model rates or compares the answers"),
        Spec("perplexity", "nlptasks.metrics.perplexity:Perplexity", "how surprised a model is by the texts"),
        Spec("rouge", "nlptasks.metrics.rouge:Rouge", "overlap with reference summaries: ROUGE-1, -2, -L and -Lsum"),
        Spec("squad", "nlptasks.metrics.squad:Squad", "exact match and F1 of answers, by each language's rules"),
        Spec("squad_v2", "nlptasks.metrics.squad_v2:SquadV2", "the same where some questions have no answer"),
        Spec("ter", "nlptasks.metrics.ter:Ter", "edits that a translation needs, as sacreBLEU counts them"),
    ]
