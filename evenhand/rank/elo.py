"""Elo ratings, averaged over the order of the battles: a view, never the ranking.

Systems do not learn while they are judged, so an order of battles means nothing, and yet Elo
depends on it. `bradley_terry` gives what Elo is after, without an order and with intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.intervals import Floats, Ints
from evenhand.rank.battles import Battles

VIEW = "depends on the order of the battles; a view, not a ranking with intervals"


@dataclass(frozen=True, slots=True, eq=False)
class OverOrders:
    """Ratings under many orders of the same battles. They say nothing about other battles.

    Attributes:
        mean, sd: Shape (n_systems,), over orders; NaN for a system without a usable battle.
        low, high: Shape (n_systems,), percentiles over orders: not an interval of the strength.
        own: Shape (n_systems,), the deviation that the method itself states, mean over orders; NaN
            where it states none.
        level: Share of the orders between `low` and `high`.
        n_undecided: Battles left out: undecided, or with an unknown covariate.
    """

    systems: tuple[str, ...]
    mean: Floats
    sd: Floats
    low: Floats
    high: Floats
    own: Floats
    level: float
    shuffles: int
    method: str
    n_used: int
    n_undecided: int
    warnings: tuple[str, ...] = (VIEW,)


def orders(n: int, shuffles: int, seed: int) -> Ints:
    """Orders of n battles, shape (shuffles, n)."""
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(n), (shuffles, 1)), axis=1)


def over_orders(
    battles: Battles, ratings: Floats, own: Floats, *, level: float, method: str
) -> OverOrders:
    """Sums up ratings and their own deviations, each of shape (shuffles, n_systems)."""
    used = battles.where(battles.usable)
    met = np.isin(np.arange(battles.n_systems), np.concatenate([used.a, used.b]))
    low, high = np.quantile(ratings, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    columns = ratings.mean(axis=0), ratings.std(axis=0), low, high, own.mean(axis=0)
    mean, sd, low, high, stated = (np.where(met, column, np.nan) for column in columns)
    n = used.a.size
    return OverOrders(
        battles.systems, mean, sd, low, high, stated, level, len(ratings), method, n,
        battles.a.size - n,
    )  # fmt: skip


def elo(
    battles: Battles,
    *,
    k: float = 4.0,
    start: float = 1000.0,
    shuffles: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> OverOrders:
    """Elo ratings: a view of the battles, never the ranking.

    Paper: Boubdir et al. 2023, "Elo Uncovered: Robustness and Best Practices in Language Model
        Evaluation". arXiv:2311.17295: averaged over at least 100 orders, with a small k. Ratings
        stay floats, so that their sum is kept.

    Args:
        k: Points at stake in a battle of weight 1; a weight multiplies it. A small k is a long
            memory, and needs many battles to leave the start.
        start: The mean of all ratings, at all times.

    Raises:
        ValueError: k, or the number of shuffles, is not positive.

    Example:
        >>> found = elo(Battles.of(["x"] * 4, ["y"] * 4, [1, 1, 1, 0]), k=32, shuffles=50)
        >>> found.mean.round(), float(found.mean.sum().round(6))
        (array([1028.,  972.]), 2000.0)
    """
    if not (k > 0 and shuffles > 0):
        raise ValueError(f"k is {k} and shuffles {shuffles}; both must be above 0")
    used = battles.where(battles.usable)
    a, b, share, stake = used.a, used.b, used.outcome, k * used.weights
    ratings = np.full((shuffles, battles.n_systems), float(start))
    rows: NDArray[np.int64] = np.arange(shuffles)
    for at in orders(a.size, shuffles, seed).T:
        x, y = a[at], b[at]
        expected = 1 / (1 + 10 ** ((ratings[rows, y] - ratings[rows, x]) / 400))
        step = stake[at] * (share[at] - expected)
        ratings[rows, x] += step
        ratings[rows, y] -= step
    own = np.full_like(ratings, np.nan)
    method = f"Elo, k = {k:g}, mean of {shuffles} orders"
    return over_orders(battles, ratings, own, level=level, method=method)
