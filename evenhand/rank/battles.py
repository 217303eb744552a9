"""Who met whom, and how it ended: the arrays that every ranking starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Battles:
    """Pairs of systems that were judged on one prompt.

    Attributes:
        systems: Shape (n_systems,), names.
        a, b: Shape (n,), numbers of the systems shown first and second.
        outcome: Shape (n,), A's share: 1 it won, 0 it lost, 0.5 a tie, other values are graded
            wins; NaN is undecided.
        clusters: Shape (n,), numbers from 0; equal ones are not independent (one prompt).
        weights: Shape (n,), at least 0; 2 counts as the row twice, in the same cluster.
        covariates: Shape (n, n_covariates), of A less of B; NaN leaves the battle out.
        names: Shape (n_covariates,).
        judges: Shape (n,), numbers of `judge_names`.
    """

    systems: tuple[str, ...]
    a: Ints
    b: Ints
    outcome: Floats
    clusters: Ints
    weights: Floats
    covariates: Floats
    names: tuple[str, ...]
    judges: Ints
    judge_names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        a: Sequence[str],
        b: Sequence[str],
        outcome: ArrayLike,
        *,
        clusters: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        judges: Sequence[str] | None = None,
    ) -> Battles:
        """From names; systems are numbered in the order of their names.

        Args:
            clusters: Shape (n,), anything with an order; None takes every battle for itself.
            covariates: By name, shape (n,), of A less of B.

        Raises:
            ValueError: As in `numbered`.
        """
        names, numbers = _numbers([*a, *b])
        n = len(a)
        who, judged = ((""), np.zeros(n, dtype=np.int64)) if judges is None else _numbers(judges)
        return cls.numbered(
            tuple(names),
            numbers[:n],
            numbers[n:],
            outcome=outcome,
            clusters=clusters,
            weights=weights,
            covariates=covariates,
        ).judged_by(judged, tuple(who) or ("",))

    @classmethod
    def numbered(
        cls,
        systems: tuple[str, ...],
        a: ArrayLike,
        b: ArrayLike,
        *,
        outcome: ArrayLike,
        clusters: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
    ) -> Battles:
        """From numbers of systems, without a look at any name.

        Raises:
            ValueError: Lengths that differ, a number without a system, a system against itself, an
                outcome outside [0, 1], or a negative or unknown weight.
        """
        x, y = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
        result = np.asarray(outcome, dtype=float)
        index = np.arange(x.size) if clusters is None else _numbers(clusters)[1]
        mass = np.ones(x.size) if weights is None else np.asarray(weights, dtype=float)
        given = covariates or {}
        columns = np.zeros((x.size, len(given)))
        for at, (name, values) in enumerate(given.items()):
            column = np.asarray(values, dtype=float)
            if column.shape != x.shape:
                raise ValueError(f"{name!r} has shape {column.shape} for {x.size} battles")
            columns[:, at] = column
        _check(systems, x, y, result=result, index=index, mass=mass)
        one = np.zeros(x.size, dtype=np.int64)
        return cls(systems, x, y, result, index, mass, columns, tuple(given), one, ("",))

    def judged_by(self, judges: ArrayLike, names: tuple[str, ...]) -> Battles:
        return replace(self, judges=np.asarray(judges, dtype=np.int64), judge_names=names)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Shape (n,): decided, of some weight, and with every covariate known."""
        known = np.isfinite(self.covariates).all(axis=1)
        return np.asarray(~np.isnan(self.outcome) & known & (self.weights > 0))

    @property
    def n_systems(self) -> int:
        return len(self.systems)

    def where(self, kept: NDArray[np.bool_]) -> Battles:
        """The battles kept; systems keep their numbers, and clusters theirs."""
        return replace(
            self,
            a=self.a[kept], b=self.b[kept], outcome=self.outcome[kept],
            clusters=self.clusters[kept], weights=self.weights[kept],
            covariates=self.covariates[kept], judges=self.judges[kept],
        )  # fmt: skip

    def swapped(self) -> Battles:
        """The same battles told from the other side."""
        return replace(
            self, a=self.b, b=self.a, outcome=1 - self.outcome, covariates=-self.covariates
        )


def _numbers(values: Any) -> tuple[list[str], Ints]:
    if isinstance(values, list) and all(isinstance(one, str) for one in values):
        # an array of texts would give each of them the room of the longest
        named = sorted({str(one) for one in values})
        at = {name: number for number, name in enumerate(named)}
        return named, np.array([at[name] for name in values], dtype=np.int64)
    names, index = np.unique(np.asarray(values), return_inverse=True)
    return [str(name) for name in names], index.ravel().astype(np.int64)


def _check(
    systems: tuple[str, ...], a: Ints, b: Ints, *, result: Floats, index: Ints, mass: Floats
) -> None:
    shapes = {array.shape for array in (a, b, result, index, mass)}
    if len(shapes) != 1 or a.ndim != 1:
        raise ValueError(f"arrays of shapes {sorted(shapes)}; one value a battle was expected")
    if len(set(systems)) != len(systems):
        raise ValueError("a system is named twice")
    if a.size and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= len(systems)):
        raise ValueError(f"a system's number is outside 0 to {len(systems) - 1}")
    if (same := np.flatnonzero(a == b)).size:
        raise ValueError(f"battle {same[0]} sets {systems[a[same[0]]]!r} against itself")
    known = result[~np.isnan(result)]
    if ((known < 0) | (known > 1)).any():
        raise ValueError("an outcome outside [0, 1]; 1 is a win of A, 0 of B, 0.5 a tie")
    if not (np.isfinite(mass) & (mass >= 0)).all():
        raise ValueError("a weight that is negative or unknown")
