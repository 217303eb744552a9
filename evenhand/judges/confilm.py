"""Which of two responses is better, given how confident their writers were?

Paper: Xie et al. 2025, "An Empirical Analysis of Uncertainty in Large Language Model Evaluations".
    arXiv:2502.10709. The authors' trained model, its template and its words for confidence could
    not be read: a judge that was trained needs its own template, by `--template`; wording, words,
    bands and the one order given are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import label_probs, undecided, whole_label
from evenhand.records import PAIR, Case, Decode, Model, Response, Scale, Verdict, View

LETTERS = {"A": ("A",), "B": ("B",), "tie": ("C", "tie")}
_WORDS = ("very unsure", "unsure", "neither sure nor unsure", "sure", "very sure")


@dataclass(frozen=True, slots=True)
class ConfiLM:
    """Compare two responses whose notes hold a `confidence` from 0 to 1 each.

    It is such a number as the mean token probability with which the response was written; the
    judge is told it in words. Its own certainty is the verdict's distribution.
    """

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=1)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    async def __call__(self, case: Case) -> Verdict:
        words = [in_words(response) for response in case.responses]
        if "" in words:
            why = "a response has no note 'confidence' from 0 to 1"
            return undecided(self.answers, "empty", why)
        request = self.prompt(case=case, decode=self.decode, confidence=words)
        reply = await self.model(replace(request, need="probs"))
        if reply.tops:
            return label_probs(reply, self.answers, forms=LETTERS)
        return whole_label(reply, self.answers, forms=LETTERS)


def in_words(response: Response) -> str:
    """The response's confidence, in fifths; "" where it is missing or no number from 0 to 1."""
    try:
        confidence = float(response.notes["confidence"])
    except (KeyError, TypeError, ValueError):
        return ""
    return _WORDS[min(int(confidence * 5), 4)] if 0.0 <= confidence <= 1.0 else ""
