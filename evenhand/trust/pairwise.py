"""Pairwise figures: right pairs under a named tie rule, and verdicts asked in both orders.

A verdict is 1 (the first response as the data has them), 0 (tie) or -1; a label likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import (
    Floats,
    Interval,
    Ints,
    cluster_index,
    clustered_t,
    enough,
    from_influence,
    undefined,
)
from evenhand.trust.ratings import Bools, Figure, Gap, Ratings, figure, share

Ties = Literal["half", "drop", "wrong", "separate"]
MOST_POOLED = 4000
_ROWS = 512


def hits(verdicts: Floats, labels: Floats, ties: Ties) -> Floats:
    """How right each verdict is, in [0, 1]; NaN is a pair that the tie rule leaves out.

    A NaN verdict is undecided and wrong under every rule. "separate" takes a tie as a third answer
    that is right where the label is a tie. Under the other rules a pair labelled a tie has no right
    answer and is left out, and a tie verdict counts half, is left out or is wrong.
    """
    right: Floats = np.asarray(verdicts == labels, dtype=float)
    if ties == "separate":
        return right
    credit = {"half": 0.5, "drop": np.nan, "wrong": 0.0}[ties]
    return np.asarray(np.where(labels == 0, np.nan, np.where(verdicts == 0, credit, right)))


def mean_of_hits(
    name: str, scores: Floats, ratings: Ratings, *, ties: Ties, level: float, asked: Bools
) -> Figure:
    """The share of right pairs among those `asked`; pairs left out by the tie rule are told.

    Args:
        scores: Shape (n_items,), as `hits` gives them.
        asked: Shape (n_items,), pairs that have a label and a verdict or a refusal.
    """
    kept = asked & np.isfinite(scores)
    clusters = None if ratings.clusters is None else ratings.clusters[kept]
    warnings = []
    if left := int(np.count_nonzero(asked & ~kept)):
        warnings.append(f"{left} pairs with a tie were left out")
    if lost := int(np.count_nonzero(~asked)):
        warnings.append(f"{lost} pairs lack a label or never got an answer")
    found = share(scores[kept], clusters, level=level)
    used = int(np.count_nonzero(ratings.why[kept] == Gap.USED))
    return figure(f"{name} (ties {ties})", found, ratings, n_used=used, warnings=warnings)


# ---- both orders ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Orders:
    """What two orders of each pair say.

    Attributes:
        mean_accuracy: Mean over the two orders; chance is .5.
        consistent_accuracy: Right in both orders; chance is .25.
        net_vote_accuracy: Right after adding both verdicts: one right and one tie is right, one
            right and one wrong is a tie.
        consistency: Both orders agree, whatever the label.
        first_slot_rate: How often the response shown first won, ties and undecided left out.
    """

    mean_accuracy: Figure
    consistent_accuracy: Figure
    net_vote_accuracy: Figure
    consistency: Figure
    first_slot_rate: Figure


def both_orders(ratings: Ratings, *, ties: Ties, level: float = 0.95) -> Orders:
    """The four pairwise figures and the first-slot rate, in one call.

    A refused or unread verdict is wrong, never consistent, and no vote. A missing one (no answer
    came) leaves its pair out.

    Papers: Tan et al. 2024, "JudgeBench: A Benchmark for Evaluating LLM-based Judges",
        arXiv:2410.12784 (the net vote, ties "wrong"); Zeng et al. 2023, "Evaluating Large Language
        Models at Following Instructions" (LLMBar), arXiv:2310.07641 (mean over orders, agreement).

    Args:
        ratings: Three raters: the label, the verdict in the order given, and the verdict in the
            swapped order already turned back, so that 1 is the same response in all three.
    """
    if ratings.n_raters != 3:
        raise ValueError("both_orders takes label, verdict and swapped verdict")
    _check_signs(ratings)
    label, first, second = ratings.values.T
    answered = (ratings.why[:, 1:] != Gap.MISSING).all(axis=1)
    asked = answered & (ratings.why[:, 0] == Gap.USED)
    one, two = hits(first, label, ties), hits(second, label, ties)
    votes = np.sign(np.nan_to_num(first) + np.nan_to_num(second))
    votes[np.isnan(first) & np.isnan(second)] = np.nan

    def told(name: str, scores: Floats, among: Bools) -> Figure:
        return mean_of_hits(name, scores, ratings, ties=ties, level=level, asked=among)

    return Orders(
        told("mean_accuracy", (one + two) / 2, asked),
        told("consistent_accuracy", np.minimum(one, two), asked),
        told("net_vote_accuracy", hits(votes, label, ties), asked),
        told("consistency", _same(first, second, ties), answered),
        _first_slot(ratings, level),
    )


def _check_signs(ratings: Ratings) -> None:
    if not np.isin(ratings.values[np.isfinite(ratings.values)], (-1.0, 0.0, 1.0)).all():
        raise ValueError("pairwise verdicts and labels are 1, 0 or -1")


def _same(first: Floats, second: Floats, ties: Ties) -> Floats:
    same = (first == second).astype(float)
    tied = ((first == 0) | (second == 0)) & np.isfinite(first) & np.isfinite(second)
    if ties == "half":
        return np.asarray(np.where(tied & (same == 0), 0.5, same))
    fill = {"drop": np.nan, "wrong": 0.0, "separate": same}[ties]
    return np.asarray(np.where(tied, fill, same))


def _first_slot(ratings: Ratings, level: float) -> Figure:
    slots = ratings.values[:, 1:] * np.array([1.0, -1.0])
    said = np.isfinite(slots) & (slots != 0)
    index, _ = cluster_index(ratings.clusters, ratings.n_items)
    wins = (slots[said] > 0).astype(float)
    groups = np.broadcast_to(index[:, None], slots.shape)[said]
    found = share(wins, groups, level=level)
    return figure("first_slot_rate", found, ratings, n_used=int(said.sum()))


# ---- pairs of scores -----------------------------------------------------------------------------


def pairwise_accuracy(
    ratings: Ratings,
    *,
    groups: ArrayLike | None = None,
    epsilon: float | TieWidth = 0.0,
    ids: ArrayLike | None = None,
    ties: Ties = "separate",
    level: float = 0.95,
) -> Figure:
    """How often the judge orders two items as the truth does, ties included.

    With ties "separate" this is the paper's accuracy: pairs that both call a tie are right too.

    Paper: Deutsch, Foster and Freitag 2023, "Ties Matter: Meta-Evaluating Modern Metrics with
        Pairwise Accuracy and Tie Calibration", arXiv:2305.14324

    Args:
        ratings: Two raters, truth and judge; a score missing on either side drops the item.
        groups: Shape (n_items,): only items of one group are compared, and the figure is the mean
            over groups, each a cluster. None compares all items with each other.
        epsilon: Judge scores that differ by at most this are tied; see `fit_tie_width`.
        ids: Shape (n_items,), names of the items; needed with a fitted width, and only then.

    Raises:
        ValueError: The width was fitted on some of these items, or there are no ids to tell.
    """
    kept = _usable(ratings)
    truth, judge = ratings.values[kept].T
    if isinstance(epsilon, TieWidth):
        _refuse_overlap(epsilon, ids, kept)
        epsilon = epsilon.epsilon
    name = f"pairwise accuracy (ties {ties}, epsilon {epsilon:g})"
    if groups is None:
        clusters = None if ratings.clusters is None else ratings.clusters[kept]
        total, pairs = _pooled(truth, judge, epsilon, ties)
        found = _pooled_interval(total, pairs, clusters, level)
    else:
        found = _grouped(truth, judge, np.asarray(groups)[kept], (epsilon, ties, level))
    return figure(name, found, ratings, n_used=2 * int(kept.sum()))


def _usable(ratings: Ratings) -> Bools:
    if ratings.n_raters != 2:
        raise ValueError("pairwise accuracy takes two raters, truth and judge")
    return np.asarray((ratings.why == Gap.USED).all(axis=1))


def _pooled(truth: Floats, judge: Floats, epsilon: float, ties: Ties) -> tuple[Floats, Floats]:
    """Hits and pairs that each item takes part in, a block of rows at a time."""
    total, pairs = np.zeros(truth.size), np.zeros(truth.size)
    for start in range(0, truth.size, _ROWS):
        rows = slice(start, start + _ROWS)
        apart = judge[rows, None] - judge
        said = np.where(np.abs(apart) <= epsilon, 0.0, np.sign(apart))
        right = hits(said, np.sign(truth[rows, None] - truth), ties)
        right[np.arange(len(right)), np.arange(start, start + len(right))] = np.nan
        total[rows] = np.nansum(right, axis=1)
        pairs[rows] = np.isfinite(right).sum(axis=1)
    return total, pairs


def _pooled_interval(total: Floats, pairs: Floats, clusters: Ints | None, level: float) -> Interval:
    n = total.size
    if pairs.sum() == 0:
        return undefined("no two items can be compared", "influence", n=n, level=level)
    value = float(total.sum() / pairs.sum())
    influence = 2 * n * (total - value * pairs) / pairs.sum()
    if not np.any(np.abs(influence) > 1e-12):
        why = "all pairs are equally right, so no spread can be seen"
        groups = cluster_index(clusters, n)[1]
        return Interval(value, None, None, level, "influence, clustered t", n, groups, why)
    return enough(from_influence(value, influence, clusters, level=level, span=(0.0, 1.0)))


def _members(groups: ArrayLike, n: int) -> Iterator[Ints]:
    index, _ = cluster_index(groups, n)
    order = np.argsort(index, kind="stable")
    if n:
        yield from np.split(order, np.flatnonzero(np.diff(index[order])) + 1)


def _grouped(
    truth: Floats, judge: Floats, groups: ArrayLike, rule: tuple[float, Ties, float]
) -> Interval:
    epsilon, ties, level = rule
    means = []
    for group in _members(groups, truth.size):
        total, pairs = _pooled(truth[group], judge[group], epsilon, ties)
        if pairs.sum():
            means.append(total.sum() / pairs.sum())
    if not means:
        return undefined("no group has two items to compare", "clustered t", level=level)
    found = clustered_t(means, np.arange(len(means)), level=level, span=(0.0, 1.0))
    return replace(enough(found), method=f"{found.method} over groups")


@dataclass(frozen=True, slots=True)
class TieWidth:
    """The width below which judge scores are called a tie.

    To be given to `pairwise_accuracy` on other items: it refuses those of the fit.

    Attributes:
        fitted_accuracy: On the items of the fit, so too good; no figure to report.
        fitted_on: Names of the items of the fit.
    """

    epsilon: float
    fitted_accuracy: float
    n_pairs: int
    n_tied: int
    fitted_on: frozenset[str]


def _refuse_overlap(width: TieWidth, ids: ArrayLike | None, kept: Bools) -> None:
    if ids is None:
        raise ValueError("a fitted width needs the ids of the items: it reports on others only")
    here = _named(ids, kept)
    if seen := len(here & width.fitted_on):
        raise ValueError(
            f"the width was fitted on {seen} of these {len(here)} items, and looks better there "
            "than it is; report on other items"
        )


def _named(ids: ArrayLike, kept: Bools) -> frozenset[str]:
    names = np.asarray(ids)
    if names.shape != kept.shape:
        raise ValueError(f"ids of shape {names.shape} for {kept.size} items")
    return frozenset(map(str, names[kept].tolist()))


def fit_tie_width(ratings: Ratings, *, ids: ArrayLike, groups: ArrayLike | None = None) -> TieWidth:
    """The width that makes pairwise accuracy (ties "separate") highest on these items.

    Paper: Deutsch, Foster and Freitag 2023, "Ties Matter: Meta-Evaluating Modern Metrics with
        Pairwise Accuracy and Tie Calibration", tie calibration. arXiv:2305.14324. Among equal
        widths the smallest.

    Args:
        ids: Shape (n_items,), by which the width knows its items again.

    Raises:
        ValueError: No two items to compare, or more than 4,000 items without groups.
    """
    kept = _usable(ratings)
    known = _named(ids, kept)
    truth, judge = ratings.values[kept].T
    named = np.zeros(truth.size) if groups is None else np.asarray(groups)[kept]
    if groups is None and truth.size > MOST_POOLED:
        raise ValueError(f"{truth.size} items without groups; at most {MOST_POOLED}")
    gaps, tied, right, weight = [], [], [], []
    for group in _members(named, truth.size):
        i, j = (group[place] for place in np.triu_indices(group.size, 1))
        apart, label = judge[i] - judge[j], np.sign(truth[i] - truth[j])
        gaps.append(np.abs(apart))
        tied.append(label == 0)
        right.append((label != 0) & (np.sign(apart) == label))
        weight.append(np.full(i.size, 1 / max(i.size, 1)))
    if not gaps or not sum(gap.size for gap in gaps):
        raise ValueError("there are no two items to compare")
    gap, share_of = np.concatenate(gaps), np.concatenate(weight)
    ties = np.concatenate(tied)
    order = np.argsort(gap, kind="stable")
    change = share_of * (ties.astype(float) - np.concatenate(right))
    gained = np.concatenate([[0.0], np.cumsum(change[order])])
    widths = np.concatenate([[0.0], np.unique(gap)])
    inside = np.searchsorted(gap[order], widths, side="right")
    best = int(np.argmax(np.round(gained[inside], 12)))
    start = float(np.sum(share_of * np.concatenate(right)))
    value = (start + float(gained[inside][best])) / float(share_of.sum())
    return TieWidth(float(widths[best]), value, int(gap.size), int(ties.sum()), known)
