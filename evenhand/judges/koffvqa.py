"""How many of ten points does an answer earn by written grading criteria?

Paper: Kim and Jung 2025, "KOFFVQA: An Objectively Evaluated Free-form VQA Benchmark for Large
    Vision-Language Models in the Korean Language". arXiv:2503.23730. Points given per criterion are
    added up here; without them the total on the last line counts, where the authors' code takes
    the last number of the reply. A total that is missing or not in 0 to 10 is undecided, where that
    code counts it as 0. Korean is told by its script, not by a library. The wording is our own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from evenhand.errors import DataError
from evenhand.judges.rubrics import criteria_of, first_lost
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, spoken, undecided, unreadable
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, line

_TEN = line("points", 0.0, 10.0)
_KOREAN = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_LEAST = 0.2  # of the letters; Korean answers name things in Latin letters, which take more of them
_NUMBER = r"(-?\d+(?:\.\d+)?)(?![\d.]*\d)\s*(?:점|points?\b)?"
_OF_TEN = r"(?:\s*(?:/|out of)\s*10\b|[ ,(]{0,3}10\s*점\s*만점\)?)?\W{0,99}\Z"
_TOTAL = (
    rf"10\s*점\s*만점(?:에|의|중)?[\s:*]{{0,9}}{_NUMBER}{_OF_TEN}",
    rf"(?im)(?:total|final score|점수|총점|합계|^)[^\w\n-]{{0,9}}{_NUMBER}{_OF_TEN}",
)
_EACH = (
    r"(?im)^[^\w\n]{0,9}(?:criterion|기준|항목)[ \t]*(\d{1,2})[ \t*_]{0,9}[:=][ \t*_]{0,9}"
    rf"{_NUMBER}(?:\s*(?:/|out of)\s*\d+)?[^\w\n]{{0,9}}$"
)


@dataclass(frozen=True, slots=True)
class Koffvqa:
    """Points from 0 to 10; by `language`, words that are not Korean get 0 unasked (mark 'gate')."""

    model: Model
    language: Literal["ko"] | None = "ko"
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=1024)
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = _TEN

    async def __call__(self, case: Case) -> Verdict:
        shown, worth = _rubric(case)
        if not shown:
            return undecided(_TEN, "empty", "the case has no rubric")
        said = case.responses[0].text
        if self.language and len(_KOREAN.findall(said)) < _LEAST * sum(map(str.isalpha, said)):
            return Verdict(_TEN, {"0": 1.0}, "the response is not Korean").marked(gate="language")
        reply = await self.model(self.prompt(case=case, decode=self.decode, rubric=shown))
        given = {int(m[1]): f"{float(m[2]):g}" for m in re.finditer(_EACH, spoken(reply.text))}
        if not given or unreadable(reply, _TEN):
            return last_number(reply, _TEN, _TOTAL)
        each = enumerate(worth or [None] * max(given), 1)
        parts = [_part(given.get(at), points, at) for at, points in each]
        total = f"{math.fsum(part.score or 0.0 for part in parts):g}"
        whole = first_lost(_TEN, parts) or Verdict(_TEN, {total: 1.0}, reply.text, tuple(parts))
        if whole.decided and not _TEN.has(total):
            whole = undecided(_TEN, "unread", f"the criteria add up to {total} points")
        return replace(whole, calls=(reply,))


def _rubric(case: Case) -> tuple[str, Sequence[float | None]]:
    """As it is shown, and what each criterion is worth; empty when that is not known."""
    if isinstance(case.rubric, str):
        return case.rubric.strip(), ()
    listed = criteria_of(case.rubric)
    worth = [one.points for one in listed]
    if not math.isclose(total := math.fsum(worth), 10.0):
        if set(worth) - {1.0}:
            raise DataError(f"criteria worth {total:g} points", expected="10", field="rubric")
        worth = []
    ends = [f" ({points:g} points)" for points in worth] or [""] * len(listed)
    return "\n".join(f"{i + 1}. {c.criterion}{ends[i]}" for i, c in enumerate(listed)), worth


def _part(said: str | None, points: float | None, at: int) -> Verdict:
    scale = _TEN if points is None else Scale(f"0 or {points:g}", {"0": 0.0, f"{points:g}": points})
    if said is None or not scale.has(said):
        told = f"criterion {at} has {said or 'no'} points, out of {scale.name}"
        return undecided(scale, "unread", told).marked(item=at)
    return Verdict(scale, {said: 1.0}).marked(item=at)
