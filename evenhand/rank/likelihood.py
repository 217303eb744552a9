"""Strengths of greatest likelihood, and the sandwich around them: arrays in, arrays out.

Parameters are the strengths and then, if any, effects of covariates. Strengths of one component
are known up to a constant only; `Gauge` holds their mean at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.special import expit

from evenhand.intervals import Floats, Ints
from evenhand.rank.graph import Groups

STEPS = 60
SMALL = 1e-9  # Newton's last step; the next would be its square
Look = Callable[[Floats], tuple[Floats, Callable[[], Floats]]]  # point -> gradient, information


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Usable battles. Attributes: x of shape (n, n_effects), on the scale that effects have."""

    a: Ints
    b: Ints
    share: Floats
    weights: Floats
    clusters: Ints
    x: Floats
    n_systems: int

    def wins(self) -> Floats:
        """Shape (n_systems, n_systems): of the row's system over the column's; ties are shared."""
        k = self.n_systems
        cell = self.a * k + self.b
        met = np.bincount(cell, self.weights, k * k).reshape(k, k)
        won = np.bincount(cell, self.weights * self.share, k * k).reshape(k, k)
        return np.asarray(won + (met - won).T)


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """Attributes: inverse of the information, without the directions that the gauge fixes."""

    point: Floats
    inverse: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """Projects on the directions in which a component's strengths move together."""

    matrix: Floats

    @classmethod
    def of(cls, groups: Groups, size: int) -> Gauge:
        matrix = np.zeros((size, size))
        for group in groups:
            matrix[np.ix_(group, group)] = 1 / len(group)
        return cls(matrix)

    def fixed(self, information: Floats) -> tuple[Floats, float]:
        scale = float(np.trace(information)) / len(information)
        return information + scale * self.matrix, scale


def maximum(look: Look, gauge: Gauge) -> Peak | None:
    """Newton's method with step halving; None when it does not settle."""
    point = np.zeros(len(gauge.matrix))
    gradient, information = look(point)
    try:
        for _ in range(STEPS):
            held, _ = gauge.fixed(information())
            factor = cho_factor(held, check_finite=False)
            step = cho_solve(factor, gradient, check_finite=False)
            step, gradient, information = _climbed(look, point, step, float(gradient @ step))
            point = point + step
            if np.abs(step).max() < SMALL:
                held, scale = gauge.fixed(information())
                whole = cho_solve(cho_factor(held), np.eye(len(point)), check_finite=False)
                return Peak(point, whole - gauge.matrix / scale)
    except (LinAlgError, ValueError):  # no curvature left, or numbers beyond bounds
        return None
    return None


def _climbed(
    look: Look, point: Floats, step: Floats, slope: float
) -> tuple[Floats, Floats, Callable[[], Floats]]:
    """The step, halved while it goes so far over the top that the way back is half as steep."""
    for _ in range(STEPS):
        ahead, information = look(point + step)
        if float(ahead @ step) >= -0.5 * slope or np.abs(step).max() < SMALL:
            break
        step, slope = step / 2, slope / 2
    return step, ahead, information


def of_counts(wins: Floats) -> Look:
    met = wins + wins.T

    def look(theta: Floats) -> tuple[Floats, Callable[[], Floats]]:
        p = expit(theta[:, None] - theta)
        expected = met * p

        def information() -> Floats:
            return _laplacian(expected * (1 - p))

        return (wins - expected).sum(axis=1), information

    return look


def of_rows(rows: Rows) -> Look:
    """With covariates, over every battle."""
    a, b, x, k = rows.a, rows.b, np.ascontiguousarray(rows.x.T), rows.n_systems
    cell = a * k + b

    def look(point: Floats) -> tuple[Floats, Callable[[], Floats]]:
        p = expit(point[a] - point[b] + point[k:] @ x)
        residual = rows.weights * (rows.share - p)

        def information() -> Floats:
            h = rows.weights * p * (1 - p)
            each = np.asarray(np.bincount(cell, h, k * k).reshape(k, k), dtype=float)
            np.fill_diagonal(each, 0)  # a pseudo-battle of equals says nothing about strengths
            tilted = h * x
            mixed = np.array([_by_system(rows, column) for column in tilted]).T
            return np.block([[_laplacian(each + each.T), mixed], [mixed.T, tilted @ x.T]])

        return np.concatenate([_by_system(rows, residual), x @ residual]), information

    return look


def with_prior(rows: Rows, pairs: tuple[Ints, Ints], prior: float) -> Rows:
    """And `prior` wins for each side of each pair that met, all else equal; likewise for a battle
    of equals that differ by 1 in one covariate, which keeps the effects finite too."""
    one, other = pairs
    effects = rows.x.shape[1]
    none = np.zeros(effects, dtype=np.int64)
    extra = one.size + effects
    x = np.zeros((extra, effects))
    x[one.size :] = np.eye(effects)
    return replace(
        rows,
        a=np.concatenate([rows.a, one, none]),
        b=np.concatenate([rows.b, other, none]),
        share=np.concatenate([rows.share, np.full(extra, 0.5)]),
        weights=np.concatenate([rows.weights, np.full(extra, 2 * prior)]),
        x=np.concatenate([rows.x, x]),
    )


# ---- the sandwich --------------------------------------------------------------------------------


def meat(rows: Rows, point: Floats) -> Floats:
    """The sum over clusters of the outer product of the cluster's gradient."""
    k, x, a, b = rows.n_systems, rows.x, rows.a, rows.b
    p = expit(point[a] - point[b] + (x @ point[k:] if x.size else 0.0))
    residual = rows.weights * (rows.share - p)
    sizes = np.bincount(rows.clusters)
    own = _between_systems(rows, residual, sizes)
    if not x.shape[1]:
        return own
    tilted = np.array([np.bincount(rows.clusters, residual * column) for column in x.T])
    mixed = np.array([_by_system(rows, residual * one[rows.clusters]) for one in tilted])
    return np.block([[own, mixed.T], [mixed, tilted @ tilted.T]])


def _by_system(rows: Rows, values: Floats) -> Floats:
    k = rows.n_systems
    return np.asarray(np.bincount(rows.a, values, k) - np.bincount(rows.b, values, k))


def _between_systems(rows: Rows, residual: Floats, sizes: Ints) -> Floats:
    k, n_clusters = rows.n_systems, sizes.size
    couples = float(sizes @ (sizes - 1)) / 2
    block = max(1024, 2**17 // k)  # clusters at a time, whose sums stay in the cache
    dense = 0.05 * n_clusters * k**2 < 40 * couples  # measured: ns an element, ns a couple
    a, b, c = rows.a, rows.b, rows.clusters
    if not couples:  # each battle is a cluster: numbers in any order, and sorting takes time
        c = np.arange(c.size)
    elif not (dense and n_clusters <= block) and (np.diff(c) < 0).any():
        # sorting numbers of 16 bits takes a tenth of the time
        order = np.argsort(c.astype(np.uint16 if n_clusters < 2**16 else np.int64), kind="stable")
        a, b, c, residual = a[order], b[order], c[order], residual[order]
    if not dense and n_clusters * k <= 2**22 and 0.8 * a.size * k < 60 * couples:  # ns, measured
        return _by_entries(a, b, c, residual=residual, k=k)
    if not dense:
        return _by_couples(a, b, c, residual=residual, k=k)
    total = np.zeros((k, k))
    for start in range(0, n_clusters, block):
        size = min(block, n_clusters - start)
        cut = (
            slice(*np.searchsorted(c, [start, start + size])) if size < n_clusters else slice(None)
        )
        at = (c[cut] - start) * k
        sums = np.bincount(at + a[cut], residual[cut], size * k)
        sums -= np.bincount(at + b[cut], residual[cut], size * k)
        total += sums.reshape(size, k).T @ sums.reshape(size, k)
    return total


def _by_entries(a: Ints, b: Ints, c: Ints, *, residual: Floats, k: int) -> Floats:
    """The sums by cluster and system as a sparse table, times themselves; c ascending."""
    columns, values = np.empty(2 * a.size, dtype=np.int32), np.empty(2 * a.size)
    columns[0::2], columns[1::2] = a, b
    values[0::2], values[1::2] = residual, -residual
    starts = np.concatenate([[0], 2 * np.cumsum(np.bincount(c))])
    sums = csr_array((values, columns, starts), shape=(starts.size - 1, k))
    total = sums.T @ sums.toarray()
    return np.asarray((total + total.T) / 2)


def _by_couples(a: Ints, b: Ints, c: Ints, *, residual: Floats, k: int) -> Floats:
    """Battles with themselves, and with each later one of their cluster; c ascending."""
    squares = np.asarray(np.bincount(a * k + b, residual**2, k * k).reshape(k, k), dtype=float)
    total = _laplacian(squares + squares.T)
    later, down, across = np.zeros(k * k), a * k, b * k
    some = max(2**13, k * k)  # measured: what stays in the cache
    left = np.cumsum(np.bincount(c))[c] - np.arange(1, c.size + 1)  # of the cluster
    first, lag = np.arange(c.size), 0
    while (more := left > lag).any():
        first, left, lag = first[more], left[more], lag + 1
        for cut in range(0, first.size, some):
            one = first[cut : cut + some]
            other = one + lag
            both = residual[one] * residual[other]
            x, y, u, v = down[one], across[one], a[other], b[other]
            cells = np.concatenate([x + u, y + v, x + v, y + u])
            later += np.bincount(cells, np.concatenate([both, both, -both, -both]), k * k)
    return total + later.reshape(k, k) + later.reshape(k, k).T


def meat_of_prior(pairs: tuple[Ints, Ints], point: Floats, prior: float, *, k: int) -> Floats:
    """As if each win that was added were a battle, and a cluster, of its own.

    Without it a system that never lost would have hardly any variance: all its battles agree.
    """
    one, other = pairs
    out = np.zeros((point.size, point.size))
    p = expit(point[one] - point[other])
    each = np.zeros((k, k))
    each[one, other] = prior**2 * (p**2 + (1 - p) ** 2)
    out[:k, :k] = _laplacian(each + each.T)
    effects = expit(point[k:])
    at = np.arange(k, point.size)
    out[at, at] = prior**2 * (effects**2 + (1 - effects) ** 2)
    return out


def _laplacian(each: Floats) -> Floats:
    """Of symmetric weights with an empty diagonal (a pair's outer product is +1 and -1)."""
    return np.asarray(np.diag(each.sum(axis=1)) - each)
