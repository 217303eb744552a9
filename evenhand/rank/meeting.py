"""Battles as a fit sees them: usable rows, who met, what connects them, and their peak."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evenhand.intervals import Floats, Ints
from evenhand.rank.battles import Battles
from evenhand.rank.graph import Groups, components, separated
from evenhand.rank.likelihood import Gauge, Peak, Rows, maximum, of_counts, of_rows, with_prior


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """Usable battles as a graph.

    Attributes:
        pairs: Numbers of the systems that met, the smaller first.
        groups: Components; systems without a battle are groups of one.
        strong: As `graph.separated`.
        kept: Numbers of the covariates in `rows.x`.
        n_undecided: Battles of some weight that are not in `rows`.
    """

    rows: Rows
    wins: Floats
    pairs: tuple[Ints, Ints]
    groups: Groups
    strong: Groups
    kept: tuple[int, ...]
    n_undecided: int

    @classmethod
    def of(cls, battles: Battles, *, control: bool) -> Meeting:
        if not control:
            columns = np.empty((battles.a.size, 0))
            battles = replace(battles, covariates=columns, names=())
        usable = battles.usable
        n_undecided = int(np.count_nonzero(battles.weights > 0) - np.count_nonzero(usable))
        used = battles if usable.all() else battles.where(usable)
        k = battles.n_systems
        rows = Rows(used.a, used.b, used.outcome, used.weights, used.clusters, used.covariates, k)
        wins = rows.wins()
        one, other = np.nonzero(np.triu(wins + wins.T))
        groups = components(k, one, other)
        strong = groups if (wins > 0).sum() == k * (k - 1) else separated(wins)
        rows, kept = _scaled(rows, Gauge.of(groups, k))
        return cls(rows, wins, (one, other), groups, strong, kept, n_undecided)

    @property
    def separated(self) -> bool:
        return len(self.strong) > len(self.groups)

    def gauge(self) -> Gauge:
        return Gauge.of(self.groups, self.rows.n_systems + self.rows.x.shape[1])

    def peak(self, prior: float) -> Peak | None:
        if self.rows.x.shape[1]:
            rows = with_prior(self.rows, self.pairs, prior) if prior else self.rows
            return maximum(of_rows(rows), self.gauge())
        return maximum(of_counts(self.wins + prior * (self.wins + self.wins.T > 0)), self.gauge())


def _scaled(rows: Rows, gauge: Gauge) -> tuple[Rows, tuple[int, ...]]:
    """Covariates on the scale of their root mean square, those that say something of their own."""
    if not rows.x.shape[1] or not rows.a.size:
        return replace(rows, x=rows.x[:, :0]), ()
    total = float(rows.weights.sum())
    spread = np.sqrt(rows.weights @ rows.x**2 / total)
    varies = np.flatnonzero((spread > 0) & np.isfinite(spread))
    rows = replace(rows, x=rows.x[:, varies] / spread[varies])
    if not varies.size:
        return rows, ()
    k = rows.n_systems
    information = of_rows(rows)(np.zeros(k + varies.size))[1]()
    held, _ = gauge.fixed(information[:k, :k])
    mixed = information[:k, k:]
    own = information[k:, k:] - mixed.T @ np.linalg.solve(held, mixed)
    kept: list[int] = []
    for at in range(varies.size):
        known = own[np.ix_(kept, kept)]
        left = own[at, at] - own[at, kept] @ np.linalg.solve(known, own[kept, at])
        if left > 1e-9 * information[k + at, k + at]:
            kept.append(at)
    return replace(rows, x=rows.x[:, kept]), tuple(int(varies[at]) for at in kept)
