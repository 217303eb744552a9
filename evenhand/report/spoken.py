"""What verdicts say in numbers: their labels' places, the orders, how sure they were."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evenhand.door import modes
from evenhand.records import Scale, Verdict
from evenhand.report.figures import Evidence, Kind
from evenhand.report.summary import bounds, walk, winner

SHARES = {"A": 1.0, "tie": 0.5, "B": 0.0}


def same_number(name: str, value: float) -> bool:
    try:
        return float(name) == value
    except ValueError:
        return False


def places(on: Scale) -> dict[str, float]:
    """The labels' numbers; their places, where two labels share a number."""
    if len(set(on.labels.values())) == len(on.labels):
        return dict(on.labels)
    return {name: float(at) for at, name in enumerate(on.labels)}


def kind_of(on: Scale) -> Kind:
    if on.swaps:
        return "pairs"
    if on.span is not None or not on.labels:
        return "line"
    numbers = all(
        any(same_number(name, number) for number in on.labels.values()) for name in on.labels
    )
    return "grades" if numbers and len(on.labels) > 2 else "words"


def evidence_of(verdicts: Sequence[Verdict], on: Scale) -> Evidence:
    """Verdicts as arrays, without labels: those, clusters and systems are filled in later."""
    kind, grades = kind_of(on), places(on)
    said = np.array([_said(verdict, kind, grades) for verdict in verdicts])
    judged = np.array([math.nan if v.score is None else v.score for v in verdicts])
    if grades != dict(on.labels) and on.labels:
        judged = said
    span = (0.0, 1.0) if kind == "pairs" else bounds(on)
    if kind == "words":
        span = (min(grades.values()), max(grades.values()))
    numbers = {"pairs": (0.0, 0.5, 1.0), "line": ()}.get(kind, tuple(sorted(grades.values())))
    same, first = np.array([_orders(verdict) for verdict in verdicts]).reshape(-1, 2).T
    n, empty = len(verdicts), np.empty((len(verdicts), 0))
    return Evidence(
        judged, said, empty, empty, np.arange(n), np.full(n, ""), kind, numbers, span, same, first,
        sources=_sources(verdicts),
    )  # fmt: skip


def _said(verdict: Verdict, kind: Kind, grades: Mapping[str, float]) -> float:
    if not verdict.decided:
        return math.nan
    if kind == "pairs":
        return SHARES[winner(verdict) or "tie"]
    label = verdict.label
    if kind == "line" or label is None or label not in grades:
        return math.nan if verdict.score is None else verdict.score
    return grades[label]


def _orders(verdict: Verdict) -> tuple[float, float]:
    """Whether both orders agree, and the share of wins of the first position."""
    same, firsts = list[float](), list[float]()
    for part in walk(verdict):
        orders = {one.marks.get("order"): one for one in part.parts}
        given, swapped = orders.get("given"), orders.get("swapped")
        if given is not None and swapped is not None and given.decided and swapped.decided:
            same.append(float(modes(given) == modes(swapped)))
        order = part.marks.get("order")
        if order in ("given", "swapped") and part.decided and part.scale.swaps:
            best = winner(part)
            if best != "tie":
                firsts.append(float((best == "A") == (order == "given")))
    return _mean(same), _mean(firsts)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


# ---- how sure ------------------------------------------------------------------------------------


def _sources(verdicts: Sequence[Verdict]) -> dict[str, np.ndarray]:
    """'probabilities' of tokens or of a decision model, 'repeats' that agree, 'stated' in words.

    A run whose single verdicts are all certain has no probabilities.
    """
    found = {
        "probabilities": np.array([_given(verdict) for verdict in verdicts]),
        "repeats": np.array([_repeated(verdict) for verdict in verdicts]),
        "stated": np.array([_stated(verdict) for verdict in verdicts]),
    }
    if not any(len(one.probs) > 1 for verdict in verdicts for one in _voices(verdict)):
        del found["probabilities"]
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def _voices(verdict: Verdict) -> Iterator[Verdict]:
    """The single verdicts behind a whole; itself where it was made from something else."""
    leaves = [one for one in walk(verdict) if not one.parts and one.decided]
    alike = leaves and all(one.scale.name == verdict.scale.name for one in leaves)
    return iter(leaves if alike else [verdict])


def _given(verdict: Verdict) -> float:
    """The mean probability that single verdicts give to what the whole says."""
    if not verdict.decided:
        return math.nan
    return _mean([_share(one, verdict) for one in _voices(verdict)])


def _share(one: Verdict, whole: Verdict) -> float:
    if not whole.scale.swaps:
        return one.probs.get(whole.label or "", 0.0)
    sides = dict.fromkeys(SHARES, 0.0)
    for label, p in one.probs.items():
        number = one.scale.number(label)
        sides["A" if number > 0.5 else "B" if number < 0.5 else "tie"] += p
    return min(sides[winner(whole) or "tie"], 1.0)


def _repeated(verdict: Verdict) -> float:
    """The share of repeats, in each order where both were asked, that say what the whole says."""
    if not verdict.decided:
        return math.nan
    drawn = [one for one in walk(verdict) if "draw" in one.marks and one.decided]
    if len(drawn) < 2:
        return math.nan
    whole = winner(verdict) if verdict.scale.swaps else verdict.label
    said = [winner(one) if one.scale.swaps else one.label for one in drawn]
    return _mean([float(one == whole) for one in said])


def _stated(verdict: Verdict) -> float:
    """A certainty that the judge put into words: from 1 to 100, or a `confidence` from 0 to 1."""
    told = list[float]()
    for one in walk(verdict):
        if not one.parts and "certainty" in one.marks:
            told.append(float(one.marks["certainty"]) / 100)
        elif not one.parts and "confidence" in one.marks:
            told.append(float(one.marks["confidence"]))
    return _mean([value for value in told if 0 <= value <= 1])
