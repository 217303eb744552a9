"""Correlations with intervals that know about clusters: arrays in, one frozen result out.

NaN in either array means that the pair is missing. Resampling draws counts of clusters, never
rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import (
    ONE,
    Floats,
    Interval,
    Ints,
    cluster_index,
    cluster_weights,
    clustered_t,
    enough,
    fisher_z,
    from_replicates,
    undefined,
)

Method = Literal["influence", "bootstrap"]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Attributes: n_used, n_missing count pairs; a NaN estimate has its reason in the interval."""

    interval: Interval
    n_used: int
    n_missing: int
    warnings: tuple[str, ...] = ()


# ---- the statistics, under weights ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Statistic:
    """of: (x, y, weights (B, n)) -> (B,); influence: (x, y) -> (estimate, influence (n,))."""

    of: Callable[[Floats, Floats, Floats], Floats]
    influence: Callable[[Floats, Floats], tuple[float, Floats]]


def _ratio(top: Floats, left: Floats, right: Floats) -> Floats:
    """top / sqrt(left right), NaN where either has no spread."""
    below = np.sqrt(np.maximum(left, 0) * np.maximum(right, 0))
    fill = np.full(np.shape(top), np.nan)
    return np.asarray(np.divide(top, below, out=fill, where=below > 1e-12))


def _pearson_of(x: Floats, y: Floats, weights: Floats) -> Floats:
    n = weights.sum(axis=1)
    sums = weights @ np.column_stack([x, y, x * x, y * y, x * y])
    sx, sy, sxx, syy, sxy = sums.T / n
    return _ratio(sxy - sx * sy, sxx - sx**2, syy - sy**2)


def _pearson_influence(x: Floats, y: Floats) -> tuple[float, Floats]:
    a, b = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = float(np.mean(a * b))
    return r, a * b - r * (a * a + b * b) / 2


def _codes(values: Floats) -> Ints:
    return np.unique(values, return_inverse=True)[1].ravel().astype(np.int64)


def _group_sums(codes: Ints, weights: Floats) -> Floats:
    """Weights of each distinct value, shape (B, n_values)."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.asarray(np.add.reduceat(weights[:, order], starts, axis=1), dtype=float)


def _midranks(codes: Ints, weights: Floats) -> Floats:
    """Centred midranks as shares, shape (B, n): 0 is the middle of the weights."""
    groups = _group_sums(codes, weights)
    total = groups.sum(axis=1, keepdims=True)
    return np.asarray(((np.cumsum(groups, axis=1) - groups / 2) / total - 0.5)[:, codes])


def _spearman_of(x: Floats, y: Floats, weights: Floats) -> Floats:
    a, b = _midranks(_codes(x), weights), _midranks(_codes(y), weights)
    return _ratio(
        (weights * a * b).sum(axis=1), (weights * a * a).sum(axis=1), (weights * b * b).sum(axis=1)
    )


def _shift(codes: Ints, ranks: Floats, other: Floats) -> Floats:
    """How a unit more at each place moves the mean of rank times other, through the ranks."""
    sums = np.bincount(codes, weights=other)
    above = sums[::-1].cumsum()[::-1] - sums / 2
    return np.asarray((above[codes] - np.sum((ranks + 0.5) * other)) / codes.size)


def _spearman_influence(x: Floats, y: Floats) -> tuple[float, Floats]:
    cx, cy, ones = _codes(x), _codes(y), np.ones((1, x.size))
    a, b = _midranks(cx, ones)[0], _midranks(cy, ones)[0]
    both, vx, vy = np.mean(a * b), np.mean(a * a), np.mean(b * b)
    rho = float(both / np.sqrt(vx * vy))
    top = a * b - both + _shift(cx, a, b) + _shift(cy, b, a)
    left = a * a - vx + 2 * _shift(cx, a, a)
    right = b * b - vy + 2 * _shift(cy, b, b)
    return rho, top / np.sqrt(vx * vy) - rho / 2 * (left / vx + right / vy)


def _smaller_before(codes: Ints, weights: Floats) -> Floats:
    """Weight of the earlier places with a smaller code, shape (B, n).

    Bit by bit from the top: among codes that share their higher bits, a 1 lies above every
    earlier 0. O(n log n_values) a replicate.
    """
    found = np.zeros_like(weights)
    for bit in range(int(codes.max()).bit_length() - 1, -1, -1):
        high = codes >> (bit + 1)
        order = np.argsort(high, kind="stable")
        one = ((codes[order] >> bit) & 1).astype(bool)
        sums = np.cumsum(np.where(one, 0.0, weights[:, order]), axis=1)
        start = np.searchsorted(high[order], high[order][one], side="left")
        base = np.where(start > 0, sums[:, start - 1], 0.0)
        found[:, order[one]] += sums[:, one] - base
    return found


def _below(x: Ints, y: Ints, weights: Floats) -> Floats:
    """Weight of the units that are smaller in both, shape (B, n)."""
    order = np.lexsort((-y, x))
    found = np.empty_like(weights)
    found[:, order] = _smaller_before(y[order], weights[:, order])
    return found


def _kendall_of(x: Floats, y: Floats, weights: Floats) -> Floats:
    cx, cy = _codes(x), _codes(y)
    total = weights.sum(axis=1) ** 2
    net = 2 * (weights * (_below(cx, cy, weights) - _below(cx, cy.max() - cy, weights))).sum(axis=1)
    left = total - (_group_sums(cx, weights) ** 2).sum(axis=1)
    return _ratio(net, left, total - (_group_sums(cy, weights) ** 2).sum(axis=1))


def _kendall_influence(x: Floats, y: Floats) -> tuple[float, Floats]:
    cx, cy, ones, n = _codes(x), _codes(y), np.ones((1, x.size)), x.size
    ux, uy = cx.max() - cx, cy.max() - cy
    net = _below(cx, cy, ones) + _below(ux, uy, ones) - _below(cx, uy, ones) - _below(ux, cy, ones)
    tx, ty = np.bincount(cx)[cx], np.bincount(cy)[cy]
    left, right = float(n * n - tx.sum()), float(n * n - ty.sum())
    tau = float(net.sum() / np.sqrt(left * right))
    slope = 2 * net[0] / np.sqrt(left * right) - tau * ((n - tx) / left + (n - ty) / right)
    return tau, n * slope


PEARSON = _Statistic(_pearson_of, _pearson_influence)
SPEARMAN = _Statistic(_spearman_of, _spearman_influence)
KENDALL = _Statistic(_kendall_of, _kendall_influence)


# ---- the doors -----------------------------------------------------------------------------------


def _paired(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"two arrays of one length are needed, not {a.shape} and {b.shape}")
    return a, b, np.isfinite(a) & np.isfinite(b)


def _correlate(
    statistic: _Statistic,
    pairs: tuple[ArrayLike, ArrayLike],
    clusters: ArrayLike | None,
    *,
    level: float,
    method: Method,
    replicates: int,
    seed: int,
) -> Correlation:
    a, b, used = _paired(*pairs)
    x, y, n = a[used], b[used], int(used.sum())
    groups = None if clusters is None else np.asarray(clusters)[used]
    index, n_clusters = cluster_index(groups, n)
    missing = int(used.size - n)
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        why = "one side is constant" if n >= 3 else f"{n} pairs; at least 3 are needed"
        nothing = undefined(why, method, n=n, groups=n_clusters, level=level)
        return Correlation(nothing, n, missing, (why,))
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    estimate, influence = statistic.influence(x, y)
    estimate = max(-1.0, min(1.0, estimate))
    if method == "influence" or abs(estimate) >= ONE:
        return Correlation(fisher_z(estimate, influence, groups, level=level), n, missing)
    chunks = cluster_weights(n_clusters, replicates, seed)
    draws = np.concatenate([statistic.of(x, y, w[:, index]) for w in chunks])
    found = from_replicates(estimate, draws, n=n, n_clusters=n_clusters, level=level)
    return Correlation(found, n, missing)


def pearson(
    x: ArrayLike,
    y: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    method: Method = "influence",
    replicates: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Pearson's r; the default interval is on Fisher's z with the influence variance.

    Paper: Fisher 1915, "Frequency Distribution of the Values of the Correlation Coefficient in
        Samples from an Indefinitely Large Population", Biometrika 10, doi:10.2307/2331838. The
        variance is not his 1 / (n - 3), which holds for normal pairs only.

    Args:
        x, y: Shape (n,); a pair with a NaN is missing.
        clusters: Shape (n,), equal entries belong together; None takes every pair for itself.

    Example:
        >>> pearson([1, 2, 3, 4], [1, 3, 2, 4]).interval.estimate
        0.8
    """
    return _correlate(
        PEARSON, (x, y), clusters, level=level, method=method, replicates=replicates, seed=seed
    )


def spearman(
    x: ArrayLike,
    y: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    method: Method = "bootstrap",
    replicates: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Spearman's rho on midranks; the bootstrap ranks anew under each set of weights.

    Paper: Spearman 1904, "The Proof and Measurement of Association between Two Things", The
        American Journal of Psychology 15, doi:10.2307/1412159

    Args: as in `pearson`.
    """
    return _correlate(
        SPEARMAN, (x, y), clusters, level=level, method=method, replicates=replicates, seed=seed
    )


def kendall(
    x: ArrayLike,
    y: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    method: Method = "bootstrap",
    replicates: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Kendall's tau-b, in O(n log n); `method="influence"` for many thousands of pairs.

    Paper: Kendall 1945, "The Treatment of Ties in Ranking Problems", Biometrika 33,
        doi:10.1093/biomet/33.3.239

    Args: as in `pearson`.
    """
    return _correlate(
        KENDALL, (x, y), clusters, level=level, method=method, replicates=replicates, seed=seed
    )


def within_group_tau(
    x: ArrayLike, y: ArrayLike, groups: ArrayLike, *, level: float = 0.95
) -> Correlation:
    """The mean over groups of Kendall's tau-b inside each group, such as the answers to one prompt.

    A group in which either side is constant has no tau and is left out with a warning. The pooled
    tau answers another question: it also rewards knowing which prompts are easy.

    Args:
        x, y: Shape (n,); a pair with a NaN is missing.
        groups: Shape (n,); a group is also the cluster.
    """
    a, b, used = _paired(x, y)
    index, n_groups = cluster_index(np.asarray(groups)[used], int(used.sum()))
    order = np.argsort(index, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(index[order])) + 1) if order.size else []
    taus = np.array([_small_tau(a[used][m], b[used][m]) for m in members])
    kept, method = taus[np.isfinite(taus)], "clustered t over groups"
    n, missing = int(used.sum()), int(used.size - used.sum())
    left_out = int(taus.size - kept.size)
    text = f"{left_out} of {n_groups} groups have no tau: a single pair or a constant side"
    warnings = (text,) if left_out else ()
    if kept.size == 0:
        nothing = undefined("no group has a tau", method, n=n, groups=n_groups, level=level)
        return Correlation(nothing, n, missing, warnings)
    mean = clustered_t(kept, np.arange(kept.size), level=level, span=(-1.0, 1.0))
    return Correlation(replace(enough(mean), method=method), n, missing, warnings)


def _small_tau(x: Floats, y: Floats) -> float:
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    if x.size > 200:
        return _kendall_influence(x, y)[0]
    s, t = np.sign(x[:, None] - x), np.sign(y[:, None] - y)
    return float(np.sum(s * t) / np.sqrt(np.sum(s * s) * np.sum(t * t)))
