"""Intervals for means, shares and smooth statistics: arrays in, one frozen interval out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_CLUSTERS = 10
ONE = 1 - 1e-12  # a correlation from here on is perfect
_CHUNK = 2**19  # counts drawn at a time; of 2**16 to 2**20 the one with the least CPU
_BLOCK = 1024  # a product this narrow stays on one BLAS thread, which halves its CPU


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its doubt, in the units of what was measured.

    Attributes:
        low, high: None when no interval can be given; `reason` then says why.
        level: Nominal coverage, 0.95 for 95 %.
        n, n_clusters: Values used, and groups of values that are not independent.
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    n_clusters: int
    reason: str = ""


def wilson(successes: float, n: int, *, level: float = 0.95) -> Interval:
    """The score interval of a share.

    Paper: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference",
        Journal of the American Statistical Association 22, doi:10.1080/01621459.1927.10502953

    Args:
        successes: In [0, n]; halves are allowed (ties).

    Raises:
        ValueError: n is 0.

    Example:
        >>> interval = wilson(8, 10)
        >>> round(interval.low, 3), round(interval.high, 3)
        (0.49, 0.943)
    """
    if n < 1:
        raise ValueError("a share of nothing has no interval")
    z = float(ndtri(0.5 + level / 2))
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = max(0.0, float(middle - half)), min(1.0, float(middle + half))
    return Interval(p, low, high, level, "Wilson", n, n)


def clustered_t(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    span: tuple[float, float] | None = None,
) -> Interval:
    """The mean of values that come in groups, such as several verdicts on one prompt.

    The variance is the sum over clusters of squared residual sums, times G / (G - 1), over n
    squared; Student's t with G - 1 degrees of freedom (CR1 of a regression on a constant).

    Paper: Cameron and Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference",
        Journal of Human Resources 50, equations 11 and 12, doi:10.3368/jhr.50.2.317

    Args:
        values: Shape (n,), no NaN.
        clusters: Shape (n,), equal entries belong together.
        span: Bounds of the values. The interval is cut at them; and when all values, or all
            clusters, are equal, so that no variance can be seen, it is Wilson's on the clusters
            instead of a point.

    Raises:
        ValueError: No values, or a NaN among them.

    Example:
        >>> clustered_t([1, 0, 1, 1], ["a", "a", "b", "c"], span=(0, 1)).n_clusters
        3
    """
    x = np.asarray(values, dtype=float)
    if x.size == 0 or np.isnan(x).any():
        raise ValueError("the mean needs at least one value, and no NaN")
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    groups, mean = int(index.max()) + 1, float(x.mean())
    sums = np.bincount(index.ravel(), weights=x - mean)
    if span is not None and np.ptp(x) == 0:
        return _flat(mean, x.size, groups, level, span)
    if groups < 2:
        why = "one cluster says nothing about the spread between clusters"
        return Interval(mean, None, None, level, "clustered t", x.size, groups, why)
    if span is not None and np.abs(sums).max() <= 1e-12 * np.ptp(x) * x.size:
        return _flat(mean, x.size, groups, level, span)
    error = float(np.sqrt(groups / (groups - 1) * np.sum(sums**2))) / x.size
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * error
    low, high = mean - half, mean + half
    if span is not None:
        low, high = max(low, span[0]), min(high, span[1])
    return Interval(mean, low, high, level, "clustered t", x.size, groups)


def _flat(mean: float, n: int, groups: int, level: float, span: tuple[float, float]) -> Interval:
    low, width = span[0], span[1] - span[0]
    share = wilson((mean - low) / width * groups, groups, level=level)
    assert share.low is not None
    assert share.high is not None
    method = "Wilson on clusters (all equal)"
    return Interval(
        mean, low + width * share.low, low + width * share.high, level, method, n, groups
    )


def from_influence(
    estimate: float,
    influence: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    level: float = 0.95,
    span: tuple[float, float] | None = None,
) -> Interval:
    """The interval of a smooth statistic from its influence values, one a unit.

    The estimate's error is about the mean of the influence values; their cluster sums give its
    variance as in `clustered_t`, and the quantile is Student's t with clusters - 1 degrees of
    freedom.

    Args:
        influence: Shape (n,), in the statistic's units; their mean need not be exactly zero.
        clusters: Shape (n,); None takes every unit as a cluster.
        span: Bounds of the statistic, at which the interval is cut.

    Raises:
        ValueError: No values, or a NaN among them.
    """
    values = np.asarray(influence, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("an interval needs at least one influence value, all of them finite")
    named = np.arange(values.size) if clusters is None else np.asarray(clusters)
    _, index = np.unique(named, return_inverse=True)
    groups, method = int(index.max()) + 1, "influence, clustered t"
    if groups < 2:
        why = "one cluster says nothing about the spread between clusters"
        return Interval(estimate, None, None, level, method, values.size, groups, why)
    sums = np.bincount(index.ravel(), weights=values - values.mean())
    error = float(np.sqrt(groups / (groups - 1) * np.sum(sums**2))) / values.size
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * error
    low, high = estimate - half, estimate + half
    if span is not None:
        low, high = max(low, span[0]), min(high, span[1])
    return Interval(estimate, low, high, level, method, values.size, groups)


def from_variance(
    estimate: float, variance: float, *, level: float, method: str, n: int, n_clusters: int
) -> Interval:
    """Student's t with clusters - 1 degrees of freedom; NaN is a variance that cannot be seen."""
    why = ""
    if not np.isfinite(variance):
        why = "no variance can be seen"
    elif n_clusters < MIN_CLUSTERS:
        why = f"{n_clusters} clusters, and no interval is given below {MIN_CLUSTERS}"
    if why:
        return Interval(estimate, None, None, level, method, n, n_clusters, why)
    half = float(stdtrit(n_clusters - 1, 0.5 + level / 2)) * float(np.sqrt(max(variance, 0.0)))
    return Interval(estimate, estimate - half, estimate + half, level, method, n, n_clusters)


# ---- resampled clusters --------------------------------------------------------------------------


def enough(interval: Interval) -> Interval:
    """The interval, without bounds when it rests on fewer than 10 clusters."""
    if interval.n_clusters >= MIN_CLUSTERS or interval.low is None:
        return interval
    why = f"{interval.n_clusters} clusters, and no interval is given below {MIN_CLUSTERS}"
    return replace(interval, low=None, high=None, reason=why)


def undefined(why: str, method: str, *, n: int = 0, groups: int = 0, level: float) -> Interval:
    """No estimate, and why."""
    return Interval(float("nan"), None, None, level, method, n, groups, why)


def cluster_index(clusters: ArrayLike | None, n: int) -> tuple[Ints, int]:
    """A number from 0 for each of n units, and how many clusters there are; None: one a unit."""
    if clusters is None:
        return np.arange(n), n
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    return index.ravel().astype(np.int64), int(names.size)


def cluster_weights(n_clusters: int, replicates: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is drawn: multinomial counts, shape (some rows, n_clusters) at a time.

    The draws do not depend on how many rows come at a time.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(n_clusters, 1))
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        drawn = rng.integers(0, n_clusters, (size, n_clusters), dtype=np.uint32).astype(np.int64)
        drawn += (np.arange(size) * n_clusters)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n_clusters)
        yield counts.reshape(size, n_clusters).astype(float)


def resampled_sums(sums: Floats | Ints, replicates: int, seed: int) -> Floats:
    """Totals of (n_clusters, d) sums under resampled clusters, shape (replicates, d)."""
    n, d = sums.shape
    size = min(_BLOCK, n)
    blocks = -(-n // size)
    padded = np.zeros((blocks * size, d))
    padded[:n] = sums
    across = np.ascontiguousarray(padded.reshape(blocks, size, d).transpose(0, 2, 1))
    drawn = []
    for weights in cluster_weights(n, replicates, seed):
        wide = np.zeros((len(weights), blocks * size))
        wide[:, :n] = weights
        by_block = wide.reshape(-1, blocks, size).transpose(1, 2, 0)
        drawn.append((across @ by_block).sum(axis=0).T)
    return np.vstack(drawn)


def from_replicates(
    estimate: float, draws: Floats, *, n: int, n_clusters: int, level: float = 0.95
) -> Interval:
    """Percentiles of bootstrap replicates, taken a little further out than the level says.

    Resampled clusters spread less than clusters do, by (G - 1) / G, and their percentiles are as
    short as a normal interval; the tails are those of a normal law at Student's quantile times
    sqrt(G / (G - 1)). NaN among the draws are left out, up to a tenth.

    Paper: Hesterberg 2015, "What Teachers Should Know about the Bootstrap: Resampling in the
        Undergraduate Statistics Curriculum", The American Statistician 69, the expanded percentile
        interval. arXiv:1411.5279
    """
    method, kept = "cluster bootstrap, expanded percentile", draws[np.isfinite(draws)]
    if kept.size < 0.9 * draws.size:
        why = f"the statistic is undefined in {draws.size - kept.size} of {draws.size} resamples"
        return Interval(estimate, None, None, level, method, n, n_clusters, why)
    groups = max(n_clusters, 2)
    out = float(stdtrit(groups - 1, 0.5 + level / 2)) * np.sqrt(groups / (groups - 1))
    low, high = np.quantile(kept, [ndtr(-out), ndtr(out)])
    return enough(Interval(estimate, float(low), float(high), level, method, n, n_clusters))


def fisher_z(
    estimate: float, influence: Floats, clusters: ArrayLike | None, *, level: float = 0.95
) -> Interval:
    """An interval on the scale of atanh, carried back; the variance is that of the influence."""
    method = "influence on Fisher's z, clustered t"
    if abs(estimate) >= ONE:
        index, groups = cluster_index(clusters, influence.size)
        why = "the points agree without exception, so no spread can be seen"
        return Interval(estimate, None, None, level, method, index.size, groups, why)
    stretched = influence / (1 - estimate**2)
    z = enough(from_influence(float(np.arctanh(estimate)), stretched, clusters, level=level))
    if z.low is None or z.high is None:
        return replace(z, estimate=estimate, method=method)
    low, high = float(np.tanh(z.low)), float(np.tanh(z.high))
    return replace(z, estimate=estimate, low=low, high=high, method=method)
