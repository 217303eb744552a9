"""What share of a law exam's reference answer does the response fulfil?

Paper: Fan et al. 2025, "LEXam: Benchmarking Legal Reasoning on 340 Law Exams". arXiv:2505.12864.
    One judge as in the authors' code; the paper's ensemble is a `Panel`. Every number from 0 to 1
    in double brackets is read, where that code reads three characters, so that [[1]] and [[0.85]]
    became 0. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, undecided
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, line


@dataclass(frozen=True, slots=True)
class Lexam:
    """Score the answer to a law question from 0 to 1 against the case's reference."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = line("correctness", 0.0, 1.0)

    async def __call__(self, case: Case) -> Verdict:
        if not any(one.strip() for one in case.reference):
            return undecided(self.answers, "empty", "the case has no reference")
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_number(reply, self.answers, r"\[\[\s*([^\[\]\s]{1,20})\s*\]\]")
