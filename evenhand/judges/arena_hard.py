"""Which of two responses is better, and by how much, after answering the prompt oneself?

Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
    BenchBuilder Pipeline". arXiv:2406.11939. Read as in version 2 of the authors' code: the last
    label, double brackets before single ones, mirrored spellings accepted. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label
from evenhand.records import PAIR_5, Case, Decode, Model, Scale, Verdict, View

_MIRRORED = {"B<<A": "A>>B", "B<A": "A>B", "B=A": "A=B", "A<B": "B>A", "A<<B": "B>>A"}
_UPPER = {**_MIRRORED, **{label: label for label in PAIR_5.labels}}
_SPELLINGS = {**_UPPER, **{spelling.lower(): label for spelling, label in _UPPER.items()}}


@dataclass(frozen=True, slots=True)
class ArenaHard:
    """Compare two responses on five levels in the order given; wrap in `Swap`."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_5

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        label = r"\[([ABab<>=]+)\]"
        return last_label(reply, self.answers, (rf"\[{label}\]", label), rename=_SPELLINGS)
