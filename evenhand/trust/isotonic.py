"""The judge's scale bent onto the labels' scale: a mean, and an audit of where the bend holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.special import stdtrit

from evenhand.intervals import Interval, wilson
from evenhand.trust.estimate import (
    INDEPENDENT,
    SAMPLED,
    Cases,
    Estimate,
    Floats,
    Span,
    cases_of,
    described,
    mean_of,
    no_interval,
)
from evenhand.trust.rectify import bounded, combined, folds_of, no_rows, pseudo_rows

FOLDS = 5
MOST_OUTSIDE = 0.2
LEAST_FOR_PASS = 20
CALIBRATED = "isotonic, cross-fitted"


@dataclass(frozen=True, slots=True)
class Support:
    """The badge: do the labels reach where the verdicts are?

    Attributes:
        outside: Share of the unlabelled, decided cases whose verdict lies outside the labelled
            verdicts; NaN when there are no labels or no such cases.
        low, high: The labelled verdicts' range.
        enough: Whether a level may be claimed, at most 20 % outside.
    """

    outside: float
    low: float
    high: float
    n_labelled: int
    n_unlabelled: int

    @property
    def enough(self) -> bool:
        return bool(self.outside <= MOST_OUTSIDE)


@dataclass(frozen=True, slots=True)
class Transport:
    """Does the map from verdict to label, learnt on other systems, hold for this one?

    Attributes:
        residual: Label minus mapped verdict; positive when the system is better than its scores.
    """

    system: str
    result: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    residual: Interval
    margin: float
    reason: str = ""


def support(labels: ArrayLike, judged: ArrayLike) -> Support:
    """Args: shapes (n_cases,), NaN where there is no label, or where the judge is undecided."""
    cases = cases_of(labels, judged)
    known = ~np.isnan(cases.judged)
    inside, rest = cases.judged[known & cases.labelled], cases.judged[known & ~cases.labelled]
    if not inside.size:
        return Support(float("nan"), float("nan"), float("nan"), 0, rest.size)
    low, high = float(inside.min()), float(inside.max())
    outside = float(((rest < low) | (rest > high)).mean()) if rest.size else 0.0
    return Support(outside, low, high, inside.size, rest.size)


def isotonic_mean(
    labels: ArrayLike,
    judged: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """The mean label when judge and labels use different scales that rise together.

    A monotone map from verdict to label is fitted without the fold that it is used on; its mean
    over the unlabelled cases is corrected by the labels' residuals, so that a wrong map costs
    width and not truth.

    Paper: after Landesberg and Narayan 2025, "Causal Judge Evaluation: Calibrated Surrogate Metrics
        for LLM Systems", arXiv:2512.11150: isotonic and mean-preserving calibration, and a fold
        jackknife for its doubt. Reconstructed, not compared with the authors' code; the
        small-sample rows are those of `ppi_mean`.

    Args:
        labels: Shape (n_cases,), NaN where nobody gave one.
        judged: Shape (n_cases,), any units, higher is better, NaN where undecided.
        span: Bounds of the label scale, as for `ppi_mean`.

    Returns:
        No bounds under 10 labelled clusters, and none when over 20 % of the verdicts lie outside
        the labelled ones (`support`): the reason says so.
    """
    cases = cases_of(labels, judged, clusters=clusters, span=span)
    if not cases.labelled.any():
        nothing = no_interval(CALIBRATED, level, "no case has a label, so nothing can be corrected")
        return described(cases, nothing, level=level, span=span)
    rest = ~cases.labelled
    prediction, maps = _cross_fitted(cases)
    pseudo = pseudo_rows(cases, span) if rest.any() else no_rows()
    # A pseudo-row's verdict is already on the label scale here, and so is the mean map.
    offset = float(np.mean([m[rest].mean() for m in maps])) if rest.any() else 0.0
    made = pseudo.labels - (pseudo.judged - offset)
    found = combined(cases, prediction, rest, made=made, weight=pseudo.weight)
    doubt = _jackknife([float(m[rest].mean() - m[~rest].mean()) for m in maps]) if rest.any() else 0
    variance = found.variance(cases.codes) + doubt
    df = found.groups - 1
    interval = bounded(found, variance, df, level=level, span=span, cases=cases)
    badge = support(labels, judged)
    if badge.outside > MOST_OUTSIDE:
        why = (
            f"{badge.outside:.0%} of the verdicts lie outside the labelled range "
            f"[{badge.low:g}, {badge.high:g}]: the map would be a guess there"
        )
        interval = replace(interval, low=None, high=None, reason=why)
    return described(
        cases,
        replace(interval, method=CALIBRATED),
        level=level,
        span=span,
        assumptions=(SAMPLED, INDEPENDENT),
    )


def _cross_fitted(cases: Cases) -> tuple[Floats, list[Floats]]:
    """Predictions as `combined` wants them, and each fold's map of every verdict."""
    lab, rest = cases.labelled, ~cases.labelled
    where = np.flatnonzero(lab)
    folds = folds_of(cases, cases.filled, FOLDS)
    prediction = np.zeros(lab.size)
    maps = []
    for fold in range(int(folds.max()) + 1):
        train = where[folds != fold]
        mapped = _mapped(cases.filled[train], cases.labels[train], cases.filled)
        own = where[folds == fold]
        prediction[own] = mapped[own] - (mapped[rest].mean() if rest.any() else mapped[own])
        maps.append(mapped)
    if rest.any():
        sizes = np.bincount(folds)
        mean = np.average(maps, axis=0, weights=sizes)
        prediction[rest] = mean[rest] - mean[rest].mean()
    return prediction, maps


def _mapped(verdicts: Floats, labels: Floats, values: Floats) -> Floats:
    """The isotonic fit at `values`: linear between fitted points, level beyond them.

    The fit keeps the mean: its average over `verdicts` is that of `labels`.
    """
    if not verdicts.size:
        return np.zeros(values.size)
    points, where, counts = np.unique(verdicts, return_inverse=True, return_counts=True)
    means = np.bincount(where.ravel(), weights=labels) / counts
    fit = isotonic_regression(means, weights=counts.astype(float)).x
    return np.asarray(np.interp(values, points, fit), dtype=float)


def _jackknife(values: list[float]) -> float:
    found = np.asarray(values)
    return float((found.size - 1) / found.size * ((found - found.mean()) ** 2).sum())


def transport_audit(
    labels: ArrayLike,
    judged: ArrayLike,
    systems: ArrayLike,
    *,
    margin: float,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[Transport, ...]:
    """Each system's mean residual under the map that all other systems' labels give.

    Paper: after Landesberg and Narayan 2025, "Causal Judge Evaluation: Calibrated Surrogate Metrics
        for LLM Systems", arXiv:2512.11150: the audit of mean transport.

    Args:
        systems: Shape (n_cases,), who answered.
        margin: In label units, fixed before the data. The whole interval inside plus or minus
            the margin is PASS (from 20 labelled clusters on), the whole outside FAIL.
        level: Of each system's interval; nothing is adjusted for several systems.
    """
    if not margin > 0:
        raise ValueError(f"margin {margin}; expected a positive number of label units")
    cases, named = cases_of(labels, judged, clusters=clusters), np.asarray(systems)
    if named.shape != cases.labels.shape:
        raise ValueError(f"systems of shape {named.shape}; expected one a case")
    known = cases.labelled & ~np.isnan(cases.judged)
    found = []
    for system in np.unique(named):
        own = known & (named == system)
        residual = _residual(cases, own, known & (named != system), level)
        result, reason = _verdict(residual, margin)
        found.append(Transport(str(system), result, residual, margin, reason))
    return tuple(found)


def pair_audit(
    labels: ArrayLike,
    judged: ArrayLike,
    systems: ArrayLike,
    *,
    margin: float,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[Transport, ...]:
    """Each system's mean label less verdict over its pairs, turned towards it: is one favoured?

    The audit of mean transport for shares of wins, which need no map. Of two systems the first is
    enough: the other's error is its opposite.

    Args:
        labels, judged: Shape (n_pairs,), the share of the first response, 0 to 1.
        systems: Shape (n_pairs, 2); pairs of a system with itself, or with "", say nothing.
        margin, level: As in `transport_audit`.
    """
    if not margin > 0:
        raise ValueError(f"margin {margin}; expected a positive share")
    cases, named = cases_of(labels, judged, clusters=clusters), np.asarray(systems)
    if named.shape != (cases.labels.size, 2):
        raise ValueError(f"systems of shape {named.shape}; expected two a pair")
    known = cases.labelled & ~np.isnan(cases.judged) & (named != "").all(axis=1)
    known &= named[:, 0] != named[:, 1]
    gap, names = cases.labels - cases.judged, np.unique(named[known])
    found = []
    for system in names[: 1 if names.size == 2 else None]:
        own = known & (named == system).any(axis=1)
        turned = np.where(named[:, 0] == system, gap, -gap)[own]
        residual = _unflattened(mean_of(turned, cases.codes[own], level=level), turned)
        result, reason = _verdict(residual, margin)
        found.append(Transport(str(system), result, residual, margin, reason))
    return tuple(found)


def _unflattened(found: Interval, values: Floats) -> Interval:
    """Where all values are equal, no more clusters may differ than Wilson's bound allows."""
    if found.low is None or np.ptp(values) > 0:
        return found
    most = wilson(0, found.n_clusters, level=found.level).high or 0.0
    return replace(found, low=found.estimate - most, high=found.estimate + most)


def _residual(
    cases: Cases, own: NDArray[np.bool_], others: NDArray[np.bool_], level: float
) -> Interval:
    """Mean residual of `own`; the interval counts the map's own doubt by a fold jackknife."""
    method = "residual, clustered t"
    if not own.any() or not others.any():
        who = "this system" if not own.any() else "any other system"
        return no_interval(method, level, f"no labelled, decided case of {who}")
    verdicts, labels = cases.judged[others], cases.labels[others]
    gap = cases.labels[own] - _mapped(verdicts, labels, cases.judged[own])
    found = mean_of(gap, cases.codes[own], level=level)
    if found.low is None or found.high is None:
        return replace(found, method=method)
    part = replace(cases, labels=np.where(others, cases.labels, np.nan))
    folds = folds_of(part, cases.filled, FOLDS)
    shifts = [
        float(_mapped(verdicts[folds != k], labels[folds != k], cases.judged[own]).mean())
        for k in range(int(folds.max()) + 1)
    ]
    quantile = float(stdtrit(found.n_clusters - 1, 0.5 + level / 2))
    half = float(np.hypot((found.high - found.low) / 2, quantile * _jackknife(shifts) ** 0.5))
    return replace(found, low=found.estimate - half, high=found.estimate + half, method=method)


def _verdict(
    residual: Interval, margin: float
) -> tuple[Literal["PASS", "FAIL", "INCONCLUSIVE"], str]:
    if residual.low is None or residual.high is None:
        return "INCONCLUSIVE", residual.reason
    if residual.low > margin or residual.high < -margin:
        return "FAIL", f"the residual is beyond {margin:g}"
    if residual.low < -margin or residual.high > margin:
        return "INCONCLUSIVE", f"the interval is not wholly inside {margin:g}: label more cases"
    if residual.n_clusters < LEAST_FOR_PASS:
        few = f"{residual.n_clusters} labelled clusters; a PASS needs {LEAST_FOR_PASS}"
        return "INCONCLUSIVE", few
    return "PASS", ""
