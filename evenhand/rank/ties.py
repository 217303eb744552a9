"""Strengths when a battle may end in a tie, and a tie is more than half a win.

Half a win for a tie keeps the order of the systems but draws their strengths together. These two
models keep the scale.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import log_softmax

from evenhand.intervals import Floats, Interval, Ints
from evenhand.rank.battles import Battles
from evenhand.rank.fitted import Fitted
from evenhand.rank.ordinal import cumulative
from evenhand.rank.outcomes import PRIOR, Likelihood, Model, fit

_FACES = np.array([[-0.5, 0.0], [0.0, 1.0], [0.5, 0.0]])  # (gap, log nu) of loss, tie and win
_SQUARES = np.einsum("ci,cj->cij", _FACES, _FACES).reshape(3, 4)


def davidson(battles: Battles, *, anchor: str | None = None, level: float = 0.95) -> Fitted:
    """Bradley-Terry with ties: P(tie) is proportional to nu times the root of both strengths.

    The weights of win, tie and loss are e^(d/2), nu and e^(-d/2), with d the difference of the
    strengths. So the logistic function of d, which `Fitted.probability` gives, is P(A wins) among
    battles that are no tie. Between equals, a tie has probability nu / (2 + nu).

    Paper: Davidson 1970, "On Extending the Bradley-Terry Model to Accommodate Ties in Paired
        Comparison Experiments", doi:10.1080/01621459.1970.10481082. Departs in how it gets there:
        Newton's method on log odds and log nu, and a covariance by cluster.

    Args:
        anchor: The system whose strength is 0; None makes their mean 0.

    Returns:
        `shape["nu"]` is 0 without bounds when no battle was a tie.

    Raises:
        ValueError: A graded outcome (`ordinal` takes those), or no decided battle.

    Example:
        >>> a, b = ["x"] * 30 + ["y"] * 30, ["y"] * 30 + ["x"] * 30
        >>> found = davidson(Battles.of(a, b, ([1.0] * 15 + [0.5] * 10 + [0.0] * 5) * 2))
        >>> round(float(found.theta[0]), 6), round(found.shape["nu"].estimate, 3)
        (0.0, 1.0)
    """
    return _fit(battles, _DAVIDSON, none=0.0, anchor=anchor, level=level)


def rao_kupper(battles: Battles, *, anchor: str | None = None, level: float = 0.95) -> Fitted:
    """Bradley-Terry with a threshold: a difference too small to notice is a tie.

    P(A wins) is p_a / (p_a + eta p_b), with eta at least 1; what neither wins is a tie. The
    logistic function of the difference, which `Fitted.probability` gives, is P(A is the better one
    before the threshold). Between equals, a tie has probability (eta - 1) / (eta + 1).

    Paper: Rao and Kupper 1967, "Ties in Paired-Comparison Experiments: A Generalization of the
        Bradley-Terry Model", doi:10.1080/01621459.1967.10482901. Departs in how it gets there:
        Newton's method on log odds and log eta, and a covariance by cluster.

    Args:
        anchor: The system whose strength is 0; None makes their mean 0.

    Returns:
        `shape["eta"]` is 1 without bounds when no battle was a tie.

    Raises:
        ValueError: As `davidson`.
    """
    return _fit(battles, _RAO_KUPPER, none=1.0, anchor=anchor, level=level)


def _fit(
    battles: Battles, model: Model, *, none: float, anchor: str | None, level: float
) -> Fitted:
    outcome = battles.outcome[(battles.weights > 0) & ~np.isnan(battles.outcome)]
    graded = ~np.isin(outcome, (0.0, 0.5, 1.0))
    if graded.any():
        raise ValueError(
            f"{int(graded.sum())} outcomes are graded, such as {outcome[graded][0]:g}; a model of "
            "ties takes 1, 0.5 and 0. Use `ordinal` for graded wins"
        )
    if (outcome == 0.5).any():
        return fit(battles, model, _three, anchor=anchor, level=level)
    plain = replace(
        model, of=partial(cumulative, 2), start=_nothing, names=(), prior=np.full(2, PRIOR)
    )
    found = fit(battles, plain, _two, anchor=anchor, level=level)
    why, n, groups = "no battle was a tie", found.n_used, found.n_clusters
    absent = Interval(none, None, None, level, found.method, n, groups, why)
    return replace(found, shape={model.names[0]: absent})


def _three(outcome: Floats) -> Ints:
    return (2 * outcome).astype(np.int64)


def _two(outcome: Floats) -> Ints:
    return outcome.astype(np.int64)


def _davidson(gap: Floats, shape: Floats) -> Likelihood:
    value = log_softmax(np.multiply.outer(gap, _FACES[:, 0]) + shape[0] * _FACES[:, 1], axis=1)
    p = np.exp(value)
    mean = p @ _FACES
    bend = mean[:, :, None] * mean[:, None, :] - (p @ _SQUARES).reshape(-1, 2, 2)
    bends = np.broadcast_to(bend[:, None], (gap.size, 3, 2, 2))
    return Likelihood(value, _FACES - mean[:, None, :], bends)


def _nothing(counts: Floats) -> Floats:
    return np.zeros(0)


def _log_nu(counts: Floats) -> Floats:
    return np.array([np.log(2 * counts[1] / (counts[0] + counts[2]))])


def _log_eta(counts: Floats) -> Floats:
    return np.array([2 * np.arctanh(counts[1] / counts.sum())])


_SIDES = np.array([PRIOR, 0.0, PRIOR])
_DAVIDSON = Model("davidson", "Davidson", _davidson, _log_nu, ("nu",), True, _SIDES)
_RAO_KUPPER = Model(
    "rao_kupper", "Rao-Kupper", partial(cumulative, 3), _log_eta, ("eta",), True, _SIDES
)
