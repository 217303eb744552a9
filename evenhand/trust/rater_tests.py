"""Many one-sided tests of the same items at once, and how far their verdicts would move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from evenhand.trust.trinomial import exact_p

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NORMAL = 30  # items from which the paper trusts a t-test
DRAWS = 500
GRID = np.linspace(-1.0, 1.0, 101)


def benjamini_yekutieli(p_values: ArrayLike, *, q: float = 0.05) -> Flags:
    """Which hypotheses to reject so that at most a share q of the rejections are false.

    Paper: Benjamini and Yekutieli 2001, "The control of the false discovery rate in multiple
        testing under dependency", theorem 1.3, doi:10.1214/aos/1013699998

    Args:
        p_values: Shape (..., ncolumns_of), no NaN.
    """
    p = np.asarray(p_values, dtype=float)
    ranks = np.arange(1, p.shape[-1] + 1)
    limits = ranks * q / (p.shape[-1] * np.sum(1.0 / ranks))
    fits = np.sort(p, axis=-1) <= limits
    last = np.where(fits, ranks, 0).max(axis=-1, initial=0)
    limit = np.append(-1.0, limits)[last]
    return np.asarray(p <= limit[..., None])


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One column a test (a rater in a group), only those with enough data.

    Attributes:
        influence: Shape (n_units, n_tests), units being items or clusters, divided by n.
        grid: Epsilons at which `tables` hold the p-values of columns with the exact test.
    """

    mean: Floats
    error: Floats
    freedom: Floats
    influence: Floats
    grid: Floats
    tables: dict[int, Floats]

    def p_values(self, means: Floats, epsilon: Floats | float) -> Floats:
        """Of (ndrawn_rates, ncolumns_of) means, at one epsilon or at one a draw."""
        gap = means - np.reshape(epsilon, (-1, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.error > 0, gap / self.error, np.where(gap < 0, -np.inf, np.inf))
        p = np.asarray(stdtr(self.freedom, t), dtype=float)
        for column, table in self.tables.items():
            p[:, column] = np.interp(self.mean[column] - gap[:, column], self.grid, table)
        return p


def columns_of(
    table: Floats, units: NDArray[np.intp], *, epsilon: float, clustered: bool
) -> Columns:
    """Tests of the columns of differences, shape (n_items, n_tests), NaN for missing."""
    there = ~np.isnan(table)
    n = there.sum(axis=0)
    filled = np.where(there, table, 0.0)
    mean = filled.sum(axis=0) / n
    influence = np.where(there, filled - mean, 0.0) / n
    freedom = n - 1.0
    if clustered:
        size = int(units.max()) + 1
        sums = [np.bincount(units, weights=c, minlength=size) for c in influence.T]
        freedom = np.array([len(np.unique(units[c])) - 1.0 for c in there.T])
        influence = np.array(sums).T if sums else np.empty((size, 0))
    influence = influence * np.sqrt((freedom + 1) / freedom)
    error = np.sqrt(np.sum(influence**2, axis=0))
    small = [c for c in range(table.shape[1]) if n[c] < NORMAL and not clustered]
    grid = np.union1d(GRID, [epsilon])
    tables = {c: exact_p(table[there[:, c], c], grid) for c in small}
    return Columns(mean, error, freedom, influence, grid, tables)


def drawn_rates(
    tests: Columns, group: NDArray[np.intp], *, epsilon: float, q: float, seed: int
) -> dict[int, tuple[Floats, Floats]]:
    """(winning rates, smallest epsilons) a group: entry 0 as found, then with other items.

    The means of new samples are drawn from the normal law that the influence values give: what a
    bootstrap of the items (or clusters) tends to, without resampling a row.

    Args:
        group: Shape (n_tests,), the group that each column belongs to.
    """
    if not len(group):
        return {}
    values, vectors = np.linalg.eigh(tests.influence.T @ tests.influence)
    noise = np.random.default_rng(seed).standard_normal((DRAWS, len(values)))
    shifts = (noise * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    means = np.concatenate([tests.mean[None, :], tests.mean + shifts])
    found = {}
    for g in np.unique(group).tolist():
        mine = group == g

        def rate(at: Floats | float, mine: Flags = mine) -> Floats:
            rejected = benjamini_yekutieli(tests.p_values(means, at), q=q)
            return np.asarray(rejected[:, mine].mean(axis=1), dtype=float)

        low, high = np.full(len(means), -1.0), np.ones(len(means))
        for _ in range(12):
            middle = (low + high) / 2
            passes = rate(middle) >= 0.5
            low, high = np.where(passes, low, middle), np.where(passes, middle, high)
        found[g] = (rate(epsilon), high)
    return found
