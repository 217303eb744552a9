"""A judge whose probabilities are those that people's labels taught.

Paper: Guo et al. 2017, "On Calibration of Modern Neural Networks". arXiv:1706.04599. The paper
    calibrates the label with the highest probability by a temperature; other maps and other events
    are ours, and so is sharing what is left among the other labels as the judge did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenhand.errors import Misuse
from evenhand.fits import Fit, calibrated, must_be
from evenhand.records import Case, Judge, Verdict, View


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Change the probabilities of the labels by a fit; the verdict as it came stays as a part.

    Attributes:
        fit: Of kind 'calibrate', learnt from people's labels: report on other cases than those.
    """

    judge: Judge
    fit: Fit

    def __post_init__(self) -> None:
        must_be(self.fit, "calibrate", "Calibrated")
        if self.judge.view == "listwise":
            raise ValueError("Calibrated needs labels with probabilities, and orders have none")

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        raw = await self.judge(case)
        part = raw.marked(stage="raw")
        if not raw.decided:
            return Verdict(raw.scale, {}, raw.reason, parts=(part,))
        return Verdict(raw.scale, _mended(self.fit.data, raw), parts=(part,))


def _mended(data: Mapping[str, Any], raw: Verdict) -> dict[str, float]:
    if raw.scale.span:
        raise Misuse(
            f"{raw.scale.name} is a line of numbers, and a calibrated probability needs labels",
            do="evenhand fit … --kind quantitative",
        )
    probs = {label: raw.probs.get(label, 0.0) for label in raw.scale.labels}
    if data["of"] == "labels":
        powers = {label: max(p, 1e-6) ** data["a"] for label, p in probs.items()}
        return {label: power / sum(powers.values()) for label, power in powers.items()}
    event = str(raw.label) if data["of"] == "mode" else data["of"].removeprefix("label:")
    if event not in probs:
        known = ", ".join(probs)
        raise Misuse(f"the fit is about the label {event!r}", expected=f"one of {known}")
    if len(probs) == 1:
        return probs
    new, left = float(calibrated(data, probs[event])), 1.0 - probs[event]
    shares = {k: p / left if left > 0.0 else 1 / (len(probs) - 1) for k, p in probs.items()}
    return {k: new if k == event else (1.0 - new) * share for k, share in shares.items()}
