"""Judges of step-by-step solutions: do they see that one is wrong, and where it goes wrong?

Steps after the first error are not scored: whether they are "right" is not defined.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import (
    Floats,
    Interval,
    Ints,
    cluster_index,
    cluster_weights,
    from_replicates,
    resampled_sums,
    undefined,
)
from evenhand.trust.engine import How
from evenhand.trust.ratings import Bools, share

BOOTSTRAP = How(method="bootstrap")
ONE_KIND = "all are right or all are wrong: there is nothing to tell apart"
_CELLS = 2**21  # resampled weights held at a time


@dataclass(frozen=True, slots=True)
class Detection:
    """How well scores tell right from wrong.

    Attributes:
        macro_f1: Mean of the F1 of "right" and of "wrong"; an undecided verdict counts as the
            false one of the two.
        auc: Chance that something right has the higher score of two; equals count half, rows
            without a score are left out.
        n, n_undecided: Solutions or steps that were scored, and those of them without a verdict.
    """

    macro_f1: Interval
    auc: Interval
    n: int
    n_undecided: int


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Attributes: located is the share of solutions whose first error was named exactly, or which
    were rightly called free of errors; n_beyond counts steps after the first error, not scored."""

    solutions: Detection
    steps: Detection
    located: Interval
    n_beyond: int


def step_figures(
    step_scores: Sequence[ArrayLike],
    first_error: Sequence[int | None],
    *,
    threshold: float = 0.5,
    solution_scores: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    how: How = BOOTSTRAP,
) -> StepFigures:
    """Figures of a judge that scores every step, over solutions and over steps.

    Paper: Xia et al. 2024, "Evaluating Mathematical Reasoning Beyond Accuracy", the evaluation of
        evaluators as its published script counts. arXiv:2404.05692. Intervals and `located` are
        ours.

    Args:
        step_scores: One array a solution, a score a step, high where it is right; NaN where the
            judge was undecided or never came to it.
        first_error: Place of each solution's first error, from 0; None where there is none.
        threshold: Above it a step is called right, at or below it wrong.
        solution_scores: Shape (n_solutions,). None: the smallest score of the steps; undecided
            where one has none, unless another is called wrong.
        clusters: Shape (n_solutions,), equal entries are not independent (solutions of one
            question). None: every solution for itself. Steps of a solution always stay together.
        how: Level, replicates and seed; the method is always the bootstrap.

    Raises:
        ValueError: Lengths that do not fit, or a first error outside its solution.

    Example:
        >>> found = step_figures([[0.9, 0.8], [0.9, 0.1, 0.7]], [None, 1])
        >>> found.steps.macro_f1.estimate, found.located.estimate, found.n_beyond
        (1.0, 1.0, 1)
    """
    steps = [np.atleast_1d(np.asarray(scores, dtype=float)) for scores in step_scores]
    _fitting(steps, first_error)
    whole = [s.size if e is None else e + 1 for s, e in zip(steps, first_error, strict=True)]
    groups, _ = cluster_index(clusters, len(steps))
    sound = np.array([error is None for error in first_error], dtype=bool)
    if solution_scores is None:
        said = np.array([_least(scores, threshold) for scores in steps])
    else:
        said = np.asarray(solution_scores, dtype=float)
    kept = np.concatenate([s[:n] for s, n in zip(steps, whole, strict=True)])
    right, last = np.ones(kept.size, dtype=bool), np.cumsum(whole) - 1
    right[last[~sound]] = False
    named = [_first_wrong(scores, threshold) for scores in steps]
    exact = [float(x == e) for x, e in zip(named, first_error, strict=True)]
    return StepFigures(
        detection(said, sound, threshold=threshold, clusters=groups, how=how),
        detection(kept, right, threshold=threshold, clusters=np.repeat(groups, whole), how=how),
        share(np.array(exact), groups, level=how.level),
        sum(scores.size for scores in steps) - kept.size,
    )


def detection(
    scores: ArrayLike,
    right: ArrayLike,
    *,
    threshold: float = 0.5,
    clusters: ArrayLike | None = None,
    how: How = BOOTSTRAP,
) -> Detection:
    """Macro-F1 at a threshold and AUC, with intervals from resampled clusters.

    Args:
        scores: Shape (n,), high where right; NaN is undecided.
        right: Shape (n,), true where it is right.
        clusters: Shape (n,), equal entries are not independent.
        how: As for `step_figures`.
    """
    said, truth = np.asarray(scores, dtype=float), np.asarray(right, dtype=bool)
    index, n_clusters = cluster_index(clusters, said.size)
    if not said.shape == truth.shape == index.shape:
        raise ValueError(f"one entry each: {said.shape}, {truth.shape} and {index.shape}")
    read = ~np.isnan(said)
    undecided = int(np.count_nonzero(~read))
    hit = read & ((said > threshold) == truth)
    sums = np.zeros((n_clusters, 4))
    np.add.at(sums, index, np.column_stack([hit & truth, truth, hit & ~truth, ~truth]))
    f1 = _interval(_macro_f1, sums, said.size, how)
    auc = _auc(said[read], truth[read], index[read], how)
    return Detection(f1, auc, said.size, undecided)


def _fitting(steps: Sequence[Floats], first_error: Sequence[int | None]) -> None:
    if len(steps) != len(first_error) or not steps:
        raise ValueError(f"{len(steps)} solutions and {len(first_error)} first errors")
    for place, (scores, error) in enumerate(zip(steps, first_error, strict=True)):
        if scores.size == 0 or (error is not None and not 0 <= error < scores.size):
            raise ValueError(f"solution {place}: {scores.size} steps, first error {error}")


def _least(scores: Floats, threshold: float) -> float:
    read = scores[~np.isnan(scores)]
    least = float(read.min()) if read.size else float("nan")
    return least if read.size == scores.size or least <= threshold else float("nan")


def _first_wrong(scores: Floats, threshold: float) -> int | None:
    """-1 where an undecided step comes first."""
    for place, score in enumerate(scores):
        if not score > threshold:
            return -1 if np.isnan(score) else place
    return None


def _macro_f1(sums: Floats) -> Floats:
    """From hits and number of the right, hits and number of the wrong, shape (B, 4)."""
    hits, n, other, m = sums.T
    with np.errstate(invalid="ignore"):
        both = 2 * hits / (hits + n + m - other) + 2 * other / (other + m + n - hits)
    return np.asarray(np.where((n > 0) & (m > 0), both / 2, np.nan))


def _interval(of: Callable[[Floats], Floats], sums: Floats, n: int, how: How) -> Interval:
    estimate = float(of(sums.sum(axis=0)[None])[0])
    if not np.isfinite(estimate):
        return undefined(ONE_KIND, "cluster bootstrap", n=n, groups=len(sums), level=how.level)
    draws = of(resampled_sums(sums, how.replicates, how.seed))
    return from_replicates(estimate, draws, n=n, n_clusters=len(sums), level=how.level)


def _auc(scores: Floats, right: Bools, clusters: Ints, how: How) -> Interval:
    index, groups = cluster_index(clusters, scores.size)
    if not 0 < np.count_nonzero(right) < scores.size:
        return undefined(
            ONE_KIND, "cluster bootstrap", n=scores.size, groups=groups, level=how.level
        )
    order = np.argsort(scores, kind="stable")
    index, ordered, rising = index[order], right[order], scores[order]
    starts = np.flatnonzero(np.append(True, rising[1:] != rising[:-1]))
    estimate = float(_areas(np.ones((1, scores.size)), ordered, starts)[0])
    draws, rows = [], max(1, _CELLS // scores.size)
    for weights in cluster_weights(groups, how.replicates, how.seed):
        for at in range(0, len(weights), rows):
            draws.append(_areas(weights[at : at + rows, index], ordered, starts))
    found = np.concatenate(draws)
    return from_replicates(estimate, found, n=scores.size, n_clusters=groups, level=how.level)


def _areas(weights: Floats, right: Bools, starts: Ints) -> Floats:
    """Area under the curve for each row of weights; rows of one score lie between two starts."""
    up = np.add.reduceat(weights * right, starts, axis=1)
    down = np.add.reduceat(weights * ~right, starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    pairs = up.sum(axis=1) * down.sum(axis=1)
    fill = np.full(len(weights), np.nan)
    return np.asarray(np.divide((up * below).sum(axis=1), pairs, out=fill, where=pairs > 0))
