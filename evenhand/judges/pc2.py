"""How good is this response by criteria that a comparison of other answers brought to light?

Paper: Wang et al. 2025, "From Rankings to Insights: Evaluation Should Shift Focus from Leaderboard
    to Feedback", PC2. arXiv:2505.06698. The total is computed here from the parts, where the
    authors' code reads the judge's own sum; weights count by their share, whatever they add up
    to. The wording is our own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.combine import Written, known_texts
from evenhand.pools import mean
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, spoken, undecided, unreadable
from evenhand.records import Case, Completion, Decode, Model, Scale, Verdict, View, ints, line

_CRITERION = re.compile(r"^[^\w\n\[]*\[\[\s*(\d+)\s*\]\][ \t]*(\S.*)$", re.MULTILINE)
_SCORE = r"(?m)^[^\w\n]*{}\b[^\[\n]*\[\[\s*(-?\d+(?:\.\d+)?)\s*\]\]"
_LEVELS = ints("criterion", 1, 3)


@dataclass(frozen=True, slots=True)
class PC2:
    """Score one response from 1 to 3 on each criterion, beside a marked baseline answer.

    The criteria come from `case.notes["auxiliary"]`: two or more answers by others, of which the
    first is the baseline. Criteria and marks are asked once a prompt.

    Attributes:
        writer: Who compares the auxiliary answers and marks the baseline.
    """

    model: Model
    writer: Model
    scale: Scale = line("weighted mean", 1.0, 3.0)
    prompt: Prompt = beside(__file__)
    criteria_prompt: Prompt = beside(__file__, "criteria")
    baseline_prompt: Prompt = beside(__file__, "baseline")
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        others = known_texts(case, "auxiliary")
        if len(others) < 2:
            why = (
                f"the case has {len(others)} texts in notes.auxiliary, and 2 are compared at least"
            )
            return undecided(self.scale, "empty", why)
        bare = replace(case.having(auxiliary=others), responses=())
        made = await Written(self.writer, self.criteria_prompt, self.decode)(bare)
        if stopped := unreadable(made, self.scale):
            return stopped
        found = _CRITERION.findall(spoken(made.text))
        if not sum(int(weight) for weight, _ in found):
            return undecided(self.scale, "unread", "no weighted criterion was written", (made,))
        criteria = [text.strip() for _, text in found]
        known = bare.having(criteria=criteria, baseline=others[0])
        marks = await Written(self.writer, self.baseline_prompt, self.decode)(known)
        if stopped := unreadable(marks, self.scale):
            return replace(stopped, calls=(made, marks))
        shown = replace(known.having(marks=spoken(marks.text)), responses=case.responses)
        reply = await self.model(self.prompt(case=shown, decode=self.decode))
        verdict = self._read(reply, criteria, [int(weight) for weight, _ in found])
        return replace(verdict, calls=(made, marks, reply))

    def _read(self, reply: Completion, criteria: list[str], weights: list[int]) -> Verdict:
        """The weighted mean of one score a criterion; no total in the reply is looked at."""
        if stopped := unreadable(reply, self.scale):
            return stopped
        read = [last_number(reply, _LEVELS, _SCORE.format(i + 1)) for i in range(len(criteria))]
        parts = [
            replace(part, calls=()).marked(item=text, weight=weight)
            for part, text, weight in zip(read, criteria, weights, strict=True)
        ]
        whole = mean(parts, weights=weights)
        probs = {} if whole.score is None else {repr(round(whole.score, 9)): 1.0}
        told = {} if sum(weights) == 100 else {"weights_sum": sum(weights)}
        return replace(whole, scale=self.scale, probs=probs).marked(**told)
