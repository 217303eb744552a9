"""May a judge stand in for a person? The alternative annotator test.

Paper: Calderon, Reichart and Dror 2025, "The Alternative Annotator Test for LLM-as-a-Judge: How to
    Statistically Justify Replacing Human Annotators with LLMs", arXiv:2501.10970. Departures:
    items may come in clusters; raters with fewer than 30 items get an exact test, because the
    signed-rank test that the paper names asks for symmetry, which differences in {-1, 0, 1} lack
    around epsilon; the winning rate, the advantage and the smallest passing epsilon have intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Interval, clustered_t, wilson
from evenhand.trust.advantage import FEWEST, mean_advantage, outcomes, units_of
from evenhand.trust.alignment import Alignment
from evenhand.trust.rater_tests import (
    NORMAL,
    Flags,
    Floats,
    benjamini_yekutieli,
    columns_of,
    drawn_rates,
)
from evenhand.trust.trinomial import exact_p

NOT_TESTED = "raters not tested, by column"
CHECKED = 200  # below this many items the t-test is checked against the exact one


@dataclass(frozen=True, slots=True)
class RaterTest:
    """The judge against one rater.

    Attributes:
        rater: The rater's column.
        advantage: Share of items on which the judge is at least as near to the others.
        difference: Mean of (rater at least as near) - (judge at least as near), in [-1, 1]; below 0
            the judge is nearer.
        p_value: Of "the difference is epsilon or more"; NaN when the rater was not tested.
        better: The test rejected: within epsilon the judge is as good as this rater.
        reason: Why the rater was not tested.
    """

    rater: int
    advantage: Interval
    difference: Interval
    p_value: float
    better: bool
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AltTest:
    """Result of the test; `passed` is None when the data cannot decide.

    Attributes:
        winning_rate: Share of the tested raters against whom the judge holds. Its interval says how
            far the rate would move with other items and the same raters.
        advantage_probability: Mean over tested raters; compares judges, which the rate does not.
        smallest_epsilon: The least penalty at which the judge passes, to 0.0005; below 0 the judge
            is nearer than people without any; 1 where it never passes. Its interval as for
            the rate.
        raters: One entry a rater, those that were not tested included.
        n_items: Items with at least one tested rater.
        n_missing, n_alone: Of the `Alignment`, over all groups.
        n_excluded: Raters with too few items or clusters. They still count as one of the others.
    """

    winning_rate: Interval
    advantage_probability: Interval
    smallest_epsilon: Interval
    passed: bool | None
    epsilon: float
    raters: tuple[RaterTest, ...]
    n_items: int
    n_missing: int
    n_alone: int
    n_excluded: int
    warnings: tuple[str, ...]


def alt_test(
    scores: Alignment,
    *,
    epsilon: float,
    clusters: ArrayLike | None = None,
    min_items: int = NORMAL,
    q: float = 0.05,
    seed: int = 0,
) -> AltTest:
    """Is the judge, within epsilon, as near to people as at least half of the people are?

    Args:
        scores: From `align`, `align_to_expert` or `align_by_similarity`.
        epsilon: The penalty a person pays for being slow and dear, fixed before the data: the paper
            takes 0.2 for experts, 0.15 for skilled annotators, 0.1 for the crowd.
        clusters: Shape (n_items,), equal entries are not independent (rows of one prompt). None
            takes every item as independent.
        min_items: A rater with fewer is not tested, and counted. Under 30 the exact test is used.
        q: False discovery rate; intervals have level 1 - q.
        seed: Of the draws behind the intervals of winning rate and smallest epsilon.

    Example:
        >>> from evenhand.trust.alignment import align
        >>> people = [[1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, 0]] * 20
        >>> alt_test(align([1, 0, 1, 0] * 20, people), epsilon=0.1).winning_rate.estimate
        1.0
    """
    everything = np.zeros(len(scores.judge), dtype=int)
    return alt_test_by_group(
        scores, everything, epsilon=epsilon, clusters=clusters, min_items=min_items, q=q, seed=seed
    )[0]


def alt_test_by_group(
    scores: Alignment,
    groups: ArrayLike,
    *,
    epsilon: float,
    clusters: ArrayLike | None = None,
    min_items: int = NORMAL,
    q: float = 0.05,
    seed: int = 0,
) -> tuple[AltTest, ...]:
    """The test in several groups of items, the false discovery rate held over all of them.

    Args:
        groups: Shape (n_items,); results come in the order of `numpy.unique(groups)`. The other
            arguments are those of `alt_test`.
    """
    if not -1 <= epsilon <= 1:
        raise ValueError(f"epsilon is a difference of shares, in [-1, 1], not {epsilon}")
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    units = units_of(clusters, len(scores.judge))
    if len(group) != len(scores.judge):
        raise ValueError(f"{len(group)} groups for {len(scores.judge)} items")
    wins, losses = outcomes(scores)
    parts = [np.where((group == g)[:, None], losses - wins, np.nan) for g in range(len(names))]
    table = np.concatenate(parts, axis=1)
    clustered = clusters is not None
    why = [scores.reason or _too_few(column, units, min_items, clustered) for column in table.T]
    tested = np.flatnonzero([not reason for reason in why])
    tests = columns_of(table[:, tested], units, epsilon=epsilon, clustered=clustered)
    raters, results = scores.judge.shape[1], []
    p = np.full(table.shape[1], np.nan)
    if len(tested):
        p[tested] = tests.p_values(tests.mean[None, :], epsilon)[0]
    drawn = drawn_rates(tests, tested // raters, epsilon=epsilon, q=q, seed=seed)
    better = np.zeros(len(p), dtype=bool)
    better[tested] = benjamini_yekutieli(p[tested], q=q) if len(tested) else False
    for g in range(len(names)):
        here = slice(g * raters, (g + 1) * raters)
        inside = group == g
        found = _Group(
            table[inside, here], wins[inside], units[inside], p[here], better[here], why[here],
            epsilon, q, clustered,
        )  # fmt: skip
        results.append(_result(scores, found, drawn.get(g)))
    return tuple(results)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """One group's rows and what was found about its raters."""

    differences: Floats
    wins: Floats
    units: NDArray[np.intp]
    p: Floats
    better: Flags
    why: list[str]
    epsilon: float
    q: float
    clustered: bool


def _too_few(column: Floats, units: NDArray[np.intp], min_items: int, clustered: bool) -> str:
    there = ~np.isnan(column)
    n = int(there.sum())
    if n < max(2, min_items):
        return f"{n} items; {max(2, min_items)} are needed"
    groups = len(np.unique(units[there])) if clustered else n
    return f"{groups} clusters; {FEWEST} are needed" if clustered and groups < FEWEST else ""


def _rater(j: int, found: _Group) -> RaterTest:
    there = ~np.isnan(found.differences[:, j])
    values, won, units = found.differences[there, j], found.wins[there, j], found.units[there]
    n, groups, level = len(values), len(np.unique(units)), 1 - found.q
    method = "cluster t" if found.clustered else "t" if n >= NORMAL else "exact trinomial"
    if groups < FEWEST:
        why = found.why[j] or f"{groups} independent items; under {FEWEST} no interval is given"
        shares = [float(x.mean()) if n else float("nan") for x in (won, values)]
        parts = [Interval(s, None, None, level, "none", n, groups, why) for s in shares]
    else:
        difference = clustered_t(values, units, level=level, span=(-1.0, 1.0))
        advantage = wilson(float(won.sum()), n, level=level)
        if found.clustered:
            advantage = clustered_t(won, units, level=level, span=(0.0, 1.0))
        parts = [advantage, difference]
    p, better = float(found.p[j]), bool(found.better[j])
    return RaterTest(j, parts[0], parts[1], p, better, method, found.why[j])


def _result(scores: Alignment, found: _Group, drawn: tuple[Floats, Floats] | None) -> AltTest:
    raters = tuple(_rater(j, found) for j in range(len(found.p)))
    tested = np.flatnonzero([not reason for reason in found.why])
    seen = (~np.isnan(found.wins[:, tested])).any(axis=1)
    n, groups, level = int(seen.sum()), len(np.unique(found.units[seen])), 1 - found.q
    counts = (n, scores.n_missing, scores.n_alone, len(raters) - len(tested))
    told = (*scores.warnings, *_warnings(found, raters))
    if drawn is None:
        most = max((r.difference.n for r in raters), default=0)
        reason = scores.reason or f"no rater could be tested: the most items of one are {most}"
        none = Interval(float("nan"), None, None, level, "none", n, groups, reason)
        return AltTest(none, none, none, None, found.epsilon, raters, *counts, (reason, *told))
    advantage = mean_advantage(found.wins[:, tested], found.units, level)
    rate, least = (_around(x, level, n, groups) for x in drawn)
    passed = rate.estimate >= 0.5
    return AltTest(rate, advantage, least, passed, found.epsilon, raters, *counts, told)


def _around(found: Floats, level: float, n: int, groups: int) -> Interval:
    """Entry 0 is the estimate, the others are draws."""
    method, estimate = "normal draws of items, raters fixed", float(found[0])
    if groups < FEWEST:
        why = f"{groups} independent items; under {FEWEST} no interval is given"
        return Interval(estimate, None, None, level, method, n, groups, why)
    ends = [0.5 - level / 2, 0.5 + level / 2]
    low, high = np.quantile(found[1:], ends, method="nearest").tolist()
    return Interval(estimate, low, high, level, method, n, groups)


def _warnings(found: _Group, raters: tuple[RaterTest, ...]) -> tuple[str, ...]:
    told = []
    excluded = [f"{r.rater} ({r.reason})" for r in raters if r.reason]
    tested = [r for r in raters if not r.reason]
    if excluded:
        more = f", and {len(excluded) - 8} more" if len(excluded) > 8 else ""
        told.append(f"{NOT_TESTED}: {', '.join(excluded[:8])}{more}")
    if len(tested) == 1:
        told.append("one rater was tested: the winning rate is 0 or 1")
    if found.epsilon >= 0.2 and any(r.difference.n <= 50 for r in tested):
        told.append(f"epsilon {found.epsilon:g} with 50 items or fewer lets worse judges pass")
    if found.clustered and any(r.difference.n_clusters < NORMAL for r in tested):
        told.append(f"fewer than {NORMAL} clusters: the t-test is approximate")
    weak = [r.rater for r in tested if r.better and not _holds(found, r)]
    if weak:
        told.append(f"raters {weak}: the t-test rejects, the exact test does not (few losses)")
    return tuple(told)


def _holds(found: _Group, rater: RaterTest) -> bool:
    if found.clustered or not NORMAL <= rater.difference.n < CHECKED:
        return True
    values = found.differences[:, rater.rater]
    exact = exact_p(values[~np.isnan(values)], np.array([found.epsilon]))
    return bool(exact[0] <= found.q)
