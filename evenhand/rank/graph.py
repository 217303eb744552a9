"""What the battles connect, who cannot be bounded, and who beats whom in a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from evenhand.intervals import Floats

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Cycles:
    """How often a majority goes round in a circle.

    Attributes:
        triads: Sets of three systems of which every two met, and no two are even.
        cyclic: Those among them in which A beats B, B beats C and C beats A.
        examples: Numbers of the systems of some of them, in that order.
    """

    triads: int
    cyclic: int
    examples: tuple[tuple[int, int, int], ...]

    @property
    def share(self) -> float:
        """NaN without a triad."""
        return self.cyclic / self.triads if self.triads else float("nan")


def components(n_systems: int, a: ArrayLike, b: ArrayLike) -> Groups:
    """Systems that meetings connect, directly or through others; each group in ascending order."""
    x, y = np.asarray(a), np.asarray(b)
    met = coo_matrix((np.ones(x.size, dtype=np.int8), (x, y)), shape=(n_systems, n_systems))
    return _groups(connected_components(met, directed=False)[1])


def separated(wins: Floats) -> Groups:
    """Groups within which there is a way of wins from every system to every other.

    Strengths have a finite maximum-likelihood estimate exactly when each component of the battles
    is one such group; otherwise some group never lost to the rest of its component.

    Paper: Yan 2014, "Ranking in the generalized Bradley-Terry models when the strong connection
        condition fails", arXiv:1411.1168; the condition itself is older (Zermelo, Ford).

    Args:
        wins: Shape (n_systems, n_systems), of the row's system over the column's; a tie is half a
            win for both.
    """
    won = csr_matrix((wins > 0).astype(np.int8))
    return _groups(connected_components(won, directed=True, connection="strong")[1])


def cycles(wins: Floats, *, examples: int = 5) -> Cycles:
    """Triads in which the majorities are not an order.

    Paper: Kendall and Babington Smith 1940, "On the Method of Paired Comparisons",
        doi:10.1093/biomet/31.3-4.324; circular triads from the scores where every pair met, which
        is their formula, and counted over the triads that are complete where some did not.

    Args:
        wins: As in `separated`.
    """
    beats = wins > wins.T
    n = len(beats)
    decided = beats | beats.T
    if n * (n - 1) == np.count_nonzero(decided):
        scores = beats.sum(axis=1)
        triads = n * (n - 1) * (n - 2) // 6
        cyclic = triads - int((scores * (scores - 1) // 2).sum())
    else:
        each, won = decided.astype(float), beats.astype(float)
        triads = round(float(((each @ each) * each).sum()) / 6)
        cyclic = round(float(((won @ won) * won.T).sum()) / 3)
    found = _examples(beats, examples) if cyclic else ()
    return Cycles(triads, cyclic, found)


def _examples(beats: NDArray[np.bool_], most: int) -> tuple[tuple[int, int, int], ...]:
    found: list[tuple[int, int, int]] = []
    for first in range(len(beats)):
        for second in np.flatnonzero(beats[first, first:]) + first:
            third = np.flatnonzero(beats[second, first:] & beats[first:, first]) + first
            found += [(first, int(second), int(one)) for one in third[: most - len(found)]]
            if len(found) == most:
                return tuple(found)
    return tuple(found)


def _groups(labels: NDArray[np.int32]) -> Groups:
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return tuple(sorted(tuple(map(int, group)) for group in np.split(order, ends)))
