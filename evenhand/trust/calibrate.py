"""May a judge's confidence be taken at its word, and the map that mends it.

A confidence p is the probability that a judge gives to an event: that its label is right, or that
the label is a certain one. Rows with a NaN among p and y are left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import expit, logsumexp, xlogy

from evenhand.fits import calibrated
from evenhand.intervals import Interval, clustered_t

Floats = NDArray[np.float64]
LEAST = 10
"""Clusters below which nothing is fitted and no interval is given."""
_EDGE = 1e-6
_ONE_SE = 0.6827


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map from confidence to probability.

    Attributes:
        map: Its name; None when none was fitted, and `reason` says why.
        data: What a fit of kind 'calibrate' holds, without `of`; empty when there is no map.
        candidates: Map -> log loss in nats on rows that the map was not fitted on.
        raw: Log loss of the confidences as they are.
        gain: `raw` less the log loss of the whole procedure, choice of the map included, on rows
            that neither fit nor choice has seen. Above 0: calibration helps.
    """

    map: str | None
    data: Mapping[str, Any] = field(hash=False)
    candidates: Mapping[str, Interval] = field(hash=False)
    raw: Interval
    gain: Interval
    n: int
    n_clusters: int
    n_missing: int
    warnings: tuple[str, ...] = ()
    reason: str = ""

    def fit_data(self, of: str) -> dict[str, Any]:
        """The data of a `Fit`; `of` is 'mode', 'label:NAME' or 'labels' (see `fits.calibrated`).

        Raises:
            ValueError: There is no map.
        """
        if self.map is None:
            raise ValueError(f"nothing was fitted: {self.reason}")
        return {**self.data, "of": of}


def calibrate(
    p: ArrayLike, y: ArrayLike, *, clusters: ArrayLike | None = None, seed: int = 0
) -> Calibration:
    """The map that fits these labels best, chosen by how many there are and by cross-validation.

    Temperature below 200 labels and Platt's above, unless another map has a log loss lower by more
    than one standard error on held-out clusters (5 folds). Isotonic and histogram maps, which
    overfit, are not tried below 100 labels. Curves are fitted to Platt's targets, which keeps them
    finite where the confidences separate the labels.

    Paper: Guo et al. 2017, "On Calibration of Modern Neural Networks". arXiv:1706.04599; Kull et
        al. 2017, "Beyond sigmoids: How to obtain well-calibrated probabilities from binary
        classifiers with beta calibration". doi:10.1214/17-EJS1338SI; Zadrozny and Elkan 2002,
        "Transforming Classifier Scores into Accurate Multiclass Probability Estimates".
        doi:10.1145/775047.775151; Platt 1999, "Probabilistic Outputs for Support Vector Machines".
        In this order: temperature, beta, isotonic, Platt's map with his targets. Choosing by label
        count is ours.

    Args:
        p: Shape (n,), confidences in [0, 1].
        y: Shape (n,), 1 where the event came true, 0 where not.
        clusters: Shape (n,), equal entries belong together; None: every row is its own.
    """
    given, truth, groups, missing = kept(p, y, clusters)
    n, n_clusters = truth.size, np.unique(groups).size
    if why := _no_fit(truth, n_clusters):
        none = nothing(why, n, n_clusters)
        as_is = none if n_clusters < LEAST else _mean(log_loss(given, truth), groups)
        return Calibration(None, {}, {}, as_is, none, n, n_clusters, missing, (), why)
    losses = _held_out(given, truth, groups, seed)
    name = _chosen(losses, groups)
    part = folds(groups, seed + 1)
    nested = np.empty(n)
    for k in range(part.max() + 1):
        train, test = part != k, part == k
        inner = _chosen(_held_out(given[train], truth[train], groups[train], seed), groups[train])
        nested[test] = log_loss(
            calibrated(_MAPS[inner](given[train], truth[train]), given[test]), truth[test]
        )
    raw = log_loss(given, truth)
    gain = _mean(raw - nested, groups)
    shown = {one: _mean(loss, groups) for one, loss in losses.items()}
    data = _MAPS[name](given, truth)
    told = _warnings(data, gain, n)
    return Calibration(name, data, shown, _mean(raw, groups), gain, n, n_clusters, missing, told)


def calibrate_labels(
    probs: ArrayLike, truth: ArrayLike, *, clusters: ArrayLike | None = None, seed: int = 0
) -> Calibration:
    """One temperature for the probabilities of all labels, as `of='labels'` applies it.

    Paper: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
        arXiv:1706.04599

    Args:
        probs: Shape (n, n_labels), rows summing to 1; a row with a NaN is left out.
        truth: Shape (n,), the index of the true label; NaN where there is none.
    """
    given = np.asarray(probs, dtype=float)
    if given.ndim != 2:
        raise ValueError(f"probabilities of labels have the shape (n, n_labels): {given.shape}")
    _, y, groups, missing = kept(given.sum(axis=1), truth, clusters)
    good = np.isfinite(given.sum(axis=1)) & np.isfinite(np.asarray(truth, dtype=float))
    logs, index, n = np.log(np.clip(given[good], _EDGE, 1.0)), y.astype(int), y.size
    n_clusters = np.unique(groups).size
    if why := _no_fit(y, n_clusters):
        none = nothing(why, n, n_clusters)
        return Calibration(None, {}, {}, none, none, n, n_clusters, missing, (), why)

    def loss(slope: float, rows: Any) -> Floats:
        scaled = slope * logs[rows]
        right = scaled[np.arange(scaled.shape[0]), index[rows]]
        return np.asarray(logsumexp(scaled, axis=1) - right)

    def best(rows: Any) -> float:
        return float(minimize_scalar(lambda a: loss(a, rows).mean(), bounds=(1e-3, 20)).x)

    part, held = folds(groups, seed), np.empty(n)
    for k in range(part.max() + 1):
        held[part == k] = loss(best(part != k), part == k)
    slope, raw = best(slice(None)), loss(1.0, slice(None))
    data, gain = _curve("temperature", slope, slope, 0.0), _mean(raw - held, groups)
    shown, told = {"temperature": _mean(held, groups)}, _warnings(data, gain, n)
    raw_loss = _mean(raw, groups)
    return Calibration("temperature", data, shown, raw_loss, gain, n, n_clusters, missing, told)


# ---- shared with the other fits of this room -------------------------------------------------


def kept(
    p: ArrayLike, y: ArrayLike, clusters: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[Any], int]:
    """p, y and clusters of the rows without NaN, and how many rows had one.

    Raises:
        ValueError: Shapes that differ.
    """
    one, other = np.asarray(p, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    groups = np.arange(one.size) if clusters is None else np.asarray(clusters).ravel()
    if not one.size == other.size == groups.size:
        raise ValueError(f"one row each is needed: {one.size}, {other.size} and {groups.size}")
    good = np.isfinite(one) & np.isfinite(other)
    return one[good], other[good], groups[good], int((~good).sum())


def folds(clusters: NDArray[Any], seed: int, k: int = 5) -> NDArray[np.intp]:
    """The fold of every row, shape (n,); a cluster is never divided."""
    _, index = np.unique(clusters, return_inverse=True)
    count = int(index.max()) + 1
    order = np.random.default_rng(seed).permutation(count)
    return np.asarray((order % min(k, count))[index.ravel()])


def nothing(reason: str, n: int, n_clusters: int) -> Interval:
    return Interval(float("nan"), None, None, 0.95, "none", n, n_clusters, reason)


def better(gains: Floats, clusters: NDArray[Any]) -> bool:
    """Whether the mean is above 0 by more than one standard error."""
    low = clustered_t(gains, clusters, level=_ONE_SE).low
    return low is not None and low > 0


def log_loss(p: Floats, y: Floats) -> Floats:
    """In nats, one a row; confidences are kept 1e-6 away from 0 and 1."""
    p = np.clip(p, _EDGE, 1.0 - _EDGE)
    return np.asarray(-(xlogy(y, p) + xlogy(1.0 - y, 1.0 - p)))


def newton(x: Floats, y: Floats, penalty: Floats, *, start: Floats | None = None) -> Floats:
    """Coefficients of a logistic regression of y in [0, 1]; the penalty is one a column."""
    beta = np.zeros(x.shape[1]) if start is None else start.copy()

    def cost(b: Floats) -> float:
        z = x @ b
        return float(np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * np.sum(penalty * b * b))

    now = cost(beta)
    for _ in range(50):
        q = expit(x @ beta)
        slope = x.T @ (y - q) - penalty * beta
        curve = (x * (q * (1.0 - q))[:, None]).T @ x + np.diag(penalty + 1e-9)
        step, size = np.linalg.solve(curve, slope), 1.0
        while (then := cost(beta + size * step)) > now + 1e-12 * abs(now) and size > 1e-6:
            size /= 2
        beta = beta + size * step
        if abs(now - then) <= 1e-10 * (1.0 + abs(now)):
            break
        now = then
    return beta


# ---- the maps --------------------------------------------------------------------------------


def _curve(name: str, a: float, b: float, c: float) -> dict[str, Any]:
    return {"map": name, "a": float(a), "b": float(b), "c": float(c)}


def _targets(y: Floats) -> Floats:
    hits = y.sum()
    high, low = (hits + 1.0) / (hits + 2.0), 1.0 / (y.size - hits + 2.0)
    return np.asarray(y * high + (1.0 - y) * low)


def _logs(p: Floats) -> tuple[Floats, Floats]:
    p = np.clip(p, _EDGE, 1.0 - _EDGE)
    return np.log(p), -np.log1p(-p)


def _temperature(p: Floats, y: Floats) -> dict[str, Any]:
    one, other = _logs(p)
    slope = max(float(newton((one + other)[:, None], _targets(y), np.zeros(1))[0]), 1e-3)
    return _curve("temperature", slope, slope, 0.0)


def _platt(p: Floats, y: Floats) -> dict[str, Any]:
    one, other = _logs(p)
    x = np.column_stack([one + other, np.ones(p.size)])
    slope, level = newton(x, _targets(y), np.zeros(2))
    return _curve("platt", slope, slope, level)


def _beta(p: Floats, y: Floats) -> dict[str, Any]:
    """As in the paper, a slope below 0 is left out and the rest fitted again."""
    logs, used = np.column_stack([*_logs(p), np.ones(p.size)]), [0, 1, 2]
    while True:
        found = dict(
            zip(used, newton(logs[:, used], _targets(y), np.zeros(len(used))), strict=True)
        )
        low = [i for i in used[:-1] if found[i] < 0]
        if not low:
            return _curve("beta", found.get(0, 0.0), found.get(1, 0.0), found[2])
        used.remove(min(low, key=lambda i: found[i]))


def _isotonic(p: Floats, y: Floats) -> dict[str, Any]:
    """Knots at both ends of every flat piece; values stay 1 / (n + 2) away from 0 and 1."""
    x, index, counts = np.unique(p, return_inverse=True, return_counts=True)
    means = np.bincount(index.ravel(), weights=y) / counts
    level = isotonic_regression(means, weights=counts).x
    level = np.maximum.accumulate(np.clip(level, 1 / (y.size + 2), 1 - 1 / (y.size + 2)))
    turn = np.flatnonzero(np.diff(level) > 0)
    ends = np.unique(np.concatenate([[0], turn, turn + 1, [x.size - 1]]))
    return {"map": "isotonic", "x": x[ends].tolist(), "y": level[ends].tolist()}


def _histogram(p: Floats, y: Floats) -> dict[str, Any]:
    edges = np.unique(np.quantile(p, np.arange(1, 10) / 10))
    place = np.searchsorted(edges, p, side="right")
    hits = np.bincount(place, weights=y, minlength=edges.size + 1)
    counts = np.bincount(place, minlength=edges.size + 1)
    return {"map": "histogram", "x": edges.tolist(), "y": ((hits + 1) / (counts + 2)).tolist()}


_MAPS: Mapping[str, Callable[[Floats, Floats], dict[str, Any]]] = {
    "temperature": _temperature,
    "platt": _platt,
    "beta": _beta,
    "isotonic": _isotonic,
    "histogram": _histogram,
}


def _held_out(p: Floats, y: Floats, groups: NDArray[Any], seed: int) -> dict[str, Floats]:
    """Log loss of each map on every row, fitted without the row's fold."""
    names = [name for name in _MAPS if y.size >= 100 or name not in ("isotonic", "histogram")]
    part, losses = folds(groups, seed), {name: np.empty(y.size) for name in names}
    for k in range(part.max() + 1):
        train, test = part != k, part == k
        for name, loss in losses.items():
            data = _MAPS[name](p[train], y[train])
            loss[test] = log_loss(calibrated(data, p[test]), y[test])
    return losses


def _chosen(losses: Mapping[str, Floats], groups: NDArray[Any]) -> str:
    usual = "temperature" if groups.size < 200 else "platt"
    best = min(losses, key=lambda name: losses[name].mean())
    return best if better(losses[usual] - losses[best], groups) else usual


def _no_fit(y: Floats, n_clusters: int) -> str:
    if n_clusters < LEAST:
        return f"{n_clusters} independent labels are too few: at least {LEAST} are needed"
    return f"all {y.size} labels are equal" if np.ptp(y) == 0 else ""


def _mean(values: Floats, groups: NDArray[Any]) -> Interval:
    return clustered_t(values, groups)


def _warnings(data: Mapping[str, Any], gain: Interval, n: int) -> tuple[str, ...]:
    told = []
    if n < 50:
        told.append(f"{n} labels: the map itself is in doubt")
    if gain.low is not None and gain.low <= 0:
        told.append("it is not shown that the map lowers the log loss of the raw confidences")
    if data["map"] in ("temperature", "platt") and data["a"] <= 1e-3:
        told.append("higher confidence did not go with more hits: the confidence says nothing")
    return tuple(told)
