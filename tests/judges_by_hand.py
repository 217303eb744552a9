"""Judges without a model, for `--judge FILE.py:CLASS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.records import PAIR, Case, Verdict, View


@dataclass(frozen=True, slots=True)
class First:
    """Whatever is shown first wins."""

    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        return Verdict(PAIR, {"A": 1.0})


@dataclass(frozen=True, slots=True)
class Last:
    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        return Verdict(PAIR, {"B": 1.0})


@dataclass(frozen=True, slots=True)
class Knows:
    """The response that says that it is right: a copy of the gold, in cases made so."""

    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        first = "right" in case.responses[0].text
        return Verdict(PAIR, {"A" if first else "B": 1.0})


@dataclass(frozen=True, slots=True)
class Silent:
    """Never decides."""

    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        return Verdict(PAIR, reason="unread: nothing was said")
