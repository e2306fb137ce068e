"""The samples of a report as compressed JSON: what its script shows."""

from __future__ import annotations

import base64
import itertools
import json
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptasks.evaluation.report.contents import Contents, Part
from nlptasks.evaluation.report.samples import LENGTHS, Entry, Turn

MOST = 4_500_000
"""Bytes of samples, compressed and in base 64, above which prompts are cut."""
CUTS = ((None, None), (8000, None), (5000, None), (3000, None), (2000, None), (1000, 4000), (1000, 2000), (500, 500))
"""Characters that are left of a message of a prompt, and of any other text, in the order they are tried."""


@dataclass(frozen=True)
class Texts:
    """The texts of all samples; of those that are too long, the beginning and the end."""

    prompts: int | None
    others: int | None
    places: dict[str, int] = field(default_factory=dict)

    def place(self, text: str) -> int:
        """Return the place of a text, which is added where it is not there yet."""
        return self._place(text, self.others)

    def turns(self, turns: Sequence[Turn]) -> list[tuple[str, int]]:
        """Return turns with the places of what was said in them."""
        return [(role, self._place(text, self.prompts)) for role, text in turns]

    def keeps(self, *texts: str) -> bool:
        """Whether texts are kept whole."""
        return self.others is None or all(len(text) <= self.others for text in texts)

    def _place(self, text: str, most: int | None) -> int:
        if most and len(text) > most:
            left = f"\n[... {len(text) - most:,} characters: see samples.jsonl ...]\n"
            text = text[: most // 2] + left + text[-most // 2 :]
        return self.places.setdefault(text, len(self.places))


def packed(contents: Contents) -> tuple[str, str]:
    """Return the samples for the script, and how their texts had to be cut, "" where they are whole."""
    text, cut = "", ""
    for prompts, others in CUTS:
        data = json.dumps(_data(contents, prompts, others), ensure_ascii=False, separators=(",", ":"))
        text = base64.b64encode(zlib.compress(data.encode("utf-8", "replace"))).decode("ascii")
        if len(text) <= MOST:
            break
    if prompts:
        cut = f"prompts to {prompts:,} characters a message" + (f", all else to {others:,}" if others else "")
    return text, cut


def runs(parts: Sequence[Part]) -> list[dict[str, str]]:
    """Return a letter and a name for each run: its model where these differ, else its directory."""
    models = [str(part.found.run.fingerprint["model"]) for part in parts]
    names = models if len(set(models)) == len(parts) else [str(part.found.path) for part in parts]
    letters = string.ascii_uppercase if len(parts) <= len(string.ascii_uppercase) else map(str, itertools.count(1))
    return [{"letter": letter, "name": name} for letter, name in zip(letters, names, strict=False)]


def _data(contents: Contents, prompts: int | None, others: int | None) -> dict[str, Any]:
    """Return the samples; a text that several have stands there once, and samples have its place."""
    texts, figures = Texts(prompts, others), contents.single_figures
    keys = list(dict.fromkeys(key for part in contents.parts for key in part.entries))
    entries = [[part.entries.get(key) for part in contents.parts] for key in keys]
    samples = [[_entry(entry, figures, texts) if entry else None for entry in each] for each in entries]
    return {
        "figures": figures,
        "lengths": LENGTHS,
        "runs": runs(contents.parts),
        "bins": [{name: [vars(one) for one in bins] for name, bins in part.bins.items()} for part in contents.parts],
        "samples": samples,
        "texts": list(texts.places),
    }


def _entry(entry: Entry, figures: Sequence[str], texts: Texts) -> dict[str, Any]:
    compared = entry.diff and texts.keeps(entry.prediction or "", *entry.references)
    return {
        "name": entry.name,
        "states": entry.states,
        "message": entry.message,
        "prediction": None if entry.prediction is None else texts.place(entry.prediction),
        "references": [texts.place(text) for text in entry.references],
        "diff": vars(entry.diff) if compared else None,
        "exchanges": [{"asked": texts.turns(one.asked), "said": texts.turns(one.said)} for one in entry.exchanges],
        "scores": [_short(entry.scores.get(name)) for name in figures],
        "lengths": entry.lengths,
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
