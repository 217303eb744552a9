"""How often a judge is at least as near to people as each of them is; two judges compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from evenhand.intervals import Interval, from_influence, wilson
from evenhand.trust.alignment import Alignment

Floats = NDArray[np.float64]

FEWEST = 10  # independent units under which nothing is inferred
EQUAL = 1e-12


@dataclass(frozen=True, slots=True)
class JudgesCompared:
    """The first judge's advantage probability minus the second's, on the items that both judged.

    Attributes:
        p_value: Two-sided, of "no difference"; NaN when it cannot be told.
    """

    difference: Interval
    first: Interval
    second: Interval
    p_value: float
    warnings: tuple[str, ...]


def outcomes(scores: Alignment) -> tuple[Floats, Floats]:
    """(judge at least as near, rater at least as near), 0 or 1; NaN where nothing was compared."""
    gaps = scores.judge - scores.human
    slack = EQUAL * (1 + np.abs(scores.human))
    empty = np.isnan(gaps)
    return np.where(empty, np.nan, gaps >= -slack), np.where(empty, np.nan, gaps <= slack)


def compare_judges(
    first: Alignment,
    second: Alignment,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> JudgesCompared:
    """Which of two judges has the larger advantage probability over the same people?

    Paired: only (item, rater) entries that both judges have are used, raters are taken as given,
    and items (or clusters) as a sample.

    Args:
        first, second: Alignments of the two judges with the same humans, rows in one order.
        clusters: As in `alt_test`.
    """
    if first.judge.shape != second.judge.shape:
        raise ValueError(f"shapes differ: {first.judge.shape} and {second.judge.shape}")
    units = units_of(clusters, len(first.judge))
    wins = [outcomes(scores)[0] for scores in (first, second)]
    both = ~np.isnan(wins[0] + wins[1])
    wins = [np.where(both, w, np.nan) for w in wins]
    alone = [mean_advantage(w, units, level) for w in wins]
    reason = first.reason or second.reason
    n = int(both.any(axis=1).sum())
    count = len(np.unique(units[both.any(axis=1)]))
    if not reason and count < FEWEST:
        reason = f"{count} independent items; under {FEWEST} nothing is inferred"
    if not reason and not np.any(wins[0][both] != wins[1][both]):
        reason = "the judges win and lose on the same items: the spread cannot be seen"
    estimate = alone[0].estimate - alone[1].estimate
    if reason:
        none = Interval(estimate, None, None, level, "influence, clustered t", n, count, reason)
        return JudgesCompared(none, alone[0], alone[1], float("nan"), (reason,))
    influence = _influence(wins[0] - wins[1])
    named = units[both.any(axis=1)]
    difference = from_influence(estimate, influence, named, level=level, span=(-1.0, 1.0))
    sums = np.bincount(np.unique(named, return_inverse=True)[1], weights=influence)
    error = np.sqrt(count / (count - 1) * np.sum(sums**2)) / n
    t = -abs(estimate) / error if error > 0 else -np.inf
    p = float(min(1.0, 2 * stdtr(count - 1, t)))
    return JudgesCompared(difference, alone[0], alone[1], p, ())


def units_of(clusters: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Shape (n,), 0, 1, ...: which independent unit an item belongs to."""
    if clusters is None:
        return np.arange(n)
    _, units = np.unique(np.asarray(clusters), return_inverse=True)
    if len(units) != n:
        raise ValueError(f"{len(units)} clusters for {n} items")
    return np.asarray(units.ravel())


def _influence(wins: Floats) -> Floats:
    """One value an item, of the mean over raters of each rater's mean; NaN entries are missing."""
    there = ~np.isnan(wins)
    rows, columns = there.any(axis=1), there.any(axis=0)
    values, there = np.where(there, wins, 0.0)[rows][:, columns], there[rows][:, columns]
    n = there.sum(axis=0)
    residuals = np.where(there, values - values.sum(axis=0) / n, 0.0)
    return np.asarray((residuals / n).mean(axis=1) * int(rows.sum()), dtype=float)


def mean_advantage(wins: Floats, units: NDArray[np.intp], level: float) -> Interval:
    """The mean over raters of each rater's share of wins; raters as given, units as a sample."""
    there = ~np.isnan(wins)
    rows, columns = there.any(axis=1), there.any(axis=0)
    n = int(rows.sum())
    if n == 0:
        return Interval(float("nan"), None, None, level, "none", 0, 0, "no item to compare on")
    groups = len(np.unique(units[rows]))
    estimate = float(np.mean([c[~np.isnan(c)].mean() for c in wins.T[columns]]))
    influence = _influence(wins)
    if groups < FEWEST:
        why = f"{groups} independent items; under {FEWEST} no interval is given"
        return Interval(estimate, None, None, level, "influence, clustered t", n, groups, why)
    if np.abs(influence).max() > EQUAL:
        named = units[rows]
        return from_influence(estimate, influence, named, level=level, span=(0.0, 1.0))
    flat = wilson(estimate * groups, groups, level=level)
    method = "Wilson on independent items (all equal)"
    return Interval(estimate, flat.low, flat.high, level, method, n, groups)
