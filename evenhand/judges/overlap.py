"""How much of its text does the response share with a reference? No model is asked.

Paper: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 3.
    https://aclanthology.org/W04-1013. ROUGE-L on whole texts, F1 (beta 1), on words normalised as
    in `lexical`; of several references the best counts. BLEU is sacrebleu's sentence BLEU,
    BERTScore its authors' F1 (Zhang et al. 2019, arXiv:1904.09675).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

from evenhand.errors import Misuse
from evenhand.judges.lexical import normalised
from evenhand.readers import undecided
from evenhand.records import Case, Scale, Verdict, View, line

# A word, or one character of a script that has no spaces between words.
_OPEN = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u31ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_OPEN}]|[^\s{_OPEN}]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """0: nothing in common with any reference; 1: the same.

    Attributes:
        metric: 'bleu' and 'bertscore' need `pip install 'evenhand[metrics]'`.
        encoder: The model behind BERTScore.
    """

    metric: Literal["rouge-l", "bleu", "bertscore"] = "rouge-l"
    encoder: str = "roberta-large"
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = line("overlap", 0.0, 1.0)

    async def __call__(self, case: Case) -> Verdict:
        references = [text for text in case.reference if text.strip()]
        if not references:
            return undecided(self.answers, "empty", "the case has no reference")
        score = self._score(case.responses[0].text, references)
        return Verdict(self.answers, {repr(round(min(max(score, 0.0), 1.0), 9)): 1.0})

    def _score(self, text: str, references: list[str]) -> float:
        if self.metric == "bleu":
            return float(_library("sacrebleu").sentence_bleu(text, references).score) / 100.0
        if self.metric == "bertscore":
            return float(_scorer(self.encoder).score([text], [references])[2][0])
        return max(rouge_l(text, reference) for reference in references)


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words.

    Example:
        >>> rouge_l("police kill the gunman", "police killed the gunman")
        0.6666666666666666
    """
    ours, theirs = _WORD.findall(normalised(text)), _WORD.findall(normalised(reference))
    common = _common(ours, theirs)
    return 2.0 * common / (len(ours) + len(theirs)) if common else 0.0


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Length of the longest common subsequence (Hyyro 2004, bit-parallel)."""
    places: dict[str, int] = {}
    for i, word in enumerate(ours):
        places[word] = places.get(word, 0) | 1 << i
    row = every = (1 << len(ours)) - 1
    for word in theirs:
        hit = row & places.get(word, 0)
        row = (row + hit | row - hit) & every
    return len(ours) - row.bit_count()


@lru_cache(maxsize=2)
def _scorer(encoder: str) -> Any:
    return _library("bert_score").BERTScorer(model_type=encoder)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Misuse(f"{name} is not installed", do="pip install 'evenhand[metrics]'") from error
