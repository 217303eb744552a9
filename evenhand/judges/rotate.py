"""Every response at every place of the list.

Own: what `Swap` is to pairs; position effects grow with the number of places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from evenhand.judges.combine import needs, together
from evenhand.pools import mean
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
        needs(self.judge, "listwise", "Rotate")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}, and must be at least 1")

    async def __call__(self, case: Case) -> Verdict:
        n = len(case.responses)
        times = min(self.times or n, n)
        starts = [i * n // times for i in range(times)]
        turns = [[(start + i) % n for i in range(n)] for start in starts]
        found = await together([self.judge(case.only(*turn)) for turn in turns])
        back = [placed(one, turn) for one, turn in zip(found, turns, strict=True)]
        marked = [one.marked(start=start) for one, start in zip(back, starts, strict=True)]
        return mean(marked, unread=self.unread)


def placed(verdict: Verdict, places: Sequence[int]) -> Verdict:
    """The verdict on the responses at these places, with the places that they have in the case.

    Parts that are one a response change places too; other parts are renamed.
    """
    if not verdict.scale.orders:
        return verdict
    probs: dict[str, float] = {}
    for label, p in verdict.probs.items():
        label = _renamed(label, places)
        probs[label] = probs.get(label, 0.0) + p
    parts = [_marked(placed(part, places), places) for part in verdict.parts]
    if parts and all("item" in part.marks for part in parts):
        parts.sort(key=lambda part: int(part.marks["item"]))
    return replace(verdict, probs=probs, parts=tuple(parts))


def _marked(part: Verdict, places: Sequence[int]) -> Verdict:
    """With the places in its marks: one response's, a pair's, a window's."""
    marks = {k: [places[i] for i in v] for k, v in part.marks.items() if k in ("pair", "window")}
    item = {"item": places[part.marks["item"]]} if "item" in part.marks else {}
    return part.marked(**marks, **item)


def _renamed(label: str, places: Sequence[int]) -> str:
    tiers = [[places[int(i)] for i in tier.split("=")] for tier in label.split(">")]
    return ">".join("=".join(str(place) for place in sorted(tier)) for tier in tiers)
