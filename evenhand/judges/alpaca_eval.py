"""Which of two responses would most people like better, read from the probability of one token?

Paper: Dubois et al. 2024, "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic
    Evaluators". arXiv:2404.04475. The judge of AlpacaEval 2 as its code runs it, without the
    regression on lengths, which belongs to the board. Without token probabilities the one letter of
    the reply counts, and the order is drawn from the case's id, where that code draws it from the
    instruction. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import label_probs, whole_label
from evenhand.records import PAIR_NO_TIE, Case, Decode, Model, Scale, Verdict, View

LETTERS = {"A": ("m",), "B": ("M",)}
"""The first response shown is m and the second M: only the case tells them apart."""


@dataclass(frozen=True, slots=True)
class AlpacaEval:
    """Choose between two responses in the order given; wrap in `Seeded` as published."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=1.0, max_tokens=1)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(replace(self.prompt(case=case, decode=self.decode), need="probs"))
        if reply.tops:
            return label_probs(reply, self.answers, forms=LETTERS, fold=False)
        return whole_label(reply, self.answers, forms=LETTERS, fold=False)
