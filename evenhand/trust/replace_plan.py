"""How many items the alternative annotator test needs before a judge can pass it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from evenhand.intervals import Interval, wilson
from evenhand.trust.advantage import FEWEST, outcomes, units_of
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.power import Plan
from evenhand.trust.rater_tests import NORMAL, Floats, benjamini_yekutieli

DRAWS = 1000
MOST = 20_000
FORMULA = "alternative annotator test (arXiv:2501.10970) on a pilot drawn again by cluster"


def replace_power(
    pilot: Alignment,
    items: int,
    *,
    epsilon: float,
    clusters: ArrayLike | None = None,
    q: float = 0.05,
    seed: int = 0,
) -> Interval:
    """The chance that the judge passes with `items` labelled items, with its Monte Carlo error.

    Items (whole clusters, where given) are drawn again from the pilot, with everyone who labelled
    them, and the t-test of `alt_test` is run on 1,000 such draws. That the pilot itself is a sample
    is not in the interval.

    Args:
        pilot: An alignment of the judge with people on 10 or more items or clusters.
        items: At least 30, where the t-test begins.
        epsilon, clusters, q: As in `alt_test`.
    """
    if items < NORMAL:
        raise ValueError(f"at least {NORMAL} items, where the t-test begins, not {items}")
    wins, losses = outcomes(pilot)
    units = units_of(clusters, len(wins))
    rows = ~np.isnan(wins).all(axis=1)
    _, index = np.unique(units[rows], return_inverse=True)
    groups, n = (int(index.max()) + 1 if rows.any() else 0), int(rows.sum())
    if pilot.reason or groups < FEWEST:
        why = pilot.reason or f"{groups} independent items in the pilot; {FEWEST} are needed"
        nothing = float("nan")
        return Interval(nothing, None, None, 0.95, "simulation", n, groups, why)
    drawn = int(items * groups / n + 1e-9)
    if drawn < FEWEST:
        why = f"{items} items make {drawn} clusters; {FEWEST} are needed"
        return Interval(0.0, None, None, 0.95, "simulation", n, groups, why)
    table = (losses - wins)[rows]
    there = ~np.isnan(table)
    a, counts = _gather(np.where(there, table, 0.0), index), _gather(there * 1.0, index)
    # Equal clusters are drawn as one kind: 5,000 items of three raters are 27 kinds.
    kinds, often = np.unique(np.hstack([a, counts]), axis=0, return_counts=True)
    weights = np.random.default_rng(seed).multinomial(drawn, often / groups, size=DRAWS)
    a, counts = np.hsplit(kinds, 2)
    p = _p_values(a, counts, weights.astype(np.float64), epsilon)
    passes = int((benjamini_yekutieli(p, q=q).mean(axis=1) >= 0.5).sum())
    share = wilson(passes, DRAWS)
    return Interval(share.estimate, share.low, share.high, 0.95, "simulation", DRAWS, groups)


def items_to_replace(
    pilot: Alignment,
    *,
    epsilon: float,
    power: float = 0.8,
    clusters: ArrayLike | None = None,
    q: float = 0.05,
    seed: int = 0,
) -> Plan:
    """Items to label, the way the pilot's were, so that the judge passes with chance `power`.

    The number is where the simulated chance first reaches `power`, to 2 %; none up to 20,000 means
    that a judge like the pilot's does not pass at this epsilon.

    Args:
        pilot, epsilon, clusters, q: As in `replace_power`.
    """

    def chance(n: int) -> Interval:
        return replace_power(pilot, n, epsilon=epsilon, clusters=clusters, q=q, seed=seed)

    low, high, found = NORMAL, NORMAL, chance(NORMAL)
    while high < MOST and found.estimate < power:
        low, high = high, min(2 * high, MOST)
        found = chance(high)
    if not found.estimate >= power:
        why = found.reason or f"passes {found.estimate:.0%} of the time even with {high} items"
        none = (None, None, None)
        return Plan("replace", epsilon, *none, found, 1 - q, FORMULA, why, pilot.warnings)
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        try_ = chance(middle)
        low, high, found = (low, middle, try_) if try_.estimate >= power else (middle, high, found)
    size = len(np.flatnonzero(~np.isnan(pilot.judge).all(axis=1)))
    told = pilot.warnings
    if size < 50:
        told = (*told, f"a pilot of {size} items: the number can be far off")
    return Plan("replace", epsilon, high, high, None, found, 1 - q, FORMULA, "", told)


def assumed_annotators(
    n_raters: int,
    *,
    human_noise: float,
    judge_noise: float,
    n_labels: int = 4,
    seed: int = 0,
) -> Alignment:
    """A made-up pilot of 5,000 items, for a plan before anyone has labelled anything.

    Everybody sees the true label of an item, all labels equally likely, and with a chance of
    `human_noise` or `judge_noise` says a random one instead.
    """
    if n_raters < 2 or n_labels < 2 or not (0 <= human_noise <= 1 and 0 <= judge_noise <= 1):
        raise ValueError("two raters and two labels at least, noise between 0 and 1")
    rng = np.random.default_rng(seed)
    shape = (5000, n_raters + 1)
    truth = np.repeat(rng.integers(n_labels, size=(shape[0], 1)), shape[1], axis=1)
    noise = np.array([judge_noise] + [human_noise] * n_raters)
    said = np.where(rng.random(shape) < noise, rng.integers(n_labels, size=shape), truth)
    return align(said[:, 0], said[:, 1:])


def _gather(values: Floats, index: NDArray[np.intp]) -> Floats:
    """Sums over clusters, shape (n_clusters, n_raters)."""
    return np.array([np.bincount(index, weights=column) for column in values.T]).T


def _p_values(a: Floats, n: Floats, weights: Floats, epsilon: float) -> Floats:
    """Cluster t-tests of every draw, shape (n_draws, n_raters).

    With a = sum and n = count in a cluster, the squared residual sums add up to
    S(a^2) - 2 mean S(a n) + mean^2 S(n^2).
    """
    sums, counts = weights @ a, weights @ n
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / counts
        spread = weights @ a**2 - 2 * mean * (weights @ (a * n)) + mean**2 * (weights @ n**2)
        seen = weights @ (n > 0).astype(float)
        error = np.sqrt(np.maximum(spread, 0.0) * seen / (seen - 1)) / counts
        t = np.where(error > 0, (mean - epsilon) / error, np.where(mean < epsilon, -np.inf, np.inf))
        p = stdtr(seen - 1, t)
    # Raters with too few items in a draw cannot be beaten in it.
    return np.where((counts >= NORMAL) & (seen >= FEWEST), p, 1.0)
