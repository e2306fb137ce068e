"""The model card of all parts."""

from __future__ import annotations

from collections.abc import Sequence

from nlptasks_embedded.parts import Part

INTENDED = {
    "question-answering": "Marks the answer to an English question in an English text, or says that there is none. It "
    "finds and does not reason: questions that need several sentences, sums or knowledge are answered wrongly. Over "
    "ten pages it named the right one for 77 % of SQuAD's questions, for 82 % where it had to name one. In other "
    "languages a part without weights shows the sentence that tells most.",
    "summarization": "Chooses sentences. In English it weighs what they say; in all other languages only what any "
    "text has: words that come again, and places. It writes nothing of its own.",
    "translation": "For everyday sentences, as learners of a language write them. Names, terms, long sentences and "
    "anything official need a larger model. Texts are translated sentence by sentence, each without the others.",
}


def card(parts: Sequence[Part]) -> str:
    """Return ``README.md``."""
    lines = [
        "---",
        "license: apache-2.0",
        "tags: [nlptasks]",
        "---",
        "",
        "# The parts of the embedded backend",
        "",
        "Small models of one task each, made by `python -m nlptasks_embedded.recipe`. Weights are stored as eight-bit "
        "integers with a scale for each row, and computed with in float32.",
        "",
    ]
    for part in parts:
        lines += [f"## {part.task}", "", INTENDED[part.task], "", *_table(part), "", "Learnt from:", ""]
        lines += [*(f"- {source}" for source in part.sources), ""]
        if part.scores:
            lines += ["| scored on | figures, with 95 % intervals |", "|---|---|"]
            lines += [*(f"| {name} | {figures} |" for name, figures in part.scores.items()), ""]
    lines += [
        "## Rights",
        "",
        "The weights are ours, under the Apache licence 2.0. No row of the data is among them. The texts of "
        "SquadShifts' reviews and comments are their authors'; the data set is published under CC BY 4.0. Scores are "
        "those of samples of the published sets, by `nlptasks eval`, and no leaderboard's.",
        "",
    ]
    return "\n".join(lines)


def _table(part: Part) -> list[str]:
    return [
        "| | |",
        "|---|---|",
        f"| languages | {', '.join(part.languages)} |",
        f"| parameters | {part.parameters / 1e6:.1f} million |",
        f"| size | {part.size / 1e6:.1f} MB |",
        f"| begun with | {part.base} |",
        f"| sha256 | `{part.sha256}` |",
    ]
