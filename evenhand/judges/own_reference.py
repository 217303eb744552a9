"""Judge with an answer that the judge wrote first, before it saw any response.

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.4.
    arXiv:2306.05685. For every case, where the paper does it for mathematics and reasoning; a
    reference that the case has is not used. The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass

from evenhand.judges.combine import Derived, Written
from evenhand.prompts import Prompt, beside
from evenhand.records import Case, Decode, Judge, Model, Verdict, View


@dataclass(frozen=True, slots=True)
class OwnReference:
    """Answer the prompt, and judge with that answer as the reference.

    Attributes:
        writer: Who answers; the judge's own model, unless told otherwise.
    """

    judge: Judge
    writer: Model
    writer_prompt: Prompt = beside(__file__)
    writer_decode: Decode = Decode(temperature=0.0, max_tokens=2048)

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        answer = Written(self.writer, self.writer_prompt, self.writer_decode)
        return await Derived(self.judge, "reference", answer)(case)
