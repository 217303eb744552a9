"""Which of two responses to documents is better, by the first criterion on which they differ?

Paper: Xu et al. 2025, "Does Context Matter? ContextualJudgeBench for Evaluating LLM-based Judges in
    Contextual Settings". arXiv:2503.15620. The authors' conditional prompt asks for every rung in
    one reply and takes the winner it names. Here each rung is a call of its own and the ladder is
    climbed by this code, so that a reply cannot contradict its own findings; whether a refusal is
    due is a rung, where that prompt makes it part of faithfulness. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.combine import together
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, undecided
from evenhand.records import (
    PAIR,
    PAIR_NO_TIE,
    YES_NO,
    Case,
    Decode,
    Model,
    Scale,
    Verdict,
    View,
)

_YES_NO = {"Yes": "yes", "YES": "yes", "No": "no", "NO": "no"}


@dataclass(frozen=True, slots=True)
class Conditional:
    """Refusal where due, faithfulness, completeness, conciseness; wrap in `Swap`.

    The first two rungs ask yes or no about one response at a time, the others compare. The rungs
    that were asked stand in `parts`, marked with `rung` and, where one response was in view, with
    its letter as `response`.
    """

    model: Model
    valid: Prompt = beside(__file__, "valid")
    faithful: Prompt = beside(__file__, "faithful")
    complete: Prompt = beside(__file__, "complete")
    concise: Prompt = beside(__file__, "concise")
    decode: Decode = Decode(temperature=0.0, max_tokens=1024)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        parts: list[Verdict] = []
        for rung in ("valid", "faithful", "complete", "concise"):
            found = await self._climbed(rung, case)
            parts += found
            if lost := next((part for part in found if not part.decided), None):
                code, _, why = lost.reason.partition(":")
                stopped = undecided(self.answers, code, f"{rung}: {why.strip()}")
                return replace(stopped, parts=tuple(parts))
            if winner := _winner(found):
                return Verdict(self.answers, {winner: 1.0}, parts=tuple(parts))
        raise AssertionError("the last rung has no tie")

    async def _climbed(self, rung: str, case: Case) -> list[Verdict]:
        """One verdict a response, or one on both."""
        prompt: Prompt = getattr(self, rung)
        if rung in ("valid", "faithful"):
            asked = [prompt(case=case.only(i), decode=self.decode) for i in (0, 1)]
            replies = await together(self.model(request) for request in asked)
            read = [last_label(r, YES_NO, r"\[\[\s*([A-Za-z]{2,})\s*\]\]", rename=_YES_NO)
                    for r in replies]  # fmt: skip
            return [one.marked(rung=rung, response=x) for x, one in zip("AB", read, strict=True)]
        reply = await self.model(prompt(case=case, decode=self.decode))
        scale = PAIR if rung == "complete" else PAIR_NO_TIE
        one = last_label(reply, scale, r"\[\[\s*([A-Z])\s*\]\]", rename={"C": "tie"})
        return [one.marked(rung=rung)]


def _winner(found: list[Verdict]) -> str | None:
    """The letter of the response that the rung prefers; None where it finds them equal."""
    if len(found) == 1:
        return found[0].label if found[0].label != "tie" else None
    if found[0].label == found[1].label:
        return None
    return "A" if found[0].label == "yes" else "B"
