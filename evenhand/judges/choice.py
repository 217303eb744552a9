"""One label out of a few, with its probability: from a decision model or from one token.

Own: the common core of System One questions and single-token verdicts. Labels must differ in their
    first token where the model answers with token probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from evenhand.prompts import Prompt, beside
from evenhand.readers import answered, label_probs, whole_label
from evenhand.records import (
    PAIR_NO_TIE,
    Case,
    Completion,
    Decode,
    Model,
    Question,
    Scale,
    Verdict,
    View,
    ints,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Give one response a label of any scale, without explaining.

    Attributes:
        descriptions: What each label means, in the scale's order; empty for none.
    """

    model: Model
    question: str = "How good is the response as an answer to the prompt? 1 is worst, 5 is best."
    scale: Scale = ints("quality", 1, 5)
    descriptions: tuple[str, ...] = ()
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=1)
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        return await _chosen(self, case)


@dataclass(frozen=True, slots=True)
class ChoicePair:
    """Choose between two responses in the order given; wrap in `Swap` to cancel position bias."""

    model: Model
    question: str = "Which response answers the prompt better?"
    scale: Scale = PAIR_NO_TIE
    descriptions: tuple[str, ...] = ()
    prompt: Prompt = beside(__file__, "pair")
    decode: Decode = Decode(temperature=0.0, max_tokens=1)
    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        return await _chosen(self, case)


async def _chosen(judge: Choice | ChoicePair, case: Case) -> Verdict:
    numbers, labels = list(judge.scale.labels.values()), tuple(judge.scale.labels)
    rising = all(low < high for low, high in pairwise(numbers))
    question = Question(judge.question, labels, judge.descriptions, "score" if rising else "choice")
    form = judge.prompt(case=case, decode=judge.decode, question=question)
    reply = await judge.model(replace(form, need="answer", question=question))
    return _read(reply, judge.scale)


def _read(reply: Completion, scale: Scale) -> Verdict:
    if reply.answer is not None:
        return answered(reply, scale)
    return label_probs(reply, scale) if reply.tops else whole_label(reply, scale)
