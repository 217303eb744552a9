"""Plackett-Luce: strengths from rankings of several systems, such as a judge's order of n answers.

A ranking is a row of choices: the best of all, then the best of what is left. Two systems a
ranking is Bradley-Terry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import Floats, Ints, cluster_index
from evenhand.rank.fitted import Fitted
from evenhand.rank.graph import components, separated

Ranking = Sequence[Sequence[int]]
Groups = tuple[tuple[int, ...], ...]
_MOST_TIED = 8  # 255 choices stand for all orders of 8 tied systems; above it orders are drawn
_DRAWN = 100
_STEPS, _STOP = 100, 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class _Stages:
    """Choices, several a ranking: who was there, and whose share was chosen.

    Attributes:
        there, chosen: Shape (n_stages, n_systems); `chosen` sums to 1 over a row.
        weights, ranking: Shape (n_stages,).
    """

    there: Floats
    chosen: Floats
    weights: Floats
    ranking: Ints

    def shares(self, theta: Floats) -> Floats:
        """The chance of each system to be chosen, shape (n_stages, n_systems)."""
        worth = np.where(self.there > 0, theta, -np.inf)
        odds = np.exp(worth - worth.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def likelihood(self, theta: Floats) -> float:
        p = np.where(self.chosen > 0, self.shares(theta), 1.0)
        return float(self.weights @ (self.chosen * np.log(np.maximum(p, 1e-300))).sum(axis=1))

    def slopes(self, theta: Floats) -> tuple[Floats, Floats]:
        """What each stage pulls, shape (n_stages, n_systems), and the information."""
        p = self.shares(theta)
        q = p * self.weights[:, None]
        return self.weights[:, None] * (self.chosen - p), np.diag(q.sum(axis=0)) - p.T @ q


def plackett_luce(
    rankings: Sequence[Ranking],
    systems: Sequence[str],
    *,
    offered: Sequence[Sequence[int]] | None = None,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Fitted:
    """Strengths by maximum likelihood, with a covariance by cluster.

    Paper: Turner et al. 2020, "Modelling rankings in R: the PlackettLuce package".
        doi:10.1007/s00180-020-00959-3. Ties depart from it: there is no parameter for them. The
        log likelihood is the mean over all strict orders that a tie leaves open, so that a tie of
        two is half a win each, as in `bradley_terry`; for more than 8 tied systems over 100 orders
        drawn with a fixed seed. No pseudo-rankings are added, unless a system never lost or never
        won. Systems that no ranking connects have ratings about their own set's mean, and no
        comparison; one that is in no ranking has none.

    Args:
        rankings: Each is groups of systems' numbers, best first; a group of several is a tie. An
            empty ranking, or one of a single system, is undecided. Systems not named were not
            there.
        offered: A sequence of numbers a ranking, for rankings of the best few: systems offered but
            not ranked stand below all that are, in an order that nobody knows.
        clusters: Shape (n_rankings,); None takes every ranking for itself.
        weights: Shape (n_rankings,), at least 0.

    Raises:
        ValueError: Lengths that differ, a number without a system, a system twice in one ranking
            or ranked without being offered, or a negative or unknown weight.

    Example:
        >>> found = plackett_luce([[[0], [1], [2]], [[1], [0], [2]], [[0], [2], [1]]] * 8, "xyz")
        >>> found.theta.round(2), found.interval("x").n_clusters
        (array([ 1.1 , -0.14, -0.95]), 24)
    """
    names, n = tuple(systems), len(rankings)
    mass = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    index, _ = cluster_index(clusters, n)
    rest = _unranked(rankings, offered, len(names))
    if mass.shape != (n,) or index.shape != (n,) or not (np.isfinite(mass) & (mass >= 0)).all():
        raise ValueError(f"weights and clusters: one finite value a ranking, {n} of each, and no "
                         "weight below 0")  # fmt: skip
    said = np.array([_choices(*both) > 0 for both in zip(rankings, rest, strict=True)], dtype=bool)
    kept = np.flatnonzero(said & (mass > 0))
    stages = _expanded([(rankings[at], rest[at]) for at in kept.tolist()], mass[kept], len(names))
    theta, covariance, prior, parts, warnings = _fit(stages, index[kept])
    sets = tuple(tuple(names[at] for at in part) for part in parts)
    return Fitted(
        names, theta, covariance, "plackett_luce", {}, {}, sets, prior > 0, prior, level,
        "Plackett-Luce, cluster sandwich", kept.size, int((~said & (mass > 0)).sum()),
        np.unique(index[kept]).size, None, warnings,
    )  # fmt: skip


# ---- rankings into choices -----------------------------------------------------------------------


def _unranked(
    rankings: Sequence[Ranking], offered: Sequence[Sequence[int]] | None, n_systems: int
) -> list[list[int]]:
    """Systems that stand below each ranking; checks the numbers on the way."""
    if offered is not None and len(offered) != len(rankings):
        raise ValueError(f"{len(rankings)} rankings, but {len(offered)} sets of offered systems")
    found = []
    for at, ranking in enumerate(rankings):
        ranked = [int(system) for group in ranking for system in group]
        there = ranked if offered is None else [int(system) for system in offered[at]]
        if len(set(ranked)) != len(ranked) or len(set(there)) != len(there):
            raise ValueError(f"ranking {at} names a system twice: {ranking}")
        if not set(ranked) <= set(there):
            raise ValueError(f"ranking {at} ranks systems that were not offered: {ranking}")
        if there and not 0 <= min(there) <= max(there) < n_systems:
            raise ValueError(f"ranking {at}: a number outside 0 to {n_systems - 1}: {there}")
        found.append([system for system in there if system not in set(ranked)])
    return found


def _choices(ranking: Ranking, rest: Sequence[int]) -> int:
    """How many choices a ranking tells: 0 for an empty one, or one of a single system."""
    ranked = sum(map(len, ranking))
    return ranked if rest else max(ranked - 1, 0)


def _remaining(tied: Sequence[int]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Who of a tied group may still be there, and how often over all orders of the group."""
    n = len(tied)
    if n <= _MOST_TIED:
        for size in range(n, 0, -1):
            yield from ((some, 1 / comb(n, size)) for some in combinations(tied, size))
        return
    rng = np.random.default_rng(0)
    for _ in range(_DRAWN):
        order = rng.permutation(np.asarray(tied)).tolist()
        yield from ((tuple(order[at:]), 1 / _DRAWN) for at in range(n))


def _told(
    ranking: Ranking, rest: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], list[int], float]]:
    """The choices of one ranking: chosen from, all in equal parts; below them; how often."""
    below = [system for group in ranking for system in group] + list(rest)
    for group in ranking:
        below = below[len(group) :]
        for some, often in _remaining(group):
            if len(some) + len(below) > 1:
                yield some, below, often


def _expanded(
    rankings: Sequence[tuple[Ranking, list[int]]], mass: Floats, n_systems: int
) -> _Stages:
    there: list[tuple[int, int]] = []
    chosen: list[tuple[int, int, float]] = []
    weights: list[float] = []
    whose: list[int] = []
    for at, (ranking, rest) in enumerate(rankings):
        for some, below, often in _told(ranking, rest):
            row = len(weights)
            there += [(row, system) for system in (*some, *below)]
            chosen += [(row, system, 1 / len(some)) for system in some]
            weights.append(often * float(mass[at]))
            whose.append(at)
    shape = (len(weights), n_systems)
    present, picked = np.zeros(shape), np.zeros(shape)
    if weights:
        present[tuple(np.array(there).T)] = 1.0
        rows, columns, shares = zip(*chosen, strict=True)
        picked[list(rows), list(columns)] = shares
    return _Stages(present, picked, np.array(weights), np.array(whose, dtype=np.int64))


# ---- the fit -------------------------------------------------------------------------------------


def _fit(stages: _Stages, clusters: Ints) -> tuple[Floats, Floats, float, Groups, tuple[str, ...]]:
    """theta, covariance, prior, components and warnings."""
    k = stages.there.shape[1]
    wins = stages.chosen.T @ (stages.there * stages.weights[:, None])  # [i, j]: i before j
    np.fill_diagonal(wins, 0.0)
    parts = components(k, *np.nonzero(wins))
    warnings: list[str] = []
    prior, added = 0.0, stages
    if len(separated(wins)) > len(parts):
        prior, added = 0.5, _with_prior(stages, wins, 0.5)
        warnings.append("a system, or a group, never lost to the rest: half a win was added to "
                        "each side of each pair that met")  # fmt: skip
    gauge = np.zeros((k, k))
    for part in parts:
        gauge[np.ix_(part, part)] = 1 / len(part)
    theta = _newton(added, gauge)
    covariance = _covariance(stages, clusters[stages.ranking], theta, added=added, gauge=gauge)
    if len(parts) > 1:
        warnings.append(f"rankings connect the systems in {len(parts)} sets; strengths of "
                        "different sets cannot be compared")  # fmt: skip
    covariance[gauge == 0] = np.nan
    alone = [part[0] for part in parts if len(part) == 1]
    theta[alone] = covariance[alone] = covariance[:, alone] = np.nan
    return theta, covariance, prior, parts, tuple(warnings)


def _with_prior(stages: _Stages, wins: Floats, prior: float) -> _Stages:
    """Each pair that met, ranked both ways with a small weight."""
    i, j = np.nonzero(np.triu(wins + wins.T))
    rows, n = np.arange(i.size), i.size
    there, first = np.zeros((2 * n, len(wins))), np.zeros((2 * n, len(wins)))
    for start, winner in ((0, i), (n, j)):
        there[start + rows, i] = there[start + rows, j] = 1.0
        first[start + rows, winner] = 1.0
    return _Stages(
        np.vstack([stages.there, there]),
        np.vstack([stages.chosen, first]),
        np.concatenate([stages.weights, np.full(2 * n, prior)]),
        np.concatenate([stages.ranking, np.full(2 * n, -1)]),
    )


def _newton(stages: _Stages, gauge: Floats) -> Floats:
    """The maximum; the gauge keeps each component at mean 0."""
    theta = np.zeros(len(gauge))
    if not stages.weights.size:
        return theta
    now = stages.likelihood(theta)
    for _ in range(_STEPS):
        pull, information = stages.slopes(theta)
        step = np.linalg.solve(information + gauge, pull.sum(axis=0))
        if np.abs(step).max() < _STOP:
            break
        while (after := stages.likelihood(theta + step)) < now - 1e-9 * abs(now):
            step /= 2
        theta, now = theta + step, after
    return np.asarray(theta)


def _covariance(
    stages: _Stages, clusters: Ints, theta: Floats, *, added: _Stages, gauge: Floats
) -> Floats:
    """The sandwich, with the factor G / (G - 1) for G clusters; the prior is no cluster."""
    if not stages.weights.size:
        return np.full(gauge.shape, np.nan)
    _, information = added.slopes(theta)
    bread = np.linalg.inv(information + gauge)
    pull, _ = stages.slopes(theta)
    index, groups = cluster_index(clusters, clusters.size)
    sums = np.zeros((groups, len(gauge)))
    np.add.at(sums, index, pull)
    if groups < 2:
        return np.full(gauge.shape, np.nan)
    return np.asarray(groups / (groups - 1) * bread @ (sums.T @ sums) @ bread)
