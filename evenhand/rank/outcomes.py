"""Fits models in which a battle ends in one of several categories: ties and graded wins.

Battles are first added up to counts by pair and category; the cost of a step does not depend on
how many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from evenhand.intervals import Floats, Interval, Ints, from_variance
from evenhand.rank.battles import Battles
from evenhand.rank.fitted import Fitted
from evenhand.rank.graph import Groups, components, separated
from evenhand.rank.likelihood import Gauge

PRIOR = 0.5
_FAR = 30.0  # log odds; a strength that runs beyond has no bound
_SMALL = 1e-7  # Newton's last step; the next would be its square
_TABLE = 2**22


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of each category, at each pair's gap: the first system's strength less the second's.

    Attributes:
        value: Shape (n_pairs, n_categories), log probabilities.
        slope: Shape (n_pairs, n_categories, 1 + n_shape), by the gap and the shape parameters.
        curvature: Shape (n_pairs, n_categories, 1 + n_shape, 1 + n_shape).
    """

    value: Floats
    slope: Floats
    curvature: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Categories run from the first system's worst result to its best, and mirror one another.

    Attributes:
        ties: As in `Fitted`.
        of: (gap (n_pairs,), shape (n_shape,)) -> Likelihood, or None where shape is impossible.
        start: (counts (n_categories,)) -> shape parameters to begin with.
        names: Of the shape parameters.
        in_logs: The shape parameters are logarithms of what is shown.
        prior: Shape (n_categories,), counts that a pair gets when a strength has no bound.
    """

    ties: str
    told: str
    of: Callable[[Floats, Floats], Likelihood | None]
    start: Callable[[Floats], Floats]
    names: tuple[str, ...]
    in_logs: bool
    prior: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Attributes: low, high (n_pairs,), counts (n_pairs, n_categories), pair and category (n,)."""

    low: Ints
    high: Ints
    counts: Floats
    pair: Ints
    category: Ints
    n_systems: int


def pairs_of(battles: Battles) -> tuple[Ints, Ints, Ints]:
    """Systems of each pair that met, the smaller number first, and each battle's pair."""
    k = battles.n_systems
    code = np.minimum(battles.a, battles.b) * k + np.maximum(battles.a, battles.b)
    if k * k <= _TABLE:
        met = np.bincount(code, minlength=k * k) > 0
        pair, codes = (np.cumsum(met) - 1)[code], np.flatnonzero(met)
    else:
        codes, pair = np.unique(code, return_inverse=True)
    return codes // k, codes % k, pair.ravel().astype(np.int64)


def _cells(battles: Battles, category: Ints, n_categories: int) -> Cells:
    low, high, pair = pairs_of(battles)
    c, seen = n_categories, np.where(battles.a < battles.b, category, n_categories - 1 - category)
    counts: Floats = np.bincount(pair * c + seen, battles.weights, low.size * c).astype(float)
    return Cells(low, high, counts.reshape(-1, c), pair, seen, battles.n_systems)


# ---- which systems can be compared ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Who is compared.

    Attributes:
        used: The decided battles of some weight, without their covariates.
        ignored: Names of those covariates.
        anchor: A system's number, or None; it has battles.
    """

    used: Battles
    groups: Groups
    anchor: int | None
    ignored: tuple[str, ...]
    unrated: str
    n_undecided: int

    @classmethod
    def of(cls, battles: Battles, anchor: str | None) -> Field:
        if anchor is not None and anchor not in battles.systems:
            raise ValueError(f"the anchor {anchor!r} is none of the {battles.n_systems} systems")
        if battles.names:
            ignored, columns = battles.names, np.empty((battles.a.size, 0))
            return replace(cls.of(replace(battles, covariates=columns, names=()), anchor),
                ignored=ignored)  # fmt: skip
        usable = battles.usable
        used = battles if usable.all() else battles.where(usable)
        if not used.a.size:
            raise ValueError("no battle is decided, so no strength can be fitted")
        low, high, _ = pairs_of(used)
        groups = components(battles.n_systems, low, high)
        undecided = int(((battles.weights > 0) & ~usable).sum())
        at = None if anchor is None else battles.systems.index(anchor)
        if anchor is not None and (at,) in groups:
            return cls(used, groups, None, (), anchor, undecided)
        return cls(used, groups, at, (), "", undecided)

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(self.used.systems[at] for at in group) for group in self.groups)

    def shown(self, theta: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Of all systems: mean 0 in each group, or 0 at the anchor in its own."""
        values, wide = np.full(theta.size, np.nan), np.full(covariance.shape, np.nan)
        for group in self.groups:
            if len(group) > 1:
                own, block = theta[list(group)], covariance[np.ix_(group, group)]
                if self.anchor in group:
                    at = group.index(self.anchor)
                    own = own - own[at]
                    block = block - block[at] - block[:, [at]] + block[at, at]
                values[list(group)], wide[np.ix_(group, group)] = own, block
        return values, wide

    def warnings(self, unbounded: bool) -> tuple[str, ...]:
        said = []
        if self.ignored:
            told = ", ".join(self.ignored)
            said.append(f"this model has no covariates; {told} are not controlled")
        if self.unrated:
            said.append(f"{self.unrated!r} has no rating to be the anchor: the mean is 0")
        if len(self.groups) > 1:
            said.append(
                f"battles connect the systems in {len(self.groups)} sets; strengths of different "
                "sets cannot be compared"
            )
        if unbounded:
            said.append(
                "a strength has no bound (some never lost, or never won, against the rest); "
                f"{PRIOR:g} wins were added to each side of each pair that met"
            )
        return tuple(said)


def _bounded(cells: Cells, groups: Groups) -> bool:
    """Anything but a pair's best result of a system also keeps its strength from rising."""
    wins = np.zeros((cells.n_systems, cells.n_systems))
    wins[cells.low, cells.high] = cells.counts[:, 1:].sum(axis=1)
    wins[cells.high, cells.low] = cells.counts[:, :-1].sum(axis=1)
    decided = float(cells.counts[:, [0, -1]].sum())
    return decided > 0 and separated(wins) == groups


# ---- the maximum ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Peak:
    """Attributes: point holds the strengths and then the shape; factor is of the information."""

    point: Floats
    factor: tuple[Floats, bool]
    slope: Floats
    converged: bool


def _assembled(cells: Cells, each: Floats) -> Floats:
    """Products by pair, shape (n_pairs, 1 + n_shape, 1 + n_shape), on strengths and shape."""
    n, q = cells.n_systems, each.shape[1] - 1
    whole = np.zeros((n + q, n + q))
    whole[cells.low, cells.high] = whole[cells.high, cells.low] = -each[:, 0, 0]
    for sign, at in ((1.0, cells.low), (-1.0, cells.high)):
        whole[np.arange(n), np.arange(n)] += np.bincount(at, each[:, 0, 0], n)
        for j in range(q):
            whole[:n, n + j] += sign * np.bincount(at, each[:, 0, 1 + j], n)
    whole[n:, :n], whole[n:, n:] = whole[:n, n:].T, each[:, 1:, 1:].sum(axis=0)
    return whole


def _gradient(cells: Cells, counts: Floats, found: Likelihood) -> Floats:
    by_pair, n = np.einsum("pc,pci->pi", counts, found.slope), cells.n_systems
    pull = np.bincount(cells.low, by_pair[:, 0], n) - np.bincount(cells.high, by_pair[:, 0], n)
    return np.concatenate([pull, by_pair[:, 1:].sum(axis=0)])


def _maximise(cells: Cells, counts: Floats, model: Model, *, groups: Groups) -> _Peak:
    n, total = cells.n_systems, counts.sum(axis=0)
    point = np.concatenate([np.zeros(n), model.start(total + total[::-1])])
    gauge = Gauge.of(groups, point.size)

    def look(point: Floats) -> tuple[float, Likelihood | None]:
        found = model.of(point[cells.low] - point[cells.high], point[n:])
        return (-np.inf if found is None else float((counts * found.value).sum())), found

    value, found = look(point)
    for _ in range(60):
        assert found is not None
        bend = np.einsum("pc,pcij->pij", counts, found.curvature)
        factor = cho_factor(gauge.fixed(_assembled(cells, -bend))[0])
        step = cho_solve(factor, _gradient(cells, counts, found))
        if np.abs(step).max() < _SMALL or np.abs(point[:n]).max() > _FAR:
            return _Peak(point + step, factor, found.slope, bool(np.abs(step).max() < _SMALL))
        size = 1.0
        while size > 1e-6:
            ahead, tried = look(point + size * step)
            if tried is not None and ahead >= value - 1e-12 * abs(value):
                break
            size /= 2
        else:
            break
        point, value, found = point + size * step, ahead, tried
    assert found is not None
    return _Peak(point, factor, found.slope, False)


# ---- its doubt -----------------------------------------------------------------------------------


def renumbered(clusters: Ints) -> tuple[Ints, int]:
    """Clusters without gaps between their numbers, and how many there are."""
    met = np.bincount(clusters) > 0
    count = int(met.sum())
    return (clusters if count == met.size else np.asarray(np.cumsum(met) - 1)[clusters]), count


def cross_products(battles: Battles, pull: Floats, others: Floats) -> Floats:
    """Sum over clusters of g gT, g the cluster's slope by strengths and then other parameters.

    Args:
        pull: Shape (n,), slope by the strength of A; that of B is its negative.
        others: Shape (n, n_others).
    """
    clusters, groups = renumbered(battles.clusters)
    rows = (np.tile(clusters, 2), np.concatenate([battles.a, battles.b]))
    shape = (groups, battles.n_systems)
    own = csr_matrix((np.concatenate([pull, -pull]), rows), shape=shape)
    rest = np.array([np.bincount(clusters, one, groups) for one in others.T]).reshape(-1, groups)
    across = own.T @ rest.T
    return np.block([[(own.T @ own).toarray(), across], [across.T, rest @ rest.T]])


def _meat(battles: Battles, cells: Cells, slope: Floats) -> Floats:
    if renumbered(battles.clusters)[1] < battles.a.size:
        slopes = slope[cells.pair, cells.category] * battles.weights[:, None]
        pull = np.where(battles.a < battles.b, slopes[:, 0], -slopes[:, 0])
        return cross_products(battles, pull, slopes[:, 1:])
    p, c = cells.counts.shape
    squares = np.bincount(cells.pair * c + cells.category, battles.weights**2, p * c).reshape(p, c)
    return _assembled(cells, np.einsum("pc,pci,pcj->pij", squares, slope, slope))


def _covariance(field: Field, cells: Cells, peak: _Peak, prior: Floats) -> Floats:
    """Each win that a prior added counts as a cluster of its own: it agrees with nothing.

    NaN for systems whose battles cancel in every cluster: no spread can be seen.
    """
    battles = field.used
    groups = renumbered(battles.clusters)[1]
    if groups < 2:
        return np.full((peak.point.size, peak.point.size), np.nan)
    meat = groups / (groups - 1) * _meat(battles, cells, peak.slope)
    added = np.einsum("c,pci,pcj->pij", prior**2, peak.slope, peak.slope)
    half = cho_solve(peak.factor, meat + _assembled(cells, added))
    whole = cho_solve(peak.factor, half.T)
    whole = np.asarray((whole + whole.T) / 2)
    seen = np.diag(meat)
    for group in map(list, field.groups):
        if seen[group].sum() <= 1e-16 * battles.weights.sum():
            whole[group], whole[:, group] = np.nan, np.nan
    return whole


def exponential(interval: Interval) -> Interval:
    low, high = (None if x is None else float(np.exp(x)) for x in (interval.low, interval.high))
    return replace(interval, estimate=float(np.exp(interval.estimate)), low=low, high=high)


def fit(
    battles: Battles,
    model: Model,
    categorise: Callable[[Floats], Ints],
    *,
    anchor: str | None,
    level: float,
) -> Fitted:
    """Maximum likelihood by Newton's method, with a covariance by cluster.

    Args:
        categorise: (outcome (n,)) -> category (n,), as A sees it.

    Raises:
        ValueError: No decided battle, or an anchor that is no system.
    """
    field = Field.of(battles, anchor)
    used, none = field.used, np.zeros_like(model.prior)
    cells = _cells(used, categorise(used.outcome), model.prior.size)
    prior = none if _bounded(cells, field.groups) else model.prior
    peak = _maximise(cells, cells.counts + prior, model, groups=field.groups)
    if not peak.converged and prior is none:
        prior = model.prior
        peak = _maximise(cells, cells.counts + prior, model, groups=field.groups)
    n, groups, unbounded = used.n_systems, renumbered(used.clusters)[1], prior is not none
    covariance = _covariance(field, cells, peak, prior)
    theta, wide = field.shown(peak.point[:n], covariance[:n, :n])
    method, shape = f"{model.told}, cluster sandwich, t", {}
    for name, at in zip(model.names, range(n, peak.point.size), strict=True):
        found = from_variance(
            float(peak.point[at]), float(covariance[at, at]), level=level, method=method,
            n=used.a.size, n_clusters=groups,
        )  # fmt: skip
        shape[name] = exponential(found) if model.in_logs else found
    said = field.warnings(unbounded)
    if not peak.converged:
        said += ("the fit did not converge; its figures are not a maximum",)
    return Fitted(
        battles.systems, theta, wide, model.ties, shape, {}, field.names, unbounded,
        PRIOR * unbounded, level, method, used.a.size, field.n_undecided, groups,
        None if field.anchor is None else anchor, said,
    )  # fmt: skip
