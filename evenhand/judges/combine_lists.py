"""Judges of lists made of judges: rotations of a list, windows over a long one, matches in pairs.

As in `combine`, the raw verdicts stay in `parts`, each marked with what made it different. Labels
of all parts count the responses as the case does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, Literal

from evenhand.judges.combine import together
from evenhand.pools import ORDER, mean, ordered
from evenhand.readers import undecided
from evenhand.records import Case, Judge, Verdict, View


@dataclass(frozen=True, slots=True)
class Rotate:
    """Ask with the list rotated, so that every response stands at every place, and average.

    The verdict holds every rotation's order with its share of the probability, so that `scores`
    are the mean ranks; a judge that looks only at places gives all responses the same. `label` is
    the commonest order.

    Attributes:
        times: How many rotations, evenly spread; None for all, which is one a response.
        unread: What an undecided rotation means: 'stop' or 'drop'.
    """

    judge: Judge
    times: int | None = None
    unread: Literal["stop", "drop"] = "stop"
    view: ClassVar[View] = "listwise"

    def __post_init__(self) -> None:
        _needs(self.judge, "listwise", "Rotate")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}, and must be at least 1")

    async def __call__(self, case: Case) -> Verdict:
        n = len(case.responses)
        times = min(self.times or n, n)
        starts = [i * n // times for i in range(times)]
        turns = [[(start + i) % n for i in range(n)] for start in starts]
        found = await together([self.judge(case.only(*turn)) for turn in turns])
        back = [_placed(one, turn) for one, turn in zip(found, turns, strict=True)]
        marked = [one.marked(start=start) for one, start in zip(back, starts, strict=True)]
        return mean(marked, unread=self.unread)


def _needs(judge: Judge, view: View, what: str) -> None:
    if judge.view != view:
        raise ValueError(f"{what} needs a {view} judge, and {type(judge).__name__} is {judge.view}")


def _placed(verdict: Verdict, places: Sequence[int]) -> Verdict:
    """The verdict on the responses at these places, with the places that they have in the case.

    Parts that are one a response change places too; parts that are orders are renamed.
    """
    if not verdict.scale.orders:
        return verdict
    probs: dict[str, float] = {}
    for label, p in verdict.probs.items():
        label = _renamed(label, places)
        probs[label] = probs.get(label, 0.0) + p
    parts = [_placed(part, places) for part in verdict.parts]
    if len(parts) == len(places) and not any(part.scale.orders for part in parts):
        pairs = sorted(zip(places, parts, strict=True), key=lambda pair: pair[0])
        parts = [part.marked(item=place) for place, part in pairs]
    return replace(verdict, probs=probs, parts=tuple(parts))


def _renamed(label: str, places: Sequence[int]) -> str:
    tiers = [[places[int(i)] for i in tier.split("=")] for tier in label.split(">")]
    return ">".join("=".join(str(place) for place in sorted(tier)) for tier in tiers)


@dataclass(frozen=True, slots=True)
class Window:
    """Order a long list by judging a window that slides from its end to its front.

    Each window is put in the order of its verdict, and the next one takes its best along, so that
    good responses rise. A list that fits in one window is judged as it is. Else there are
    1 + ceil((n - size) / step) windows, one after the other.

    Paper: Sun et al. 2023, "Is ChatGPT Good at Search? Investigating Large Language Models as
        Re-Ranking Agents". arXiv:2304.09542. The last window always begins at the front, where
        the authors' code leaves the first responses as they were if the steps do not add up. A
        window that is no permutation leaves the whole undecided; that code repairs it.

    Attributes:
        size: Responses in a window.
        step: How far it moves; the windows overlap by size - step.
    """

    judge: Judge
    size: int = 20
    step: int = 10
    view: ClassVar[View] = "listwise"

    def __post_init__(self) -> None:
        _needs(self.judge, "listwise", "Window")
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
            parts.append(_placed(found, seen).marked(window=seen))
            if found.scores is None:
                code, _, why = found.reason.partition(":")
                told = f"window {len(parts)} of {len(fronts)}: {why.strip()}"
                return replace(undecided(ORDER, code, told), parts=tuple(parts))
            ranked = sorted(zip(found.scores, seen, strict=True), key=lambda pair: -pair[0])
            order[front : front + self.size] = [place for _, place in ranked]
        label = ">".join(str(place) for place in order)
        return Verdict(ORDER, {label: 1.0}, parts=tuple(parts))


@dataclass(frozen=True, slots=True)
class Tournament:
    """Let every two responses meet once, and order them by their share of the points.

    That is n (n - 1) / 2 matches. A match gives each side the expectation of its win: 1, 0, or a
    half for a tie. Responses with equal shares share a place.

    Paper: Qin et al. 2023, "Large Language Models are Effective Text Rankers with Pairwise Ranking
        Prompting", all pairs. arXiv:2306.17563.

    Attributes:
        unread: What an undecided match means: 'stop', or 'drop', which leaves it out.
    """

    judge: Judge
    unread: Literal["stop", "drop"] = "stop"
    view: ClassVar[View] = "listwise"

    def __post_init__(self) -> None:
        _needs(self.judge, "pairwise", "Tournament")

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
