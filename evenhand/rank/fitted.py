"""What every model of strengths gives: ratings with their joint doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from evenhand.intervals import Floats, Interval, from_variance

SCALE = 400 / np.log(10)  # Elo points a unit of log odds


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Strengths in natural log odds: P(A beats B) is the logistic function of their difference.

    Attributes:
        theta: Shape (n_systems,), mean 0, or 0 at the anchor; NaN for a system without a rating.
        covariance: Shape (n_systems, n_systems), by cluster where there are clusters; NaN where
            nothing can be said.
        ties: The model of ties: half, davidson, rao_kupper or ordinal.
        shape: Parameters of that model and their intervals, by name: nu, eta, cut points.
        effects: Of covariates, by name, in log odds a standard deviation.
        components: Names of the systems that battles connect; more than one, and no rating
            compares systems of different ones.
        separated: A system, or a group, never lost to the rest: its strength has no bound, and
            what is shown rests on `prior`.
        prior: Wins added to each side of each pair that met; 0 unless separated or asked for.
        n_undecided: Battles left out: undecided, or with an unknown covariate.
    """

    systems: tuple[str, ...]
    theta: Floats
    covariance: Floats
    ties: str
    shape: Mapping[str, Interval]
    effects: Mapping[str, Interval]
    components: tuple[tuple[str, ...], ...]
    separated: bool
    prior: float
    level: float
    method: str
    n_used: int
    n_undecided: int
    n_clusters: int
    anchor: str | None = None
    warnings: tuple[str, ...] = ()

    def interval(self, system: str, *, level: float | None = None) -> Interval:
        """Of one strength, about the anchor or the mean."""
        at = self.systems.index(system)
        found = self._around(float(self.theta[at]), float(self.covariance[at, at]), level)
        if np.isfinite(found.estimate):
            return found
        return replace(found, reason="no decided battle, so no rating")

    def difference(self, one: str, other: str, *, level: float | None = None) -> Interval:
        """How much stronger `one` is, from the joint covariance; NaN across components."""
        i, j = self.systems.index(one), self.systems.index(other)
        c = self.covariance
        variance = float(c[i, i] + c[j, j] - 2 * c[i, j])
        groups = self.components
        if len(groups) > 1 and not any(one in group and other in group for group in groups):
            return self._around(float("nan"), variance, level)
        return self._around(float(self.theta[i] - self.theta[j]), variance, level)

    def probability(self, one: str, other: str, *, level: float | None = None) -> Interval:
        """That `one` beats `other`, ties shared: the difference carried to [0, 1]."""
        gap = self.difference(one, other, level=level)
        low, high = (None if end is None else float(expit(end)) for end in (gap.low, gap.high))
        return Interval(
            float(expit(gap.estimate)), low, high, gap.level, gap.method, gap.n, gap.n_clusters,
            gap.reason,
        )  # fmt: skip

    def _around(self, estimate: float, variance: float, level: float | None) -> Interval:
        at, method = level or self.level, self.method
        n, groups = self.n_used, self.n_clusters
        if not np.isfinite(estimate):
            why = "no battle connects them"
            return Interval(estimate, None, None, at, method, n, groups, why)
        return from_variance(estimate, variance, level=at, method=method, n=n, n_clusters=groups)
