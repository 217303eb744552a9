"""Strengths from graded wins: much better, better, tie, worse, much worse.

A grade is a category of its own. It is never copied into several plain wins, which would make
the same evidence look like more.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from scipy.special import expit, log_expit

from evenhand.intervals import Floats, Ints
from evenhand.rank.battles import Battles
from evenhand.rank.fitted import Fitted
from evenhand.rank.outcomes import PRIOR, Likelihood, Model, fit

MOST = 50  # grades; the work grows with their cube


def ordinal(battles: Battles, *, anchor: str | None = None, level: float = 0.95) -> Fitted:
    """Cumulative logits: P(A's grade is above cut k) is the logistic of the difference less cut k.

    The grades are the outcomes found, with 1 - x for each x, so that no side is favoured; only
    their order counts. Cuts mirror one another about 0, so telling every battle from the other side
    changes nothing. The logistic of the difference, which `Fitted.probability` gives, is
    P(A is the better one); with outcomes 0, 0.5 and 1 this is `rao_kupper`, with 0 and 1 plain
    Bradley-Terry.

    Paper: Agresti 1992, "Analysis of Ordinal Paired Comparison Data", Applied Statistics 41,
        doi:10.2307/2347562; the cumulative logit model, after the paper (the reference was checked,
        the paper not read). The covariance by cluster is ours.

    Args:
        anchor: The system whose strength is 0; None makes their mean 0.

    Returns:
        `shape` has a cut for each step on A's side, such as "cut 0.5|0.75", in log odds.

    Raises:
        ValueError: No decided battle, more than 50 grades, or an anchor that is no system.

    Example:
        >>> grades = [1, 0.75, 0.75, 0.5, 0.25, 1, 0, 0.75, 0.5, 0.75]
        >>> found = ordinal(Battles.of(["x"] * 10, ["y"] * 10, grades))
        >>> list(found.shape)
        ['cut 0.5|0.75', 'cut 0.75|1']
    """
    grades = _grades(battles.outcome[(battles.weights > 0) & ~np.isnan(battles.outcome)])
    if grades.size > MOST:
        raise ValueError(
            f"{grades.size} different outcomes, each and its mirror image; an ordinal model takes "
            f"up to {MOST}, for it fits a cut between every two. Shares of a win go into `half`"
        )
    return fit(battles, _model(grades), partial(_place, grades), anchor=anchor, level=level)


def _grades(outcome: Floats) -> Floats:
    """Distinct outcomes and their mirror images, from A's worst to its best."""
    away = np.unique(np.round(np.abs(outcome - 0.5), 9))
    away = away if away.size and away.max() > 0 else np.array([0.0, 0.5])
    return np.unique(np.concatenate([0.5 - away, 0.5 + away]))


def _place(grades: Floats, outcome: Floats) -> Ints:
    between = (grades[1:] + grades[:-1]) / 2
    return np.searchsorted(between, outcome).astype(np.int64)


def _model(grades: Floats) -> Model:
    c = grades.size
    upper = grades[(c - 1) // 2 :] if c % 2 else grades[c // 2 :]
    names = tuple(f"cut {low:g}|{high:g}" for low, high in pairwise(upper))
    prior = np.where(grades == 0.5, 0.0, PRIOR / (c // 2))
    return Model(
        "ordinal", "cumulative logit", partial(cumulative, c), _cuts, names, False, prior
    )  # fmt: skip


def _cuts(counts: Floats) -> Floats:
    """Cuts that fit counts of mirrored categories when all systems are alike."""
    below = np.cumsum(counts)[:-1] / counts.sum()
    middle = (counts.size - 1) // 2 if counts.size % 2 else counts.size // 2
    positive = below[middle:]
    return np.asarray(np.log(positive / (1 - positive)))


def _signs(n_categories: int) -> Floats:
    """Shape (n_cuts, n_free): all cuts from the free ones, which are those above 0."""
    free = (n_categories - 1) // 2
    signs = np.zeros((n_categories - 1, free))
    signs[np.arange(free)[::-1], np.arange(free)] = -1
    signs[np.arange(n_categories - 1 - free, n_categories - 1), np.arange(free)] = 1
    return signs


def cumulative(n_categories: int, gap: Floats, shape: Floats) -> Likelihood | None:
    """P(k) = F(u) - F(l) = F(u) F(-l) (1 - e^(l - u)), with u and l the cuts around k less the gap.

    The product form keeps its digits where the difference loses them.
    """
    c = n_categories
    cuts = _signs(c) @ shape
    width = np.diff(cuts)
    if (width <= 0).any() or (width > 700).any():
        return None
    x = cuts - gap[:, None]
    ratio = 1 / np.expm1(width)
    density, swell = expit(x) * expit(-x), ratio * (1 + ratio)
    value, up, down = np.zeros((3, gap.size, c))
    value[:, :-1] += log_expit(x)
    value[:, 1:] += log_expit(-x)
    value[:, 1:-1] += np.log1p(-np.exp(-width))
    up[:, :-1], down[:, 1:] = expit(-x), -expit(x)
    up[:, 1:-1] += ratio
    down[:, 1:-1] -= ratio
    up_up, down_down = np.zeros((2, gap.size, c))
    up_up[:, :-1], down_down[:, 1:] = -density, -density
    up_up[:, 1:-1] -= swell
    down_down[:, 1:-1] -= swell
    crossed = np.zeros(c)
    crossed[1:-1] = swell
    turn = np.column_stack([-np.ones(c - 1), _signs(c)])
    above, below = np.zeros((2, c, turn.shape[1]))
    above[:-1], below[1:] = turn, turn
    squares = [np.einsum("ci,cj->cij", m, m) for m in (above, below)]
    both = np.einsum("ci,cj->cij", above, below)
    bend = up_up[..., None, None] * squares[0] + down_down[..., None, None] * squares[1]
    bend += crossed[:, None, None] * (both + both.transpose(0, 2, 1))
    return Likelihood(value, up[..., None] * above + down[..., None] * below, bend)
