"""People's verdict, predicted from what a judge wrote and how it scored.

Paper: Sahoo et al. 2025, "Quantitative LLM Judges", section 3. arXiv:2506.02945. The fit says how
    the judge's text is embedded: hashed n-grams, which need no model, or as in the paper a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenhand.embedders import Embedder
from evenhand.fits import Fit, must_be, predicted
from evenhand.judges.combine import needs, together
from evenhand.readers import spoken
from evenhand.records import PAIR_NO_TIE, Case, Judge, Scale, Verdict, View


@dataclass(frozen=True, slots=True)
class Quantified:
    """Predict a rating or a preference; the judge's own verdicts stay as parts.

    Attributes:
        judge: Pointwise for the heads LS and MN, pairwise for BTL; for BTL2 a pointwise one, which
            is asked about each of two responses.
        fit: Of kind 'quantitative', learnt from people's labels: report on other cases than those.
    """

    judge: Judge
    fit: Fit

    def __post_init__(self) -> None:
        must_be(self.fit, "quantitative", "Quantified")
        head = self.fit.data["head"]
        needs(self.judge, "pairwise" if head == "BTL" else "pointwise", f"the head {head}")
        if embedder := Embedder.of(self.fit.data):
            embedder.check()

    @property
    def view(self) -> View:
        return "pairwise" if self.fit.data["head"] == "BTL2" else self.judge.view

    @property
    def scale(self) -> Scale:
        data = self.fit.data
        if data["head"] == "LS":
            return Scale("fitted", span=(float(data["span"][0]), float(data["span"][1])))
        labels = {label: float(label) for label in data["labels"]}
        return Scale("fitted", labels) if labels else PAIR_NO_TIE

    async def __call__(self, case: Case) -> Verdict:
        both = self.fit.data["head"] == "BTL2"
        if both and len(case.responses) != 2:
            raise ValueError(f"case {case.id!r} has {len(case.responses)} responses, a pair has 2")
        cases = [case.only(0), case.only(1)] if both else [case]
        raws = await together([self.judge(one) for one in cases])
        parts = tuple(raw.marked(stage="raw", item=i) for i, raw in enumerate(raws))
        lost = next((raw for raw in raws if not raw.decided), None)
        probs = _probs(self.fit.data, raws) if lost is None else {}
        return Verdict(self.scale, probs, lost.reason if lost else "", parts=parts)


def said(verdict: Verdict) -> str:
    """The judge's text: what its model wrote without thoughts, that of the parts included."""
    texts = [spoken(call.text) for call in verdict.calls]
    return "\n".join([*texts, *(said(part) for part in verdict.parts)])


def base_of(head: str, score: float) -> float:
    """The score as a head takes it: for BTL the log-odds, kept 0.001 away from 0 and 1."""
    share = min(max(score, 0.001), 0.999)
    return math.log(share / (1.0 - share)) if head == "BTL" else score


def _probs(data: Mapping[str, Any], raws: list[Verdict]) -> dict[str, float]:
    head = data["head"]
    bases = [base_of(head, raw.score or 0.0) for raw in raws]
    linear = predicted(data, bases, [said(raw) for raw in raws]).tolist()
    if head == "LS":
        low, high = data["span"]
        return {repr(round(min(max(linear[0][0], low), high), 9)): 1.0}
    if head == "MN":
        powers = [math.exp(one - max(linear[0])) for one in linear[0]]
        return {k: power / sum(powers) for k, power in zip(data["labels"], powers, strict=True)}
    odds = linear[0][0] - (linear[1][0] if head == "BTL2" else 0.0)
    better = 1.0 / (1.0 + math.exp(-abs(odds)))  # exchanging the responses mirrors it exactly
    return dict(zip("AB" if odds >= 0 else "BA", (better, 1.0 - better), strict=True))
