"""A critique and a rating from 1 to 10; or the key factors that set two responses apart.

Paper: Li et al. 2024, "Generative Judge for Evaluating Alignment". arXiv:2310.05470. The paper
    counts a pair as right when it is right in both orders: `consistent_accuracy`. Orders that
    differ make a tie here. An unreadable rating is undecided, where the authors' code counts it as
    0. The wording is our own; the trained models need their own template: `--template`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, last_number
from evenhand.records import PAIR, Case, Decode, Model, Scale, Verdict, View, line

_DECODE = Decode(temperature=0.0, top_p=1.0, max_tokens=1024)
_NUMBER = r"\[\[\s*(-?\d+(?:\.\d+)?)\s*\]\]"
_RATING = (rf"(?i)\brating\W{{0,9}}{_NUMBER}", _NUMBER)
# The last such phrase counts, whatever follows it; one that names no answer is unread.
_DECISION = r"(?i)(?:\bthe\s+)?final\s+decision(?:\s+is\b|\s*:)[\s*_\"':(\[]{0,9}"
_DECISION += r"((?:response\s*[12]|tie)\b|)"
_WHO = {"response 1": "A", "response 2": "B", "tie": "tie"}
_WHO |= {form(said): label for said, label in _WHO.items() for form in (str.title, str.upper)}


@dataclass(frozen=True, slots=True)
class AutoJ:
    """Criticise one response, then rate it from 1 to 10."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = _DECODE
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = line("rating", 1.0, 10.0)

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_number(reply, self.answers, _RATING)


@dataclass(frozen=True, slots=True)
class AutoJPair:
    """Name what sets two responses apart, then the better one; wrap in `Swap`."""

    model: Model
    prompt: Prompt = beside(__file__, "pair")
    decode: Decode = _DECODE
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_label(reply, self.answers, _DECISION, rename=_WHO)
