"""How good is this response?

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.1.
    arXiv:2306.05685. One verdict for the whole conversation; the paper grades each turn. The last
    marked rating counts, where the authors' code takes the first. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, line

_NUMBER = r"\[\s*(-?\d+(?:\.\d+)?)\s*\]"
# Single brackets are also citations: they count only after a word for the rating, or as a line.
_SINGLE = (
    rf"(?im)(?:\b(?:rating|score|verdict|grade)(?:\s+is)?[^\w\n\[]{{0,9}}|^\W{{0,9}}){_NUMBER}\W*$"
)
_RATING = (rf"\[{_NUMBER}\]", _SINGLE)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Rate one response from 1 to 10; with a reference when the case has one."""

    model: Model
    scale: Scale = line("rating", 1.0, 10.0)
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=2048)
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_number(reply, self.scale, _RATING)
