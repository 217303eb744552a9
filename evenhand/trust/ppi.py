"""Prediction-powered means: a judge on every case, labels on a few, one interval that is right.

Whatever the judge is worth, the labels correct it; a better judge only makes the interval shorter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from evenhand.intervals import Interval
from evenhand.trust.estimate import (
    INDEPENDENT,
    SAMPLED,
    Cases,
    Estimate,
    Floats,
    Ints,
    Span,
    beside,
    cases_of,
    few,
    no_interval,
    warnings_of,
)

FOLDS = 10
SMALL, RARE = 200, 20  # below these, two- and three-valued labels get pseudo-rows
LEAST_IN_STRATUM = 5
Method = Literal["small_sample", "clt"]


@dataclass(frozen=True, slots=True)
class Pseudo:
    """Made-up rows that keep a small sample from looking certain: pairs (label, verdict)."""

    rows: Floats
    weight: float

    @property
    def labels(self) -> Floats:
        return self.rows[:, 0]

    @property
    def judged(self) -> Floats:
        return self.rows[:, 1]


@dataclass(frozen=True, slots=True)
class Rectified:
    """A corrected mean before its interval.

    Attributes:
        estimate: From the real rows; `centre` also counts the pseudo-rows.
        influence: Shape (n_cases,), each case's part in the error of `centre`, scaled so that the
            sum of squares over clusters is the variance; `extra` is the pseudo-rows' variance.
        groups: Clusters with a label.
    """

    estimate: float
    centre: float
    influence: Floats
    extra: float
    groups: int
    lambda_: float = 1.0

    def variance(self, codes: Ints) -> float:
        return float((np.bincount(codes, weights=self.influence) ** 2).sum()) + self.extra


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

    Paper: Angelopoulos et al. 2023, "PPI++: Efficient Prediction-Powered Inference", arXiv:2311.01453;
        the mean with power tuning. `method="clt"` is after the paper: one lambda from all labels,
        normal quantile. The default departs where that covers too little: lambda is fitted
        without the fold that it is used on, Student's t replaces the normal, and two-valued
        labels that are under 200, or under 20 of one kind, get the four rows (1,1), (0,0),
        (1,0), (0,1) as in Agresti and Coull's interval. The estimate itself is without them.

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
    """
    if lambda_ is not None and not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda is {lambda_}; expected a weight in [0, 1], or None to fit it")
    cases = cases_of(labels, judged, clusters, span)
    sides = beside(cases, level=level, span=span)
    counts = _counts(cases)
    if not cases.labelled.any():
        nothing = no_interval("PPI++", level, "no case has a label, so nothing can be corrected")
        return Estimate(nothing, "PPI++", **counts, **sides, warnings=warnings_of(cases, span))
    pseudo = pseudo_rows(cases, span) if method == "small_sample" else no_rows()
    found = rectify(cases, pseudo, method=method, fixed=lambda_)
    df = math.inf if method == "clt" else found.groups - 1
    interval = bounded(found, found.variance(cases.codes), df, level=level, span=span, cases=cases)
    name = "PPI++, cross-fitted, t" if method == "small_sample" else "PPI++, normal"
    if len(pseudo.rows):
        name += ", pseudo-rows"
    return Estimate(
        replace(interval, method=name),
        name,
        **counts,
        **sides,
        lambda_=found.lambda_,
        assumptions=(SAMPLED, INDEPENDENT),
        warnings=warnings_of(cases, span),
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
    labels_a: ArrayLike,
    labels_b: ArrayLike,
    judged_a: ArrayLike,
    judged_b: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """System a minus system b on the same cases: `ppi_mean` of the paired differences.

    A case counts as labelled, or as decided, only when both its systems are.

    Args:
        span: Bounds of the label scale of one system.
    """
    a, b = (np.asarray(one, dtype=float) for one in (labels_a, labels_b))
    f, g = (np.asarray(one, dtype=float) for one in (judged_a, judged_b))
    if not a.shape == b.shape == f.shape == g.shape:
        raise ValueError("labels and verdicts of two systems need one entry a case in all four")
    for one in (a, b):
        cases_of(one, f, clusters, span)
    width = None if span is None else (span[0] - span[1], span[1] - span[0])
    found = ppi_mean(a - b, f - g, clusters=clusters, level=level, span=width)
    half = int((np.isnan(a) != np.isnan(b)).sum())
    if not half:
        return found
    said = f"{half} cases have a label for one system only; those labels are not used"
    return replace(found, warnings=(*found.warnings, said))


def ppi_stratified(
    labels: ArrayLike,
    judged: ArrayLike,
    strata: ArrayLike,
    *,
    shares: Mapping[Any, float] | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """The mean label when labels were drawn within strata, each stratum with its own lambda.

    Paper: after Fisch et al. 2024, "Stratified Prediction-Powered Inference for Hybrid Language
        Model Evaluation", arXiv:2406.04291. Ours: cross-fitting and t (Welch-Satterthwaite
        degrees of freedom), the four small-sample rows shared out by each stratum's labels.

    Args:
        strata: Shape (n_cases,), known for every case.
        shares: The population's share of each stratum, summing to 1. None takes the cases as a
            random sample of the population; the interval then counts that doubt too.

    Returns:
        No estimate when a stratum has fewer than 5 labelled cases; the reason names it.
    """
    cases, named = cases_of(labels, judged, clusters, span), np.asarray(strata)
    if named.shape != cases.labels.shape:
        raise ValueError(f"strata of shape {named.shape}; expected one a case")
    names, which = np.unique(named, return_inverse=True)
    weights = _shares(names, which.ravel(), shares)
    sides, counts = beside(cases, level=level, span=span), _counts(cases)
    warned = warnings_of(cases, span)
    thin = [
        f"{name} ({int(cases.labelled[which == k].sum())})"
        for k, name in enumerate(names)
        if cases.labelled[which == k].sum() < LEAST_IN_STRATUM
    ]
    if thin or not names.size:
        why = "fewer than 5 labelled cases in stratum " + ", ".join(thin) if thin else "no cases"
        return Estimate(
            no_interval("stratified PPI++", level, why),
            "stratified PPI++",
            **counts,
            **sides,
            warnings=warned,
        )
    pseudo, n = pseudo_rows(cases, span), counts["n_labelled"]
    parts = []
    for k in range(names.size):
        inside = which == k
        part = Cases(
            np.where(inside, cases.labels, np.nan),
            cases.judged,
            cases.filled,
            cases.codes,
            cases.grouped,
        )
        own = replace(pseudo, weight=pseudo.weight * cases.labelled[inside].sum() / n)
        parts.append(rectify(part, own, used=inside))
    found, df = _together(parts, weights, which, shares is None, cases.codes)
    interval = bounded(found, found.variance(cases.codes), df, level=level, span=span, cases=cases)
    return Estimate(
        replace(interval, method="stratified PPI++"),
        "stratified PPI++",
        **counts,
        **sides,
        lambda_=found.lambda_,
        assumptions=("labels are a random sample within each stratum", INDEPENDENT),
        warnings=warned,
    )


def _shares(names: NDArray[Any], which: Ints, shares: Mapping[Any, float] | None) -> Floats:
    if shares is None:
        return np.bincount(which, minlength=names.size) / max(which.size, 1)
    given = {str(key): float(value) for key, value in shares.items()}
    if set(given) != {str(name) for name in names} or abs(sum(given.values()) - 1) > 1e-6:
        raise ValueError(
            f"shares {dict(shares)} do not fit the strata {[str(name) for name in names]}; "
            "expected one share for each, summing to 1"
        )
    return np.array([given[str(name)] for name in names])


def _together(
    parts: list[Rectified], weights: Floats, which: Ints, estimated: bool, codes: Ints
) -> tuple[Rectified, float]:
    """The weighted sum of strata, and its degrees of freedom."""
    centres = np.array([part.centre for part in parts])
    centre = float(weights @ centres)
    influence = np.sum([w * part.influence for w, part in zip(weights, parts, strict=True)], axis=0)
    if estimated:
        influence = influence + (centres[which] - centre) / which.size
    own = np.array([w**2 * p.variance(codes) for w, p in zip(weights, parts, strict=True)])
    df = np.array([max(part.groups - 1, 1) for part in parts])
    total = own.sum()
    return Rectified(
        float(weights @ [part.estimate for part in parts]),
        centre,
        influence,
        float(sum(w**2 * part.extra for w, part in zip(weights, parts, strict=True))),
        sum(part.groups for part in parts),
        float(weights @ [part.lambda_ for part in parts]),
    ), float(total**2 / (own**2 / df).sum()) if total > 0 else float(df.sum())


def _counts(cases: Cases) -> dict[str, Any]:
    n = int(cases.labelled.sum())
    return {
        "n_labelled": n,
        "n_unlabelled": cases.labels.size - n,
        "n_undecided": cases.undecided,
    }


def no_rows() -> Pseudo:
    return Pseudo(np.empty((0, 2)), 1.0)


def pseudo_rows(cases: Cases, span: Span | None) -> Pseudo:
    """Rows for few two-valued labels, and for few three-valued ones (ends and middle).

    With clusters each row stands for one cluster of mean size.
    """
    y = cases.labels[cases.labelled]
    if span is None or not y.size:
        return no_rows()
    low, high, middle = *span, (span[0] + span[1]) / 2
    values, counts = np.unique(y, return_counts=True)
    rare = int(counts.min()) if values.size > 1 else 0
    weight = y.size / np.unique(cases.codes[cases.labelled]).size
    if (y.size >= SMALL and rare >= RARE) or not np.isin(values, (low, middle, high)).all():
        return no_rows()
    if np.isin(values, (low, high)).all() and (low, values.size) != (-high, 1):
        rows = [(high, high), (low, low), (high, low), (low, high)]
    else:
        rows = [(high, middle), (low, middle)]
    return Pseudo(np.array(rows, dtype=float), weight)


def rectify(
    cases: Cases,
    pseudo: Pseudo,
    *,
    method: Method = "small_sample",
    fixed: float | None = None,
    used: NDArray[np.bool_] | None = None,
) -> Rectified:
    """The corrected mean of the cases in `used` (None: all) with its influence values."""
    lab = cases.labelled
    rest = ~lab if used is None else ~lab & used
    f = cases.filled - (cases.filled[rest].mean() if rest.any() else 0.0)
    if not rest.any():
        lambdas = np.zeros(int(lab.sum()))
    elif fixed is not None:
        lambdas = np.full(int(lab.sum()), float(fixed))
    else:
        centre = cases.filled[rest].mean()
        shifted = replace(pseudo, rows=pseudo.rows - [0.0, centre])
        lambdas = _lambdas(cases, f, rest, shifted, one=method == "clt")
    mean = float(lambdas.mean())
    prediction = np.where(rest, mean * f, 0.0)
    prediction[lab] = lambdas * f[lab]
    offset = cases.filled[rest].mean() if rest.any() else 0.0
    made = pseudo.labels - mean * (pseudo.judged - offset)
    return replace(combined(cases, prediction, rest, made, pseudo.weight), lambda_=mean)


def combined(
    cases: Cases, prediction: Floats, rest: NDArray[np.bool_], made: Floats, weight: float
) -> Rectified:
    """The mean of label minus prediction, where predictions average 0 over the unlabelled.

    Args:
        prediction: Shape (n_cases,), fitted without the label of the case.
        rest: The unlabelled cases.
        made: Label minus prediction of the pseudo-rows, each of the given weight.
    """
    lab = cases.labelled
    gap = cases.labels[lab] - prediction[lab]
    total = gap.size + weight * made.size
    centre = float((gap.sum() + weight * made.sum()) / total)
    groups = np.unique(cases.codes[lab]).size
    small = _bessel(groups + made.size)
    influence = np.zeros(cases.labels.size)
    influence[lab] = math.sqrt(small) * (gap - centre) / total
    if rest.any():
        wide = _bessel(np.unique(cases.codes[rest]).size)
        influence[rest] = math.sqrt(wide) * prediction[rest] / rest.sum()
    extra = small * float(((weight * (made - centre) / total) ** 2).sum())
    return Rectified(float(gap.mean()), centre, influence, extra, groups)


def _bessel(groups: int) -> float:
    return groups / (groups - 1) if groups > 1 else 1.0


def _lambdas(
    cases: Cases, f: Floats, rest: NDArray[np.bool_], pseudo: Pseudo, *, one: bool
) -> Floats:
    """One lambda a labelled case: Cov(Y, F) / ((1 + n/N) Var(F)), without the case's own fold."""
    lab = cases.labelled
    y, x = cases.labels[lab], f[lab]
    folds = np.zeros(y.size, dtype=np.int64) if one else folds_of(cases, f)
    n_folds = int(folds.max()) + 1
    made, w = pseudo.rows, pseudo.weight

    def sums(values: Floats, rows: Floats) -> Floats:
        own = np.bincount(folds, weights=values, minlength=n_folds)
        return (own if one else own.sum() - own) + w * rows.sum()

    ones = sums(np.ones(y.size), np.ones(len(made)))
    sy, sx = sums(y, made[:, 0]), sums(x, made[:, 1])
    sxy = sums(x * y, made[:, 0] * made[:, 1])
    cross = sxy - sx * sy / np.maximum(ones, 1)
    # The paper pools the variance of the predictions over labelled and unlabelled cases.
    pooled = float(np.concatenate([x, f[rest]]).var(ddof=1))
    scale = (1 + y.size / rest.sum()) * pooled * np.maximum(ones - 1, 1)
    # An exactly flat judge leaves rounding dust in its variance.
    flat = pooled <= 1e-20 * max(1.0, float(np.abs(cases.filled).max()) ** 2)
    best = np.zeros(n_folds) if flat else np.clip(cross / scale, 0, 1)
    return best[folds]


def folds_of(cases: Cases, f: Floats, folds: int = FOLDS) -> Ints:
    """A fold for each labelled case, whole clusters together, whatever the order of the rows.

    Clusters are dealt in the order of their names, single cases in the order of their values.
    """
    lab = cases.labelled
    y, x = cases.labels[lab], f[lab]
    if cases.grouped:
        return (np.unique(cases.codes[lab], return_inverse=True)[1].ravel() % folds).astype(
            np.int64
        )
    dealt = np.empty(y.size, dtype=np.int64)
    dealt[np.lexsort((y, x))] = np.arange(y.size) % folds
    return dealt


def bounded(
    found: Rectified,
    variance: float,
    df: float,
    *,
    level: float,
    span: Span | None,
    cases: Cases,
) -> Interval:
    """The interval around the centre, cut at the span and stretched to hold the estimate."""
    n, estimate = int(cases.labelled.sum()), found.estimate
    if span is not None:
        estimate = min(max(estimate, span[0]), span[1])
    why = few(found.groups)
    if not why and variance <= 1e-24 * max(1.0, estimate**2):
        why = "all labels agree with the correction exactly, so no variance can be seen"
    if why:
        return Interval(estimate, None, None, level, "", n, found.groups, why)
    tail = 0.5 + level / 2
    quantile = float(ndtri(tail) if math.isinf(df) else stdtrit(df, tail))
    half = quantile * math.sqrt(variance)
    low, high = found.centre - half, found.centre + half
    if span is not None:
        low, high = max(low, span[0]), min(high, span[1])
    return Interval(estimate, min(low, estimate), max(high, estimate), level, "", n, found.groups)
