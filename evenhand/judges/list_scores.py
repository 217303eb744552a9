"""How good is each of these responses, seen beside the others?

Paper: Ko et al. 2025, "Flex-Judge: Text-Only Reasoning Unleashes Zero-Shot Multimodal Evaluators",
    batch-level ranking. arXiv:2505.18601. Equal scores are allowed and share a place. The wording
    is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.list_rank import letters
from evenhand.pools import ORDER, rank
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, unreadable
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, line

_SCORE = r"(?m)^[^\w\n]*(?:[Rr]esponse\s+)?{}\b[^\w\n\[]{{0,9}}\[\[\s*(-?\d+(?:\.\d+)?)\s*\]\]"


@dataclass(frozen=True, slots=True)
class ListScores:
    """Score all responses in one call; the verdict is their order, the scores are its parts.

    Wrap in `Rotate` to cancel position bias.
    """

    model: Model
    rating: Scale = line("rating", 1.0, 10.0)
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    view: ClassVar[View] = "listwise"
    answers: ClassVar[Scale] = ORDER

    async def __call__(self, case: Case) -> Verdict:
        names = letters(len(case.responses))
        numbers = self.rating.span or tuple(self.rating.labels.values())
        low, high = f"{min(numbers):g}", f"{max(numbers):g}"
        ask = self.prompt(case=case, decode=self.decode, names=names, low=low, high=high)
        reply = await self.model(ask)
        if stopped := unreadable(reply, ORDER):
            return stopped
        read = [last_number(reply, self.rating, _SCORE.format(name)) for name in names]
        parts = [replace(part, calls=()).marked(item=i) for i, part in enumerate(read)]
        return replace(rank(parts), calls=(reply,))
