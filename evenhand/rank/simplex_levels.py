"""Beliefs about candidates from a judge that gives levels, such as grades from 1 to 5."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Floats
from evenhand.rank.simplex import Simplex, counts_of, described, resampled

_PARTICLES = 2000
_POOL = 250  # observed distributions that the counts allow, a candidate
_MOVES = 5
_SWEEPS = 100
_OUTSIDE = 0.01  # pool members counted for a judge that explains none: it fades, it is not cut


def simplex_levels(
    counts: ArrayLike,
    *,
    rows: ArrayLike | None = None,
    values: Sequence[float] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Simplex:
    """Beliefs about expected true levels, from a judge that may give a wrong level.

    With three levels or more the order rests on the prior of the judge (`tipping.identifiable`),
    however many the counts. A judge is a row of probabilities for each true level; a higher true
    level gets higher scores (stochastic order). Candidates' true levels have a uniform prior.

    Given a judge, what is seen of a candidate is a mixture of the rows, so its marginal likelihood
    is the Dirichlet mass inside the simplex that they span, over its volume. Judges are moved from
    prior to posterior by tempered sequential Monte Carlo with adaptive Metropolis steps; the mass
    is counted in a fixed pool of draws.

    Paper: Vossler et al. 2025, "Judging LLMs on a Simplex", arXiv:2505.21972. The model is the
        paper's, the prior and the sampling are ours.

    Args:
        counts: Shape (n_candidates, n_levels), the judge's scores, from the lowest level up.
        rows: Shape (n_levels, n_levels), Dirichlet parameters: rows are true levels. None takes 8
            on the diagonal and 2 shared by the other levels.
        values: Of the levels; None takes 0, 1, 2 and so on.

    Returns:
        `judge["P(i | j)"]` for score i and true level j, numbered from 0.

    Raises:
        ValueError: Shapes that do not fit, or parameters that are not positive.
    """
    seen = counts_of(counts, None)
    m = seen.shape[1]
    alpha = _prior(m) if rows is None else np.asarray(rows, dtype=float)
    worth = np.arange(m, dtype=float) if values is None else np.asarray(values, dtype=float)
    if alpha.shape != (m, m) or worth.shape != (m,) or not (alpha > 0).all() or m < 2:
        raise ValueError(
            f"rows of shape {alpha.shape} and {worth.size} values for {m} levels; expected "
            f"({m}, {m}) positive numbers and {m} values of at least 2 levels"
        )
    rng = np.random.default_rng(seed)
    pool = rng.dirichlet(np.ones(m), (len(seen), _POOL))
    for k, count in enumerate(seen):
        pool[k] = rng.dirichlet(count + 1, _POOL)
    judges, ess = _tempered(_start(alpha, rng), alpha, pool, rng)
    scores = _mixtures(judges, pool, rng) @ worth
    shown = {
        f"P({at} | {true})": judges[:, true, at] for true in range(m) for at in range(m)
    }  # fmt: skip
    return described(
        scores, shown, n=seen.sum(axis=1), level=level, ess=ess, n_draws=_PARTICLES
    )  # fmt: skip


def _prior(m: int) -> Floats:
    return np.full((m, m), 2.0 / (m - 1)) + np.eye(m) * (8.0 - 2.0 / (m - 1))


def _ordered(judges: Floats) -> NDArray[np.bool_]:
    """Shape (n_judges,): each true level's scores are stochastically above the level below."""
    above = judges[..., ::-1].cumsum(axis=-1)[..., :-1]
    return np.asarray((np.diff(above, axis=-2) >= -1e-12).all(axis=(-2, -1)))


def _start(alpha: Floats, rng: np.random.Generator) -> Floats:
    """From the truncated prior: each row in turn is drawn anew, and kept where order allows."""
    mean = alpha / alpha.sum(axis=1, keepdims=True)
    if (np.diff(mean[:, ::-1].cumsum(axis=1), axis=0) < -1e-12).any():
        raise ValueError("rows of which a higher true level does not have the higher mean scores")
    judges = np.repeat(mean[None], _PARTICLES, axis=0)
    for _ in range(_SWEEPS):
        for row in range(len(alpha)):
            drawn = rng.gamma(alpha[row], size=(_PARTICLES, len(alpha)))
            drawn = np.maximum(drawn / drawn.sum(axis=1, keepdims=True), 1e-9)
            tried = judges.copy()
            tried[:, row] = drawn
            judges = np.where(_ordered(tried)[:, None, None], tried, judges)
    return judges


def _inside(judges: Floats, pool: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """True levels that each pool member implies (n, K, pool, M), and which of them can be."""
    back = np.linalg.inv(judges + 1e-12 * np.eye(judges.shape[-1]))
    mixed = (pool.reshape(-1, pool.shape[-1]) @ back).reshape(len(judges), *pool.shape)
    return mixed, np.asarray((mixed >= -1e-9).all(axis=-1))


def _log_likelihood(judges: Floats, pool: Floats) -> Floats:
    found = np.empty(len(judges))
    for start in range(0, len(judges), 250):
        part = judges[start : start + 250]
        count = _inside(part, pool)[1].sum(axis=-1)
        volume = np.maximum(np.abs(np.linalg.det(part)), 1e-12)
        found[start : start + 250] = np.log(np.maximum(count, _OUTSIDE)).sum(axis=1)
        found[start : start + 250] -= len(pool) * np.log(volume)
    return found


def _moved(judges: Floats, steps: Floats) -> Floats:
    """Steps on log ratios to the last score, shape (n, M, M - 1)."""
    ratios = np.log(judges[..., :-1] / judges[..., -1:]) + steps
    full = np.concatenate([ratios, np.zeros((*ratios.shape[:-1], 1))], axis=-1)
    full = np.exp(full - full.max(axis=-1, keepdims=True))
    return np.asarray(np.maximum(full / full.sum(axis=-1, keepdims=True), 1e-9))


def _tempered(
    judges: Floats, alpha: Floats, pool: Floats, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Judges of equal weight, and how many of them are distinct."""
    heat, value = 0.0, _log_likelihood(judges, pool)
    while heat < 1:
        rise = _rise(value, 1 - heat)
        heat = min(1.0, heat + rise)
        at = resampled(np.exp(rise * (value - value.max())), len(judges), rng)
        judges, value = judges[at], value[at]
        for _ in range(_MOVES):
            judges, value = _step(judges, value, heat, alpha=alpha, pool=pool, rng=rng)
    return judges, float(len(np.unique(judges.reshape(len(judges), -1), axis=0)))


def _rise(value: Floats, most: float) -> float:
    """How much further the likelihood can count until half the effective draws are lost."""

    def enough(rise: float) -> bool:
        weights = np.exp(rise * (value - value.max()))
        return bool(weights.sum() ** 2 / (weights**2).sum() >= len(value) / 2)

    if enough(most):
        return most
    low, high = 0.0, most
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return max(low, 0.001)


def _step(
    judges: Floats,
    value: Floats,
    heat: float,
    *,
    alpha: Floats,
    pool: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """One Metropolis step of every judge, as wide as they now differ."""
    m = judges.shape[-1]
    flat = np.log(judges[..., :-1] / judges[..., -1:]).reshape(len(judges), -1)
    size = flat.shape[1]
    spread = np.cov(flat.T) + 1e-8 * np.eye(size)
    steps = rng.multivariate_normal(np.zeros(size), spread * 1.5 / size, len(judges))
    tried = _moved(judges, steps.reshape(-1, m, m - 1))
    gain = heat * ((ahead := _log_likelihood(tried, pool)) - value)
    gain += (alpha * np.log(tried / judges)).sum(axis=(1, 2))
    taken = (np.log(rng.random(len(judges))) < gain) & _ordered(tried)
    return np.where(taken[:, None, None], tried, judges), np.where(taken, ahead, value)


def _mixtures(judges: Floats, pool: Floats, rng: np.random.Generator) -> Floats:
    """True levels of each candidate, one draw a judge, shape (n, n_candidates, n_levels)."""
    found = np.empty((len(judges), len(pool), judges.shape[-1]))
    for at, judge in enumerate(judges):
        mixed, inside = _inside(judge[None], pool)
        luck = rng.random(inside[0].shape) + inside[0]
        best = luck.argmax(axis=-1)
        found[at] = mixed[0, np.arange(len(pool)), best]
    found = np.maximum(found, 0)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))
