"""What a judge and a few labels say together about a mean: the result, and which method when.

Cases are rows of aligned arrays: a label that nobody gave is NaN, and so is an undecided verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Interval, clustered_t, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Span = tuple[float, float]
Side = Literal["both", "lower", "upper"]
LEAST_CLUSTERS = 10  # below this the spread between clusters is a guess: no interval
SAMPLED = "the labelled cases are a random sample of the cases reported on"
INDEPENDENT = "clusters are independent of each other"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A corrected mean, and beside it what the labels alone and the judge alone say.

    Attributes:
        interval: `estimate` is NaN when there is no estimate; `reason` then says why.
        n_labelled, n_unlabelled: Cases with and without a label that were used.
        n_undecided: Cases used that the judge left undecided.
        lambda_: How much the judge counts, 0 (labels only) to 1; None where nothing is weighted.
            The mean over folds and strata.
        human: From the labels alone.
        naive: From the judge alone; never to be shown without `bias`.
        bias: Judge minus label on the labelled cases; `bias_bound` is what it may come to.
        youden: Sensitivity + specificity - 1, for the method that divides by it.
    """

    interval: Interval
    method: str
    n_labelled: int
    n_unlabelled: int
    n_undecided: int = 0
    lambda_: float | None = None
    human: Interval | None = None
    naive: Interval | None = None
    bias: Interval | None = None
    youden: Interval | None = None
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def bias_bound(self) -> float | None:
        """The largest absolute bias inside the bias's interval; None when it has none."""
        if self.bias is None or self.bias.low is None or self.bias.high is None:
            return None
        return max(abs(self.bias.low), abs(self.bias.high))


@dataclass(frozen=True, slots=True)
class Cases:
    """Checked input: labels and verdicts, NaN where there is none, and a cluster code a case.

    Attributes:
        filled: The verdicts with the mean verdict where the judge was undecided. Any fixed
            prediction keeps a corrected estimate right; leaving the case out would not.
        grouped: Whether clusters were given.
    """

    labels: Floats
    judged: Floats
    filled: Floats
    codes: Ints
    grouped: bool

    @property
    def labelled(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.labels)


def cases_of(
    labels: ArrayLike,
    judged: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    span: Span | None = None,
) -> Cases:
    """Raises: ValueError for shapes that differ, infinite values, or labels outside the span."""
    y, f = np.asarray(labels, dtype=float), np.asarray(judged, dtype=float)
    if y.ndim != 1 or y.shape != f.shape:
        raise ValueError(
            f"labels of shape {y.shape} and verdicts of shape {f.shape} do not match; "
            "expected one entry a case in both; put NaN where a label or verdict is missing"
        )
    if np.isinf(y).any() or np.isinf(f).any():
        raise ValueError("a label or a verdict is infinite; expected numbers, or NaN for none")
    if span is not None and (span[0] >= span[1] or ((y < span[0]) | (y > span[1])).any()):
        raise ValueError(f"labels lie outside the span {span}; give the bounds of the label scale")
    return Cases(y, f, filled(f), codes_of(clusters, y.size), clusters is not None)


def filled(judged: Floats) -> Floats:
    known = ~np.isnan(judged)
    return np.where(known, judged, judged[known].mean() if known.any() else 0.0)


def codes_of(clusters: ArrayLike | None, n: int) -> Ints:
    """Raises: ValueError when there is not one cluster a case."""
    if clusters is None:
        return np.arange(n, dtype=np.int64)
    named = np.asarray(clusters)
    if named.shape != (n,):
        raise ValueError(f"clusters of shape {named.shape} for {n} cases; expected one a case")
    return np.unique(named, return_inverse=True)[1].ravel().astype(np.int64)


def no_interval(method: str, level: float, reason: str, *, n: int = 0, groups: int = 0) -> Interval:
    return Interval(math.nan, None, None, level, method, n, groups, reason)


def few(groups: int) -> str:
    """Why so few clusters give no interval; "" when they are enough."""
    if groups >= LEAST_CLUSTERS:
        return ""
    things = "case" if groups == 1 else "cases"
    return f"{groups} independent labelled {things}: an interval needs at least {LEAST_CLUSTERS}"


def is_binary(labels: Floats, span: Span | None) -> bool:
    return span is not None and bool(np.isin(labels, span).all())


def human_only(
    labels: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Interval:
    """The mean label: Wilson's interval for two-valued labels, else Student's t on clusters.

    Args:
        labels: Shape (n_cases,), NaN where nobody gave one; those are left out.
        span: Bounds of the label scale. Labels at only these two ends are two-valued.
    """
    y = np.asarray(labels, dtype=float)
    codes, known = codes_of(clusters, y.size), ~np.isnan(y)
    y, codes = y[known], codes[known]
    if not y.size:
        return no_interval("mean label", level, "no case has a label")
    if clusters is None and span is not None and is_binary(y, span):
        low, width = span[0], span[1] - span[0]
        share = wilson(float(((y - low) / width).sum()), y.size, level=level)
        assert share.low is not None
        assert share.high is not None
        return replace(
            share,
            estimate=float(y.mean()),
            low=low + width * share.low,
            high=low + width * share.high,
        )
    return mean_of(y, codes, level=level, span=span)


def mean_of(
    values: Floats, codes: Ints, *, level: float = 0.95, span: Span | None = None
) -> Interval:
    """The clustered mean, without an interval when the clusters are too few for one."""
    if not values.size:
        return no_interval("clustered t", level, "no case has both a label and a verdict")
    found = clustered_t(values, codes, level=level, span=span)
    why = few(found.n_clusters)
    return replace(found, low=None, high=None, reason=why) if why else found


def described(
    cases: Cases,
    interval: Interval,
    *,
    level: float,
    span: Span | None,
    lambda_: float | None = None,
    assumptions: tuple[str, ...] = (),
) -> Estimate:
    """The interval with its counts, the labels alone and the judge alone beside it."""
    codes = cases.codes if cases.grouped else None
    known, both = ~np.isnan(cases.judged), cases.labelled & ~np.isnan(cases.judged)
    gap = cases.judged[both] - cases.labels[both]
    inside = span if span is not None and _within(cases.judged[known], span) else None
    wide = None if inside is None else (inside[0] - inside[1], inside[1] - inside[0])
    naive = (
        mean_of(cases.judged[known], cases.codes[known], level=level, span=inside)
        if known.any()
        else no_interval("clustered t", level, "the judge left every case undecided")
    )
    n = int(cases.labelled.sum())
    return Estimate(
        interval,
        interval.method,
        n_labelled=n,
        n_unlabelled=cases.labels.size - n,
        n_undecided=int(np.isnan(cases.judged).sum()),
        lambda_=lambda_,
        human=human_only(cases.labels, clusters=codes, level=level, span=span),
        naive=naive,
        bias=mean_of(gap, cases.codes[both], level=level, span=wide),
        assumptions=assumptions,
        warnings=warnings_of(cases, span),
    )


def _within(values: Floats, span: Span) -> bool:
    return bool(((values >= span[0]) & (values <= span[1])).all())


def warnings_of(cases: Cases, span: Span | None) -> tuple[str, ...]:
    """What anyone who reads a corrected mean of these cases must know."""
    said, y = [], cases.labels[cases.labelled]
    undecided = int(np.isnan(cases.judged).sum())
    if undecided == cases.judged.size:
        said.append("the judge left every case undecided, so only the labels count")
    elif undecided:
        said.append(
            f"{undecided} of {cases.judged.size} cases are undecided; they stay in, "
            "with the mean verdict as their prediction"
        )
    if y.size and np.ptp(y) == 0:
        said.append(f"all {y.size} labels are equal ({y[0]:g})")
    if y.size == cases.labels.size:
        said.append("every case is labelled, so the judge adds nothing")
    if y.size and span is None and np.unique(y).size <= 2:
        said.append(
            "two-valued labels without a span: small samples are not widened; give the span"
        )
    return tuple(said)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Attributes: method is the function to use, "human_only" and "none" included."""

    method: Literal[
        "ppi_mean",
        "ppi_stratified",
        "active_mean",
        "isotonic_mean",
        "rogan_gladen",
        "human_only",
        "none",
    ]
    because: str


def recommended(
    n_labelled: int,
    n_unlabelled: int,
    *,
    labels_from: Literal["sample", "strata", "plan", "elsewhere"] = "sample",
    two_valued: bool = True,
    same_scale: bool = True,
) -> Recommendation:
    """Which correction fits the labels at hand.

    Args:
        labels_from: How the labelled cases came about: a random sample of the cases reported on,
            a random sample within strata, drawn by `label_plan` with recorded probabilities, or
            another collection altogether.
        two_valued: Whether labels and verdicts are yes or no.
        same_scale: Whether judge and people answer on the same numbers.
    """
    if labels_from == "elsewhere":
        if two_valued:
            return Recommendation(
                "rogan_gladen",
                "labels from elsewhere give only the judge's sensitivity and specificity, which "
                "must be the same here (constancy)",
            )
        return Recommendation("none", "graded labels from elsewhere correct nothing; label a few")
    if n_labelled < 1:
        return Recommendation("none", "no labels: a judge's mean alone has an unknown bias")
    if n_unlabelled < 1:
        return Recommendation("human_only", "every case is labelled, so the judge adds nothing")
    if labels_from == "plan":
        return Recommendation("active_mean", "cases were drawn with unequal, recorded chances")
    if labels_from == "strata":
        return Recommendation("ppi_stratified", "labels were drawn within strata of known share")
    if not same_scale and n_labelled >= 50:
        return Recommendation("isotonic_mean", "judge and labels use different scales")
    return Recommendation("ppi_mean", "labels are a random sample of the cases reported on")
