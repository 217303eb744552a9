"""Which order do the responses have by matches of two?

Paper: Qin et al. 2023, "Large Language Models are Effective Text Rankers with Pairwise Ranking
    Prompting", all pairs. arXiv:2306.17563.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, Literal

from evenhand.judges.combine import needs, together
from evenhand.pools import ORDER, ordered
from evenhand.readers import undecided
from evenhand.records import Case, Judge, Verdict, View


@dataclass(frozen=True, slots=True)
class Tournament:
    """Let every two responses meet once, and order them by their share of the points.

    That is n (n - 1) / 2 matches. A match gives each side the expectation of its win: 1, 0, or a
    half for a tie. Responses with equal shares share a place.

    Attributes:
        unread: What an undecided match means: 'stop', or 'drop', which leaves it out.
    """

    judge: Judge
    unread: Literal["stop", "drop"] = "stop"
    view: ClassVar[View] = "listwise"

    def __post_init__(self) -> None:
        needs(self.judge, "pairwise", "Tournament")

    async def __call__(self, case: Case) -> Verdict:
        pairs = list(combinations(range(len(case.responses)), 2))
        # An id of its own, so that `Seeded` draws an order for every match.
        matches = [replace(case.only(i, j), id=f"{case.id}/{i}-{j}") for i, j in pairs]
        found = await together([self.judge(match) for match in matches])
        parts = [one.marked(pair=list(pair)) for one, pair in zip(found, pairs, strict=True)]
        points: list[list[float]] = [[] for _ in case.responses]
        lost: Verdict | None = None
        for (i, j), part in zip(pairs, parts, strict=True):
            if part.scores is None:
                lost = lost or part
            else:
                points[i].append(part.scores[0])
                points[j].append(part.scores[1])
        if lost is not None and (self.unread == "stop" or not all(points)):
            code, _, why = lost.reason.partition(":")
            told = f"match {lost.marks['pair']}: {why.strip()}"
            return replace(undecided(ORDER, code, told), parts=tuple(parts))
        label = ordered([sum(one) / len(one) for one in points])
        return Verdict(ORDER, {label: 1.0}, parts=tuple(parts))
