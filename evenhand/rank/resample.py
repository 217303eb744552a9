"""Strengths under resampled clusters: counts of pairs instead of rows, all replicates at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from evenhand.intervals import Floats, Ints, cluster_weights
from evenhand.rank.graph import separated
from evenhand.rank.likelihood import Gauge, Peak, maximum, of_counts
from evenhand.rank.meeting import Meeting

Flags = NDArray[np.bool_]
CLOSE = 1e-6  # in log odds
STEPS = 40
WIDE = 64  # replicates at a time: their pairs stay in the cache


def resampled(met: Meeting, peak: Peak, prior: float, *, replicates: int, seed: int) -> Floats:
    """Shape (replicates, n_systems).

    One inverse information, that of the whole data, serves every replicate; each step is exact in
    the gradient, so what it converges to is the replicate's own maximum.
    """
    drawn = [
        _strengths(met, peak, counts, prior)
        for totals in _totals(met, replicates, seed)
        for counts in np.array_split(totals, -(-totals.shape[1] // WIDE), axis=1)
    ]
    return np.vstack(drawn)


def _totals(met: Meeting, replicates: int, seed: int) -> Iterator[Floats]:
    """Battles of each pair, then wins of its first system: shape (2 * n_pairs, some replicates)."""
    rows, (one, other) = met.rows, met.pairs
    k, n_pairs = rows.n_systems, one.size
    at = np.zeros(k * k, dtype=np.int64)
    at[one * k + other] = np.arange(n_pairs)
    forward = rows.a < rows.b
    pair = at[np.minimum(rows.a, rows.b) * k + np.maximum(rows.a, rows.b)]
    won = rows.weights * np.where(forward, rows.share, 1 - rows.share)
    both = np.concatenate([rows.weights, won])
    places = np.concatenate([pair, n_pairs + pair])
    named, unit = np.unique(rows.clusters, return_inverse=True)
    if named.size < unit.size:
        shape = (2 * n_pairs, named.size)
        sums = csr_matrix((both, (places, np.tile(unit, 2))), shape=shape)
        for weights in cluster_weights(named.size, replicates, seed):
            yield sums @ np.ascontiguousarray(weights.T)
        return
    kinds = np.stack([pair, won, rows.weights])  # battles that are alike are drawn as one kind
    order = np.lexsort(kinds)
    change = np.any(np.diff(kinds[:, order]) != 0, axis=0)
    kind = np.empty(pair.size, dtype=np.int64)
    kind[order] = np.concatenate([[0], np.cumsum(change)])
    first = order[np.concatenate([[True], change])]
    both = np.concatenate([rows.weights[first], won[first]])
    places = np.concatenate([pair[first], n_pairs + pair[first]])
    sums = csr_matrix((both, (places, np.tile(np.arange(first.size), 2))))
    for counts in _kinds(kind, replicates, seed):
        yield sums @ counts


def _kinds(kind: Ints, replicates: int, seed: int) -> Iterator[Floats]:
    """How often each kind of battle is drawn, shape (n_kinds, some replicates)."""
    rng, sizes = np.random.default_rng(seed), np.bincount(kind)
    n = kind.size
    for start in range(0, replicates, WIDE):
        some = min(WIDE, replicates - start)
        if sizes.size * 16 < n:  # measured: a binomial costs as much as drawing 16 rows
            drawn = rng.multinomial(n, sizes / n, some)
        else:
            picked = (kind[rng.integers(0, n, n, dtype=np.uint32)] for _ in range(some))
            drawn = np.array([np.bincount(one, minlength=sizes.size) for one in picked])
        yield np.ascontiguousarray(drawn.T, dtype=float)


def _strengths(met: Meeting, peak: Peak, totals: Floats, prior: float) -> Floats:
    (one, other), k = met.pairs, met.rows.n_systems
    n_pairs, replicates = one.size, totals.shape[1]
    battles, won = totals[:n_pairs] + 2 * prior, totals[n_pairs:] + prior
    ends = np.tile(np.arange(n_pairs), 2)
    signs = np.repeat([1.0, -1.0], n_pairs)
    incidence = csr_matrix((signs, (np.concatenate([one, other]), ends)), shape=(k, n_pairs))
    theta = np.repeat(peak.point[:, None], replicates, axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(STEPS):
            p = theta[other] - theta[one]
            np.exp(p, out=p)
            p += 1
            np.divide(battles, p, out=p)
            step = peak.inverse @ (incidence @ (won - p))
            theta += step
            if np.abs(step).max() < CLOSE:
                break
    late = ~(np.abs(step).max(axis=0) < CLOSE)
    if not prior:
        late |= _less_connected(met, totals[:n_pairs] > 0, incidence)
    for at in np.flatnonzero(late):
        theta[:, at] = _alone(met, battles[:, at], won[:, at])
    return theta.T


def _less_connected(met: Meeting, seen: Flags, incidence: csr_matrix) -> Flags:
    """Shape (replicates,): some component falls apart. One in which every system meets half of the
    others cannot, and that is quick to see."""
    (one, other), k = met.pairs, met.rows.n_systems
    size = np.empty(k)
    for group in met.groups:
        size[list(group)] = len(group)
    opponents = np.asarray(abs(incidence) @ seen.astype(float))
    few = (2 * opponents < size[:, None]) & (size[:, None] > 1)
    out: Flags = np.any(few, axis=0)
    for at in np.flatnonzero(out):
        left = seen[:, at]
        graph = csr_matrix((np.ones(left.sum(), dtype=np.int8), (one[left], other[left])), (k, k))
        out[at] = connected_components(graph, directed=False)[0] > len(met.groups)
    return out


def _alone(met: Meeting, battles: Floats, won: Floats) -> Floats:
    """The replicate by Newton's method; NaN where its strengths have no bound."""
    (one, other), k = met.pairs, met.rows.n_systems
    wins = np.zeros((k, k))
    wins[one, other], wins[other, one] = won, battles - won
    if len(separated(wins)) > len(met.groups):
        return np.full(k, np.nan)
    peak = maximum(of_counts(wins), Gauge.of(met.groups, k))
    return np.full(k, np.nan) if peak is None else peak.point
