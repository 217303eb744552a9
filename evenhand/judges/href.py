"""Which of two responses is better, judged in the way that suits its category best?

Paper: Lyu et al. 2024, "HREF: Human Response-Guided Evaluation of Instruction Following in Language
    Models". arXiv:2412.15524. The table of ways was read in an author's development copy. Where it
    says similarity, the authors take BERTScore to the human response; ours is a stand-in, the F1 of
    shared words, which needs no model but sees no meaning, and no words where a script writes no
    spaces. The order is drawn once for each case, as AlpacaEval's code does, which the authors run.
    The wording is our own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from evenhand.fits import Fit
from evenhand.judges.lexical import normalised
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_label, undecided
from evenhand.records import PAIR, Case, Decode, Model, Scale, Verdict, View

RELEASED = Fit.read(Path(__file__).with_suffix(".json"))


@dataclass(frozen=True, slots=True)
class HREF:
    """Route by `case.group`: a judge that sees the human response, one that does not, or none.

    Attributes:
        fit: Of kind 'routing': category -> way. It is learnt from people's verdicts, so report on
            other cases than those.
        margin: Difference in F1 within which similarity calls a tie.
    """

    model: Model
    fit: Fit = RELEASED
    margin: float = 0.0
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=100)
    view: ClassVar[View] = "pairwise"
    answers: ClassVar[Scale] = PAIR

    def __post_init__(self) -> None:
        if self.fit.kind != "routing":
            raise ValueError(f"HREF needs a fit of kind 'routing', and this one is {self.fit.kind}")

    async def __call__(self, case: Case) -> Verdict:
        way = self.fit.data.get(case.group or "")
        if way is None:
            known = ", ".join(self.fit.data)
            return undecided(PAIR, "empty", f"no way is known for group {case.group!r} ({known})")
        known_answers = tuple(one for one in case.reference if one.strip())
        if way != "no-reference" and not known_answers:
            return undecided(PAIR, "empty", f"{case.group} needs a human response as reference")
        if way == "similarity":
            return self._nearer(case, known_answers).marked(way=way)
        shown = case if way == "reference" else replace(case, reference=())
        reply = await self.model(self.prompt(case=shown, decode=self.decode))
        verdict = last_label(reply, PAIR, r"\[\[\s*([A-Za-z]+)\s*\]\]", rename={"Tie": "tie"})
        return verdict.marked(way=way)

    def _nearer(self, case: Case, references: tuple[str, ...]) -> Verdict:
        one, other = (max(f1(r.text, text) for text in references) for r in case.responses)
        near = abs(one - other) <= self.margin + 1e-12
        label = "tie" if near else "A" if one > other else "B"
        told = f"F1 of shared words with the reference: {one:.3f} and {other:.3f}"
        return Verdict(PAIR, {label: 1.0}, told, marks={"similarity": (one, other)})


def f1(text: str, reference: str) -> float:
    """Harmonic mean of the shares of words that two texts have in common, each word as often.

    Example:
        >>> f1("the cat sat down", "A cat sat.")
        0.8
    """
    words, wanted = Counter(normalised(text).split()), Counter(normalised(reference).split())
    total = words.total() + wanted.total()
    return 2 * (words & wanted).total() / total if total else 0.0
