"""Intervals for bounded means that need no normal law, one of them good at every look.

Paper: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", the
    hedged capital process with predictable plug-in bets truncated at 1/2, Journal of the Royal
    Statistical Society B 86, arXiv:2010.09686. The two bets are hedged by their maximum, so that
    the set is an interval; its ends are found to 1e-12 (`betting_interval`) or outward to a
    thousandth of the span (`confidence_sequence`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Interval

Floats = NDArray[np.float64]

TRUNCATED = 0.5
STEPS = 1000
CHUNK = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """An interval for every number of units seen so far, all right at once with the level's chance.

    Attributes:
        estimate, low, high: Shape (n_units,), after 1, 2, ... units; `low` never falls and `high`
            never rises. NaN in both once they would cross: the values are not of one mean.
        last: The interval after all units.
    """

    estimate: Floats
    low: Floats
    high: Floats
    last: Interval
    warnings: tuple[str, ...]


def betting_interval(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    span: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
) -> Interval:
    """The mean of bounded values, covered with at least `level` for any number of them.

    Bets are made in the order of the values, and the number of values must not depend on them; look
    once. The order should be the order of collection, or a random one fixed beforehand.

    Args:
        values: Shape (n,), no NaN, inside `span`.
        clusters: Shape (n,), equal entries belong together; the unit is then the mean of a cluster,
            in order of first appearance, and every cluster counts the same.
        span: The bounds that the values cannot leave, known before the data.

    Raises:
        ValueError: No values, a NaN, or a value outside the span.

    Example:
        >>> found = betting_interval([1, 1, 0, 1, 1, 1, 0, 1, 1, 1] * 5)
        >>> round(found.low, 2), round(found.high, 2)
        (0.62, 0.92)
    """
    x, n = _units(values, clusters, span)
    bets = _bets(x, 1 - level, fixed=True)
    limit = np.log(2 / (1 - level))

    def refused(mean: float) -> bool:
        return bool(_capital(x, bets, np.array([mean])).max() >= limit)

    def refused_above(mean: float) -> bool:
        return bool(_capital(1 - x, bets, np.array([mean])).max() >= limit)

    low, high = _edge(refused), 1 - _edge(refused_above)
    estimate, method = float(x.mean()), "betting, fixed number"
    at, width = span[0], span[1] - span[0]
    if low > high:
        why = "no mean fits: the values drift, so they are not of one mean"
        return Interval(at + width * estimate, None, None, level, method, n, len(x), why)
    ends = at + width * low, at + width * high
    return Interval(
        at + width * estimate, *ends, level=level, method=method, n=n, n_clusters=len(x)
    )


def confidence_sequence(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    span: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
) -> ConfidenceSequence:
    """The same, good at every look: stop whenever it says enough.

    Args:
        values, clusters, span: As in `betting_interval`. A cluster is a unit, complete before the
            next look.

    Raises:
        ValueError: As in `betting_interval`.

    Example:
        >>> looks = confidence_sequence([1, 1, 0, 1, 1, 1, 0, 1, 1, 1] * 5)
        >>> bool((looks.low <= looks.high).all()), looks.last.n
        (True, 50)
    """
    x, n = _units(values, clusters, span)
    bets = _bets(x, 1 - level, fixed=False)
    limit = float(np.log(2 / (1 - level)))
    low, high = _path(x, bets, limit), 1 - _path(1 - x, bets, limit)
    crossed = low > high
    low, high = np.where(crossed, np.nan, low), np.where(crossed, np.nan, high)
    at, width = span[0], span[1] - span[0]
    low, high = at + width * low, at + width * high
    estimate = at + width * np.cumsum(x) / np.arange(1, len(x) + 1)
    last, method, why = float(estimate[-1]), "betting, any time", ""
    ends: tuple[float | None, float | None] = (float(low[-1]), float(high[-1]))
    if crossed[-1]:
        why = "no mean fits: the values drift, so they are not of one mean"
        ends = (None, None)
    final = Interval(last, ends[0], ends[1], level, method, n, len(x), why)
    return ConfidenceSequence(estimate, low, high, final, (why,) if why else ())


def _units(
    values: ArrayLike, clusters: ArrayLike | None, span: tuple[float, float]
) -> tuple[Floats, int]:
    """Values, or means of clusters, moved to [0, 1]; and how many values there were."""
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or x.size == 0 or np.isnan(x).any():
        raise ValueError("the mean needs at least one value, and no NaN")
    if not span[0] < span[1] or x.min() < span[0] or x.max() > span[1]:
        raise ValueError(f"values from {x.min():g} to {x.max():g} do not lie in {span}")
    x = np.clip((x - span[0]) / (span[1] - span[0]), 0.0, 1.0)
    if clusters is None:
        return x, x.size
    names = np.asarray(clusters)
    if names.shape != x.shape:
        raise ValueError(f"{names.size} clusters for {x.size} values")
    _, first, index = np.unique(names, return_index=True, return_inverse=True)
    means = np.bincount(index, weights=x) / np.bincount(index)
    return np.clip(means[np.argsort(first)], 0.0, 1.0), x.size


def _bets(x: Floats, alpha: float, *, fixed: bool) -> Floats:
    """Shape (n,): how much to bet on each value, knowing only the ones before it."""
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    looks = len(x) if fixed else t * np.log(t + 1)
    return np.asarray(np.sqrt(2 * np.log(2 / alpha) / (before * looks)))


def _capital(x: Floats, bets: Floats, means: Floats) -> Floats:
    """Log capital of betting that the mean is larger than each of `means`: shape (n_means, n)."""
    with np.errstate(divide="ignore"):
        most = np.where(means > 0, TRUNCATED / means, np.inf)[:, None]
    gains = np.minimum(bets, most) * (x - means[:, None])
    return np.asarray(np.cumsum(np.log1p(gains), axis=1))


def _edge(refused: Callable[[float], bool]) -> float:
    """The least mean in [0, 1] that is not refused; a larger mean is refused less."""
    if not refused(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if refused(middle) else (low, middle)
    return low


def _path(x: Floats, bets: Floats, limit: float) -> Floats:
    """Shape (n,): the largest mean on a grid that is refused by each time, 0 when none is."""
    grid = np.linspace(0.0, 1.0, STEPS + 1)
    low = np.zeros(len(x))
    size = max(1, CHUNK // len(x))
    for start in range(0, len(grid), size):
        means = grid[start : start + size]
        over = _capital(x, bets, means) >= limit
        crossed = over.any(axis=1)
        np.maximum.at(low, over.argmax(axis=1)[crossed], means[crossed])
    return np.maximum.accumulate(low)
