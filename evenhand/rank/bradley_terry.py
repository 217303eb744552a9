"""Strengths from battles: Bradley and Terry's model with shared ties, covariates and clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from evenhand.intervals import Floats, Interval, from_variance, undefined
from evenhand.rank.battles import Battles
from evenhand.rank.fitted import SCALE, Fitted
from evenhand.rank.likelihood import (
    Peak,
    meat,
    meat_of_prior,
)
from evenhand.rank.meeting import Meeting
from evenhand.rank.resample import resampled

METHOD = "Bradley-Terry, clustered t"
HALF = 0.5
NAMED = 6  # names in a warning


def bradley_terry(
    battles: Battles,
    *,
    control: bool = True,
    anchor: str | None = None,
    prior: float | None = None,
    level: float = 0.95,
) -> Fitted:
    """Strengths of greatest likelihood: P(A beats B) is logistic in their difference.

    Ties, and graded outcomes, enter as shares of a win. The covariance is the sandwich by cluster,
    times G / (G - 1). With covariates the log odds are strength of A less strength of B plus
    effects times covariates, fitted exactly over the battles; strengths are then those at equal
    covariates. Each covariate is divided by its root mean square, so an effect is in log odds a
    standard deviation (about 0; a mean is not taken off, for which side is shown first must not
    matter). Controlled is not caused: if better answers are longer because they are better, control
    for length takes that away too.

    Systems in different components get ratings about their own component's mean, and no comparison.
    Where a system never lost (or never won) to the rest, half a win is added to each side of every
    pair that met, and to each side of a battle of equals that differ by one standard deviation in a
    covariate; each added win counts as a cluster of its own in the covariance. Rounds, orders and
    judges are not looked at.

    Paper: Bradley and Terry 1952, "Rank Analysis of Incomplete Block Designs: I. The Method of
        Paired Comparisons", Biometrika 39, doi:10.1093/biomet/39.3-4.324; ties and covariates are
        not theirs. Cameron and Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference",
        Journal of Human Resources 50, doi:10.3368/jhr.50.2.317, for estimators other than OLS;
        G / (G - 1), and t with G - 1 degrees of freedom.

    Args:
        control: Use the covariates, if there are any.
        anchor: The system whose strength is 0; None sets the mean to 0.
        prior: Wins to add to each side of every pair that met, above 0; None adds half a win when
            strengths have no bound, and nothing otherwise.

    Raises:
        ValueError: No system, an unknown anchor, or a prior that is not above 0.

    Example:
        >>> battles = Battles.of(list("aabc") * 6, list("bcca") * 6, [1, 1, 0.5, 0] * 6)
        >>> fitted = bradley_terry(battles)
        >>> fitted.systems, fitted.separated, fitted.warnings[0][:12]
        (('a', 'b', 'c'), True, 'a never lost')
        >>> gap = fitted.difference("a", "b")
        >>> round(gap.estimate, 2), gap.low > 0
        (2.9, True)
    """
    _check(battles, anchor, prior)
    met = Meeting.of(battles, control=control)
    added = prior if prior is not None else HALF * met.separated
    peak, unbounded = met.peak(added), met.separated
    notes = _notes(met, battles.systems, added)
    if peak is None and not added and met.kept:
        unbounded, added = True, HALF
        notes += (f"the covariates decide who wins: {_rests(HALF)}",)
        peak = met.peak(added)
    k, size = battles.n_systems, battles.n_systems + len(met.kept)
    n_clusters = int(np.count_nonzero(np.bincount(met.rows.clusters, minlength=1)))
    if peak is None:
        notes += ("the likelihood has no maximum that could be found",) * bool(met.rows.a.size)
        peak, whole = Peak(np.full(size, np.nan), np.empty((0, 0))), np.full((size, size), np.nan)
    else:
        whole = _covariance(met, peak, added, n_clusters)
    empty = Fitted(
        battles.systems, *_placed(met, peak.point[:k], whole[:k, :k]), "half", {}, {},
        tuple(tuple(battles.systems[i] for i in group) for group in met.groups),
        unbounded, added, level, METHOD, met.rows.a.size, met.n_undecided, n_clusters,
        warnings=notes,
    )  # fmt: skip
    names = battles.names if control else ()
    effects = _effects(empty, names, met.kept, point=peak.point[k:], variance=np.diag(whole)[k:])
    return _anchored(replace(empty, effects=effects), anchor)


def bootstrap(battles: Battles, *, replicates: int = 1000, seed: int = 0) -> Floats:
    """Strengths under resampled clusters, as a check of the sandwich; covariates are not used.

    Wins that `bradley_terry` adds when strengths have no bound are added to every replicate.

    Returns:
        Shape (replicates, n_systems), mean 0 in each component. NaN for systems without a battle,
        and for whole replicates in which strengths have no bound or fewer battles connect.

    Raises:
        ValueError: No system.
    """
    _check(battles, None, None)
    met = Meeting.of(battles, control=False)
    added = HALF * met.separated
    peak = met.peak(added)
    drawn = np.full((replicates, battles.n_systems), np.nan)
    if peak is not None:
        drawn[:] = resampled(met, peak, added, replicates=replicates, seed=seed)
    alone = [group[0] for group in met.groups if len(group) == 1]
    drawn[:, alone] = np.nan
    return drawn


# ---- points --------------------------------------------------------------------------------------


def elo_points(fitted: Fitted, *, centre: float = 1000.0) -> Floats:
    """Strengths as they are shown: 400 points are odds of ten to one; NaN without a rating."""
    return np.asarray(centre + SCALE * fitted.theta)


def elo_interval(interval: Interval, *, centre: float = 1000.0) -> Interval:
    """A strength's interval in the same points; a difference takes `centre=0`."""
    low, high = (
        None if end is None else centre + SCALE * end for end in (interval.low, interval.high)
    )
    return replace(interval, estimate=centre + SCALE * interval.estimate, low=low, high=high)


# ---- parts of the fit ----------------------------------------------------------------------------


def _check(battles: Battles, anchor: str | None, prior: float | None) -> None:
    if not battles.n_systems:
        raise ValueError("no system to rate; expected battles of at least one system")
    if anchor is not None and anchor not in battles.systems:
        known = listed(battles.systems)
        raise ValueError(f"the anchor is {anchor!r}; expected one of the systems: {known}")
    if prior is not None and not prior > 0:
        raise ValueError(f"a prior of {prior}; expected wins above 0, or None")


def _covariance(met: Meeting, peak: Peak, prior: float, n_clusters: int) -> Floats:
    if n_clusters < 2:
        return np.full_like(peak.inverse, np.nan)
    middle = meat(met.rows, peak.point) * n_clusters / (n_clusters - 1)
    seen = np.diag(middle)
    if prior:
        middle += meat_of_prior(met.pairs, peak.point, prior, k=met.rows.n_systems)
    whole = np.asarray(peak.inverse @ middle @ peak.inverse)
    for group in met.groups:
        at = list(group)
        if seen[at].sum() <= 1e-16 * met.wins[at].sum():
            whole[at], whole[:, at] = np.nan, np.nan
    return whole


def _placed(met: Meeting, theta: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """NaN for systems without a battle, and for what no battle connects."""
    label = np.empty(theta.size, dtype=np.int64)
    for number, group in enumerate(met.groups):
        label[list(group)] = number
    alone = np.bincount(label)[label] == 1
    apart = label[:, None] != label
    hidden = apart | alone[:, None] | alone
    return np.where(alone, np.nan, theta), np.where(hidden, np.nan, covariance)


def _effects(
    fitted: Fitted, names: Sequence[str], kept: Sequence[int], *, point: Floats, variance: Floats
) -> dict[str, Interval]:
    groups, n, level = fitted.n_clusters, fitted.n_used, fitted.level
    found: dict[str, Interval] = {}
    for number, name in enumerate(names):
        if number not in kept:
            why = "the battles cannot tell it from the strengths and the covariates before it"
            found[name] = undefined(why, METHOD, n=n, groups=groups, level=level)
            continue
        at = list(kept).index(number)
        found[name] = from_variance(
            float(point[at]), float(variance[at]), level=level, method=METHOD, n=n,
            n_clusters=groups,
        )  # fmt: skip
    return found


def _anchored(fitted: Fitted, anchor: str | None) -> Fitted:
    if anchor is None:
        return fitted
    at = fitted.systems.index(anchor)
    if not np.isfinite(fitted.theta[at]):
        said = f"{anchor!r} has no rating to be the anchor: the mean is 0"
        return replace(fitted, warnings=(*fitted.warnings, said))
    group = next(group for group in fitted.components if anchor in group)
    own = np.array([fitted.systems.index(name) for name in group])
    theta, covariance = fitted.theta.copy(), fitted.covariance.copy()
    theta[own] -= theta[at]
    block = covariance[np.ix_(own, own)]
    block = block - block[list(own).index(at)]
    covariance[np.ix_(own, own)] = block - block[:, [list(own).index(at)]]
    return replace(fitted, theta=theta, covariance=covariance, anchor=anchor)


# ---- what is said --------------------------------------------------------------------------------


def listed(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(every[:NAMED])
    return shown if len(every) <= NAMED else f"{shown} and {len(every) - NAMED} more"


def _rests(prior: float) -> str:
    return (
        f"such strengths have no bound, and what is shown rests on {prior:g} wins added to each "
        "side of every pair that met"
    )


def _notes(met: Meeting, systems: Sequence[str], prior: float) -> tuple[str, ...]:
    alone = [systems[group[0]] for group in met.groups if len(group) == 1]
    linked = [group for group in met.groups if len(group) > 1]
    notes = []
    if met.separated:
        notes.append(f"{_unbounded(met, systems)}: {_rests(prior)}")
    if len(linked) > 1:
        told = "; ".join(listed(systems[i] for i in group) for group in linked[:NAMED])
        more = f"; and {len(linked) - NAMED} more" if len(linked) > NAMED else ""
        notes.append(
            f"{len(linked)} groups that no battle connects ({told}{more}): each has its own mean, "
            "and strengths and places compare only within one"
        )
    if alone:
        notes.append(f"no decided battle, so no rating: {listed(alone)}")
    return tuple(notes)


def _unbounded(met: Meeting, systems: Sequence[str]) -> str:
    whole, above, below = set(met.groups), [], []
    for group in met.strong:
        if group in whole:
            continue
        at = list(group)
        inside = met.wins[np.ix_(at, at)].sum()
        name = listed(systems[i] for i in group) + (" (to the others)" if len(group) > 1 else "")
        if met.wins[:, at].sum() == inside:
            above.append(name)
        if met.wins[at].sum() == inside:
            below.append(name)
    told = [(above, "never lost"), (below, "never won")]
    return "; ".join(f"{listed(names)} {what}" for names, what in told if names)
