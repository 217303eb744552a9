"""Ranks with their doubt: which places a system may have, and how likely it is the best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand.intervals import MIN_CLUSTERS, Floats, Ints
from evenhand.rank.fitted import Fitted

_MANY = 200_000_000  # pairs times draws, about a second


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Places from 1, the best, among the systems of the same component.

    Attributes:
        low, high: Shape (n_systems,), the best and worst place that the data leave open, for all
            systems at once; 0 for a system without a rating.
        best: Shape (n_systems,), the chance to be the strongest of its component; NaN if unknown.
        level: That all intervals together hold all true places.
        reason: Why the intervals say nothing (every place is open), or empty.
    """

    systems: tuple[str, ...]
    low: Ints
    high: Ints
    best: Floats
    level: float
    reason: str = ""


def ranks(fitted: Fitted, *, level: float = 0.95, draws: int = 10_000, seed: int = 0) -> Ranks:
    """Simultaneous rank intervals from all differences of strengths.

    A system's best place is 1 more than the systems significantly above it, its worst leaves out
    those significantly below. A difference is significant when it exceeds its standard error times
    the `level` quantile of the largest such ratio over all pairs of a component, drawn from the
    joint distribution of the strengths.

    Paper: Mogstad et al. 2024, "Inference for Ranks with Applications to Mobility across
        Neighborhoods and Academic Achievement across Countries", Review of Economic Studies 91,
        doi:10.1093/restud/rdad006; simultaneous two-sided sets in a single step (theirs may step
        down, which is sharper). The draws are from Student's t with clusters - 1 degrees of
        freedom around the estimates, with their joint covariance, instead of a bootstrap; so is
        the chance to be best.

    Args:
        draws: Of the joint distribution; above 200 systems the quantile takes as many as a second
            allows, and at least 500.

    Example:
        >>> from evenhand.rank.battles import Battles
        >>> from evenhand.rank.bradley_terry import bradley_terry
        >>> one, other = ["a"] * 120 + ["b"] * 120, ["b"] * 120 + ["c"] * 120
        >>> battles = Battles.of(one, other, [1, 1, 1, 0] * 30 + [1, 0] * 60)
        >>> found = ranks(bradley_terry(battles))
        >>> found.low.tolist(), found.high.tolist()
        ([1, 2, 2], [1, 3, 3])
    """
    k = len(fitted.systems)
    low, high = np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    best, reason = np.full(k, np.nan), ""
    rng = np.random.default_rng(seed)
    for names in fitted.components:
        at = np.array([fitted.systems.index(name) for name in names])
        at = at[np.isfinite(fitted.theta[at])]
        if not at.size:
            continue
        low[at], high[at] = 1, at.size
        theta, covariance = fitted.theta[at], fitted.covariance[np.ix_(at, at)]
        if at.size == 1:
            best[at] = 1.0
        elif fitted.n_clusters < MIN_CLUSTERS:
            reason = f"{fitted.n_clusters} clusters, and no interval is given below {MIN_CLUSTERS}"
        elif not np.isfinite(covariance).all():
            reason = "no variance can be seen"
        else:
            noise = _draws(covariance, fitted.n_clusters - 1, draws, rng)
            best[at] = np.bincount((theta + noise).argmax(axis=1), minlength=at.size) / draws
            below = _below(theta, covariance, noise, level)
            low[at], high[at] = 1 + below.sum(axis=1), at.size - below.sum(axis=0)
    return Ranks(fitted.systems, low, high, best, level, reason)


def _draws(covariance: Floats, df: int, draws: int, rng: np.random.Generator) -> Floats:
    """Shape (draws, n): Student's t, joint, around 0."""
    values, vectors = np.linalg.eigh(covariance)
    normal = rng.standard_normal((draws, values.size)) @ (vectors * np.sqrt(values.clip(0))).T
    return np.asarray(normal / np.sqrt(rng.chisquare(df, draws) / df)[:, None])


def _below(theta: Floats, covariance: Floats, noise: Floats, level: float) -> Floats:
    """Shape (n, n): the row's system is significantly below the column's."""
    n, own = theta.size, np.diag(covariance)
    errors = np.sqrt((own[:, None] + own - 2 * covariance).clip(0))
    one, other = np.triu_indices(n, 1)
    seen = errors[one, other] > 1e-12
    used = noise[: max(500, _MANY // one.size)].astype(np.float32)
    largest = np.zeros(len(used), dtype=np.float32)
    with np.errstate(divide="ignore"):
        inverse = np.where(errors > 1e-12, 1 / errors, 0).astype(np.float32)
    for first in range(n - 1):
        gaps = used[:, first, None] - used[:, first + 1 :]
        np.abs(gaps, out=gaps)
        gaps *= inverse[first, first + 1 :]
        np.maximum(largest, gaps.max(axis=1), out=largest)
    critical = float(np.quantile(largest, level)) if seen.any() else 0.0
    return np.asarray(theta - theta[:, None] > critical * errors, dtype=float)
