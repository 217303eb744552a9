"""Which of two responses is better?

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.1.
    arXiv:2306.05685. The last marked verdict counts, where the authors' code looks for A first.
    The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label
from evenhand.records import PAIR, Case, Decode, Model, Scale, Verdict, View


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Compare two responses in the order given; wrap in `Swap` to cancel position bias."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=2048)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_label(reply, self.answers, r"\[\[\s*([A-Za-z]+)\s*\]\]", rename={"C": "tie"})
