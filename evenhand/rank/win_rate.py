"""Win rates: plain, fair to an uneven schedule, and as if answers were equally long."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

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
from evenhand.rank.battles import Battles

_STEPS, _STOP, _FAR = 100, 1e-10, 30.0
_ONE_SIDED = 0.05  # fewer rows than this share with the shorter, or the longer, answer
CONTROLLED = "fractional logit, clustered t"


@dataclass(frozen=True, slots=True)
class WinRate:
    """How much of its battles a system wins, ties shared.

    Attributes:
        raw: Over all battles; who met whom how often moves it.
        adjusted: The mean of the rates against each opponent, whatever the number of battles.
        n_undecided: Battles left out: undecided, or with an unknown covariate.
    """

    system: str
    raw: Interval
    adjusted: Interval
    opponents: tuple[str, ...]
    n_used: int
    n_ties: int
    n_undecided: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class WinMatrix:
    """Every system against every other.

    Attributes:
        rates: Shape (n_systems, n_systems), share of the row's system; NaN where they never met.
        counts, ties: Shape (n_systems, n_systems), battles by weight; those that were even.
    """

    systems: tuple[str, ...]
    rates: Floats
    counts: Floats
    ties: Floats
    n_used: int
    n_undecided: int


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """A win rate as if both answers had always been equally long.

    Attributes:
        raw: The win rate as judged.
        controlled: With the doubt of the fit in its interval.
        length: Log odds per unit of tanh(difference / its standard deviation); above 0 the longer
            answer is preferred.
        difficulty: Log odds a standard deviation of difficulty; None where none was given.
        n_missing: Rows left out because a value is NaN.
    """

    raw: Interval
    controlled: Interval
    length: Interval
    difficulty: Interval | None
    n_used: int
    n_missing: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LengthBoard:
    """Attributes: raw and controlled are one interval a system; length is shared by all."""

    systems: tuple[str, ...]
    raw: tuple[Interval, ...]
    controlled: tuple[Interval, ...]
    length: Interval
    n_used: int
    n_undecided: int


# ---- win rates -----------------------------------------------------------------------------------


def _side(battles: Battles, system: str) -> tuple[Battles, Ints]:
    """All battles of one system, told from its side, and its number."""
    if system not in battles.systems:
        raise ValueError(f"no system {system!r}; there are {', '.join(battles.systems)}")
    at = battles.systems.index(system)
    flip = battles.b == at
    turned = replace(
        battles,
        a=np.where(flip, battles.b, battles.a),
        b=np.where(flip, battles.a, battles.b),
        outcome=np.where(flip, 1 - battles.outcome, battles.outcome),
        covariates=np.where(flip[:, None], -battles.covariates, battles.covariates),
    )
    mine: NDArray[np.bool_] = turned.a == at
    return turned.where(mine), turned.b[mine]


def _mean(values: Floats, weights: Floats, clusters: Ints, level: float) -> Interval:
    """A weighted mean share with its interval by cluster."""
    if values.size == 0:
        return undefined("no decided battle", "clustered t", level=level)
    if np.ptp(weights) == 0 or np.ptp(values) == 0:
        return enough(clustered_t(values, clusters, level=level, span=(0.0, 1.0)))
    mean = float(weights @ values / weights.sum())
    influence = values.size * weights * (values - mean) / weights.sum()
    return enough(from_influence(mean, influence, clusters, level=level, span=(0.0, 1.0)))


def _by_opponent(battles: Battles, level: float) -> tuple[Interval, list[str], tuple[str, ...]]:
    x, w, n = battles.outcome, battles.weights, battles.n_systems
    mass = np.bincount(battles.b, w, n)
    met = np.flatnonzero(mass > 0)
    rates = np.divide(np.bincount(battles.b, w * x, n), mass, out=np.zeros(n), where=mass > 0)
    estimate = float(rates[met].mean())
    influence = x.size / met.size * w * (x - rates[battles.b]) / mass[battles.b]
    found = enough(
        from_influence(estimate, influence, battles.clusters, level=level, span=(0.0, 1.0))
    )
    once = [at for at in met if np.unique(battles.clusters[battles.b == at]).size < 2]
    warnings = () if not once else (
        f"{len(once)} opponents were met on one prompt only; their doubt is not in the interval",
    )  # fmt: skip
    if found.low is not None and np.abs(influence).max() < 1e-12:
        why = "every battle against an opponent ended alike, so no variance can be seen"
        found = replace(found, low=None, high=None, reason=why)
    return found, [battles.systems[at] for at in met], warnings


def win_rate(
    battles: Battles, system: str, *, against: str | None = None, level: float = 0.95
) -> WinRate:
    """The win rate of one system, ties counted as halves and undecided battles left out.

    Args:
        against: Only battles with this opponent; None takes all.

    Raises:
        ValueError: No such system.

    Example:
        >>> found = win_rate(Battles.of(["x", "x", "y"], ["y", "y", "z"], [1, 0.5, 1]), "x")
        >>> found.raw.estimate, found.raw.reason
        (0.75, '2 clusters, and no interval is given below 10')
    """
    mine, others = _side(battles, system)
    if against is not None:
        if against not in battles.systems:
            raise ValueError(f"no system {against!r}; there are {', '.join(battles.systems)}")
        mine = mine.where(others == battles.systems.index(against))
    used = mine.where(mine.usable)
    n, undecided = used.a.size, int((~mine.usable & (mine.weights > 0)).sum())
    raw = _mean(used.outcome, used.weights, used.clusters, level)
    if n == 0:
        return WinRate(system, raw, raw, (), 0, 0, undecided)
    adjusted, opponents, warnings = _by_opponent(used, level)
    if len(opponents) == 1:
        adjusted = raw
    ties = int((used.outcome == 0.5).sum())
    return WinRate(system, raw, adjusted, tuple(opponents), n, ties, undecided, warnings)


def win_matrix(battles: Battles) -> WinMatrix:
    """Rates, battles and ties of all pairs; the order in which a pair is told does not matter.

    Example:
        >>> win_matrix(Battles.of(["x", "y"], ["y", "x"], [1, 0.5])).rates
        array([[ nan, 0.75],
               [0.25,  nan]])
    """
    used, k = battles.where(battles.usable), battles.n_systems

    def table(values: Floats) -> Floats:
        return np.bincount(used.a * k + used.b, values, k * k).astype(float).reshape(k, k)

    w, x = used.weights, used.outcome
    counts, ties = table(w), table(w * (x == 0.5))
    counts, ties = counts + counts.T, ties + ties.T
    won = table(w * x) + table(w * (1 - x)).T
    rates = np.divide(won, counts, out=np.full((k, k), np.nan), where=counts > 0)
    undecided = int((~battles.usable & (battles.weights > 0)).sum())
    return WinMatrix(battles.systems, rates, counts, ties, used.a.size, undecided)


# ---- length control ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Logit:
    """A fractional logistic fit.

    Attributes:
        beta: Shape (n_columns,).
        influence: Shape (n, n_columns), of each row on each coefficient.
    """

    beta: Floats
    influence: Floats


def _logit(x: Floats, y: Floats, w: Floats) -> _Logit | None:
    """Newton on the logistic likelihood with shares for outcomes; None without a finite maximum."""
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = expit(x @ beta)
        information = (x * (w * p * (1 - p))[:, None]).T @ x
        if np.linalg.cond(information) > 1e12 or np.abs(beta).max() > _FAR:
            return None
        step = np.linalg.solve(information, x.T @ (w * (y - p)))
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _STOP:
            pull = x * (w * (y - expit(x @ beta)))[:, None]
            influence = len(y) * np.linalg.solve(information, pull.T).T
            return _Logit(beta, np.asarray(influence, dtype=float))
    return None


def _controlled(
    fit: _Logit, x: Floats, rows: NDArray[np.bool_], *, length: int, w: Floats, clusters: Ints,
    level: float,
) -> Interval:  # fmt: skip
    """The mean prediction over `rows` at no difference in length."""
    flat, share = x[rows], w[rows] / w[rows].sum()
    flat[:, length] = 0.0
    p = expit(flat @ fit.beta)
    mean = float(share @ p)
    influence = fit.influence @ ((share * p * (1 - p)) @ flat)
    influence[rows] += len(w) * share * (p - mean)
    found = from_influence(mean, influence, clusters, level=level, span=(0.0, 1.0))
    return enough(replace(found, method=CONTROLLED))


def _squashed(difference: Floats) -> Floats:
    """tanh of the difference over its standard deviation; 0 where lengths never differ."""
    spread = float(difference.std()) if difference.size else 0.0
    return np.tanh(difference / spread) if spread > 0 else np.zeros_like(difference)


def _column(fit: _Logit, at: int, clusters: Ints, level: float) -> Interval:
    found = from_influence(float(fit.beta[at]), fit.influence[:, at], clusters, level=level)
    return enough(replace(found, method=CONTROLLED))


def length_controlled(
    share: ArrayLike,
    length_difference: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    difficulty: ArrayLike | None = None,
    level: float = 0.95,
) -> LengthControlled:
    """One system against a baseline, had both answers been equally long.

    logit P(win) = theta + phi tanh(d / sd(d)) + psi difficulty, fitted to the shares; the win rate
    is the mean prediction at d = 0.

    Paper: Dubois et al. 2024, "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic
        Evaluators". arXiv:2404.04475. After the paper. AlpacaEval itself adds rows of
        baselines told to be short or long, a penalty, and one difficulty an instruction that it
        fitted over many models: without them, figures agree with its leaderboard to a point or so
        for systems near the baseline's strength, and are too high by ten and more for weak or
        terse ones. Its standard error is that of the fitted predictions, as if the fit were known;
        the interval here has the doubt of the fit in it.

    Args:
        share: Shape (n,), of the system: 1 won, 0.5 a tie, 0 lost, or a probability between; NaN is
            undecided.
        length_difference: Shape (n,), of the system's answer less the baseline's, in any unit.
        clusters: Shape (n,); None takes every row for itself.
        difficulty: Shape (n,), of the prompt, in any unit.

    Returns:
        `controlled` has no estimate where length alone decides, so that no maximum exists.

    Raises:
        ValueError: Shapes that differ, or a share outside [0, 1].

    Example:
        >>> found = length_controlled([0.9, 0.6, 0.7, 0.4, 0.8, 0.5] * 3, [9, 1, 4, -6, 7, -2] * 3)
        >>> round(found.raw.estimate, 2), round(found.controlled.estimate, 2)
        (0.65, 0.6)
    """
    y, d = np.asarray(share, dtype=float), np.asarray(length_difference, dtype=float)
    hard = np.zeros(y.shape) if difficulty is None else np.asarray(difficulty, dtype=float)
    index, _ = cluster_index(clusters, y.size)
    if len({array.shape for array in (y, d, hard, index)}) != 1 or y.ndim != 1:
        raise ValueError(f"shares of shape {y.shape}, differences of shape {d.shape}, difficulties "
                         f"of shape {hard.shape}; one value a row was expected")  # fmt: skip
    if ((y < 0) | (y > 1)).any():
        raise ValueError("a share outside [0, 1]; 1 is a win of the system")
    kept = np.isfinite(y) & np.isfinite(d) & np.isfinite(hard)
    y, d, hard, index = y[kept], d[kept], hard[kept], index[kept]
    if difficulty is not None and y.size and np.ptp(hard) == 0:
        raise ValueError(f"every difficulty is {hard[0]:g}; expected at least two, or None")
    columns = [np.ones(y.size), _squashed(d)]
    if difficulty is not None:
        columns.append((hard - hard.mean()) / hard.std() if y.size else hard)
    found = _described(np.column_stack(columns), y, index, level=level, even=not d.any())
    rarer = min(int((d >= 0).sum()), int((d <= 0).sum()))
    said = f"only {rarer} of {y.size} rows lie on one side of equal length: an extrapolation"
    warnings = (said,) if rarer < _ONE_SIDED * y.size else ()
    return replace(found, n_missing=int((~kept).sum()), warnings=warnings)


def _described(
    x: Floats, y: Floats, clusters: Ints, *, level: float, even: bool
) -> LengthControlled:
    n, ones, psi = y.size, np.ones(y.size), x.shape[1] > 2
    raw = _mean(y, ones, clusters, level)
    varies = n > 0 and np.ptp(x[:, 1]) > 0
    fit = _logit(x, y, ones) if varies else None
    if fit is None:
        why = "no finite fit: lengths, or difficulties, tell every outcome"
        if not varies:
            why = "lengths differ by the same in every row" if n else "no decided row"
        nothing = undefined(why, CONTROLLED, n=n, groups=raw.n_clusters, level=level)
        controlled = raw if even and n else nothing
        return LengthControlled(raw, controlled, nothing, nothing if psi else None, n, 0)
    rows: NDArray[np.bool_] = np.ones(n, dtype=bool)
    return LengthControlled(
        raw,
        _controlled(fit, x, rows, length=1, w=ones, clusters=clusters, level=level),
        _column(fit, 1, clusters, level),
        _column(fit, 2, clusters, level) if psi else None,
        n,
        0,
    )


def length_controlled_board(
    battles: Battles, baseline: str, *, covariate: str = "length", level: float = 0.95
) -> LengthBoard:
    """All systems against one baseline, with one effect of length for all of them.

    As `length_controlled`, but for the shared effect, and for the standard deviation that scales
    lengths, which is that of all rows. Systems that met each other need `bradley_terry` with a
    covariate.

    Args:
        battles: Those without the baseline are not used. `clusters` are prompts.
        covariate: The difference in length, in any unit.

    Raises:
        ValueError: No such system or covariate.
    """
    if covariate not in battles.names:
        raise ValueError(f"no covariate {covariate!r}; there are {', '.join(battles.names) or 0}")
    mine, _ = _side(battles, baseline)
    turned = mine.where(mine.usable).swapped()
    y, w, clusters = turned.outcome, turned.weights, turned.clusters
    met = np.unique(turned.a)
    each = (turned.a[:, None] == met).astype(float)
    length = _squashed(turned.covariates[:, battles.names.index(covariate)])
    x = np.column_stack([each, length])
    fit = _logit(x, y, w) if y.size and np.ptp(length) > 0 else None
    groups = np.unique(clusters).size
    why = "no finite fit: lengths do not vary, or a system has no mixed outcomes"
    nothing = undefined(why, CONTROLLED, n=y.size, groups=groups, level=level)
    raw, controlled = [], []
    for at in met:
        rows = turned.a == at
        raw.append(_mean(y[rows], w[rows], clusters[rows], level))
        controlled.append(nothing if fit is None else _controlled(
            fit, x, rows, length=met.size, w=w, clusters=clusters, level=level
        ))  # fmt: skip
    return LengthBoard(
        tuple(battles.systems[at] for at in met), tuple(raw), tuple(controlled),
        nothing if fit is None else _column(fit, met.size, clusters, level), y.size,
        int((~mine.usable & (mine.weights > 0)).sum()),
    )  # fmt: skip
