"""Label minus prediction: the engine under every mean that labels correct."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from evenhand.intervals import Interval
from evenhand.trust.estimate import Cases, Floats, Ints, Span, few

FOLDS = 10
SMALL, RARE = 200, 20  # below these, two- and three-valued labels get pseudo-rows
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
    return replace(combined(cases, prediction, rest, made=made, weight=pseudo.weight), lambda_=mean)


def combined(
    cases: Cases, prediction: Floats, rest: NDArray[np.bool_], *, made: Floats, weight: float
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
        return np.asarray((own if one else own.sum() - own) + w * rows.sum())

    ones = sums(np.ones(y.size), np.ones(len(made)))
    sy, sx = sums(y, made[:, 0]), sums(x, made[:, 1])
    sxy = sums(x * y, made[:, 0] * made[:, 1])
    cross = sxy - sx * sy / np.maximum(ones, 1)
    # The paper pools the variance of the predictions over labelled and unlabelled cases.
    pooled = float(np.concatenate([x, f[rest]]).var(ddof=1))
    scale = (1 + y.size / rest.sum()) * pooled * np.maximum(ones - 1, 1)
    # An exactly flat judge leaves rounding dust in its variance.
    flat = pooled <= 1e-20 * max(1.0, float(np.abs(cases.filled).max()) ** 2)
    best: Floats = np.zeros(n_folds) if flat else np.clip(cross / scale, 0, 1)
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
