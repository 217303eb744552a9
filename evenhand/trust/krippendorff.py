"""Krippendorff's alpha taken apart: what `coefficients.krippendorff_alpha` solves."""

from __future__ import annotations

from typing import Literal

import numpy as np

from evenhand.intervals import Floats
from evenhand.trust.engine import (
    Parts,
    Problem,
    counted,
    crossed,
    mixed,
    pseudo_counts,
    through,
    totals,
)
from evenhand.trust.ratings import Gap, Ratings

Level = Literal["nominal", "ordinal", "interval", "ratio"]
MOST_GRADES = 256
CONSTANT = "every pairable rating is the same, so no disagreement could be expected"


def alpha_problem(ratings: Ratings, level: Level) -> Problem:
    """The counts of the items with two ratings or more; sums of powers for many interval values."""
    grades = ratings.grades()
    if level == "interval" and grades.size > MOST_GRADES:
        return _by_powers(ratings)
    if level in ("ordinal", "ratio") and grades.size > MOST_GRADES:
        raise ValueError(f"{grades.size} different values; {level} alpha takes {MOST_GRADES}")
    if level == "ratio" and grades.size and grades[0] < 0 < grades[-1]:
        raise ValueError("a ratio scale has values of one sign")
    counts = counted(ratings, grades)
    units = counts.sum(axis=0) >= 2
    counts = counts if units.all() else counts[:, units]

    def solve(table: Floats, w: Floats) -> Parts | str:
        return _ordinal(table, w) if level == "ordinal" else _fixed(table, w, _apart(grades, level))

    return Problem(units, counts, solve, pseudo_counts(grades.size) if grades.size < 20 else None)


def _apart(grades: Floats, level: Level) -> Floats:
    """Squared differences of the grades, shape (n_grades, n_grades)."""
    one, other = grades[:, None], grades
    if level == "nominal":
        return 1.0 - np.eye(grades.size)
    if level == "interval":
        return np.asarray((one - other) ** 2)
    total = one + other
    return np.asarray(
        np.divide(one - other, total, out=np.zeros_like(total), where=total != 0) ** 2
    )


def _observed(table: Floats, sizes: Floats, apart: Floats) -> Floats:
    """Disagreement inside each unit, shape (n_units,)."""
    return np.asarray(np.einsum("ku,ku->u", table, through(apart, table)) / (sizes - 1))


def _fixed(table: Floats, w: Floats, apart: Floats) -> Parts | str:
    """Nominal, interval, ratio: differences that do not depend on the ratings."""
    sizes = table.sum(axis=0)
    seen, labels = _observed(table, sizes, apart), totals(table, w)
    n, pairs = float(labels.sum()), float(labels @ apart @ labels)
    if pairs <= 0:
        return CONSTANT
    observed, expected = float(totals(seen, w)), pairs / (n - 1)
    slope = 2 * (apart @ labels) / (n - 1) - pairs / (n - 1) ** 2
    move = observed / expected**2 * mixed(slope, table) - seen / expected

    def of(sums: Floats) -> Floats:
        p = sums[:, 1:]
        return _alpha(sums[:, 0], ((p @ apart) * p).sum(axis=1), p.sum(axis=1))

    chance, common = expected / n / apart.max(), float(labels.max()) / n
    return Parts(
        1 - observed / expected,
        w.sum() * move,
        chance,
        common,
        lambda: np.column_stack([seen, table.T]),
        of,
    )


def _alpha(observed: Floats, pairs: Floats, n: Floats) -> Floats:
    """1 - observed (n - 1) / pairs, NaN where nothing could differ."""
    fill = np.full(observed.shape, np.nan)
    return np.asarray(1 - np.divide(observed * (n - 1), pairs, out=fill, where=pairs > 1e-9))


def _ordinal(table: Floats, w: Floats) -> Parts | str:
    """The difference of two grades is that of their midranks, so it moves with the ratings."""
    k, sizes, labels = len(table), table.sum(axis=0), totals(table, w)
    lower = np.tri(k, k, -1) + np.eye(k) / 2
    ranks, n = lower @ labels, float(labels.sum())
    apart = (ranks[:, None] - ranks) ** 2
    pairs = float(labels @ apart @ labels)
    if pairs <= 0:
        return CONSTANT
    scaled = table / (sizes - 1)
    both = crossed(scaled * w, table) - np.diag(totals(scaled, w))
    observed, expected = float(np.sum(both * apart)), pairs / (n - 1)
    by_ranks = 4 * (ranks * labels - both @ ranks)
    pull = 4 * labels * (n * ranks - ranks @ labels) / (n - 1)
    slope = 2 * (apart @ labels) / (n - 1) - pairs / (n - 1) ** 2 + lower.T @ pull
    direct = _observed(table, sizes, apart) + mixed(lower.T @ by_ranks, table)
    move = observed / expected**2 * mixed(slope, table) - direct / expected
    upper = np.triu_indices(k, 1)

    def terms() -> Floats:
        return np.vstack([scaled[upper[0]] * table[upper[1]], table]).T

    def of(sums: Floats) -> Floats:
        p, o = sums[:, -k:], sums[:, :-k]
        r = p @ lower.T
        seen = (2 * o * (r[:, upper[0]] - r[:, upper[1]]) ** 2).sum(axis=1)
        power, first, total = (p * r * r).sum(axis=1), (p * r).sum(axis=1), p.sum(axis=1)
        return _alpha(seen, 2 * (total * power - first**2), total)

    chance, common = expected / n / apart.max(), float(labels.max()) / n
    return Parts(1 - observed / expected, w.sum() * move, chance, common, terms, of)


def _by_powers(ratings: Ratings) -> Problem:
    """Interval alpha from the number, sum and sum of squares of each unit's values."""
    used = ratings.why == Gap.USED
    units = used.sum(axis=1) >= 2
    values = np.where(used, ratings.values, 0.0)[units]
    mask = used[units]
    values = np.where(mask, values - values.sum() / mask.sum(), 0.0)
    table = np.vstack([mask.sum(axis=1), values.sum(axis=1), (values**2).sum(axis=1)])
    return Problem(units, table.astype(float), _powers, None)


def _powers(table: Floats, w: Floats) -> Parts | str:
    sizes, first, second = table
    seen = 2 * (sizes * second - first**2) / (sizes - 1)
    n, one, two = totals(table, w)
    pairs = 2 * (n * two - one**2)
    if pairs <= 0:
        return CONSTANT
    observed, expected = float(totals(seen, w)), pairs / (n - 1)
    moved = 2 * (sizes * two + n * second - 2 * one * first) / (n - 1)
    moved -= pairs / (n - 1) ** 2 * sizes
    move = observed / expected**2 * moved - seen / expected

    def of(sums: Floats) -> Floats:
        o, m, s, q = sums.T
        return _alpha(o, 2 * (m * q - s**2), m)

    def terms() -> Floats:
        return np.column_stack([seen, table.T])

    chance = min(1.0, expected / n / max(float(4 * np.max(second)), 1e-300))
    return Parts(1 - observed / expected, w.sum() * move, chance, 0.0, terms, of)
