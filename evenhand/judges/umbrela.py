"""How relevant is a passage (the response) to a query (the prompt)?

Paper: Upadhyay et al. 2024, "UMBRELA: UMbrela is the (Open-Source Reproduction of the) Bing
    RELevance Assessor". arXiv:2406.06519. An unreadable reply is undecided, where the authors' code
    counts it as 0, and of their many ways to find a score three are kept: after 'final score',
    after 'O', and a number that is the whole reply. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, ints

_NUMBER = r"(-?\d+(?:\.\d+)?)(?![\d.]*\d)(?!\s*(?:to|or|-)\s*\d)"
_JOIN = r"[\s*_\"']{0,9}(?::|=|-(?!\d)|\bis\b)[\s*_\"'(\[]{0,9}"
_SCORE = (
    rf"(?i)\bfinal[ _]score{_JOIN}{_NUMBER}",
    rf"(?m)(?:^|[\"'{{,])[ \t*]{{0,9}}O{_JOIN}{_NUMBER}",
    rf"\A\W{{0,9}}{_NUMBER}\W{{0,9}}\Z",
)


@dataclass(frozen=True, slots=True)
class Umbrela:
    """Label a passage 0 (unrelated), 1 (related), 2 (answers in part) or 3 (the exact answer)."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, top_p=1.0, max_tokens=100)
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = ints("relevance", 0, 3)

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_number(reply, self.answers, _SCORE)
