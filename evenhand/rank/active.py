"""Which pairs to judge next, and when the top is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, stdtr

from evenhand.intervals import MIN_CLUSTERS, Floats, Ints
from evenhand.rank.fitted import Fitted

_FAINT = 0.01  # what every system knows of itself: systems that no battle connects come first
_DOUBT = 0.05


def next_pairs(
    fitted: Fitted,
    counts: ArrayLike,
    *,
    n: int,
    top: int | None = None,
    room: Ints | None = None,
    seed: int = 0,
) -> tuple[tuple[int, int], ...]:
    """A batch of pairs whose outcomes would say most about all strengths together.

    Each pick raises the log determinant of the information most: log(1 + v p (1 - p)), where v is
    the variance of the difference of the two strengths and p the chance that the first wins. After
    each pick the inverse information is updated, so that a batch does not ask the same twice.
    Battles chosen like this leave a Bradley-Terry fit valid, and plain win rates not.

    Args:
        counts: Shape (n_systems, n_systems), battles of each pair so far, weights summed.
        n: Fewer are given where `room` has no more.
        top: Only pairs that decide which systems are the first so many: those across the border
            whose difference is least clear; where `room` has none, pairs of one such system.
            `top_separated` says when to stop.
        room: Shape (n_systems, n_systems), symmetric: battles that can still be had of each pair.
        seed: Of equal pairs one is drawn.

    Returns:
        Pairs i < j, the best first; a pair may stand in it more than once.
    """
    k = len(fitted.systems)
    rng = np.random.default_rng(seed)
    theta = np.nan_to_num(fitted.theta)
    chance = expit(theta[:, None] - theta[None, :])
    worth = chance * (1 - chance)
    inverse = _inverse(np.asarray(counts, dtype=float), worth)
    left = np.full((k, k), n) if room is None else np.array(room, dtype=np.int64)
    left[np.tril_indices(k)] = 0
    if top is not None:
        left = np.where(_deciding(fitted, top, left > 0), left, 0)
    chosen: list[tuple[int, int]] = []
    while len(chosen) < n and left.any():
        own = np.diag(inverse)
        variance = own[:, None] + own[None, :] - 2 * inverse
        gain = np.where(left > 0, np.log1p(variance * worth), -np.inf)
        best = np.flatnonzero(gain >= gain.max() - 1e-12)
        i, j = divmod(int(rng.choice(best)), k)
        step = inverse[:, i] - inverse[:, j]
        inverse -= worth[i, j] / (1 + worth[i, j] * variance[i, j]) * np.outer(step, step)
        left[i, j] -= 1
        chosen.append((i, j))
    return tuple(chosen)


def _inverse(counts: Floats, worth: Floats) -> Floats:
    """Of the information about strengths whose mean is fixed."""
    weight = (counts + counts.T) / 2 * worth
    information = np.diag(weight.sum(axis=1)) - weight
    k = len(counts)
    return np.asarray(np.linalg.inv(information + np.full((k, k), 1 / k) + _FAINT * np.eye(k)))


def _deciding(fitted: Fitted, top: int, possible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pairs across the border that are not clear, and always the least clear ones."""
    k = len(fitted.systems)
    border = list(_border(fitted, top))
    least = min(_DOUBT / 2, max((tail for _, _, tail in border), default=0.0) / 10)
    doubtful, touched = np.zeros((k, k), dtype=bool), np.zeros(k, dtype=bool)
    for i, j, tail in border:
        if tail >= least:
            doubtful[i, j] = doubtful[j, i] = True
            touched[[i, j]] = True
    if (doubtful & possible).any():
        return doubtful
    return np.asarray(touched[:, None] | touched[None, :])


def _border(fitted: Fitted, top: int) -> Iterator[tuple[int, int, float]]:
    """Each pair across the border, and the chance of so clear a difference where there is none.

    One-sided, Student's t with clusters - 1 degrees of freedom; 1 where nothing can be said.
    """
    order = np.argsort(-np.nan_to_num(fitted.theta, nan=-np.inf), kind="stable")
    c = fitted.covariance
    for i in order[:top].tolist():
        for j in order[top:].tolist():
            gap = float(fitted.theta[i] - fitted.theta[j])
            error = float(np.sqrt(max(c[i, i] + c[j, j] - 2 * c[i, j], 0.0)))
            known = np.isfinite(gap) and np.isfinite(error) and error > 0
            known = known and fitted.n_clusters >= MIN_CLUSTERS
            yield i, j, float(stdtr(fitted.n_clusters - 1, -gap / error)) if known else 1.0


@dataclass(frozen=True, slots=True)
class Top:
    """The first systems, best first, and what still keeps them from being settled.

    Attributes:
        open: (inside, outside) pairs whose difference is not clear at this look.
        alpha: Chance of ever calling wrong systems the first ones, over all looks.
        look: Which look this was, from 1.
    """

    systems: tuple[str, ...]
    open: tuple[tuple[str, str], ...]
    alpha: float
    look: int

    @property
    def separated(self) -> bool:
        return not self.open


def top_separated(fitted: Fitted, top: int, *, look: int, alpha: float = 0.05) -> Top:
    """Whether the first `top` systems are settled; may be asked after every batch.

    Look t may spend alpha / (t (t + 1)), which sums to alpha over all looks, shared by the
    top (n_systems - top) pairs across the border, two-sided: wrong systems are called the first
    only where a pair across the true border looks clear the wrong way round. The variance is the
    one of `fitted`, by cluster; its normality is what makes this approximate.

    Args:
        look: 1 for the first time that this is asked, 2 for the second, …

    Raises:
        ValueError: `top` is not from 1 to n_systems - 1, or look is below 1.
    """
    k = len(fitted.systems)
    if not 1 <= top < k or look < 1:
        raise ValueError(f"the first {top} of {k} systems at look {look}")
    spent = alpha / (look * (look + 1) * top * (k - top))
    names = fitted.systems
    order = np.argsort(-np.nan_to_num(fitted.theta, nan=-np.inf), kind="stable").tolist()
    pairs = [(names[i], names[j]) for i, j, p in _border(fitted, top) if not p <= spent / 2]
    return Top(tuple(names[i] for i in order[:top]), tuple(pairs), alpha, look)
