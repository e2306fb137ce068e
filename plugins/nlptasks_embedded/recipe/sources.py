"""What each part learns from, with licence and credit; ``weight`` is how often an epoch takes each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A data set: a folder with one file of rows in it."""

    name: str
    licence: str
    credit: str
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{self.name} ({self.licence}; {self.credit})"


QUESTIONS: Sequence[Source] = (
    Source("squad_en", "CC BY-SA 4.0", "SQuAD 1.1 and 2.0, Rajpurkar et al. 2016 and 2018"),
    Source("squadshifts_newwiki_en", "CC BY 4.0", "SquadShifts, Miller et al. 2020"),
    Source("qed_nq_en", "CC BY-SA 3.0", "QED, Lamm et al. 2021; Natural Questions"),
    Source("squadshifts_reddit_en", "CC BY 4.0", "SquadShifts, Miller et al. 2020"),
    Source("squadshifts_amazon_en", "CC BY 4.0", "SquadShifts, Miller et al. 2020"),
)
ENCYCLOPEDIC = 3
"""The first so many of these are learnt from in whole passages too: their passages are like those asked about most."""

SUMMARIES: Sequence[Source] = (
    Source("scitldr_en", "Apache-2.0", "SciTLDR, Cachola et al. 2020"),
    Source("qmsum_en", "MIT", "QMSum, Zhong et al. 2021"),
    Source("klexikon_de", "CC BY-SA 4.0", "Klexikon, Aumiller and Gertz 2022; Wikipedia"),
    Source("vcsum_zh", "MIT", "VCSum, Wu et al. 2023", weight=4),
)
PAIRS: Sequence[Source] = (
    Source("tatoeba_en-de", "CC BY 2.0 FR", "tatoeba.org contributors, manythings.org"),
    Source("tatoeba_en-zh", "CC BY 2.0 FR", "tatoeba.org contributors, manythings.org", weight=3),
)
