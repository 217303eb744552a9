"""The number of the better response on the first line, then the reason and a reference answer.

Paper: Wang et al. 2023, "PandaLM: An Automatic Evaluation Benchmark for LLM Instruction Tuning
    Optimization". arXiv:2306.05087. A judge that was trained needs the template it was trained on:
    give it by `--template`; the wording here is our own. A first line that is not 1, 2 or tie is
    undecided, where the authors' code counts it as a tie; beam search is replaced by temperature 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label
from evenhand.records import PAIR, Case, Decode, Model, Scale, Verdict, View

# The first line that is not empty, and nothing in it but the verdict and signs.
_FIRST_LINE = r"\A[^\w+-]*(1|2|[Tt]ie|TIE)[^\w\n]*(?:\n|\Z)"
_SAID = {"1": "A", "2": "B", "Tie": "tie", "TIE": "tie"}


@dataclass(frozen=True, slots=True)
class PandaLM:
    """Compare two responses in the one order given, as published; `--order` changes that."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=512)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    async def __call__(self, case: Case) -> Verdict:
        reply = await self.model(self.prompt(case=case, decode=self.decode))
        return last_label(reply, self.answers, _FIRST_LINE, rename=_SAID)
