"""How good confidences are: proper scores, calibration error with its test, and error detection.

As in `calibrate`, p is the probability that a judge gives to an event and y says whether it came
true; rows with a NaN among them are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from evenhand.intervals import Interval, clustered_t, from_influence, wilson
from evenhand.trust.calibrate import LEAST, kept, log_loss, nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows with about the same confidence; `share` is how often the event came true."""

    confidence: float
    share: Interval
    n: int


@dataclass(frozen=True, slots=True)
class Confidence:
    """Scores of one array of confidences.

    Attributes:
        brier: Mean squared error; = reliability - resolution + uncertainty + `within`, what the
            confidences vary inside a bin.
        log_loss: In nats.
        ece: Mean distance of confidence and share over the bins, weighted by rows. It is above 0
            for perfect confidences too: by `null_ece` on average.
        p_value: Share of draws y ~ Bernoulli(p) whose `ece` is at least as large: small, and the
            confidences are not calibrated. NaN, like `null_ece`, below ten clusters.
        debiased_ece: Root of the mean squared distance, less what chance adds to it; comparable
            across sample sizes, and 0 where chance explains everything.
        auroc: Chance that an event that came true has the higher confidence of two; 0.5 is no use.
        bins: The reliability curve, of about equally many rows each.
    """

    brier: Interval
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    log_loss: Interval
    ece: float
    null_ece: float
    p_value: float
    debiased_ece: Interval
    auroc: Interval
    bins: tuple[Bin, ...]
    n: int
    n_clusters: int
    n_missing: int
    warnings: tuple[str, ...] = ()


def confidence(
    p: ArrayLike,
    y: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    bins: int = 15,
    draws: int = 1000,
    seed: int = 0,
) -> Confidence:
    """The scores of confidences against what came true.

    Paper: Kumar et al. 2019, "Verified Uncertainty Calibration". arXiv:1909.10155; Sun et al. 2024,
        "A Confidence Interval for the Expected Calibration Error". arXiv:2408.08998; Bröcker and
        Smith 2007, "Increasing the Reliability of Reliability Diagrams". doi:10.1175/WAF993.1;
        DeLong et al. 1988, "Comparing the Areas under Two or More Correlated Receiver Operating
        Characteristic Curves". doi:10.2307/2531595; Murphy 1973, "A New Vector Partition of the
        Probability Score". In this order: the debiased error, why its interval needs two variances
        (with clusters, ours), the null distribution, the interval of the AUROC, the parts of the
        Brier score.

    Args:
        p: Shape (n,), in [0, 1]. y: Shape (n,), 1 or 0. clusters: Shape (n,), None: each its own.
        bins: At most; there are at least ten rows in each, and equal confidences share one.
    """
    given, truth, groups, missing = kept(p, y, clusters)
    n, n_clusters = truth.size, np.unique(groups).size
    if not n:
        none = nothing("no row has both a confidence and a label", 0, 0)
        nan = float("nan")
        empty = (none, nan, nan, nan, nan, none, nan, nan, nan, none, none, ())
        return Confidence(*empty, 0, 0, missing)
    place = _places(given, bins)
    weight = np.bincount(place) / n
    said, came = _averages(given, place), _averages(truth, place)
    reliability = float(weight @ (said - came) ** 2)
    resolution, rate = float(weight @ (came - truth.mean()) ** 2), float(truth.mean())
    uncertainty, ece = rate * (1 - rate), float(weight @ np.abs(said - came))
    brier, null = (given - truth) ** 2, _null(given, place, draws, seed)
    enough = n_clusters >= LEAST
    return Confidence(
        _average(brier, groups), reliability, resolution, uncertainty,
        float(brier.mean()) - reliability + resolution - uncertainty,
        _average(log_loss(given, truth), groups), ece,
        float(null.mean()) if enough else float("nan"),
        (1 + int((null >= ece - 1e-12).sum())) / (draws + 1) if enough else float("nan"),
        _debiased(truth - given, place, groups), auroc(given, truth, clusters=groups),
        _curve(given, truth, place, groups), n, n_clusters, missing,
        _warnings(n, n_clusters, truth),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Where a confidence comes from, and what it is worth: see `Confidence`."""

    name: str
    auroc: Interval
    brier: Interval
    debiased_ece: Interval
    n: int
    n_missing: int
    warnings: tuple[str, ...] = ()


def compare_sources(
    sources: Mapping[str, ArrayLike], correct: ArrayLike, *, clusters: ArrayLike | None = None
) -> tuple[Source, ...]:
    """Confidences from several sources for the same verdicts, the best at finding errors first.

    Sources are, for example, token probabilities, the share of equal answers among samples, the
    agreement of both orders, a stated certainty, a decision model's probability.

    Args:
        sources: Name -> shape (n,), the probability that the verdict is right; NaN: not given.
        correct: Shape (n,), 1 where the verdict is right; NaN: not known.
    """
    truth, found = np.asarray(correct, dtype=float), []
    known = [np.isfinite(np.asarray(v, dtype=float)) & np.isfinite(truth) for v in sources.values()]
    alike = all(bool(np.array_equal(one, known[0])) for one in known)
    told = () if alike else ("sources lack a confidence on different rows: compare with care",)
    for name, values in sources.items():
        one = confidence(values, truth, clusters=clusters, draws=1)
        row = (one.auroc, one.brier, one.debiased_ece, one.n, one.n_missing, (*told, *one.warnings))
        found.append(Source(name, *row))
    return tuple(sorted(found, key=lambda one: -np.nan_to_num(one.auroc.estimate, nan=-1.0)))


def auroc(p: ArrayLike, y: ArrayLike, *, clusters: ArrayLike | None = None) -> Interval:
    """Chance that a row with y = 1 has a larger p than one with y = 0; equals count half."""
    score, truth, groups, _ = kept(p, y, clusters)
    hits, n, count = truth > 0.5, truth.size, np.unique(groups).size
    high, low = np.sort(score[hits]), np.sort(score[~hits])
    if not high.size or not low.size:
        return nothing("all events are equal: there is nothing to tell apart", n, count)
    above, below = _share_below(low, score[hits]), 1.0 - _share_below(high, score[~hits])
    area, influence = float(above.mean()), np.empty(n)
    if count < LEAST:
        return Interval(area, None, None, 0.95, "AUROC", n, count, _too_few(count))
    if area in (0.0, 1.0):
        why = "all right rows are on one side of the others: no spread can be seen"
        return Interval(area, None, None, 0.95, "AUROC", n, count, why)
    influence[hits] = (above - area) * n / high.size
    influence[~hits] = (below - area) * n / low.size
    return from_influence(area, influence, groups, span=(0.0, 1.0))


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """Of the ordered ones, the share below each value, equals counted half."""
    places = [np.searchsorted(ordered, values, side=side) for side in ("left", "right")]
    return np.asarray((places[0] + places[1]) / (2.0 * ordered.size))


def _too_few(count: int) -> str:
    return f"{count} clusters are too few for an interval: at least {LEAST} are needed"


def _average(values: Floats, groups: NDArray[Any]) -> Interval:
    count = np.unique(groups).size
    if count < LEAST:
        mean = float(values.mean())
        return Interval(mean, None, None, 0.95, "mean", values.size, count, _too_few(count))
    return clustered_t(values, groups)


def _places(p: Floats, bins: int) -> NDArray[np.intp]:
    """The bin of every row; bins without rows do not exist."""
    count = max(1, min(bins, p.size // 10))
    edges = np.unique(np.quantile(p, np.arange(1, count) / count))
    return np.unique(np.searchsorted(edges, p, side="right"), return_inverse=True)[1].ravel()


def _averages(values: Floats, place: NDArray[np.intp]) -> Floats:
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place))


def _null(p: Floats, place: NDArray[np.intp], draws: int, seed: int) -> Floats:
    """Calibration errors of labels drawn from the confidences, shape (draws,)."""
    order, rng = np.argsort(place, kind="stable"), np.random.default_rng(seed)
    starts = np.searchsorted(place[order], np.arange(place.max() + 1))
    sums, found = np.add.reduceat(p[order], starts), np.empty(draws)
    chunk = max(1, 4_000_000 // p.size)
    for at in range(0, draws, chunk):
        size = min(chunk, draws - at)
        hits = (rng.random((size, p.size)) < p[order]).astype(float)
        gaps = np.abs(np.add.reduceat(hits, starts, axis=1) - sums)
        found[at : at + size] = gaps.sum(axis=1) / p.size
    return found


def _debiased(gaps: Floats, place: NDArray[np.intp], groups: NDArray[Any]) -> Interval:
    """Sum over bins of weight x (squared mean gap - its variance), and the root of it."""
    n, count = gaps.size, np.unique(groups).size
    _, index = np.unique(groups, return_inverse=True)
    theta = spread = 0.0
    for one in range(place.max() + 1):
        rows = place == one
        inside = np.unique(index.ravel()[rows], return_inverse=True)[1].ravel()
        members, mean = inside.max() + 1, float(gaps[rows].mean())
        sums = np.bincount(inside, weights=gaps[rows] - mean)
        many = members / (members - 1) if members > 1 else 1.0
        chance = float(np.sum(sums**2)) / rows.sum() ** 2 * many
        square, weight = mean * mean - chance, float(rows.sum()) / n
        theta += weight * square
        spread += weight**2 * (4 * max(square, 0.0) * chance + 2 * chance**2)
    root, method = float(np.sqrt(max(theta, 0.0))), "debiased, normal on the squared error"
    if count < LEAST:
        return Interval(root, None, None, 0.95, method, n, count, _too_few(count))
    half = float(ndtri(0.975)) * float(np.sqrt(spread))
    low, high = (float(np.sqrt(max(end, 0.0))) for end in (theta - half, theta + half))
    return Interval(root, low, high, 0.95, method, n, count)


def _curve(p: Floats, y: Floats, place: NDArray[np.intp], groups: NDArray[Any]) -> tuple[Bin, ...]:
    found, single = [], np.unique(groups).size == y.size
    for one in range(place.max() + 1):
        rows = place == one
        n = int(rows.sum())
        if single:
            share = wilson(float(y[rows].sum()), n)
        else:
            share = clustered_t(y[rows], groups[rows], span=(0.0, 1.0))
        found.append(Bin(float(p[rows].mean()), share, n))
    return tuple(found)


def _warnings(n: int, n_clusters: int, y: Floats) -> tuple[str, ...]:
    told = []
    if n_clusters < LEAST:
        told.append(f"{n_clusters} independent rows: no test and no interval")
    elif n_clusters < n:
        told.append("the calibration test takes rows of one cluster as independent")
    if np.ptp(y) == 0:
        told.append("all events are equal")
    return tuple(told)
