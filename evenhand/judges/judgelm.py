"""Two scores on the first line, then the explanation: the higher score wins.

Paper: Zhu et al. 2023, "JudgeLM: Fine-tuned Large Language Models are Scalable Judges".
    arXiv:2310.17631. A judge that was trained needs the template it was trained on: give it by
    `--template`; the wording here is our own. A first line that is not two numbers from 1 to 10 is
    undecided, where the authors' code gives both -1, a tie. No character is lost where a stop
    string is missing, as one is in that code. A comma and a space may stand between the scores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import spoken, undecided, unreadable
from evenhand.records import PAIR, Case, Decode, Model, Scale, Verdict, View

_NUMBER = r"(10(?:\.0+)?|[1-9](?:\.\d+)?)"
_TWO = re.compile(rf"\s*{_NUMBER}(?:[ \t]*,[ \t]*|[ \t]+){_NUMBER}[ \t\r]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class JudgeLM:
    """Score two responses in the order given; `marks["scores"]` keeps both scores."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.2, max_tokens=2048)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        if stopped := unreadable(reply, PAIR):
            return stopped
        text = spoken(reply.text)
        found = _TWO.match(text)
        if found is None:
            first = text.strip().partition("\n")[0][:80]
            why = f"the first line is not two numbers from 1 to 10: {first!r}"
            return undecided(PAIR, "unread", why, (reply,))
        one, other = float(found[1]), float(found[2])
        label = "A" if one > other else "B" if other > one else "tie"
        verdict = Verdict(PAIR, {label: 1.0}, reply.text, calls=(reply,))
        return replace(verdict, marks={"scores": (one, other)})
