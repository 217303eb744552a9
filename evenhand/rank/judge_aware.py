"""Strengths from several judges, some of whom tell systems apart better than others.

How sharp a judge is shows in how well it agrees with the common order, so no labels are needed.
A mistake that all judges share is invisible here: it moves the common order itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve
from scipy.special import expit, log_expit

from evenhand.intervals import Floats, Interval, Ints, from_variance, undefined
from evenhand.rank.battles import Battles
from evenhand.rank.fitted import Fitted
from evenhand.rank.graph import separated
from evenhand.rank.likelihood import Gauge
from evenhand.rank.outcomes import PRIOR, Field, cross_products, pairs_of, renumbered

_FAR = 30.0  # log odds; beyond, there is no bound
_SMALL = 1e-9
_METHOD = "judge-aware Bradley-Terry, cluster sandwich, t"


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Battles added up by judge and pair. Attributes: met and won (by `low`) are weights."""

    low: Ints
    high: Ints
    judge: Ints
    met: Floats
    won: Floats
    n_systems: int
    n_judges: int

    def logit(self, point: Floats) -> tuple[Floats, Floats]:
        """Of each cell: its judge's discrimination, and the gap between its systems."""
        theta, gamma = point[: self.n_systems], point[self.n_systems :]
        return gamma[self.judge], theta[self.low] - theta[self.high]

    def value(self, point: Floats) -> float:
        gamma, gap = self.logit(point)
        x = gamma * gap
        return float(self.won @ log_expit(x) + (self.met - self.won) @ log_expit(-x))

    def gradient(self, point: Floats) -> Floats:
        gamma, gap = self.logit(point)
        left = self.won - self.met * expit(gamma * gap)
        pull, n = left * gamma, self.n_systems
        by_system = np.bincount(self.low, pull, n) - np.bincount(self.high, pull, n)
        return np.concatenate([by_system, np.bincount(self.judge, left * gap, self.n_judges)])

    def products(self, point: Floats, each: Floats, crossed: Floats | float = 0.0) -> Floats:
        """Sum over cells of `each` times the slope of its logit squared.

        Args:
            crossed: Added where a strength meets a discrimination.
        """
        gamma, gap = self.logit(point)
        n, size = self.n_systems, self.n_systems + self.n_judges
        across = each * gamma * gap + crossed
        whole = np.zeros((size, size))
        np.add.at(whole, (self.low, self.high), -each * gamma**2)
        np.add.at(whole, (self.low, n + self.judge), across)
        np.add.at(whole, (self.high, n + self.judge), -across)
        whole += whole.T
        own = each * gamma**2
        diagonal = np.bincount(self.low, own, n) + np.bincount(self.high, own, n)
        diagonal = np.concatenate([diagonal, np.bincount(self.judge, each * gap**2, size - n)])
        return whole + np.diag(diagonal)

    def expected(self, point: Floats) -> Floats:
        p = expit(np.multiply(*self.logit(point)))
        return self.products(point, self.met * p * (1 - p))

    def observed(self, point: Floats) -> Floats:
        p = expit(np.multiply(*self.logit(point)))
        return self.products(point, self.met * p * (1 - p), self.met * p - self.won)


def judge_aware(battles: Battles, *, anchor: str | None = None, level: float = 0.95) -> Fitted:
    """Bradley-Terry in which judge j sees a difference d as gamma_j d: P(A wins) = logistic.

    A judge that flips coins has a gamma near 0, and so next to no say in the order; one that
    prefers the weaker systems has a gamma below 0. Outcomes are shares: a tie is half a win for
    each side, a graded win a part of one. Strengths are for a judge of discrimination 1.

    Paper: Xu et al. 2026, "A Judge-Aware Ranking Framework for Evaluating Large Language Models
        without Ground Truth", arXiv:2601.21817; the model, reconstructed from its abstract. The
        gammas here have mean 1 instead of mean logarithm 0: a coin flipper's logarithm has no
        bound, and would set everybody's scale. The covariance by cluster is ours.

    Args:
        battles: `judges` says who judged each one; a judge's battles are not taken as a cluster.
        anchor: The system whose strength is 0; None makes their mean 0.

    Returns:
        `shape["discrimination: NAME"]` for each judge, NaN for one without a decided battle.

    Raises:
        ValueError: No decided battle, or an anchor that is no system.

    Example:
        >>> grades = [1, 1, 1, 0, 1, 0, 1, 0] * 4
        >>> judges = (["keen"] * 4 + ["coin"] * 4) * 4
        >>> found = judge_aware(Battles.of(["x"] * 32, ["y"] * 32, grades, judges=judges))
        >>> [abs(round(one.estimate, 6)) for one in found.shape.values()]  # in order of name
        [0.0, 2.0]
    """
    field = Field.of(battles, anchor)
    seen = np.bincount(field.used.judges, minlength=len(battles.judge_names)) > 0
    number = np.cumsum(seen) - 1
    used = replace(field.used, judges=np.asarray(number[field.used.judges], dtype=np.int64))
    cells, gauge = _cells(used), _gauge(field, int(seen.sum()))
    plain = _bounded(cells, field)
    prior = np.zeros(cells.met.size) if plain else _prior(cells)
    point, settled = _maximum(_with(cells, prior), gauge)
    if plain and not settled:
        plain, prior = False, _prior(cells)
        point, settled = _maximum(_with(cells, prior), gauge)
    covariance = _covariance(used, (cells, prior), point, gauge)
    n, groups = used.n_systems, renumbered(used.clusters)[1]
    theta, wide = field.shown(point[:n], covariance[:n, :n])
    shape = _shape(battles, seen, point[n:], np.diag(covariance)[n:], level, (used.a.size, groups))
    said = field.warnings(not plain)
    if not settled:
        said += ("the fit did not converge; its figures are not a maximum",)
    return Fitted(
        battles.systems, theta, wide, "half", shape, {}, field.names, not plain,
        0.0 if plain else PRIOR, level, _METHOD, used.a.size, field.n_undecided, groups,
        None if field.anchor is None else anchor, said,
    )  # fmt: skip


def _cells(used: Battles) -> _Cells:
    low, high, pair = pairs_of(used)
    share = np.where(used.a < used.b, used.outcome, 1 - used.outcome)
    code, size = used.judges * low.size + pair, int(used.judges.max() + 1) * low.size
    met: Floats = np.bincount(code, used.weights, size).astype(float)
    won: Floats = np.bincount(code, used.weights * share, size).astype(float)
    kept = np.flatnonzero(met)
    at, judge = kept % low.size, kept // low.size
    judges = int(used.judges.max()) + 1
    return _Cells(low[at], high[at], judge, met[kept], won[kept], used.n_systems, judges)


def _gauge(field: Field, n_judges: int) -> Floats:
    """Directions that change no probability: strengths of a group up, or all strengths wider."""
    n = field.used.n_systems
    matrix = Gauge.of(field.groups, n + n_judges).matrix
    matrix[n:, n:] = 1 / n_judges
    return matrix


def _bounded(cells: _Cells, field: Field) -> bool:
    wins = np.zeros((cells.n_systems, cells.n_systems))
    np.add.at(wins, (cells.low, cells.high), cells.won)
    np.add.at(wins, (cells.high, cells.low), cells.met - cells.won)
    return separated(wins) == field.groups


def _prior(cells: _Cells) -> Floats:
    """Wins for each side of each cell: `PRIOR` a pair, shared by the judges who saw it."""
    code = cells.low * cells.n_systems + cells.high
    _, pair = np.unique(code, return_inverse=True)
    return np.asarray(PRIOR * cells.met / np.bincount(pair, cells.met)[pair])


def _with(cells: _Cells, prior: Floats) -> _Cells:
    return replace(cells, met=cells.met + 2 * prior, won=cells.won + prior)


def _fixed(information: Floats, gauge: Floats) -> Floats:
    scale = float(np.trace(information)) / len(information)
    return information + scale * (gauge + 1e-10 * np.eye(len(information)))


def _maximum(cells: _Cells, gauge: Floats) -> tuple[Floats, bool]:
    """Fisher's scoring; the first steps move the strengths alone, as gap 0 hides the judges."""
    n = cells.n_systems
    point = np.concatenate([np.zeros(n), np.ones(cells.n_judges)])
    value = cells.value(point)
    for turn in range(200):
        free = n if turn < 4 else point.size
        fixed = _fixed(cells.expected(point), gauge)[:free, :free]
        step = np.zeros(point.size)
        step[:free] = solve(fixed, cells.gradient(point)[:free], assume_a="sym")
        while (ahead := cells.value(point + step)) < value - 1e-12 * abs(value):
            step /= 2
        point, value = point + step, ahead
        wide = float(np.abs(np.multiply(*cells.logit(point))).max())
        if wide > _FAR:
            break
        if turn >= 4 and np.abs(step).max() < _SMALL:
            return point, True
    return point, False


def _covariance(
    used: Battles, counts: tuple[_Cells, Floats], point: Floats, gauge: Floats
) -> Floats:
    """Each win that a prior added counts as a cluster of its own."""
    (cells, prior), n = counts, used.n_systems
    groups = renumbered(used.clusters)[1]
    if groups < 2:
        return np.full((point.size, point.size), np.nan)
    gamma, gap = point[n:][used.judges], point[used.a] - point[used.b]
    left = used.weights * (used.outcome - expit(gamma * gap))
    others = np.zeros((used.a.size, cells.n_judges))
    others[np.arange(used.a.size), used.judges] = left * gap
    p = expit(np.multiply(*cells.logit(point)))
    meat = groups / (groups - 1) * cross_products(used, left * gamma, others)
    meat += cells.products(point, prior**2 * (p**2 + (1 - p) ** 2))
    fixed = _fixed(_with(cells, prior).observed(point), gauge)
    half = solve(fixed, meat, assume_a="sym")
    whole = solve(fixed, half.T, assume_a="sym")
    return np.asarray((whole + whole.T) / 2)


def _shape(
    battles: Battles,
    seen: np.ndarray,
    gamma: Floats,
    variance: Floats,
    level: float,
    counts: tuple[int, int],
) -> dict[str, Interval]:
    n, groups = counts
    found = iter(zip(gamma, variance, strict=True))
    shape = {}
    for name, known in zip(battles.judge_names, seen, strict=True):
        told = f"discrimination: {name}"
        if not known:
            shape[told] = undefined("no decided battle", _METHOD, level=level)
        elif gamma.size == 1:
            why = "a single judge sets the scale"
            shape[told] = Interval(1.0, None, None, level, _METHOD, n, groups, why)
        else:
            one, doubt = map(float, next(found))
            shape[told] = from_variance(
                one, doubt, level=level, method=_METHOD, n=n, n_clusters=groups
            )  # fmt: skip
    return shape
