"""Cases longer than a model can take: refused, shortened with a notice, or judged piece by piece.

Own: without it a server's own limit decides, and the verdict is undecided (overflow).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from evenhand.judges.combine import NO_SCALE, together
from evenhand.pools import PoolName, pool
from evenhand.readers import undecided
from evenhand.records import Case, Judge, Verdict, View, texts, with_texts


@dataclass(frozen=True, slots=True)
class Long:
    """A judge with a limit to what it shows.

    Attributes:
        policy: 'refuse': undecided (overflow), and nothing is asked. 'truncate': the longest
            texts lose their middle, the judge sees a notice there, and `marks["truncated"]` counts
            the characters. 'chunk': the context is judged in pieces, and the pieces are pooled.
        limit: Characters of prompt, responses, references and context together.
    """

    judge: Judge
    policy: Literal["refuse", "truncate", "chunk"] = "refuse"
    limit: int = 40_000
    pool: PoolName = "mean"
    unread: str = "stop"

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        size = sum(map(len, texts(case)))
        if size <= self.limit:
            return await self.judge(case)
        if self.policy == "truncate":
            cut = _cutter(case, self.limit)
            lost = size - sum(min(len(text), cut.most) for text in texts(case))
            return (await self.judge(with_texts(case, cut))).marked(truncated=lost)
        room = self.limit - (size - sum(map(len, case.context)))
        if self.policy == "refuse" or room < 1:
            why = f"the case has {size} characters, and {self.limit} are allowed"
            return undecided(NO_SCALE, "overflow", why)
        pieces = list(_pieces("\n\n".join(case.context), room))
        parts = await together([self.judge(replace(case, context=(one,))) for one in pieces])
        marked = [part.marked(chunk=i) for i, part in enumerate(parts, 1)]
        return pool(self.pool, marked, unread=self.unread)


@dataclass(frozen=True, slots=True)
class _Cut:
    most: int

    def __call__(self, text: str) -> str:
        if len(text) <= self.most:
            return text
        half = self.most // 2
        notice = f"\n[… {len(text) - self.most} characters left out here …]\n"
        return text[: self.most - half] + notice + text[len(text) - half :]


def _cutter(case: Case, limit: int) -> _Cut:
    """The largest length for every text at which all of them fit."""
    left, sizes = limit, sorted(map(len, texts(case)))
    for done, size in enumerate(sizes):
        share = left // (len(sizes) - done)
        if size > share:
            return _Cut(share)
        left -= size
    return _Cut(max(sizes))


def _pieces(text: str, most: int) -> Iterator[str]:
    """At most that long, ended at a blank line, a line or a space where one is near the end."""
    while len(text) > most:
        near: Callable[[str], int] = lambda gap: text.rfind(gap, most // 2, most)  # noqa: B023, E731
        end = next((at for gap in ("\n\n", "\n", " ") if (at := near(gap)) > 0), most)
        yield text[:end]
        text = text[end:].lstrip("\n ") if end < most else text[end:]
    yield text
