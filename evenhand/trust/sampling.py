"""Which cases to label next, and the mean from labels that were drawn with unequal chances."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from evenhand.intervals import Interval
from evenhand.trust.estimate import (
    INDEPENDENT,
    Cases,
    Estimate,
    Floats,
    Ints,
    Span,
    cases_of,
    codes_of,
    described,
    few,
    no_interval,
)

FLOOR = 0.2  # the share of the budget that is spread evenly, whatever the judge says of itself
LEAST_IN_STRATUM = 5


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Cases to label; keep the probabilities with the labels, `active_mean` needs them.

    Attributes:
        cases: Rows of the cases drawn, ascending; `probabilities` are their chances.
    """

    cases: tuple[int, ...]
    probabilities: tuple[float, ...]
    warnings: tuple[str, ...] = ()


def label_plan(
    judged: ArrayLike,
    confidence: ArrayLike | None,
    *,
    clusters: ArrayLike | None = None,
    budget: int,
    strata: ArrayLike | None = None,
    floor: float = FLOOR,
    rng: np.random.Generator,
) -> LabelPlan:
    """Draws exactly `budget` cases, more often where the judge is likelier to be wrong.

    Paper: after Zrnic and Candès 2024, "Active Statistical Inference", arXiv:2403.03208: chances in
        proportion to the predicted error, mixed with even ones. Ours: a fixed number of cases, by
        systematic sampling in a random order that keeps clusters and strata together, so that the
        labels spread over them; the chances are exact.

    Args:
        judged: Shape (n_cases,), NaN where undecided; those count as the likeliest errors.
        confidence: Shape (n_cases,), the judge's chance of being right, in [0, 1]; NaN counts as
            the lowest. None makes all chances within a stratum equal.
        strata: Shape (n_cases,); the budget is shared out by Neyman's rule, with at least 5 a
            stratum where it allows.
        floor: Share of the budget spread evenly, in (0, 1]; keeps every chance above 0.

    Raises:
        ValueError: Shapes that differ, a budget under 1, confidence or floor out of range.
    """
    answers = np.asarray(judged, dtype=float)
    if budget < 1 or not 0 < floor <= 1:
        raise ValueError(f"budget {budget}, floor {floor}; expected at least 1, and (0, 1]")
    error = _predicted_error(answers, confidence)
    codes = codes_of(clusters, answers.size)
    layer = codes_of(strata, answers.size) if strata is not None else np.zeros_like(codes)
    if budget >= answers.size:
        said = f"the budget of {budget} covers all {answers.size} cases"
        return LabelPlan(tuple(range(answers.size)), (1.0,) * answers.size, (said,))
    sizes = np.bincount(layer)
    # The root mean square of a 0-or-1 error of chance e is the root of the mean e.
    spreads = np.sqrt(np.bincount(layer, weights=error) / sizes)
    counts = neyman(sizes, spreads, budget) if strata is not None else np.array([budget])
    chances = np.zeros(answers.size)
    for k, count in enumerate(counts):
        chances[layer == k] = _chances(error[layer == k], int(count), floor)
    drawn = _systematic(chances, layer, codes, rng)
    starved = int((counts == 0).sum())
    warned = (f"{starved} strata get no label from a budget of {budget}",) if starved else ()
    return LabelPlan(tuple(drawn.tolist()), tuple(chances[drawn].tolist()), warned)


def _predicted_error(answers: Floats, confidence: ArrayLike | None) -> Floats:
    if confidence is None:
        return np.ones(answers.size, dtype=np.float64)
    sure = np.asarray(confidence, dtype=float)
    if sure.shape != answers.shape:
        raise ValueError(f"confidence of shape {sure.shape} for {answers.size} cases")
    known = ~np.isnan(sure)
    if ((sure[known] < 0) | (sure[known] > 1)).any():
        raise ValueError("confidence outside [0, 1]; expected the judge's chance of being right")
    error: Floats = np.where(known, 1 - sure, -1.0)
    error[~known | np.isnan(answers)] = error.max(initial=0.0) if known.any() else 1.0
    return error


def _chances(error: Floats, count: int, floor: float) -> Floats:
    """Chances that sum to `count`, at most 1 each; what is cut at 1 goes to the others."""
    even: Floats = np.full(error.size, count / error.size)
    if error.sum() <= 0 or count in (0, error.size):
        return even
    chances: Floats = floor * even + (1 - floor) * count * error / error.sum()
    sure = np.zeros(error.size, dtype=bool)
    while (chances[~sure] > 1).any():
        sure |= chances >= 1
        chances[sure] = 1.0
        left = ~sure
        if left.any():
            chances[left] *= (count - sure.sum()) / chances[left].sum()
    return np.minimum(chances, 1.0)


def _systematic(chances: Floats, layer: Ints, codes: Ints, rng: np.random.Generator) -> Ints:
    shuffled = rng.permutation(codes.max() + 1)[codes]
    order = np.lexsort((rng.random(chances.size), shuffled, layer))
    # Each step of 1 along the cumulated chances, from a random start, names one case.
    steps = np.cumsum(chances[order])
    steps *= round(steps[-1]) / steps[-1]
    marks = rng.random() + np.arange(round(steps[-1]))
    picked = np.minimum(np.searchsorted(steps, marks, side="right"), chances.size - 1)
    return np.sort(order[picked])


def neyman(
    sizes: ArrayLike, spreads: ArrayLike, budget: int, *, least: int = LEAST_IN_STRATUM
) -> NDArray[np.int64]:
    """Labels for each stratum, in proportion to its size times its spread.

    Paper: Neyman 1934, "On the Two Different Aspects of the Representative Method", Journal of the
        Royal Statistical Society 97, doi:10.2307/2342192, after the paper.

    Args:
        sizes: Shape (n_strata,), cases to choose from.
        spreads: Shape (n_strata,), standard deviation of label minus lambda times verdict, from a
            pilot of about a tenth of the budget.
        least: At least so many each, where budget and size allow.

    Returns:
        Shape (n_strata,), summing to the budget or to all cases.

    Example:
        >>> neyman([1000, 1000], [0.1, 0.3], 100).tolist()
        [25, 75]
    """
    room, spread = np.asarray(sizes, dtype=np.int64), np.asarray(spreads, dtype=float)
    if room.shape != spread.shape or (room < 0).any() or not (spread >= 0).all():
        raise ValueError("strata need one size and one spread each, none negative or NaN")
    budget = min(budget, int(room.sum()))
    counts = np.minimum(room, min(least, budget // max(room.size, 1)))
    want = room * spread if (room * spread).sum() > 0 else room.astype(float)
    for _ in range(budget - int(counts.sum())):
        # One label at a time to where it lowers the variance most (Huntington-Hill).
        gain = np.where(counts < room, want**2 / np.maximum(counts * (counts + 1.0), 0.5), -1.0)
        counts[int(gain.argmax())] += 1
    return counts


def active_mean(
    labels: ArrayLike,
    judged: ArrayLike,
    probabilities: ArrayLike | None,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """The mean label from labels drawn with known, unequal chances.

    Paper: Zrnic and Candès 2024, "Active Statistical Inference", arXiv:2403.03208; the batch
        estimate of a mean: verdict plus (label - verdict) / chance where labelled. Ours: Student's
        t with labelled clusters - 1 degrees of freedom.

    Args:
        labels: Shape (n_cases,), NaN where nobody gave one.
        judged: Shape (n_cases,), in the labels' units, NaN where undecided.
        probabilities: Shape (n_cases,), each case's chance of being drawn as `label_plan` gave it;
            may be NaN where there is no label.

    Raises:
        ValueError: No probabilities, one missing on a labelled case, or one outside (0, 1].
    """
    cases = cases_of(labels, judged, clusters=clusters, span=span)
    lab = cases.labelled
    chances = _recorded(probabilities, lab)
    found = described(
        cases,
        _active(cases, chances, level=level, span=span),
        level=level,
        span=span,
        assumptions=(
            "cases were drawn with the recorded probabilities, and every drawn case got its label",
            INDEPENDENT,
        ),
    )
    if not lab.any():
        return found
    why = "labels have unequal chances; compare the estimate with the judge instead"
    warned = found.warnings
    if chances[lab].min() * lab.size < 0.05 * lab.sum():
        said = "some labels stand for over 20 times their share; the interval may be short"
        warned = (*warned, said)
    return replace(
        found,
        human=_weighted(cases, chances, level),
        bias=no_interval("clustered t", level, why),
        warnings=warned,
    )


def _recorded(probabilities: ArrayLike | None, lab: NDArray[np.bool_]) -> Floats:
    if probabilities is None:
        raise ValueError(
            "labels chosen by a plan, but no sampling probabilities; expected the probability with "
            "which each labelled case was drawn; use the file that the label plan wrote"
        )
    chances = np.asarray(probabilities, dtype=float)
    if chances.shape != lab.shape:
        raise ValueError(f"probabilities of shape {chances.shape} for {lab.size} cases")
    own = chances[lab]
    if not ((own > 0) & (own <= 1)).all():
        bad = int((~((own > 0) & (own <= 1))).sum())
        raise ValueError(
            f"{bad} labelled cases have no sampling probability in (0, 1]; labels that were not "
            "drawn by the plan cannot be used with it; set them to NaN"
        )
    return chances


def _weighted(cases: Cases, chances: Floats, level: float) -> Interval:
    """The labels alone, weighted by one over their chances (Hájek's ratio)."""
    lab = cases.labelled
    weight = 1 / chances[lab]
    mean = float((weight * cases.labels[lab]).sum() / weight.sum())
    part = weight * (cases.labels[lab] - mean) / weight.sum()
    return _around(mean, part, cases.codes[lab], cases, level=level, span=None)


def _active(cases: Cases, chances: Floats, *, level: float, span: Span | None) -> Interval:
    lab = cases.labelled
    if not lab.any():
        return no_interval("active", level, "no case has a label, so nothing can be corrected")
    value = cases.filled.copy()
    value[lab] += (cases.labels[lab] - cases.filled[lab]) / chances[lab]
    mean = float(value.mean())
    return _around(mean, (value - mean) / value.size, cases.codes, cases, level=level, span=span)


def _around(
    mean: float, part: Floats, codes: Ints, cases: Cases, *, level: float, span: Span | None
) -> Interval:
    labelled = int(np.unique(cases.codes[cases.labelled]).size)
    groups = int(np.unique(codes).size)
    why = few(labelled)
    variance = groups / max(groups - 1, 1) * float((np.bincount(codes, weights=part) ** 2).sum())
    if not why and variance <= 1e-24 * max(1.0, mean**2):
        why = "all labels agree with the judge exactly, so no variance can be seen"
    low = high = None
    if not why:
        half = float(stdtrit(labelled - 1, 0.5 + level / 2)) * math.sqrt(variance)
        low, high = mean - half, mean + half
    if span is not None:
        mean = min(max(mean, span[0]), span[1])
        low = None if low is None else min(max(low, span[0]), span[1])
        high = None if high is None else min(max(high, span[0]), span[1])
    n = int(cases.labelled.sum())
    return Interval(mean, low, high, level, "active", n, labelled, why)


def aligned_probabilities(plan: LabelPlan, n_cases: int) -> NDArray[Any]:
    """Shape (n_cases,), NaN where the plan drew nothing: what `active_mean` takes."""
    found = np.full(n_cases, np.nan)
    found[list(plan.cases)] = plan.probabilities
    return found
