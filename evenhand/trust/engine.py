"""One engine for every agreement coefficient: sums over items, their influence, their bootstrap.

A coefficient is a function of sums over items. Its interval is that of its influence values (one
pass) or of resampled cluster sums (one matrix product); rows are never resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from evenhand.correlations import Method
from evenhand.intervals import (
    Floats,
    Interval,
    Ints,
    cluster_index,
    enough,
    from_influence,
    from_replicates,
    resampled_sums,
    undefined,
    wilson,
)
from evenhand.trust.ratings import Bools, Figure, Gap, Ratings, figure

Weights = Literal["identity", "linear", "quadratic"]
MOST_CELLS = 50_000_000
_PIECE = 8192  # cells of a table that one product takes
SMALL, COMMON, PSEUDO = 50, 0.65, 4.0
CERTAIN = "no disagreement was seen: the lower bound is Wilson's for the share that may disagree"
WIDENED = "few items and one common label: the widened small-sample interval is given"
CONSTANT = "every rating is the same label, so agreement by chance is certain"


@dataclass(frozen=True, slots=True)
class How:
    """How the interval is made; `replicates` and `seed` matter to the bootstrap only."""

    method: Method = "influence"
    level: float = 0.95
    replicates: int = 2000
    seed: int = 0


DEFAULT = How()


@dataclass(frozen=True, slots=True)
class Parts:
    """A coefficient taken apart.

    Attributes:
        influence: Shape (n_units,): total weight times the derivative by a unit's weight.
        chance: Expected disagreement, as a share of the largest possible one.
        common: The share of the most frequent label.
        rows: Gives the terms of the sums, shape (n_units, d); only the bootstrap asks.
        of: Totals (B, d) -> the coefficient (B,), NaN where it is undefined.
    """

    estimate: float
    influence: Floats
    chance: float
    common: float
    rows: Callable[[], Floats]
    of: Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a coefficient is computed from.

    Attributes:
        units: Shape (n_items,), the items that enter.
        table: Shape (k, n_units): counts by grade, or the two raters' grades.
        solve: (table, unit weights) -> parts, or the reason why there are none.
        pseudo: Shape (k, n_pseudo): every pair of grades once, in the form of the table; None where
            no small-sample form exists.
    """

    units: Bools
    table: Floats
    solve: Callable[[Floats, Floats], Parts | str]
    pseudo: Floats | None


# ---- from ratings to tables ----------------------------------------------------------------------


def counted(ratings: Ratings, grades: Floats) -> Floats:
    """How many raters gave each grade, shape (n_grades, n_items)."""
    if grades.size * ratings.n_items > MOST_CELLS:
        raise ValueError(f"{grades.size} different labels on {ratings.n_items} items are too many")
    columns = np.asfortranarray(ratings.values).T
    small = np.int8 if ratings.n_raters < 128 else np.int32
    found = np.empty((grades.size, ratings.n_items))
    for place, grade in enumerate(grades):
        found[place] = np.add.reduce((columns == grade).view(np.int8), axis=0, dtype=small)
    return found


def pairs_of_grades(n_grades: int) -> Ints:
    """Shape (2, n_grades squared)."""
    return np.asarray(np.indices((n_grades, n_grades)).reshape(2, -1), dtype=np.int64)


def pseudo_counts(n_grades: int) -> Floats:
    """An item of two ratings for every pair of grades, shape (n_grades, n_grades squared)."""
    one = np.eye(n_grades)
    first, second = pairs_of_grades(n_grades)
    return np.asarray(one[:, first] + one[:, second])


def agreement_weights(grades: Floats, weights: Weights) -> Floats:
    """How far two grades agree, shape (n_grades, n_grades), 1 on the diagonal."""
    if weights == "identity" or grades.size < 2:
        return np.eye(grades.size)
    apart = np.abs(grades[:, None] - grades) / np.ptp(grades)
    return np.asarray(1 - apart if weights == "linear" else 1 - apart**2)


# ---- products with wide tables -------------------------------------------------------------------
# They stay on one BLAS thread: a second one would spin for some time after its share of the work,
# which doubles the CPU of all that follows.


def pieces(table: Floats) -> Iterator[slice]:
    """The columns of a table, some at a time."""
    width = max(256, _PIECE // max(len(table), 1))
    return (slice(at, at + width) for at in range(0, table.shape[1], width))


def through(matrix: Floats, table: Floats) -> Floats:
    """matrix @ table."""
    found = np.empty((len(matrix), table.shape[1]))
    for part in pieces(table):
        np.matmul(matrix, table[:, part], out=found[:, part])
    return found


def crossed(one: Floats, other: Floats) -> Floats:
    """one @ other.T."""
    found = np.zeros((len(one), len(other)))
    for part in pieces(one):
        found += one[:, part] @ other[:, part].T
    return found


def mixed(weights: Floats, table: Floats) -> Floats:
    """weights @ table."""
    return np.asarray(np.einsum("k,ku->u", weights, table))


def totals(table: Floats, w: Floats) -> Floats:
    """table @ w, of one row or of many."""
    return np.asarray(np.einsum("...u,u->...", table, w))


# ---- from a problem to a figure ------------------------------------------------------------------


def answer(name: str, ratings: Ratings, problem: Problem, *, how: How) -> Figure:
    """Solve, and dress the result with its interval, counts and warnings."""
    n_units = problem.table.shape[1]
    why = "no item has enough ratings"
    parts = problem.solve(problem.table, np.ones(n_units)) if n_units else why
    if isinstance(parts, str):
        nothing = undefined(parts, how.method, n=n_units, level=how.level)
        return figure(name, nothing, ratings, n_used=0)
    groups = None if ratings.clusters is None else ratings.clusters[problem.units]
    rated = (ratings.why == Gap.USED).sum(axis=1)
    warnings = []
    if alone := int(np.count_nonzero((rated > 0) & ~problem.units)):
        warnings.append(f"{alone} items with too few ratings were left out")
    interval = _interval(parts, groups, how)
    if interval.method == "Wilson bound":
        warnings.append(CERTAIN)
    elif _is_small(parts, interval) and problem.pseudo is not None:
        interval = _widened(problem, problem.pseudo, interval, groups)
        warnings.append(WIDENED)
    entered = int(rated[problem.units].sum())
    return figure(name, interval, ratings, n_used=entered, warnings=warnings)


def _is_small(parts: Parts, interval: Interval) -> bool:
    return interval.n_clusters <= SMALL and parts.common >= COMMON and interval.low is not None


def _interval(parts: Parts, clusters: NDArray[np.int64] | None, how: How) -> Interval:
    n = parts.influence.size
    index, groups = cluster_index(clusters, n)
    if parts.estimate >= 1 - 1e-12:
        most = 1 - (wilson(groups, groups, level=how.level).low or 0.0)
        low = max(-1.0, 1 - most / max(parts.chance, 1e-12))
        return enough(Interval(parts.estimate, low, 1.0, how.level, "Wilson bound", n, groups))
    if how.method == "influence":
        found = from_influence(parts.estimate, parts.influence, clusters, level=how.level)
        return enough(replace(found, high=None if found.high is None else min(1.0, found.high)))
    rows = parts.rows()
    if groups < n:
        rows = np.column_stack([np.bincount(index, weights=column) for column in rows.T])
    draws = parts.of(resampled_sums(rows, how.replicates, how.seed))
    return from_replicates(parts.estimate, draws, n=n, n_clusters=groups, level=how.level)


def _widened(
    problem: Problem, pseudo: Floats, interval: Interval, clusters: NDArray[np.int64] | None
) -> Interval:
    """The interval joined with that of a table to which four items, spread evenly, were added."""
    n, extra = problem.table.shape[1], pseudo.shape[1]
    weights = np.concatenate([np.ones(n), np.full(extra, PSEUDO / extra)])
    parts = problem.solve(np.hstack([problem.table, pseudo]), weights)
    assert isinstance(parts, Parts)
    assert interval.low is not None
    assert interval.high is not None
    index, groups = cluster_index(clusters, n)
    moves = parts.influence / weights.sum()
    sums = np.bincount(index, weights=moves[:n])
    spread = np.sum(sums**2) + np.sum(weights[n:] * moves[n:] ** 2)
    half = float(stdtrit(groups - 1, 0.5 + interval.level / 2))
    half *= float(np.sqrt(groups / (groups - 1) * spread))
    low = max(-1.0, min(interval.low, parts.estimate - half))
    high = min(1.0, max(interval.high, parts.estimate + half))
    return replace(interval, low=low, high=high, method=f"{interval.method}, widened")
