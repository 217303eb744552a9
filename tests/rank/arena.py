"""Battles with a planted truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit

from evenhand.rank.battles import Battles


def names(k: int) -> tuple[str, ...]:
    return tuple(f"s{i:03}" for i in range(k))


def simple(n: int, k: int, *, clusters: int | None = None, seed: int = 0, ties: float = 0.1):
    """Independent battles of random pairs; strengths are standard normal."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=k)
    a = rng.integers(0, k, n)
    b = (a + rng.integers(1, k, n)) % k
    outcome = (rng.random(n) < expit(theta[a] - theta[b])).astype(float)
    outcome[rng.random(n) < ties] = 0.5
    groups = None if clusters is None else rng.integers(0, clusters, n)
    return Battles.numbered(names(k), a, b, outcome=outcome, clusters=groups)


THETA = np.linspace(0.8, -0.8, 6)
EFFECT = 1.5  # sd of a prompt's own liking for each system
STRONG = 2.0  # latent margin from which a win is a strong one
PAIRS = np.array([(i, j) for i in range(6) for j in range(i + 1, 6)])


def prompts(n_prompts: int, seed: int) -> tuple[Battles, np.ndarray]:
    """Prompts with effects of their own, and which wins were strong.

    Six systems. Each prompt moves each system's strength by a normal of sd 1.5; four random pairs
    of systems meet on it, each in both orders; the latent margin is the difference of the moved
    strengths plus logistic noise, a win by its sign, strong from 2 on. Prompts are the clusters.
    """
    rng = np.random.default_rng(seed)
    moved = THETA + EFFECT * rng.normal(size=(n_prompts, 6))
    pairs = PAIRS[rng.integers(0, len(PAIRS), (n_prompts, 4))]
    both = np.concatenate([pairs, pairs[:, :, ::-1]], axis=1)
    prompt = np.repeat(np.arange(n_prompts), 8)
    a, b = both.reshape(-1, 2).T
    margin = moved[prompt, a] - moved[prompt, b] + rng.logistic(size=a.size)
    battles = Battles.numbered(names(6), a, b, outcome=margin > 0, clusters=prompt)
    return battles, np.abs(margin) >= STRONG


def expected(*, strong_counts: float = 1.0) -> Battles:
    """What a very large sample of `prompts` tends to, by quadrature: one graded row a pair, with a
    strong win counted several times."""
    nodes, mass = np.polynomial.hermite_e.hermegauss(101)
    gaps = (THETA[PAIRS[:, 0]] - THETA[PAIRS[:, 1]])[:, None] + np.sqrt(2) * EFFECT * nodes
    mass = mass / mass.sum()
    extra = strong_counts - 1
    won = (expit(gaps) + extra * expit(gaps - STRONG)) @ mass
    lost = (expit(-gaps) + extra * expit(-gaps - STRONG)) @ mass
    total = won + lost
    a, b = PAIRS.T
    return Battles.numbered(names(6), a, b, outcome=won / total, weights=total)


def exploded(battles: Battles, strong: np.ndarray, copies: int = 3) -> Battles:
    """Rows of strong wins stand several times, and every row for itself."""
    rows = np.repeat(np.arange(battles.a.size), np.where(strong, copies, 1))
    kept = battles.where(rows)
    return replace(kept, clusters=np.arange(rows.size))


def long_winded(beta: float, *, seed: int, n: int = 20_000, k: int = 20) -> tuple:
    """A judge that likes length: battles with the covariate `length`, and the true strengths.

    Each system has a typical log length that has nothing to do with its strength, each response
    varies about it; the covariate is (l_a - l_b) / (l_a + l_b), of unit root mean square, times
    beta in the log odds.
    """
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, k)
    typical = rng.normal(0, 0.15, k)
    a = rng.integers(0, k, n)
    b = (a + rng.integers(1, k, n)) % k
    one, other = (np.exp(typical[side] + rng.normal(0, 0.4, n)) for side in (a, b))
    x = (one - other) / (one + other)
    x /= np.sqrt(np.mean(x**2))
    won = rng.random(n) < expit(theta[a] - theta[b] + beta * x)
    battles = Battles.numbered(names(k), a, b, outcome=won, covariates={"length": x})
    return battles, theta


def tau(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall's, of values without ties."""
    signs = [np.sign(np.subtract.outer(side, side)) for side in (x, y)]
    return float((signs[0] * signs[1]).sum() / (x.size * (x.size - 1)))
