"""Feedback on a rubric with described scores, then a score from 1 to 5; or the better of two.

Paper: Kim et al. 2024, "Prometheus 2: An Open Source Language Model Specialized in Evaluating Other
    Language Models". arXiv:2405.01535. A reply without a final result is undecided, where the
    authors' code asks up to ten times more. A reference is spoken of only where there is one.
    The pair is shown in the order given, as published: wrap in `Swap` to cancel position bias. The
    wording is our own; the trained models need their own template: `--template`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.judges.rubrics import levels_of
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, last_number, undecided
from evenhand.records import PAIR_NO_TIE, Case, Decode, Model, Scale, Verdict, View, ints

# The repetition penalty of 1.03 in the authors' code is left out: not every server has one.
_DECODE = Decode(temperature=1.0, top_p=0.9, max_tokens=1024)
_OPEN = r"[\s(\[*_\"']{0,9}"
_NUMBER = r"(-?\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*5(?![\d.]*\d))?"
_MARK = r"(?i)(?:\[(?:result|score)\]|\b(?:result|score)\b(?:\s+(?:of|is)\b)?)\s*:?"
_SCORE = (rf"{_MARK}{_OPEN}{_NUMBER}", r"(?i)(?<![\d./-])(\d+)\s*(?:/|out of)\s*5(?![\d.]*\d)")
_BETTER = (
    rf"(?i)(?:\[result\]?|(?m:^){_OPEN}result\b|\[(?=response))\s*:?{_OPEN}(?:response\s+)?([AB])\b"
)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Score one response from 1 to 5 on the case's rubric, strictly."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = _DECODE
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = ints("score", 1, 5)

    async def __call__(self, case: Case) -> Verdict:
        rubric = levels_of(case.rubric).text
        if not rubric:
            return undecided(self.answers, "empty", "the case has no rubric")
        reply = await self.model(self.prompt(case=case, decode=self.decode, rubric=rubric))
        return last_number(reply, self.answers, _SCORE, end=True)


@dataclass(frozen=True, slots=True)
class PrometheusPair:
    """Choose between two responses by the criterion of the case's rubric, in the order given."""

    model: Model
    prompt: Prompt = beside(__file__, "pair")
    decode: Decode = _DECODE
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        criterion = levels_of(case.rubric).criterion
        if not criterion:
            return undecided(self.answers, "empty", "the case has no rubric with a criterion")
        reply = await self.model(self.prompt(case=case, decode=self.decode, criterion=criterion))
        return last_label(reply, self.answers, _BETTER, rename={"a": "A", "b": "B"}, end=True)
