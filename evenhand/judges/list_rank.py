"""In which order of quality do the responses stand?

Paper: Chen et al. 2024, "MLLM-as-a-Judge: Assessing Multimodal LLM-as-a-Judge with Vision-Language
    Benchmark", batch ranking. arXiv:2402.04788. An order that is no permutation is undecided. The
    wording is our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from evenhand.pools import ORDER
from evenhand.prompts import Prompt, beside
from evenhand.readers import spoken, undecided, unreadable
from evenhand.records import Case, Completion, Decode, Model, Scale, Verdict, View

_MARKED = r"\[\[\s*[A-Z]+\s*\]\]"
_CHAIN = re.compile(rf"{_MARKED}(?:\s*>\s*{_MARKED})+")


@dataclass(frozen=True, slots=True)
class ListRank:
    """Put all responses in an order in one call; wrap in `Rotate` to cancel position bias."""

    model: Model
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=4096)
    view: ClassVar[View] = "listwise"
    answers: ClassVar[Scale] = ORDER

    async def __call__(self, case: Case) -> Verdict:
        names = letters(len(case.responses))
        reply = await self.model(self.prompt(case=case, decode=self.decode, names=names))
        return last_order(reply, names)


def letters(count: int) -> tuple[str, ...]:
    """What responses are called where there may be many: A, B, …, Z, AA, AB, …

    Example:
        >>> letters(28)[-3:]
        ('Z', 'AA', 'AB')
    """
    names = list(ascii_uppercase)
    for start in names:
        if len(names) >= count:
            break
        names.extend(start + end for end in ascii_uppercase)
    return tuple(names[:count])


def last_order(reply: Completion, names: Sequence[str]) -> Verdict:
    """The last chain of markers, best first, which must name every response once.

    Example:
        >>> last_order(Completion("So [[B]] > [[C]] > [[A]]"), ("A", "B", "C")).label
        '1>2>0'
    """
    if stopped := unreadable(reply, ORDER):
        return stopped
    found = _CHAIN.findall(spoken(reply.text))
    said = re.findall(r"[A-Z]+", found[-1]) if found else []
    if sorted(said) == sorted(names):
        order = ">".join(str(names.index(name)) for name in said)
        return Verdict(ORDER, {order: 1.0}, reply.text, calls=(reply,))
    lacking = [name for name in names if name not in said]
    wrong = sorted({name for name in said if said.count(name) > 1 or name not in names})
    why = f"leaves out {', '.join(lacking)}" if lacking else f"names {', '.join(wrong)} too often"
    return undecided(ORDER, "unread", f"the order {found[-1:]} {why}", (reply,))
