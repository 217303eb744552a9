"""How well does an answer to a bar exam state the facts, cite the law and argue?

Paper: Chlapanis et al. 2025, "GreekBarBench: A Challenging Benchmark for Free-Text Legal Reasoning
    and Citations". arXiv:2505.17267. The judge that is shown spans of the reference; without spans
    in the notes it is the paper's simple judge. The last score under each name counts, and a
    missing one leaves the whole undecided. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from evenhand.pools import mean
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, undecided, unreadable
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, ints

# Our name -> how templates write it; the authors' say 'Legislation' or 'Cited Articles' for rules.
_NAMES = {"facts": "facts", "rules": "(?:rules|legislation|cited articles)", "analysis": "analysis"}
_SCORE = r"(?im)^[^\w\n]{{0,9}}{} score[ \t*_]{{0,9}}[:=][ \t*_]{{0,9}}(-?\d+(?:\.\d+)?)"
_SCORE += r"(?![\d.]*\d)(?!\s*[-\u2013]\s*\d)(?!\s*(?:/|out of)\s*(?!10\b)\d)"


@dataclass(frozen=True, slots=True)
class GreekBar:
    """The mean of three scores from 1 to 10, which are its parts.

    The spans that must be there stand in the case's notes: `spans`, tagged in any form, or else
    `facts`, `rules` and `analysis`.
    """

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=1.0, max_tokens=8192)
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = ints("grade", 1, 10)

    async def __call__(self, case: Case) -> Verdict:
        if not any(one.strip() for one in case.reference):
            return undecided(self.answers, "empty", "the case has no reference")
        form = self.prompt(case=case, decode=self.decode, spans=_spans(case))
        reply = await self.model(form)
        if stopped := unreadable(reply, self.answers):
            return stopped
        parts = [
            replace(last_number(reply, self.answers, _SCORE.format(said)), calls=()).marked(
                item=name
            )
            for name, said in _NAMES.items()
        ]
        whole = mean(parts)
        return replace(whole, reason=whole.reason or reply.text, calls=(reply,))


def _spans(case: Case) -> Any:
    return case.notes.get("spans") or {n: case.notes[n] for n in _NAMES if case.notes.get(n)}
