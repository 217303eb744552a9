"""How sharp a judge's win rates are, and which systems it favours beyond that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betainc, betaln, ndtr, ndtri, stdtrit
from scipy.stats import false_discovery_control

from evenhand.intervals import (
    MIN_CLUSTERS,
    Floats,
    Interval,
    Ints,
    cluster_index,
    cluster_weights,
)
from evenhand.rank import justrank

Pairs = tuple[Ints, Ints]
Bools = NDArray[np.bool_]
_LIMIT = 5.0  # of log alpha: from a judge that sees nothing to one that sees everything


@dataclass(frozen=True, slots=True)
class Decisiveness:
    """How a judge's win rates follow from the gold ones, and what does not follow.

    Attributes:
        alpha: 1 keeps the gold win rates, more pushes them towards 0 and 1, less towards 1/2.
        bias: Of each system: its mean win rate beyond what alpha explains. They sum to 0, so one
            favoured system puts all others a little below 0.
        flagged: Biased against the systems that are not flagged, at a false discovery rate of
            1 - level (Benjamini and Hochberg).
        delta: Standard deviation of the biases.
        noise_floor, noise_high: What delta is, in quadratic mean and at `level`, when nothing
            is biased: votes alone make it so.
    """

    alpha: Interval
    bias: tuple[Interval, ...]
    flagged: tuple[bool, ...]
    delta: float
    noise_floor: float
    noise_high: float
    n_pairs: int
    warnings: tuple[str, ...] = ()

    @property
    def delta_beyond_noise(self) -> float:
        """What is left of delta without the noise, 0 at least."""
        return float(np.sqrt(max(self.delta**2 - self.noise_floor**2, 0.0)))


def decisiveness(
    judge_rates: ArrayLike,
    gold_rates: ArrayLike,
    n: ArrayLike,
    *,
    gold_n: ArrayLike | None = None,
    level: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Decisiveness:
    """From win rates of pairs; intervals take the votes as independent.

    Paper: Gera et al. 2024, "JuStRank: Benchmarking LLM Judges for System Ranking".
        arXiv:2412.09569. After the paper: its text gives a cumulative beta distribution with one
        parameter, a bias a system and its spread; weights, clipping, the exact form of the bias
        (mean over opponents of the judge's rate less the fitted one), intervals, flags and the
        noise floor are reconstructed or ours.

    Args:
        judge_rates, gold_rates: Shape (n_systems, n_systems), how often the row's system beats the
            column's, ties half; NaN where the two never met. The diagonal is not read.
        n: Shape (n_systems, n_systems), votes of the judge on the pair; they are the weights.
        gold_n: Votes behind the gold rates; None takes those as exact.

    Raises:
        ValueError: Shapes that differ, rates outside [0, 1], rates of the two directions that do
            not add up to 1, or a pair without votes.
    """
    judged, gold, pairs = _pairs(judge_rates, gold_rates)
    k = len(np.asarray(judge_rates))
    votes, sure = _of_pairs(n, pairs, k), np.zeros(judged.size)
    if gold_n is not None:
        count = _of_pairs(gold_n, pairs, k)
        gold, sure = np.clip(gold, 0.5 / count, 1 - 0.5 / count), 1 / count
    gold = np.clip(gold, 0.5 / votes, 1 - 0.5 / votes)
    rng, p = np.random.default_rng(seed), np.clip(judged, 0.5 / votes, 1 - 0.5 / votes)
    noise = rng.normal(size=(replicates, p.size)) * np.sqrt(p * (1 - p) / votes)
    alpha = _alpha(judged, gold, votes)
    slope = np.exp((alpha - 1) * np.log(gold * (1 - gold)) - betaln(alpha, alpha))
    blur = slope * np.sqrt(gold * (1 - gold) * sure)
    noise += rng.normal(size=noise.shape) * blur
    size = int(votes.sum())
    told = Interval(alpha, None, None, level, "votes redrawn, normal", size, size)
    return _profile(judged, gold, votes, noise=noise, pairs=pairs, told=told, z=ndtri)


def decisiveness_of_scores(
    scores: ArrayLike,
    gold_rates: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> Decisiveness:
    """As `decisiveness`, from a judge's scores: whole instructions are redrawn, not votes.

    One instruction has a vote on every pair, and those votes are not independent.

    Paper: Gera et al. 2024, "JuStRank: Benchmarking LLM Judges for System Ranking".
        arXiv:2412.09569. As `decisiveness`.

    Args:
        scores: Shape (n_systems, n_instructions), NaN where there is none.
        gold_rates: Shape (n_systems, n_systems), taken as exact.
        clusters: Shape (n_instructions,), as in `ranking_quality`.
    """
    values = justrank.checked(scores)
    won, met = justrank.votes(values)
    one, other = np.triu_indices(len(values), 1)
    rates = np.full((len(values), len(values)), np.nan)
    total = met.sum(axis=0)
    rates[one, other] = np.divide(
        won.sum(axis=0), total, out=np.full(total.size, np.nan), where=total > 0
    )
    rates[other, one] = 1 - rates[one, other]
    judged, gold, pairs = _pairs(rates, gold_rates)
    code = np.flatnonzero(np.isin(one * len(values) + other, pairs[0] * len(values) + pairs[1]))
    index, groups = cluster_index(clusters, values.shape[1])
    votes, drawn = total[code], []
    for weights in cluster_weights(groups, replicates, seed):
        heavy = weights[:, index]
        with np.errstate(invalid="ignore"):
            drawn.append((heavy @ won[:, code]) / (heavy @ met[:, code]))
    noise = np.nan_to_num(np.vstack(drawn) - judged)
    gold = np.clip(gold, 0.5 / votes, 1 - 0.5 / votes)
    alpha, method = _alpha(judged, gold, votes), "instructions redrawn, t"
    told = Interval(alpha, None, None, level, method, int(votes.sum()), groups)

    def t(share: float) -> float:
        return float(stdtrit(groups - 1, share))

    return _profile(judged, gold, votes, noise=noise, pairs=pairs, told=told, z=t)


def _pairs(judge_rates: ArrayLike, gold_rates: ArrayLike) -> tuple[Floats, Floats, Pairs]:
    """Rates above the diagonal of the pairs that both know, and their systems.

    The other triangle says the same, so that least squares over both are those over one.
    """
    judged, gold = np.asarray(judge_rates, dtype=float), np.asarray(gold_rates, dtype=float)
    k = len(judged)
    if judged.shape != (k, k) or judged.shape != gold.shape or k < 3:
        raise ValueError(
            f"rates of shapes {judged.shape} and {gold.shape}; expected (n_systems, n_systems) "
            "in both, of at least 3 systems"
        )
    one, other = np.triu_indices(k, 1)
    for name, rates in (("judge", judged), ("gold", gold)):
        both = rates[one, other] + rates[other, one]
        inside = rates[one, other][np.isfinite(both)]
        if (np.abs(both[np.isfinite(both)] - 1) > 1e-6).any():
            raise ValueError(
                f"{name} rates of A over B and of B over A that do not add up to 1; average both "
                "orders of presentation first, ties half"
            )
        if ((inside < 0) | (inside > 1)).any():
            raise ValueError(f"{name} rates outside [0, 1]")
    known = np.isfinite(judged[one, other]) & np.isfinite(gold[one, other])
    one, other = one[known].astype(np.int64), other[known].astype(np.int64)
    if (lone := np.bincount(np.concatenate([one, other]), minlength=k) == 0).any():
        raise ValueError(f"system {int(np.flatnonzero(lone)[0])} has no pair that both know")
    return judged[one, other], gold[one, other], (one, other)


def _of_pairs(counts: ArrayLike, pairs: Pairs, k: int) -> Floats:
    found = np.broadcast_to(np.asarray(counts, dtype=float), (k, k))[pairs]
    if not (found > 0).all():
        raise ValueError("a pair with rates but without votes")
    return np.asarray(found)


def _alpha(judged: Floats, gold: Floats, votes: Floats) -> float:
    def loss(log_alpha: float) -> float:
        alpha = np.exp(log_alpha)
        return float(votes @ (judged - betainc(alpha, alpha, gold)) ** 2)

    return float(
        np.exp(minimize_scalar(loss, bounds=(-_LIMIT, _LIMIT), options={"xatol": 1e-9}).x)
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """The fitted win rates along log alpha, so that a replicate is fitted by a matrix product."""

    grid: Floats
    table: Floats
    votes: Floats

    @classmethod
    def about(cls, alpha: float, gold: Floats, votes: Floats) -> _Curve:
        middle = np.clip(np.log(alpha), -_LIMIT, _LIMIT)
        grid = middle + np.linspace(-1, 1, 161)
        a = np.exp(grid)[:, None]
        return cls(grid, np.asarray(betainc(a, a, gold)), votes)

    def fit(self, rates: Floats) -> tuple[Floats, Floats]:
        """Log alpha of each row, shape (B,), and what it leaves over, (B, n_pairs)."""
        loss = ((self.table**2) @ self.votes) - 2 * (rates * self.votes) @ self.table.T
        at = np.clip(loss.argmin(axis=1), 1, self.grid.size - 2)
        rows = np.arange(len(rates))
        left, here, right = (loss[rows, at + step] for step in (-1, 0, 1))
        bend = np.maximum(left - 2 * here + right, 1e-300)
        move = np.clip((left - right) / (2 * bend), -1, 1)
        ahead = at + np.sign(move).astype(np.int64)
        part = np.abs(move)[:, None]
        fitted = (1 - part) * self.table[at] + part * self.table[ahead]
        return self.grid[at] + move * (self.grid[1] - self.grid[0]), rates - fitted


def _profile(
    judged: Floats,
    gold: Floats,
    votes: Floats,
    *,
    noise: Floats,
    pairs: Pairs,
    told: Interval,
    z: Callable[[float], float],
) -> Decisiveness:
    """Alpha, biases and their noise; `noise` has shape (B, n_pairs), `z` quantiles of the error."""
    k, alpha, level = int(max(map(np.max, pairs))) + 1, told.estimate, told.level
    mean = _means(pairs, np.ones(k, dtype=bool))
    fitted, curve = betainc(alpha, alpha, gold), _Curve.about(alpha, gold, votes)
    bias = (judged - fitted) @ mean
    logs, left = curve.fit(judged + noise)
    half = z(0.5 + level / 2)
    doubt, spread = half * float(logs.std()), half * (left @ mean).std(axis=0)
    null = curve.fit(fitted + noise)[1] @ mean
    deltas = null.std(axis=1)
    ends = zip(bias, spread, strict=True)
    few = told.n_clusters < MIN_CLUSTERS
    why = f"{told.n_clusters} clusters, and no interval is given below {MIN_CLUSTERS}" * few
    none = (False,) * k
    said: tuple[str, ...] = (why,) if few else ()
    if abs(np.log(alpha)) > _LIMIT - 0.01:
        said += ("alpha has no bound: the judge's rates are all even, or all 0 and 1",)

    def around(estimate: float, low: float, high: float) -> Interval:
        if few:
            return replace(told, estimate=estimate, reason=why)
        return replace(told, estimate=estimate, low=low, high=high)

    return Decisiveness(
        around(alpha, alpha * float(np.exp(-doubt)), alpha * float(np.exp(doubt))),
        tuple(around(float(b), float(b - h), float(b + h)) for b, h in ends),
        _flags(judged, gold, votes, noise=noise, pairs=pairs, level=level) if not few else none,
        float(bias.std()),
        float(np.sqrt(np.mean(deltas**2))),
        float(np.quantile(deltas, level)),
        judged.size,
        said,
    )


def _means(pairs: Pairs, kept: Bools) -> Floats:
    """Shape (n_pairs, n_systems): from residuals to each system's mean over opponents kept."""
    (one, other), k = pairs, kept.size
    mean = np.zeros((one.size, k))
    mean[np.arange(one.size), one] = kept[other]
    mean[np.arange(one.size), other] = -1.0 * kept[one]
    return np.asarray(mean / np.maximum(np.abs(mean).sum(axis=0), 1))


def _flags(
    judged: Floats, gold: Floats, votes: Floats, *, noise: Floats, pairs: Pairs, level: float
) -> tuple[bool, ...]:
    """Biases against the systems that are not biased.

    The most biased system leaves the reference, which is fitted anew, until none in it stands out;
    otherwise one favoured system would make its opponents look disfavoured.
    """
    kept = np.ones(int(max(map(np.max, pairs))) + 1, dtype=bool)
    while True:
        weights, mean = votes * (kept[pairs[0]] & kept[pairs[1]]), _means(pairs, kept)
        alpha = _alpha(judged, gold, weights)
        fitted, curve = betainc(alpha, alpha, gold), _Curve.about(alpha, gold, weights)
        null = curve.fit(fitted + noise)[1] @ mean
        score = np.abs((judged - fitted) @ mean) / np.maximum(null.std(axis=0), 1e-12)
        out = false_discovery_control(2 * ndtr(-score)) <= 1 - level
        if not (out & kept).any() or kept.sum() <= max(3, kept.size // 2):
            return tuple(bool(one) for one in out)
        kept[np.where(out & kept, score, -1.0).argmax()] = False
