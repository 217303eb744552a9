"""Which of two responses is better, once both were compared with responses by others?

Paper: Zhang et al. 2025, "Crowd Comparative Reasoning: Unlocking Comprehensive Evaluations for
    LLM-as-a-Judge". arXiv:2502.12501. Members of the crowd are called C, D, … from the start,
    where the authors rename them in the finished texts; the sentences that hold a verdict are
    taken out. Members by others come from the data, not from a model. The wording is our own.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.combine import known_texts, together
from evenhand.judges.list_rank import letters
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, spoken, undecided
from evenhand.records import PAIR_NO_TIE, Case, Decode, Model, Response, Scale, Verdict, View

_VERDICT = r"\[\[\s*([A-Z]+)\s*\]\]"
_END = re.compile(r"(?<=[.!?\n])")


@dataclass(frozen=True, slots=True)
class CCE:
    """Compare A and B with every text in `case.notes["crowd"]`, then with each other.

    What was said where A or B lost is shown to the last comparison, without its outcome.

    Attributes:
        budget: Comparisons shown at most, half of them lost by A and half by B; drawn by the seed
            and the case's id where there are more.
    """

    model: Model
    budget: int = 16
    seed: int = 0
    prompt: Prompt = beside(__file__)
    compare_prompt: Prompt = beside(__file__, "compare")
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    compare_decode: Decode = Decode(temperature=0.7, max_tokens=2048)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        crowd = known_texts(case, "crowd")
        if not crowd:
            return undecided(self.answers, "empty", "the case has no texts in notes.crowd")
        first, second = case.responses
        members = [
            (name, Response((text,)))
            for name, text in zip(letters(len(crowd) + 2)[2:], crowd, strict=True)
        ]
        games = [(("A", first), member) for member in members]
        games += [(member, ("B", second)) for member in members]
        parts = await together([self._compared(case, *game) for game in games])
        remarks = self._drawn(case, parts[: len(crowd)]) + self._drawn(case, parts[len(crowd) :])
        reply = await self.model(self.prompt(case=case, decode=self.decode, remarks=remarks))
        whole = replace(last_label(reply, self.answers, _VERDICT), parts=tuple(parts))
        return whole.marked(shown=len(remarks), unread=sum(not part.decided for part in parts))

    async def _compared(
        self, case: Case, one: tuple[str, Response], other: tuple[str, Response]
    ) -> Verdict:
        names, pair = (one[0], other[0]), replace(case, responses=(one[1], other[1]))
        ask = self.compare_prompt(case=pair, decode=self.compare_decode, names=names)
        scale = Scale(f"{names[0]} or {names[1]}", {names[0]: 1.0, names[1]: 0.0})
        return last_label(await self.model(ask), scale, _VERDICT).marked(seats=list(names))

    def _drawn(self, case: Case, parts: list[Verdict]) -> list[str]:
        """What was said in the games that the candidate lost, without the outcome."""
        lost = [part.reason for part in parts if part.decided and part.label not in ("A", "B")]
        said = [text for reason in lost if (text := _without_outcome(spoken(reason)))]
        draw = random.Random(f"{self.seed}\0{case.id}")
        most = self.budget // 2
        return said if len(said) <= most else draw.sample(said, most)


def _without_outcome(text: str) -> str:
    return "".join(part for part in _END.split(text) if "[[" not in part).strip()
