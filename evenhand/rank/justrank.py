"""A judge as a ranker of systems: does its order agree with the gold order?

A judge that errs often but evenly ranks systems well; one that errs seldom but always for the same
system does not. Accuracy on single answers cannot tell the two apart. How sharp a judge is, and
whom it favours, is in `decisiveness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import rankdata

from evenhand.correlations import kendall
from evenhand.intervals import (
    Floats,
    Interval,
    cluster_index,
    cluster_weights,
    from_replicates,
)
from evenhand.rank.graph import components, separated
from evenhand.rank.likelihood import Gauge, maximum, of_counts

How = Literal["mean", "median", "win_rate", "bt"]
HOWS: tuple[How, ...] = get_args(How)


# ---- scores of systems ---------------------------------------------------------------------------


def system_scores(scores: ArrayLike, *, how: How = "mean") -> Floats:
    """One figure a system, shape (n_systems,), from one judge's scores of single answers.

    Args:
        scores: Shape (n_systems, n_instructions), higher is better, NaN where there is none.
        how: `win_rate` is the mean share of other systems beaten on the same instruction, ties
            half; `bt` is Bradley-Terry, in log odds, on the battles that the scores imply.

    Raises:
        ValueError: Fewer than two systems, a system without a score, or, for `bt`, systems that
            no instruction connects.

    Example:
        >>> system_scores([[3, 4, 5], [3, 2, 4], [1, 1, 9]], how="win_rate").round(2).tolist()
        [0.75, 0.42, 0.33]
    """
    values = checked(scores)
    return np.asarray(_aggregate(values, how)(np.ones((1, values.shape[1])))[0])


def checked(scores: ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=float)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"scores of shape {values.shape}; expected at least 2 systems in rows")
    if (empty := ~np.isfinite(values).any(axis=1)).any():
        raise ValueError(f"system {int(np.flatnonzero(empty)[0])} has no score at all")
    return values


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """Called with weights of instructions (B, n_instructions): weighted means, (B, n_systems)."""

    values: Floats

    def __call__(self, weights: Floats) -> Floats:
        known = np.isfinite(self.values)
        with np.errstate(invalid="ignore"):
            return np.asarray(
                (weights @ np.where(known, self.values, 0).T) / (weights @ known.T)
            )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Medians:
    values: Floats

    def __call__(self, weights: Floats) -> Floats:
        found = np.full((len(weights), len(self.values)), np.nan)
        for at, row in enumerate(self.values):
            order = np.argsort(row)[: int(np.isfinite(row).sum())]
            below = np.cumsum(weights[:, order], axis=1)
            half = below[:, -1:] / 2
            drawn = below[:, -1] > 0
            low, high = (below >= half).argmax(axis=1), (below > half).argmax(axis=1)
            found[drawn, at] = ((row[order][low] + row[order][high]) / 2)[drawn]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Strengths:
    """Bradley-Terry; replicates share one information matrix, which is that of all instructions."""

    won: Floats
    met: Floats
    n_systems: int

    def __call__(self, weights: Floats) -> Floats:
        k, (one, other) = self.n_systems, np.triu_indices(self.n_systems, 1)
        wins = np.zeros((k, k))
        all_won, all_met = self.won.sum(axis=0), self.met.sum(axis=0)
        wins[one, other], wins[other, one] = all_won, all_met - all_won
        groups = components(k, one[all_met > 0], other[all_met > 0])
        if len(groups) > 1:
            raise ValueError(f"the systems fall into {len(groups)} sets that no instruction joins")
        prior = 0.0 if separated(wins) == groups else 0.5
        wins += prior * (wins + wins.T > 0)
        peak = maximum(of_counts(wins), Gauge.of(groups, k))
        if peak is None:
            raise ValueError("the Bradley-Terry fit did not settle")
        lead = np.zeros((one.size, k))
        lead[np.arange(one.size), one], lead[np.arange(one.size), other] = 1, -1
        extra = prior * (all_met > 0)
        won, met = weights @ self.won + extra, weights @ self.met + 2 * extra
        theta = np.tile(peak.point, (len(weights), 1))
        for _ in range(100):
            step = ((won - met * expit(theta @ lead.T)) @ lead) @ peak.inverse
            theta += np.clip(step, -1, 1)
            if np.abs(step).max() < 1e-7:
                break
        return theta


def _aggregate(values: Floats, how: How) -> _Means | _Medians | _Strengths:
    if how == "mean":
        return _Means(values)
    if how == "median":
        return _Medians(values)
    if how == "win_rate":
        known = np.isfinite(values)
        ranks = rankdata(np.where(known, values, np.inf), axis=0)
        others = known.sum(axis=0) - 1
        fill = np.full(values.shape, np.nan)
        return _Means(np.divide(ranks - 1, others, out=fill, where=known & (others > 0)))
    won, met = votes(values)
    return _Strengths(won, met, len(values))


def votes(values: Floats) -> tuple[Floats, Floats]:
    """Shape (n_instructions, n_pairs): won by the first of each pair, and whether they met."""
    one, other = np.triu_indices(len(values), 1)
    gap = (values[one] - values[other]).T
    met = np.isfinite(gap)
    return np.where(met, (np.sign(np.where(met, gap, 0.0)) + 1) / 2, 0.0), met.astype(float)


# ---- is the order right? -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RankingQuality:
    """Kendall's tau-b of a judge's order of systems with the gold order.

    Attributes:
        tau: These systems, other instructions.
        by_system: Other systems too. No bounds below 10 systems, and never a p-value: orders of
            few systems agree by luck.
    """

    how: How
    tau: Interval
    by_system: Interval
    n_systems: int
    n_instructions: int
    n_missing: int
    warnings: tuple[str, ...] = ()


def ranking_quality(
    scores: ArrayLike,
    gold: ArrayLike,
    *,
    hows: Sequence[How] = HOWS,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> dict[How, RankingQuality]:
    """How well each way of adding up one judge's scores puts systems in the gold order.

    Paper: Gera et al. 2024, "JuStRank: Benchmarking LLM Judges for System Ranking".
        arXiv:2412.09569. Its four aggregations and Kendall's tau; both intervals are ours.

    Args:
        scores: Shape (n_systems, n_instructions), NaN where there is none.
        gold: Shape (n_systems,), higher is better, NaN where unknown; a mere order will do (give
            minus the rank).
        clusters: Shape (n_instructions,); instructions of equal entries are not independent.

    Raises:
        ValueError: As `system_scores`, or another number of gold scores.
    """
    values, truth = checked(scores), np.asarray(gold, dtype=float)
    if truth.shape != (len(values),):
        raise ValueError(f"gold of shape {truth.shape} for {len(values)} systems")
    known = np.isfinite(truth)
    values, truth = values[known], truth[known]
    index, groups = cluster_index(clusters, values.shape[1])
    missing, found = int((~np.isfinite(values)).sum()), {}
    lost = int((~known).sum())
    said = (f"{lost} systems have no gold score and are left out",) if lost else ()
    for how in hows:
        of = _aggregate(values, how)
        scored = of(np.ones((1, values.shape[1])))
        drawn = [of(w[:, index]) for w in cluster_weights(groups, replicates, seed)]
        taus, n = _taus(np.vstack([scored, *drawn]), truth), values.shape[1]
        tau = from_replicates(float(taus[0]), taus[1:], n=n, n_clusters=groups, level=level)
        other = kendall(
            scored[0], truth, level=level, method="bootstrap", replicates=replicates, seed=seed
        )
        tau = replace(tau, method="instruction bootstrap, percentile")
        system = replace(other.interval, method="system bootstrap, percentile")
        found[how] = RankingQuality(how, tau, system, len(values), n, missing, said)
    return found


def _taus(scored: Floats, truth: Floats) -> Floats:
    """Kendall's tau-b of each row with the truth, shape (B,); NaN where either has no order."""
    one, other = np.triu_indices(truth.size, 1)
    right = np.sign(truth[one] - truth[other])
    found = np.empty(len(scored))
    for start in range(0, len(scored), 256):
        part = scored[start : start + 256]
        mine = np.sign(part[:, one] - part[:, other])
        below = np.sqrt((mine**2).sum(axis=1) * (right**2).sum())
        top = np.where(below > 0, mine @ right, np.nan)
        found[start : start + 256] = top / np.where(below > 0, below, 1)
    return found
