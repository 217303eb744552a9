"""What a judge alone can say about an order of candidates, when it may err.

A judge's yes rate is a mixture of right and wrong yeses. How often it errs is seldom known; these
functions put a prior on that instead of taking the judge at its word, and say which prior the
conclusion needs.

Paper: Vossler et al. 2025, "Judging LLMs on a Simplex", arXiv:2505.21972 (later versions are
    called "LLMs Judging LLMs: A Simplex Perspective"). The view and its two results, that two
    levels identify the order and three do not, are the paper's; the priors, the sampling and the
    tipping points are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincc, expit, logit, xlogy

from evenhand.intervals import Floats, Interval, Ints

MIN_ESS = 400
_KEPT = 4000  # posterior draws that are looked at; Monte Carlo error of a probability under .008
_ROUNDS = 2
_NODES = 256
_BLOCK = 2**14


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed about a judge that says yes or no, before it is seen.

    Attributes:
        sensitivity, specificity: Beta parameters: P(yes | truly yes), P(no | truly no). Truncated
            to a judge that is better than chance: their sum is above 1.
        tau: How much the judge differs from candidate to candidate: the standard deviation of its
            log odds of being right. 0 is one and the same judge for all.
    """

    sensitivity: tuple[float, float] = (8.0, 2.0)
    specificity: tuple[float, float] = (8.0, 2.0)
    tau: float = 0.0

    @classmethod
    def centred(cls, mean: float, strength: float, *, tau: float = 0.0) -> Prior:
        """Both right with probability `mean`, known as if from `strength` labelled cases."""
        both = (mean * strength, (1 - mean) * strength)
        return cls(both, both, tau)


@dataclass(frozen=True, slots=True, eq=False)
class Simplex:
    """Beliefs about candidates after the judge was seen.

    Attributes:
        score: Of each candidate: its expected true level, with a credible interval. With two
            levels that is the share of true yeses.
        better: Shape (n_candidates, n_candidates), P(row's true score > column's).
        rank: Shape (n_candidates, n_candidates), P(row's candidate has place column); the best
            place is the first column.
        rank_low, rank_high: Shape (n_candidates,), places from 1, equal-tailed.
        judge: By name: sensitivity and specificity, or P(score | true level), each an interval.
        ess: Effective draws behind all this.
    """

    score: tuple[Interval, ...]
    better: Floats
    rank: Floats
    rank_low: Ints
    rank_high: Ints
    judge: dict[str, Interval]
    ess: float
    n_draws: int
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> Floats:
        """Shape (n_candidates,), P(it is the best)."""
        return np.asarray(self.rank[:, 0])


def simplex(
    counts: ArrayLike,
    *,
    prior: Prior | None = None,
    gold: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = 40_000,
    seed: int = 0,
) -> Simplex:
    """Beliefs about true yes rates, from a judge that says yes or no and may err.

    Importance sampling: judges are drawn from the prior and weighted by how well they explain the
    counts; given a judge, a candidate's yes rate has a truncated beta distribution, whose mass is
    exact. True yes rates have a uniform prior. Too few effective draws are followed by eight
    times as many, once; if that is not enough, a warning says so.

    Args:
        counts: Shape (n_candidates, 2), the judge's noes and yeses.
        prior: None takes `Prior()`.
        gold: Shape (n_candidates, 2, 2), further cases whose truth is known: rows truly no and
            truly yes, columns judged no and yes. They are not in `counts`.
        draws: Judges drawn in the first round.

    Raises:
        ValueError: Counts of another shape, or negative ones.

    Example:
        >>> found = simplex([[40, 160], [90, 110], [100, 100]])
        >>> bool(found.better[0, 1] > 0.99), bool(found.better[1, 2] > 0.99)
        (True, False)
    """
    seen, known = counts_of(counts, 2), _gold(gold, len(np.asarray(counts)))
    rng, believed = np.random.default_rng(seed), prior or Prior()
    for turn in range(_ROUNDS):
        size = draws * 8**turn
        judges = _judges(believed, known, size, rng, n_candidates=len(seen))
        weights = _weigh(judges, seen, known)
        total = weights.sum()
        ess = float(total**2 / (weights**2).sum()) if total > 0 else 0.0
        if ess >= MIN_ESS:
            break
    if ess == 0:
        raise ValueError("no judge of this prior can explain the counts; widen the prior")
    at = resampled(weights, _KEPT, rng)
    pi = _rates(judges.at(at), seen, known, rng)
    shown = {"sensitivity": judges.sensitivity[at], "specificity": judges.specificity[at]}
    return described(pi, shown, n=seen.sum(axis=1), level=level, ess=ess, n_draws=size)


@dataclass(frozen=True, slots=True, eq=False)
class _Judges:
    """Draws. Attributes: low, high (n_draws, n_candidates), P(yes | truly no), P(yes | yes)."""

    sensitivity: Floats
    specificity: Floats
    low: Floats
    high: Floats
    log_weight: Floats

    def at(self, rows: Ints) -> _Judges:
        return _Judges(
            self.sensitivity[rows], self.specificity[rows], self.low[rows], self.high[rows],
            self.log_weight[rows],
        )  # fmt: skip


def _judges(
    prior: Prior, gold: Floats, size: int, rng: np.random.Generator, *, n_candidates: int
) -> _Judges:
    """From the prior and the gold rows; the weight puts right what `tau` does to the latter."""
    whole = gold.sum(axis=0)
    sens = rng.beta(prior.sensitivity[0] + whole[1, 1], prior.sensitivity[1] + whole[1, 0], size)
    spec = rng.beta(prior.specificity[0] + whole[0, 0], prior.specificity[1] + whole[0, 1], size)
    good = sens + spec > 1
    sens, spec = (np.clip(x[good], 1e-9, 1 - 1e-9) for x in (sens, spec))
    if not prior.tau:
        wide = (sens.size, n_candidates)
        low, high = np.broadcast_to(1 - spec[:, None], wide), np.broadcast_to(sens[:, None], wide)
        return _Judges(sens, spec, low, high, np.zeros(sens.size))
    moved = prior.tau * rng.normal(size=(2, sens.size, n_candidates))
    high, low = expit(logit(sens)[:, None] + moved[0]), expit(-logit(spec)[:, None] + moved[1])
    own = xlogy(gold[:, 1, 1], high) + xlogy(gold[:, 1, 0], 1 - high)
    own += xlogy(gold[:, 0, 1], low) + xlogy(gold[:, 0, 0], 1 - low)
    common = xlogy(whole[1, 1], sens) + xlogy(whole[1, 0], 1 - sens)
    common += xlogy(whole[0, 1], 1 - spec) + xlogy(whole[0, 0], spec)
    correction = np.where((high > low).all(axis=1), own.sum(axis=1) - common, -np.inf)
    return _Judges(sens, spec, low, high, correction)


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    """A beta distribution on a grid that is fine where its mass lies, from both ends."""

    x: Floats
    below: Floats
    above: Floats
    middle: float

    @classmethod
    def of(cls, no: float, yes: float) -> _Tail:
        a, b = yes + 1, no + 1
        mean = a / (a + b)
        sd = np.sqrt(mean * (1 - mean) / (a + b + 1))
        x = np.unique(np.clip(mean + sd * np.linspace(-12, 12, 481), 0, 1))
        x = np.unique(np.concatenate([[0.0], x, [1.0]]))
        return cls(x, betainc(a, b, x), betaincc(a, b, x), float(mean))

    def mass(self, low: Floats, high: Floats) -> Floats:
        """Between two points; from the side where digits are not lost."""
        left = np.interp(high, self.x, self.below) - np.interp(low, self.x, self.below)
        right = np.interp(low, self.x, self.above) - np.interp(high, self.x, self.above)
        return np.where(low > self.middle, right, left)

    def drawn(self, low: Floats, high: Floats, share: Floats) -> Floats:
        """The quantile `share` of what lies between two points."""
        ends = [np.interp(x, self.x, self.below) for x in (low, high)]
        left = np.interp(ends[0] + share * (ends[1] - ends[0]), self.below, self.x)
        ends = [np.interp(x, self.x, self.above) for x in (low, high)]
        back = ends[0] + share * (ends[1] - ends[0])
        right = np.interp(back, self.above[::-1], self.x[::-1])
        return np.clip(np.where(low > self.middle, right, left), low, high)


def _weigh(judges: _Judges, seen: Floats, gold: Floats) -> Floats:
    """Relative weights; the marginal likelihood of each candidate's counts under each judge."""
    log_weight, width = judges.log_weight.copy(), judges.high - judges.low
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, (no, yes) in enumerate(seen):
            if gold[k].any():
                blocks = np.array_split(np.arange(len(width)), 1 + len(width) // _BLOCK)
                parts = [_densities(judges.at(rows), seen, gold, k).sum(axis=1) for rows in blocks]
                mass = np.concatenate(parts)
                log_weight += np.log(mass) + _peak(seen, gold, k)
            else:
                mass = _Tail.of(no, yes).mass(judges.low[:, k], judges.high[:, k])
                log_weight += np.log(np.maximum(mass, 0)) - np.log(width[:, k])
    log_weight = np.where(np.isnan(log_weight), -np.inf, log_weight)
    top = log_weight.max()
    return np.exp(log_weight - top) if np.isfinite(top) else np.zeros(log_weight.size)


_GRID = (np.arange(_NODES) + 0.5) / _NODES


def _peak(seen: Floats, gold: Floats, k: int) -> float:
    """Log of a bound on the likelihood, which keeps the densities within floating range."""
    n, t = seen[k], gold[k].sum(axis=1)
    return float(sum(xlogy(c, c / max(c.sum(), 1)).sum() for c in (n, t)))


def _densities(judges: _Judges, seen: Floats, gold: Floats, k: int) -> Floats:
    """Of a candidate's true yes rate on a grid, shape (n_draws, n_nodes), up to `_peak`."""
    no, yes = seen[k]
    truly_no, truly_yes = gold[k].sum(axis=1)
    rate = judges.low[:, [k]] + (judges.high - judges.low)[:, [k]] * _GRID
    value = yes * np.log(rate) + no * np.log1p(-rate)
    value += truly_yes * np.log(_GRID) + truly_no * np.log1p(-_GRID)
    return np.asarray(np.exp(value - _peak(seen, gold, k)))


def _rates(judges: _Judges, seen: Floats, gold: Floats, rng: np.random.Generator) -> Floats:
    """True yes rates, one draw a judge, shape (n_draws, n_candidates)."""
    pi, width = np.empty(judges.low.shape), judges.high - judges.low
    for k, (no, yes) in enumerate(seen):
        share = rng.random(len(pi))
        if gold[k].any():
            below = np.cumsum(_densities(judges, seen, gold, k), axis=1)
            at = (below < (share * below[:, -1])[:, None]).sum(axis=1)
            pi[:, k] = (at + rng.random(len(pi))) / _NODES
        else:
            low, high = judges.low[:, k], judges.high[:, k]
            pi[:, k] = (_Tail.of(no, yes).drawn(low, high, share) - low) / width[:, k]
    return np.clip(pi, 0, 1)


def resampled(weights: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Systematic: each draw comes as often as its weight says, to within one."""
    marks = (np.arange(size) + rng.random()) / size
    below = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(below, marks), weights.size - 1).astype(np.int64)


def counts_of(counts: ArrayLike, levels: int | None) -> Floats:
    seen = np.asarray(counts, dtype=float)
    if seen.ndim != 2 or len(seen) < 2 or seen.shape[1] != (levels or seen.shape[1]):
        wide = levels or "n_levels"
        raise ValueError(f"counts of shape {seen.shape}; expected (n_candidates, {wide})")
    if not (np.isfinite(seen) & (seen >= 0)).all():
        raise ValueError("a count that is negative or unknown")
    return seen


def _gold(gold: ArrayLike | None, n_candidates: int) -> Floats:
    known = np.zeros((n_candidates, 2, 2)) if gold is None else np.asarray(gold, dtype=float)
    if known.shape != (n_candidates, 2, 2) or not (known >= 0).all():
        raise ValueError(f"gold of shape {known.shape}; expected counts, ({n_candidates}, 2, 2)")
    return known


def described(
    scores: Floats,
    judge: dict[str, Floats],
    *,
    n: Floats,
    level: float,
    ess: float,
    n_draws: int,
) -> Simplex:
    """From posterior draws of equal weight. Args: scores of shape (n_draws, n_candidates)."""
    method, total = "credible, equal tails", int(n.sum())

    def around(draws: Floats, size: int) -> Interval:
        low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
        return Interval(
            float(draws.mean()), float(low), float(high), level, method, size, size
        )  # fmt: skip

    k = scores.shape[1]
    place = (-scores).argsort(axis=1, kind="stable").argsort(axis=1)
    rank = np.array([np.bincount(column, minlength=k) for column in place.T]) / len(place)
    below = np.cumsum(rank, axis=1)
    low, high = ((below < share - 1e-9).sum(axis=1) + 1 for share in (
        0.5 - level / 2, 0.5 + level / 2
    ))  # fmt: skip
    better = np.array([[(a > b).mean() for b in scores.T] for a in scores.T])
    said = (f"only {ess:.0f} effective draws; figures are rough",) if ess < MIN_ESS else ()
    return Simplex(
        tuple(around(one, int(size)) for one, size in zip(scores.T, n, strict=True)),
        better, rank, low, high, {name: around(one, total) for name, one in judge.items()},
        ess, n_draws, said,
    )  # fmt: skip
