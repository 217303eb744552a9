"""How good a benchmark is: does it tell systems apart, and does it order them as people do?

Every pair of systems is looked at once; intervals take the systems as a sample of systems.
`correlations.spearman` of two boards' scores, which resamples systems too, belongs beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from evenhand.intervals import Floats, Interval, enough, from_influence, undefined

Form = Literal["disjoint", "notebook", "paper"]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Scores of the same systems, in the same order, with their intervals.

    Attributes:
        score, low, high: Shape (n_systems,), any units, higher is better.
    """

    score: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(
        cls, draws: ArrayLike, *, score: ArrayLike | None = None, level: float = 0.95
    ) -> Standings:
        """Percentile intervals of bootstrap scores.

        Args:
            draws: Shape (n_systems, n_draws).
            score: Shape (n_systems,), what was measured; None takes the mean of the draws.
        """
        values = np.asarray(draws, dtype=float)
        low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2], axis=1)
        middle = values.mean(axis=1) if score is None else np.asarray(score, dtype=float)
        return cls(middle, low, high)

    @property
    def apart(self) -> Bools:
        """Shape (n_systems, n_systems), which intervals have no point in common."""
        return np.asarray(_common(self) < 0)


@dataclass(frozen=True, slots=True)
class PairShare:
    """A mean over pairs of systems.

    Attributes:
        n_pairs: Pairs that count; `interval.n` and its clusters are systems.
    """

    interval: Interval
    n_pairs: int
    form: str


def _common(standings: Standings) -> Floats:
    """The length that two intervals share; below 0 how far they are apart."""
    low, high = standings.low, standings.high
    return np.minimum(high[:, None], high) - np.maximum(low[:, None], low)


def _over_pairs(values: Floats, counted: Bools, form: str, level: float) -> PairShare:
    """The mean of a symmetric matrix over the pairs that count; the diagonal is left out."""
    n, method = len(values), "influence over systems"
    mask = counted & ~np.eye(n, dtype=bool)
    pairs = int(mask.sum()) // 2
    if not pairs:
        return PairShare(undefined("no pair counts", method, n=n, groups=n, level=level), 0, form)
    mean = float(values[mask].mean())
    influence = n * np.where(mask, values - mean, 0.0).sum(axis=1) / pairs
    found = enough(from_influence(mean, influence, level=level))
    return PairShare(replace(found, method=method), pairs, form)


def separability(standings: Standings, *, touching: bool = False, level: float = 0.95) -> PairShare:
    """The share of pairs of systems whose intervals are disjoint.

    Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
        BenchBuilder Pipeline". arXiv:2406.11939. The interval, for other systems of the same
        kind, is our own.

    Args:
        touching: Intervals with one point in common count as disjoint too.

    Example:
        >>> found = separability(Standings.of([[1, 2, 3], [2, 3, 4], [7, 8, 9]]))
        >>> round(found.interval.estimate, 3), found.n_pairs
        (0.667, 3)
    """
    apart = _common(standings) <= 0 if touching else standings.apart
    form = "touching is disjoint" if touching else "disjoint"
    return _over_pairs(apart.astype(float), np.ones_like(apart), form, level)


def agreement_with_confidence(
    standings: Standings, people: Standings, *, form: Form = "disjoint", level: float = 0.95
) -> PairShare:
    """Over the pairs that people separate: does the benchmark separate them the same way?

    Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
        BenchBuilder Pipeline". arXiv:2406.11939. The `paper` form gives a pair 1 for the same way,
        0 where the benchmark's intervals overlap, and -1 for the other way.

    Args:
        people: The ranking held to be true.
        form: "paper" as above. "disjoint" gives 1, 0.5 and 0 instead. "notebook" is what the
            authors' notebook prints: 1, 0.5 and 0, but intervals that share a length of 0 are
            disjoint (so one without a width always is), and lower bounds decide the order.

    Example:
        >>> board = Standings.of([[1, 2, 3], [2, 3, 4], [7, 8, 9]])
        >>> agreement_with_confidence(board, board, form="paper").interval.estimate
        1.0
    """
    if form == "notebook":
        apart, counted = (np.maximum(_common(each), 0) == 0 for each in (standings, people))
        ours, theirs = standings.low, people.low
    else:
        apart, counted, ours, theirs = standings.apart, people.apart, standings.score, people.score
    same = np.sign(ours[:, None] - ours) * np.sign(theirs[:, None] - theirs)
    points = np.where(apart, same, 0.0)
    return _over_pairs(points if form == "paper" else 0.5 + points / 2, counted, form, level)


def pair_rank_brier(draws: ArrayLike, people: ArrayLike, *, level: float = 0.95) -> PairShare:
    """The mean squared error of the probability that one system is below another, over all pairs.

    The probability is a normal one: difference of the means of the bootstrap scores, over the root
    of the sum of their variances. 0 is right and sure throughout, 0.25 is knowing nothing.

    Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
        BenchBuilder Pipeline". arXiv:2406.11939, as in the authors' notebook.

    Args:
        draws: Shape (n_systems, n_draws), bootstrap scores.
        people: Shape (n_systems,), ratings held to be true; equal ones count as one half.

    Example:
        >>> found = pair_rank_brier([[1, 2, 3], [2, 3, 4], [7, 8, 9]], [1, 2, 3])
        >>> round(found.interval.estimate, 3)
        0.012
    """
    values, truth = np.asarray(draws, dtype=float), np.asarray(people, dtype=float)
    mean, variance = values.mean(axis=1), values.var(axis=1)
    gap = mean - mean[:, None]
    spread = np.sqrt(variance + variance[:, None])
    sure = np.where(gap == 0, 0.0, np.copysign(np.inf, gap))
    below = ndtr(np.divide(gap, spread, out=sure, where=spread > 0))
    error = (below - (0.5 + np.sign(truth - truth[:, None]) / 2)) ** 2
    return _over_pairs(error, np.ones(error.shape, dtype=bool), "all pairs", level)
