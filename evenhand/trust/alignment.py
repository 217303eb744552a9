"""How well a judge, and each person in turn, agrees with the other people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Metric = Literal["accuracy", "neg_rmse"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Scores of a judge and of every rater against the same people, higher is nearer.

    Attributes:
        judge: Shape (n_items, n_raters); entry (i, j) scores the judge on item i against everyone
            but rater j. NaN where the judge or rater j said nothing, or nobody else did.
        human: The same for rater j in the judge's place; NaN at the same entries.
        n_missing: Items that the judge left without a label, dropped.
        n_alone: Items without a second person to compare with, dropped.
        reason: Why nothing can be tested; empty when something can.
    """

    judge: Floats
    human: Floats
    n_missing: int
    n_alone: int
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.judge.ndim != 2 or self.judge.shape != self.human.shape:
            raise ValueError(f"two tables of one shape, not {self.judge.shape}, {self.human.shape}")
        if not np.array_equal(np.isnan(self.judge), np.isnan(self.human)):
            raise ValueError("judge and raters must be scored at the same entries")


def align(judge: ArrayLike, humans: ArrayLike, *, metric: Metric = "accuracy") -> Alignment:
    """Score the judge and each rater against the remaining raters of every item.

    Paper: Calderon, Reichart and Dror 2025, "The Alternative Annotator Test for LLM-as-a-Judge: How
        to Statistically Justify Replacing Human Annotators with LLMs", the alignment scores ACC and
        -RMSE, arXiv:2501.10970

    Args:
        judge: Shape (n_items,): numbers, or labels of any kind (`accuracy` only). NaN or None where
            the judge gave no verdict; such items are dropped and counted.
        humans: Shape (n_items, n_raters), NaN or None where a person did not label the item.
        metric: "accuracy" is the share of the others with the same label, "neg_rmse" minus the root
            mean squared difference from them.

    Raises:
        ValueError: Shapes that do not fit, or labels that are no numbers under "neg_rmse".

    Example:
        >>> scores = align([1, 0], [[1, 1, 0], [0, 0, 0]])
        >>> scores.judge[0].tolist(), scores.human[0].tolist()
        ([0.5, 0.5, 1.0], [0.5, 0.5, 0.0])
    """
    f, h = _numbers(judge, humans, metric)
    seen, silent = ~np.isnan(h), np.isnan(f)
    alone = ~silent & (seen.sum(axis=1) < 2)
    keep = seen & ~(silent | alone)[:, None]
    ours, theirs = np.full(h.shape, np.nan), np.full(h.shape, np.nan)
    for j in range(h.shape[1]):
        rows = keep[:, j]
        others = np.delete(h, j, axis=1)[rows]
        ours[rows, j] = _score(f[rows], others, metric)
        theirs[rows, j] = _score(h[rows, j], others, metric)
    labels = h[keep.any(axis=1)]
    told = ("two raters: the test only says to whom the judge is nearer; have three",)
    counts = int(silent.sum()), int(alone.sum())
    return Alignment(ours, theirs, *counts, _constant(labels), told if h.shape[1] == 2 else ())


def align_to_expert(
    judge: ArrayLike, humans: ArrayLike, expert: ArrayLike, *, metric: Metric = "accuracy"
) -> Alignment:
    """Score the judge and each other rater against one trusted person.

    Paper: Calderon, Reichart and Dror 2025, "The Alternative Annotator Test for LLM-as-a-Judge: How
        to Statistically Justify Replacing Human Annotators with LLMs", appendix "A Single Expert
        Annotator", arXiv:2501.10970

    Args:
        judge, humans, metric: As in `align`; `humans` without the expert.
        expert: Shape (n_items,). Items without the expert's label count as alone.
    """
    column = np.asarray(expert)[:, None]
    f, h = _numbers(judge, np.concatenate([column, np.asarray(humans)], axis=1), metric)
    truth, others, silent = h[:, :1], h[:, 1:], np.isnan(f)
    alone = ~silent & (np.isnan(truth[:, 0]) | np.isnan(others).all(axis=1))
    keep = ~np.isnan(others) & ~(silent | alone)[:, None]
    ours, theirs = np.full(others.shape, np.nan), np.full(others.shape, np.nan)
    for j in range(others.shape[1]):
        rows = keep[:, j]
        ours[rows, j] = _score(f[rows], truth[rows], metric)
        theirs[rows, j] = _score(others[rows, j], truth[rows], metric)
    reason = _constant(truth[keep.any(axis=1)])
    return Alignment(ours, theirs, int(silent.sum()), int(alone.sum()), reason)


def align_by_similarity(judge: ArrayLike, humans: ArrayLike) -> Alignment:
    """Scores from similarities that someone else measured, for texts and the like.

    Paper: Calderon, Reichart and Dror 2025, "The Alternative Annotator Test for LLM-as-a-Judge: How
        to Statistically Justify Replacing Human Annotators with LLMs", the alignment score SIM,
        arXiv:2501.10970

    Args:
        judge: Shape (n_items, n_raters), similarity of the judge's answer to each rater's, the
            higher the nearer; NaN where either is missing.
        humans: Shape (n_items, n_raters, n_raters), similarity of the answers of two raters. The
            diagonal is ignored.

    Raises:
        ValueError: Shapes that do not fit.
    """
    f, h = np.array(judge, dtype=float), np.array(humans, dtype=float)
    if f.ndim != 2 or h.shape != (*f.shape, f.shape[-1]):
        raise ValueError(f"(items, raters) and (items, raters, raters), not {f.shape}, {h.shape}")
    raters = np.arange(f.shape[1])
    h[:, raters, raters] = np.nan
    there = ~np.isnan(h) & ~np.isnan(f)[:, None, :] & ~np.isnan(f)[:, :, None]
    count = there.sum(axis=2)
    with np.errstate(invalid="ignore"):
        ours = np.where(there, f[:, None, :], 0.0).sum(axis=2) / count
        theirs = np.where(there, h, 0.0).sum(axis=2) / count
    silent, empty = np.isnan(f).all(axis=1), (count == 0).all(axis=1)
    values = np.concatenate([ours[count > 0], theirs[count > 0]])
    flat = values.size > 0 and np.ptp(values) == 0
    reason = "every similarity is the same: nothing can be told apart" if flat else ""
    return Alignment(ours, theirs, int(silent.sum()), int((empty & ~silent).sum()), reason)


def _score(answer: Floats, others: Floats, metric: Metric) -> Floats:
    """Of (n,) answers against (n, k) others. Both callers sum in one order, so ties stay ties."""
    there = ~np.isnan(others)
    if metric == "accuracy":
        near = (others == answer[:, None]).sum(axis=1) / there.sum(axis=1)
        return np.asarray(near, dtype=float)
    squares = np.where(there, others - answer[:, None], 0.0) ** 2
    return np.asarray(-np.sqrt(squares.sum(axis=1) / there.sum(axis=1)), dtype=float)


def _constant(labels: Floats) -> str:
    there = labels[~np.isnan(labels)]
    if there.size and np.ptp(there) == 0:
        return "every label of the people is the same: agreeing with them shows nothing"
    return ""


def _numbers(judge: ArrayLike, humans: ArrayLike, metric: Metric) -> tuple[Floats, Floats]:
    """Both as floats with NaN for missing; labels that are no numbers become numbers by name."""
    f, h = np.asarray(judge), np.asarray(humans)
    if f.ndim != 1 or h.ndim != 2 or len(f) != len(h) or h.shape[1] < 1:
        raise ValueError(f"(items,) and (items, raters), not {f.shape} and {h.shape}")
    if f.dtype.kind in "biuf" and h.dtype.kind in "biuf":
        return f.astype(float), h.astype(float)
    named = [*f.tolist(), *h.ravel().tolist()]
    absent = [x is None or x != x for x in named]
    if metric == "neg_rmse":
        if any(isinstance(x, str) for x in named):
            raise ValueError("neg_rmse needs numbers, found text among the labels")
        flat = np.array([np.nan if no else float(x) for x, no in zip(named, absent, strict=True)])
    else:
        code: dict[object, int] = {}
        pairs = zip(named, absent, strict=True)
        flat = np.array([np.nan if no else code.setdefault(x, len(code)) for x, no in pairs])
    return flat[: len(f)].astype(float), flat[len(f) :].reshape(h.shape).astype(float)
