"""Which order do the responses of a long list have, seen a few at a time?

Paper: Sun et al. 2023, "Is ChatGPT Good at Search? Investigating Large Language Models as
    Re-Ranking Agents". arXiv:2304.09542. The last window always begins at the front, where the
    authors' code leaves the first responses as they were if the steps do not add up. A window
    that is no permutation leaves the whole undecided; that code repairs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.combine import needs
from evenhand.judges.rotate import placed
from evenhand.pools import ORDER
from evenhand.readers import undecided
from evenhand.records import Case, Judge, Verdict, View


@dataclass(frozen=True, slots=True)
class Window:
    """Order a long list by judging a window that slides from its end to its front.

    Each window is put in the order of its verdict, and the next one takes its best along, so that
    good responses rise. A list that fits in one window is judged as it is. Else there are
    1 + ceil((n - size) / step) windows, one after the other.

    Attributes:
        size: Responses in a window.
        step: How far it moves; the windows overlap by size - step.
    """

    judge: Judge
    size: int = 20
    step: int = 10
    view: ClassVar[View] = "listwise"

    def __post_init__(self) -> None:
        needs(self.judge, "listwise", "Window")
        if not 0 < self.step < self.size:
            raise ValueError(f"step is {self.step}, and must lie between 0 and size, {self.size}")

    async def __call__(self, case: Case) -> Verdict:
        n = len(case.responses)
        if n <= self.size:
            return await self.judge(case)
        order, parts = list(range(n)), list[Verdict]()
        fronts = [*range(n - self.size, 0, -self.step), 0]
        for front in fronts:
            seen = order[front : front + self.size]
            found = await self.judge(case.only(*seen))
            parts.append(placed(found, seen).marked(window=seen))
            if found.scores is None:
                code, _, why = found.reason.partition(":")
                told = f"window {len(parts)} of {len(fronts)}: {why.strip()}"
                return replace(undecided(ORDER, code, told), parts=tuple(parts))
            ranked = sorted(zip(found.scores, seen, strict=True), key=lambda pair: -pair[0])
            order[front : front + self.size] = [place for _, place in ranked]
        label = ">".join(str(place) for place in order)
        return Verdict(ORDER, {label: 1.0}, parts=tuple(parts))
