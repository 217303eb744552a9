"""Prediction-powered means: a judge on every case, labels on a few, one interval that is right.

Whatever the judge is worth, the labels correct it; a better judge only makes the interval shorter.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import Interval
from evenhand.trust.estimate import (
    INDEPENDENT,
    SAMPLED,
    Estimate,
    Span,
    cases_of,
    described,
    no_interval,
)
from evenhand.trust.rectify import Method, bounded, no_rows, pseudo_rows, rectify


def ppi_mean(
    labels: ArrayLike,
    judged: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
    method: Method = "small_sample",
    lambda_: float | None = None,
) -> Estimate:
    """The mean label over all cases, from labels on some and verdicts on all.

    Paper: Angelopoulos et al. 2023, "PPI++: Efficient Prediction-Powered Inference",
        arXiv:2311.01453; the mean with power tuning. `method="clt"` is after the paper: one lambda
        from all labels, normal quantile. The default departs where that covers too little: lambda
        is fitted without the fold that it is used on; Student's t replaces the normal; two-valued
        labels that are under 200, or under 20 of one kind, get the rows (1,1), (0,0), (1,0), (0,1)
        as in Agresti and Coull's interval, which do t's work when there are no clusters. The
        estimate itself is without those rows.

    Args:
        labels: Shape (n_cases,), NaN where nobody gave one. Labelled cases are a random sample.
        judged: Shape (n_cases,), any units, NaN where undecided.
        clusters: Shape (n_cases,); cases of equal entries are not independent (one prompt).
        span: Bounds of the label scale. Needed for the small-sample rows; cuts the interval.
        lambda_: A fixed weight of the judge in [0, 1] (0 labels only, 1 the original PPI); None
            fits it.

    Returns:
        `interval.estimate` is NaN without labels; bounds are None under 10 labelled clusters.

    Raises:
        ValueError: Shapes that differ, infinite values, labels outside the span, lambda outside
            [0, 1].

    Example:
        >>> labels = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1] + [float("nan")] * 400
        >>> verdicts = [1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1] + [1, 1, 1, 0] * 100
        >>> found = ppi_mean(labels, verdicts, span=(0, 1))
        >>> round(found.interval.estimate, 2), found.n_labelled, found.n_unlabelled
        (0.65, 12, 400)
        >>> round(found.interval.low, 2), round(found.interval.high, 2)
        (0.45, 0.86)
    """
    if lambda_ is not None and not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda is {lambda_}; expected a weight in [0, 1], or None to fit it")
    cases = cases_of(labels, judged, clusters=clusters, span=span)
    if not cases.labelled.any():
        nothing = no_interval("PPI++", level, "no case has a label, so nothing can be corrected")
        return described(cases, nothing, level=level, span=span)
    pseudo = pseudo_rows(cases, span) if method == "small_sample" else no_rows()
    found = rectify(cases, pseudo, method=method, fixed=lambda_)
    widened = len(pseudo.rows) == 4 and not cases.grouped
    df = math.inf if method == "clt" or widened else found.groups - 1
    interval = bounded(found, found.variance(cases.codes), df, level=level, span=span, cases=cases)
    name = "PPI++" if method == "clt" else "PPI++, cross-fitted"
    name += ", pseudo-rows" if len(pseudo.rows) else ""
    name += ", normal" if math.isinf(df) else ", t"
    return described(
        cases,
        replace(interval, method=name),
        level=level,
        span=span,
        lambda_=found.lambda_,
        assumptions=(SAMPLED, INDEPENDENT),
    )


def ppi_bound(
    labels: ArrayLike,
    judged: ArrayLike,
    *,
    side: Literal["lower", "upper"],
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
    method: Method = "small_sample",
) -> Estimate:
    """A one-sided bound of the mean label: the other end is the span's, or infinite.

    All figures beside it are one-sided too.

    Raises:
        ValueError: As `ppi_mean`, or a level of 0.5 or less.
    """
    if not 0.5 < level < 1:
        raise ValueError(f"a one-sided bound at level {level}; expected a level in (0.5, 1)")
    both = ppi_mean(
        labels, judged, clusters=clusters, level=2 * level - 1, span=span, method=method
    )
    ends = span or (-math.inf, math.inf)

    def opened(found: Interval | None, low: float, high: float) -> Interval | None:
        if found is None or found.low is None:
            return found and replace(found, level=level)
        return (
            replace(found, high=high, level=level)
            if side == "lower"
            else replace(found, low=low, level=level)
        )

    gap = (ends[0] - ends[1], ends[1] - ends[0])
    interval = opened(both.interval, *ends)
    assert interval is not None
    return replace(
        both,
        interval=interval,
        human=opened(both.human, *ends),
        naive=opened(both.naive, *ends),
        bias=opened(both.bias, *gap),
    )


def ppi_difference(
    labels: ArrayLike,
    judged: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """The first system minus the second on the same cases: `ppi_mean` of paired differences.

    A case counts as labelled, or as decided, only when both its systems are.

    Args:
        labels, judged: Shape (n_cases, 2), a column a system; NaN as in `ppi_mean`.
        span: Bounds of the label scale of one system.
    """
    y, f = np.asarray(labels, dtype=float), np.asarray(judged, dtype=float)
    if y.ndim != 2 or y.shape[1] != 2 or y.shape != f.shape:
        raise ValueError(
            f"labels of shape {y.shape} and verdicts of shape {f.shape}; expected (n_cases, 2) "
            "in both, a column a system"
        )
    for one, answers in zip(y.T, f.T, strict=True):
        cases_of(one, answers, clusters=clusters, span=span)
    width = None if span is None else (span[0] - span[1], span[1] - span[0])
    found = ppi_mean(
        y[:, 0] - y[:, 1], f[:, 0] - f[:, 1], clusters=clusters, level=level, span=width
    )
    half = int((np.isnan(y[:, 0]) != np.isnan(y[:, 1])).sum())
    if not half:
        return found
    said = f"{half} cases have a label for one system only; those labels are not used"
    return replace(found, warnings=(*found.warnings, said))
