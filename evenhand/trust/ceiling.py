"""How well people predict each other, and how near a judge comes: the human ceiling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from evenhand.intervals import (
    Floats,
    Interval,
    cluster_index,
    from_replicates,
    resampled_sums,
    undefined,
)
from evenhand.trust.engine import How, Weights, agreement_weights, counted
from evenhand.trust.ratings import Figure, Gap, Ratings, figure, share

BOOTSTRAP = How(method="bootstrap")
PARTS = ("human against the others", "judge against the same panels", "judge over human")


@dataclass(frozen=True, slots=True)
class AgainstOthers:
    """One human against the other humans, and the judge against the same others."""

    rater: int
    human: Figure
    judge: Figure


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How well people predict each other, and how near the judge comes.

    Attributes:
        human, judge: Agreement with the panel of the other humans, the same panels for both.
        ratio: judge / human; above 1 the judge agrees with people better than they do.
        per_human: In the order of the raters; those who share no item with another are left out.
    """

    human: Figure
    judge: Figure
    ratio: Figure
    per_human: tuple[AgainstOthers, ...]


def human_ceiling(
    ratings: Ratings,
    judge: int = -1,
    *,
    weights: Weights = "identity",
    beyond_chance: bool = False,
    how: How = BOOTSTRAP,
) -> Ceiling:
    """Leave one human out at a time: each against the others, the judge against the same panels.

    All figures are taken over items that the judge and at least two humans rated. A rating is
    compared with every other on its item, each item weighing as many as it has humans; intervals
    are those of resampled clusters, humans fixed.

    Args:
        judge: The judge's column; all others are human.
        beyond_chance: Kappa of the pooled table instead of the share of agreement.
    """
    column = judge % ratings.n_raters
    people = [rater for rater in range(ratings.n_raters) if rater != column]
    rated = (ratings.why[:, people] == Gap.USED).sum(axis=1) >= 2
    grades = ratings.grades()
    ratings = replace(ratings, scale=tuple(grades.tolist()))
    kept = ratings.where(rated & (ratings.why[:, column] == Gap.USED))
    agree = agreement_weights(grades, weights)
    counts = counted(kept.pick(*people), grades)
    codes = np.searchsorted(grades, kept.values[:, column])
    near = agree @ counts
    sizes = counts.sum(axis=0)
    among = np.einsum("ku,ku->u", counts, near - 1) / np.maximum(sizes - 1, 1)
    to_judge = near[codes, np.arange(codes.size)]
    said = np.eye(grades.size)[codes] * sizes[:, None]
    rows = np.column_stack([among, to_judge, sizes, counts.T, said])
    kind = "kappa" if beyond_chance else "agreement"
    scored = agree if beyond_chance else None

    def three(sums: Floats) -> Floats:
        return _three(sums, scored)

    human, with_judge, ratio = (
        figure(f"{name} ({kind}, {weights})", interval, ratings, n_used=kept.counts()[0])
        for name, interval in zip(PARTS, _intervals(rows, three, kept, how), strict=True)
    )
    each = _per_human(kept, (people, column), near, agree, how.level)
    return Ceiling(human, with_judge, ratio, each)


def _intervals(
    rows: Floats, of: Callable[[Floats], Floats], kept: Ratings, how: How
) -> list[Interval]:
    """For human, judge and ratio.

    Args:
        rows: Shape (n_items, d), what is summed. of: sums (B, d) -> the three, shape (B, 3).
    """
    n, method = kept.n_items, "cluster bootstrap, percentile"
    if n == 0:
        why = "no item was rated by the judge and two humans"
        return [undefined(why, method, level=how.level)] * 3
    index, groups = cluster_index(kept.clusters, n)
    sums = np.column_stack([np.bincount(index, weights=column) for column in rows.T])
    estimates = of(sums.sum(axis=0, keepdims=True))[0]
    draws = of(resampled_sums(sums, how.replicates, how.seed))
    found = []
    for estimate, drawn in zip(estimates.tolist(), draws.T, strict=True):
        if np.isfinite(estimate):
            interval = from_replicates(estimate, drawn, n=n, n_clusters=groups, level=how.level)
        else:
            why = "humans agree no better than chance, or all labels are the same"
            interval = undefined(why, method, n=n, groups=groups, level=how.level)
        found.append(interval)
    return found


def _three(sums: Floats, agree: Floats | None) -> Floats:
    """Human, judge and judge / human, shape (B, 3); `agree` None leaves chance in.

    Args:
        sums: Shape (B, 3 + 2 n_grades): human hits, judge hits, ratings, counts by grade of humans
            and of the judge.
    """
    n = sums[:, 2:3]
    values = sums[:, :2] / n
    if agree is not None:
        k = len(agree)
        people, judge = sums[:, 3 : 3 + k] / n, sums[:, 3 + k :] / n
        chance = np.column_stack([((p @ agree) * people).sum(axis=1) for p in (people, judge)])
        fill = np.full(values.shape, np.nan)
        values = np.divide(values - chance, 1 - chance, out=fill, where=chance < 1 - 1e-12)
    return _with_ratio(values)


def _with_ratio(values: Floats) -> Floats:
    """Human and judge, and judge / human, NaN where people agree no better than chance."""
    human, judged = values.T
    ratio = np.divide(judged, human, out=np.full(human.shape, np.nan), where=human > 1e-12)
    return np.column_stack([values, ratio])


# ---- a line of numbers ---------------------------------------------------------------------------


def line_ceiling(ratings: Ratings, judge: int = -1, *, how: How = BOOTSTRAP) -> Ceiling:
    """As `human_ceiling`, for numbers that are no grades: concordance instead of kappa.

    Concordance is one less the mean squared distance of two ratings on one item over that of
    ratings on any two items: quadratic kappa, of any numbers. `per_human` is empty.
    """
    column = judge % ratings.n_raters
    people = [rater for rater in range(ratings.n_raters) if rater != column]
    rated = (ratings.why[:, people] == Gap.USED).sum(axis=1) >= 2
    kept = ratings.where(rated & (ratings.why[:, column] == Gap.USED))
    middle = float(np.nanmean(kept.values)) if kept.n_items else 0.0  # keeps the squares small
    labels = kept.values[:, people] - middle
    said = kept.values[:, column] - middle
    n, total = (~np.isnan(labels)).sum(axis=1), np.nansum(labels, axis=1)
    squares = np.nansum(labels**2, axis=1)
    among = 2 * (n * squares - total**2) / np.maximum(n - 1, 1)
    to_judge = n * said**2 - 2 * said * total + squares
    rows = np.column_stack([among, to_judge, n, total, squares, n * said, n * said**2])
    human, with_judge, ratio = (
        figure(f"{name} (concordance)", interval, ratings, n_used=kept.counts()[0])
        for name, interval in zip(PARTS, _intervals(rows, _concordance, kept, how), strict=True)
    )
    return Ceiling(human, with_judge, ratio, ())


def _concordance(sums: Floats) -> Floats:
    apart, n = sums[:, :2] / sums[:, 2:3], sums[:, 2]
    people, squares, judge, judged = (sums[:, 3:] / n[:, None]).T
    spread = squares - people**2
    chance = np.column_stack([2 * spread, spread + judged - judge**2 + (people - judge) ** 2])
    fill = np.full(apart.shape, np.nan)
    return _with_ratio(1 - np.divide(apart, chance, out=fill, where=chance > 1e-12))


def _per_human(
    kept: Ratings, who: tuple[list[int], int], near: Floats, agree: Floats, level: float
) -> tuple[AgainstOthers, ...]:
    people, column = who
    grades = kept.grades()
    used = kept.why == Gap.USED
    sizes = used[:, people].sum(axis=1)
    found = []
    for rater in people:
        mine = used[:, rater]
        if not mine.any():
            continue
        own = np.searchsorted(grades, kept.values[mine, rater])
        judge = np.searchsorted(grades, kept.values[mine, column])
        places, others = np.flatnonzero(mine), sizes[mine] - 1
        groups = None if kept.clusters is None else kept.clusters[mine]
        human = (near[own, places] - 1) / others
        judged = (near[judge, places] - agree[judge, own]) / others
        pair = kept.where(mine)
        made = [
            figure(name, share(values, groups, level=level), pair, n_used=2 * int(mine.sum()))
            for name, values in zip(PARTS, (human, judged), strict=False)
        ]
        found.append(AgainstOthers(rater, made[0], made[1]))
    return tuple(found)
