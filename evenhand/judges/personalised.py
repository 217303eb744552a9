"""Which of two responses would this person prefer, and how sure can one be from what is known?

Paper: Dong et al. 2024, "Can LLM be a Personalized Judge?". arXiv:2406.11657. Under a threshold
    the judge declines, where the authors filter afterwards; a certainty that is missing or not from
    1 to 100 leaves the verdict unread. The order is drawn once for each case, as in the authors'
    code. The wording is our own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, spoken, undecided
from evenhand.records import PAIR_NO_TIE, Case, Decode, Model, Scale, Verdict, View

_LETTER = r"\A[\s\[]*([A-Za-z]+)\s*\]"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Personalised:
    """Choose for the person in `case.notes["persona"]`, in the order given; wrap in `Seeded`.

    Attributes:
        threshold: Certainty from 1 to 100 under which the judge declines: the verdict is undecided
            (refused), and `marks["leaning"]` keeps what it would have been. 0: never.
    """

    model: Model
    threshold: float = 0.0
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.7, max_tokens=15)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        if not case.notes.get("persona"):
            return undecided(self.answers, "empty", "the case has no note 'persona'")
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        verdict = last_label(reply, self.answers, _LETTER)
        if not verdict.decided:
            return verdict
        said = _NUMBER.search(spoken(reply.text))
        certainty = float(said[0]) if said else 0.0
        if not 1.0 <= certainty <= 100.0:
            why = f"no certainty from 1 to 100 in {reply.text[:80]!r}"
            return undecided(self.answers, "unread", why, (reply,))
        if certainty < self.threshold:
            why = f"certainty {certainty:g} is under the threshold {self.threshold:g}"
            declined = undecided(self.answers, "refused", why, (reply,))
            return declined.marked(certainty=certainty, leaning=verdict.label)
        return replace(verdict, marks={"certainty": certainty})
