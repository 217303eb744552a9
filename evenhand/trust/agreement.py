"""A judge against the truth: accuracy, confusion, correlation, and accuracy without its own noise.

Coefficients of agreement stand in `coefficients`, pairs in `pairwise`, people against people in
`ceiling`, trivial judges in `baselines`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand import correlations
from evenhand.intervals import Floats, Interval, enough, from_influence, undefined
from evenhand.trust.engine import How, counted
from evenhand.trust.ratings import Figure, Gap, Ratings, figure, share

BOOTSTRAP = How(method="bootstrap")


def _truth_and_judge(ratings: Ratings) -> tuple[Floats, Floats]:
    if ratings.n_raters != 2:
        raise ValueError(f"two raters are needed, truth and judge, not {ratings.n_raters}")
    return ratings.values[:, 0], ratings.values[:, 1]


# ---- accuracy ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Attributes: strict counts refused and unread as wrong; coverage is answered over asked."""

    strict: Figure
    answered: Figure
    coverage: Figure


def accuracy(ratings: Ratings, *, level: float = 0.95) -> Accuracy:
    """How often the judge gives the label; an item that got no answer (missing) is left out.

    Args:
        ratings: Two raters, truth and judge.
    """
    truth, judge = _truth_and_judge(ratings)
    labelled = ratings.why[:, 0] == Gap.USED
    asked = labelled & (ratings.why[:, 1] != Gap.MISSING)
    decided = asked & (ratings.why[:, 1] == Gap.USED)
    lost = int(np.count_nonzero(labelled & ~asked))
    warnings = [f"{lost} labelled items never got an answer"] if lost else []

    def told(name: str, values: Floats, items: NDArray[np.bool_]) -> Figure:
        groups = None if ratings.clusters is None else ratings.clusters[items]
        found = share(values[items], groups, level=level)
        used = int(np.count_nonzero(ratings.why[items] == Gap.USED))
        return figure(name, found, ratings, n_used=used, warnings=warnings)

    right = (truth == judge).astype(float)
    return Accuracy(
        told("accuracy (strict)", right, asked),
        told("accuracy (answered)", right, decided),
        told("coverage", decided.astype(float), asked),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """What the judge said, by what was true.

    Attributes:
        grades: The labels, in the order of the rows.
        counts: Shape (n_labels, n_labels + 3): truth by verdict; the last columns are missing,
            refused and unread.
        recall, precision: One a label; NaN with the reason where a label never occurs.
        macro_f1: Mean over labels that occur on either side; undecided counts as a miss.
    """

    grades: tuple[float, ...]
    counts: NDArray[np.int64]
    recall: tuple[Figure, ...]
    precision: tuple[Figure, ...]
    macro_f1: Figure


def confusion(ratings: Ratings, *, level: float = 0.95) -> Confusion:
    """The confusion table of two raters, truth and judge; undecided has its own columns."""
    truth, judge = _truth_and_judge(ratings)
    grades = ratings.grades()
    labelled = ratings.why[:, 0] == Gap.USED
    gaps = ratings.why[labelled, 1].astype(np.int64)
    column = np.searchsorted(grades, np.nan_to_num(judge[labelled]))
    column = np.where(gaps == Gap.USED, column, grades.size + gaps - 1)
    row = np.searchsorted(grades, truth[labelled])
    width = grades.size + 3
    table = np.bincount(row * width + column, minlength=grades.size * width)
    asked = labelled & (ratings.why[:, 1] != Gap.MISSING)

    def rate(name: str, given: NDArray[np.bool_]) -> Figure:
        groups = None if ratings.clusters is None else ratings.clusters[given]
        found = share((truth == judge)[given].astype(float), groups, level=level)
        return figure(name, found, ratings, n_used=int(given.sum()))

    labels = ratings.names or tuple(f"{grade:g}" for grade in grades)
    pairs = list(zip(labels, grades.tolist(), strict=True))
    return Confusion(
        tuple(grades.tolist()),
        table.reshape(grades.size, width),
        tuple(rate(f"recall of {name}", asked & (truth == g)) for name, g in pairs),
        tuple(rate(f"precision of {name}", labelled & (judge == g)) for name, g in pairs),
        macro_f1(ratings, level=level),
    )


def macro_f1(ratings: Ratings, *, level: float = 0.95) -> Figure:
    """Mean over the labels of their F1, as in `Confusion`.

    Args:
        ratings: Two raters, truth and judge.
    """
    asked = ratings.where((ratings.why[:, 0] == Gap.USED) & (ratings.why[:, 1] != Gap.MISSING))
    (truth, judge), grades = _truth_and_judge(asked), ratings.grades()
    yes, said = truth[:, None] == grades, judge[:, None] == grades
    both, either = (yes & said).astype(float), yes.astype(float) + said
    seen = either.sum(axis=0) > 0
    if not seen.any():
        nothing = undefined("no item can be scored", "influence, clustered t", level=level)
        return figure("macro F1", nothing, ratings, n_used=0)
    top, below = 2 * both[:, seen], either[:, seen]
    f1 = top.sum(axis=0) / below.sum(axis=0)
    influence = ((top - f1 * below) / below.mean(axis=0)).mean(axis=1)
    found = from_influence(float(f1.mean()), influence, asked.clusters, level=level, span=(0, 1))
    return figure("macro F1", _seen(found, influence), ratings, n_used=asked.counts()[0])


def correlation(
    ratings: Ratings,
    kind: Literal["pearson", "spearman", "kendall"],
    how: How = BOOTSTRAP,
) -> Figure:
    """A correlation of two raters with the counts of all three kinds of gap."""
    x, y = _truth_and_judge(ratings)
    names = {"pearson": "Pearson's r", "spearman": "Spearman's rho", "kendall": "Kendall's tau-b"}
    found = getattr(correlations, kind)(
        x,
        y,
        clusters=ratings.clusters,
        level=how.level,
        method=how.method,
        replicates=how.replicates,
        seed=how.seed,
    )
    return figure(
        names[kind], found.interval, ratings, n_used=2 * found.n_used, warnings=found.warnings
    )


# ---- without the judge's own noise ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Denoised:
    """Attributes: flip_rate is the chance that one verdict is not the judge's settled one."""

    raw: Figure
    denoised: Figure
    flip_rate: Figure


def denoised_accuracy(ratings: Ratings, *, level: float = 0.95) -> Denoised:
    """Accuracy of a two-way judge with its own flip noise taken out, from repeated verdicts.

    Verdicts flip independently with one probability q on every item. Then repeats agree with
    probability r = (1 - q)^2 + q^2, so 1 - 2q = sqrt(2r - 1), and raw accuracy less a half is the
    denoised one less a half, times 1 - 2q. With q differing between items this is an approximation.

    Paper: after Wei et al. 2024, "Systematic Evaluation of LLM-as-a-Judge in LLM Alignment Tasks:
        Explainable Metrics and Diverse Prompt Templates", arXiv:2408.13006 (flipping noise).
        Reconstructed: q comes from the agreement of repeats, not from their majority.

    Args:
        ratings: The truth first, then two or more verdicts of one judge on the same item. Items
            without truth or with fewer than two read verdicts are left out.
    """
    if ratings.n_raters < 3:
        raise ValueError("denoised accuracy takes the truth and at least two repeats")
    repeats = ratings.why[:, 1:] == Gap.USED
    kept = (ratings.why[:, 0] == Gap.USED) & (repeats.sum(axis=1) >= 2)
    part = ratings.where(kept)
    grades, used = ratings.grades(), repeats[kept]
    counts = counted(part.pick(*range(1, part.n_raters)), grades)
    m = used.sum(axis=1)
    right = ((part.values[:, 1:] == part.values[:, :1]) & used).sum(axis=1) / m
    same = (counts * (counts - 1)).sum(axis=0) / (m * (m - 1))
    warnings = []
    if left := int(np.count_nonzero(~kept)):
        warnings.append(f"{left} items lack a truth or two read verdicts")
    raw, clean, flips = _denoise(right, same, part.clusters, level, two=grades.size <= 2)
    if clean.estimate > 1:
        warnings.append(f"the formula gives {clean.estimate:.3f}, above 1: flips are not alike")
        clean = replace(clean, estimate=1.0)
    n, told = part.counts()[0], ("accuracy (raw)", "accuracy (denoised)", "flip rate")
    made = [
        figure(name, interval, ratings, n_used=n, warnings=warnings)
        for name, interval in zip(told, (raw, clean, flips), strict=True)
    ]
    return Denoised(*made)


def _denoise(
    right: Floats, same: Floats, clusters: NDArray[np.int64] | None, level: float, *, two: bool
) -> tuple[Interval, Interval, Interval]:
    raw = share(right, clusters, level=level)
    rest = float(2 * same.mean() - 1) if same.size else float("nan")
    if not two or not rest > 0:
        why = "repeats agree no more often than coin flips" if two else "there are over two labels"
        why = why if same.size else "no item has a truth and two read verdicts"
        nothing = undefined(why, "influence, clustered t", n=same.size, level=level)
        return raw, nothing, nothing
    root, gain = np.sqrt(rest), right.mean() - 0.5
    moved = (right - right.mean()) / root - gain / root**3 * (same - same.mean())
    flipped = -(same - same.mean()) / (2 * root)
    clean = from_influence(0.5 + gain / root, moved, clusters, level=level, span=(0, 1))
    flips = from_influence((1 - root) / 2, flipped, clusters, level=level, span=(0, 0.5))
    return raw, _seen(clean, moved), _seen(flips, flipped)


def _seen(interval: Interval, influence: Floats) -> Interval:
    """No bounds where the influence is flat: that is a lack of evidence, not certainty."""
    if np.ptp(influence) > 1e-12 or interval.low is None:
        return enough(interval)
    return replace(interval, low=None, high=None, reason="all items alike: no spread can be seen")
