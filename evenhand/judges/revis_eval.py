"""Judge with a reference that was made out of the response itself, by improving it.

Paper: Zhang et al. 2024, "RevisEval: Improving LLM-as-a-Judge via Response-Adapted References",
    arXiv:2410.05193. A reference leans to the response that it was made from, so of a pair both
    are revised and the two verdicts are pooled, where the authors revise one. Ties are allowed.
    The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from evenhand.judges.combine import Written, scale_of, together
from evenhand.pools import PoolName, pool
from evenhand.prompts import Prompt, beside
from evenhand.readers import spoken, unreadable
from evenhand.records import Case, Decode, Judge, Model, Verdict, View

_REVISED: dict[str, tuple[int, ...]] = {"first": (0,), "second": (1,), "both": (0, 1)}


@dataclass(frozen=True, slots=True)
class RevisEval:
    """Revise a response, and judge with the revision in the place of the reference.

    Attributes:
        judge: Pointwise or pairwise, a model or a text metric; it compares with the reference.
        writer: Who revises.
        revise: Of a pair, which response; the other is shown to the writer as an aid.
        pool: What the verdicts with either reference make together.
        unread: What an undecided one of them means: 'stop', 'drop' or a label.
    """

    judge: Judge
    writer: Model
    revise: Literal["first", "second", "both"] = "both"
    pool: PoolName = "agree"
    unread: str = "stop"
    writer_prompt: Prompt = beside(__file__)
    writer_decode: Decode = Decode(temperature=0.3, max_tokens=2048)

    def __post_init__(self) -> None:
        if self.judge.view == "listwise":
            raise ValueError("one response is revised: RevisEval needs a judge of one or two")

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        sides = _REVISED[self.revise] if self.view == "pairwise" else (0,)
        parts = await together([self._with(case, side) for side in sides])
        return parts[0] if len(parts) == 1 else pool(self.pool, parts, unread=self.unread)

    async def _with(self, case: Case, side: int) -> Verdict:
        """The verdict with that side's revision as the reference."""
        others = [i for i in range(len(case.responses)) if i != side]
        write = Written(self.writer, self.writer_prompt, self.writer_decode)
        made = await write(case.only(side, *others))
        marks = {"revised": ("first", "second")[side]}
        if stopped := unreadable(made, scale_of(self.judge)):
            return stopped.marked(**marks)
        text = spoken(made.text).strip()
        verdict = await self.judge(replace(case, reference=(text,)))
        same = text == case.responses[side].text.strip()
        marked = replace(verdict, calls=(made, *verdict.calls)).marked(**marks)
        return marked.marked(unchanged=True) if same else marked
