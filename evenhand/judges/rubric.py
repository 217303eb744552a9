"""Which criteria of a weighted rubric does the response meet, and what share of the points is that?

Paper: Arora et al. 2025, "HealthBench: Evaluating Large Language Models Towards Improved Human
    Health". arXiv:2505.08775. One call a criterion, as in the authors' code. The share
    of each case is clipped to 0 and 1, where that code clips only the mean over cases:
    `marks["share"]` has it unclipped. A judge may say that it cannot assess a criterion, and does
    not see the points. The wording is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from evenhand.judges.combine import together
from evenhand.judges.rubrics import Criterion, criteria_of, first_lost
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, undecided
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, line

MET = Scale("met", {"met": 1.0, "not met": 0.0})
_SAID = Scale("said", {**MET.labels, "cannot assess": 0.0})
# Double brackets, else the field of HealthBench's own template.
_MARKS = (r"\[\[\s*([A-Za-z ]{1,20}?)\s*\]\]", r'"criteria_met"\s*:\s*(true|false)\b')
_CASES = (str.capitalize, str.title, str.upper)
_FORMS = {"true": "met", "false": "not met"}
_FORMS |= {form(label): label for label in _SAID.labels for form in _CASES}


@dataclass(frozen=True, slots=True)
class Rubric:
    """Points earned over points that could be earned; criteria with points below 0 are faults.

    Attributes:
        criteria: For cases that bring no rubric; from a file with `--set criteria=FILE.toml`.
        unread: What a criterion without a verdict means: 'stop', or 'drop': it is left out of
            both sums.
    """

    model: Model
    criteria: tuple[Criterion, ...] = ()
    unread: Literal["stop", "drop"] = "stop"
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=1024)
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = line("share", 0.0, 1.0)

    async def __call__(self, case: Case) -> Verdict:
        listed = criteria_of(case.rubric) or self.criteria
        if not any(one.points > 0 for one in listed):
            why = "no criterion with points above 0" if listed else "the case has no rubric"
            return undecided(self.answers, "empty", why)
        parts = await together([self._part(case, one) for one in listed])
        lost = first_lost(self.answers, parts)
        kept = [(p, one) for p, one in zip(parts, listed, strict=True) if p.decided]
        possible = math.fsum(one.points for _, one in kept if one.points > 0)
        if lost and (self.unread == "stop" or not possible):
            return lost
        share = math.fsum((p.score or 0.0) * one.points for p, one in kept) / possible
        whole = Verdict(self.answers, {repr(min(max(share, 0.0), 1.0)): 1.0}, parts=tuple(parts))
        return whole.marked(share=share, possible=possible, unread=len(parts) - len(kept))

    async def _part(self, case: Case, one: Criterion) -> Verdict:
        form = self.prompt(case=case, decode=self.decode, criterion=one.criterion)
        reply = await self.model(form)
        said = last_label(reply, _SAID, _MARKS, rename=_FORMS)
        part = replace(said, scale=MET)
        if said.label == "cannot assess":
            part = undecided(MET, "refused", f"the judge cannot assess it: {reply.text}", (reply,))
        return part.marked(criterion=one.criterion, points=one.points, tags=list(one.tags))
