"""A judge that was asked several times: how right it is with its own flips taken out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from evenhand.records import Verdict
from evenhand.report.people import known_only
from evenhand.report.summary import same_label
from evenhand.report.sweep import label_said
from evenhand.report.text import share
from evenhand.store import Signed
from evenhand.trust.agreement import Denoised, denoised_accuracy
from evenhand.trust.ratings import Gap, Ratings


def noise_of(manifest: Mapping[str, Any], rows: Iterable[Signed]) -> Denoised | None:
    """None unless the run's judge is a `Repeat` on labels, and people labelled some cases."""
    if manifest.get("judge", {}).get("plain", {}).get("is") != "Repeat":
        return None
    said, clusters = list[list[str | Gap | None]](), list[str]()
    for one in rows:
        if one.verdict is None or one.label is None or len(one.verdict.parts) < 2:
            continue
        truth = _on_scale(one.verdict, one.label)
        if truth is not None:
            parts = one.verdict.parts
            said.append([truth, *(label_said(p) if p.decided else Gap.UNREAD for p in parts)])
            clusters.append(one.cluster)
    if not said:
        return None
    return denoised_accuracy(Ratings.from_labels(said, clusters=clusters))


def _on_scale(verdict: Verdict, person: str) -> str | None:
    if verdict.scale.swaps:
        return person
    labels = verdict.scale.labels
    return next((n for n in labels if same_label(Verdict(verdict.scale, {n: 1.0}), person)), None)


def noise_json(found: Denoised | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return dict(known_only({name: one["interval"] for name, one in asdict(found).items()}))


def noise_text(run: str, found: Denoised) -> list[str]:
    clean = found.denoised.interval
    if math.isnan(clean.estimate):
        said = f"not known: {clean.reason}"
    else:
        said = f"{share(clean)}; one verdict in {_every(found.flip_rate.estimate)} flips"
    return [
        f"{run}: one of its repeated verdicts agrees with people in {share(found.raw.interval)}",
        f"  without its own noise  {said}",
    ]


def _every(rate: float) -> str:
    return f"{1 / rate:.0f}" if rate > 0.001 else "a thousand or more"
