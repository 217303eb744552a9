"""From a judge's text and score to people's ratings or preferences: small models fitted afterwards.

Every head is nested: the affine map of the base score alone is fitted too, and the text counts only
where it lowers the held-out loss by more than one standard error.

Paper: Sahoo et al. 2025, "Quantitative LLM Judges", section 3. arXiv:2506.02945. The four heads are
    the paper's; nesting, the choice of the penalty and the default embedding, hashed n-grams, are
    ours. In MN the base score enters as a number, with a weight for each label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from evenhand.embedders import Embedder
from evenhand.intervals import Interval, clustered_t
from evenhand.trust.calibrate import LEAST, better, folds, log_loss, newton, nothing

Floats = NDArray[np.float64]
Head = Literal["LS", "MN", "BTL", "BTL2"]
Solution = tuple[Floats, Floats]
"""Weights, shape (n_outputs, 1 + d) with the base score's first, and intercepts (n_outputs,)."""
_WEAK = 0.01
"""Penalty on the standardised base score where the labels could be separated by it."""


@dataclass(frozen=True, slots=True)
class Quantitative:
    """A fitted head.

    Attributes:
        kept: 'full' with the embedding, 'affine' without; None when nothing was fitted, and
            `reason` says why.
        labels: The ratings, lowest first (MN).
        weights, intercept: One row an output, the base score's weight first.
        penalty: Of the embedding's standardised weights; None for 'affine'.
        losses: 'raw' (the judge as it is; not for MN), 'affine' and 'full' -> squared error (LS)
            or log loss in nats, on rows that were not fitted. 'full' is at the best of the
            penalties tried on the same rows, so a little too good.
    """

    head: Head
    kept: Literal["full", "affine"] | None
    labels: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    intercept: tuple[float, ...]
    penalty: float | None
    losses: Mapping[str, Interval] = field(hash=False)
    n: int
    n_clusters: int
    n_missing: int
    warnings: tuple[str, ...] = ()
    reason: str = ""

    def predict(self, base: ArrayLike, features: ArrayLike | None = None) -> Floats:
        """Scores (LS), P(first is better) (BTL; BTL2 from differences), shape (n,); or
        probabilities of the labels, shape (n, n_labels) (MN). All NaN where nothing was fitted."""
        b = np.asarray(base, dtype=float)
        if self.kept is None:
            shape = (b.size, len(self.labels)) if self.head == "MN" else (b.size,)
            return np.full(shape, np.nan)
        x = b[:, None]
        if self.kept == "full":
            x = np.hstack([x, np.asarray(features, dtype=float)])
        linear = x @ np.asarray(self.weights).T + np.asarray(self.intercept)
        if self.head == "MN":
            return np.asarray(softmax(linear, axis=1))
        return np.asarray(linear[:, 0] if self.head == "LS" else expit(linear[:, 0]))

    def fit_data(
        self, *, embedder: Embedder | None = None, span: tuple[float, float] | None = None
    ) -> dict[str, Any]:
        """The data of a `Fit` of kind 'quantitative'.

        Args:
            embedder: What made the features, with its size; 'affine' does without.
            span: The lowest and the highest score (LS).

        Raises:
            ValueError: Nothing was fitted, the embedder has another size, or LS without a span.
        """
        if self.kept is None:
            raise ValueError(f"nothing was fitted: {self.reason}")
        size = len(self.weights[0]) - 1
        if size and (embedder is None or embedder.size != size):
            raise ValueError(f"{size} features are not by the embedder {embedder}")
        if (self.head == "LS") != (span is not None):
            raise ValueError("a span is needed for LS, and only for LS")
        rows = [list(row) for row in self.weights]
        ends = list(span) if span else None
        how = embedder.form() if embedder and size else {"hashed": 0}
        whole = {"head": self.head, "labels": list(self.labels), "span": ends, **how}
        return {**whole, "weights": rows, "intercept": list(self.intercept)}


def least_squares(
    base: ArrayLike,
    target: ArrayLike,
    features: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    repeats: int = 1,
    seed: int = 0,
) -> Quantitative:
    """LS: the rating as a line in the base score and the embedding, by ridge regression.

    Args:
        base: Shape (n,), the judge's score. target: Shape (n,), people's. features: Shape (n, d),
            the embedding of the judge's text. Rows with a NaN are left out and counted.
        clusters: Shape (n,); a cluster is never divided between fitting and testing.
        repeats: How often the cross-validation is repeated with other folds.
    """
    x, y, groups, missing = _rows(base, target, features, clusters)
    return _fitted("LS", x, y, groups=groups, missing=missing, how=(repeats, seed))


def multinomial(
    base: ArrayLike,
    target: ArrayLike,
    features: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    repeats: int = 1,
    seed: int = 0,
) -> Quantitative:
    """MN: a probability for each rating that occurs among the targets; see `least_squares`."""
    x, y, groups, missing = _rows(base, target, features, clusters)
    values, index = np.unique(y, return_inverse=True)
    how, labels = (repeats, seed), tuple(f"{value:g}" for value in values)
    y = index.ravel().astype(float)
    return _fitted("MN", x, y, groups=groups, missing=missing, how=how, labels=labels)


def bradley_terry(
    base: ArrayLike,
    target: ArrayLike,
    features: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    repeats: int = 1,
    seed: int = 0,
) -> Quantitative:
    """BTL: the chance that the first response is better, from one text about both.

    Args:
        base: Shape (n,), the judge's log-odds of the first response.
        target: Shape (n,), 1 where people prefer the first, 0 the second, 0.5 neither.
    """
    x, y, groups, missing = _rows(base, target, features, clusters)
    return _fitted("BTL", x, y, groups=groups, missing=missing, how=(repeats, seed))


def two_headed(
    base: tuple[ArrayLike, ArrayLike],
    target: ArrayLike,
    features: tuple[ArrayLike, ArrayLike],
    *,
    clusters: ArrayLike | None = None,
    repeats: int = 1,
    seed: int = 0,
) -> Quantitative:
    """BTL2: the same from two judgements, one of each response. It sees differences only and has no
    intercept, so exchanging the responses exchanges the chances."""
    one, other = (np.asarray(part, dtype=float) for part in base)
    left, right = (np.asarray(part, dtype=float) for part in features)
    x, y, groups, missing = _rows(one - other, target, left - right, clusters)
    return _fitted("BTL2", x, y, groups=groups, missing=missing, how=(repeats, seed))


def _rows(
    base: ArrayLike, target: ArrayLike, features: ArrayLike, clusters: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[Any], int]:
    b, y = np.asarray(base, dtype=float).ravel(), np.asarray(target, dtype=float).ravel()
    phi = np.asarray(features, dtype=float)
    groups = np.arange(y.size) if clusters is None else np.asarray(clusters).ravel()
    if phi.ndim != 2 or not b.size == y.size == len(phi) == groups.size:
        shapes = f"{b.shape}, {y.shape}, {phi.shape} and {groups.shape}"
        raise ValueError(f"base, target, features and clusters have the shapes {shapes}")
    x = np.hstack([b[:, None], phi])
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    return x[good], y[good], groups[good], int((~good).sum())


def _fitted(
    head: Head, x: Floats, y: Floats, *, groups: NDArray[Any], missing: int,
    how: tuple[int, int], labels: tuple[str, ...] = (),
) -> Quantitative:  # fmt: skip
    n, count = y.size, np.unique(groups).size
    if why := _no_fit(y, count):
        none = {"affine": nothing(why, n, count), "full": nothing(why, n, count)}
        return Quantitative(head, None, labels, (), (), None, none, n, count, missing, (), why)
    penalties = n * np.logspace(-3, 2, 11 if head == "LS" else 6)[::-1]
    losses = _held_out(head, x, y, groups, penalties, how)
    best = 1 + int(losses[1:].mean(axis=1).argmin())
    full = x.shape[1] > 1 and better(losses[0] - losses[best], groups)
    weights, intercept = list(_path(head, x, y, penalties))[best if full else 0]
    shown = {"affine": clustered_t(losses[0], groups), "full": clustered_t(losses[best], groups)}
    if head != "MN":
        raw = x[:, :1] if head == "LS" else np.clip(x[:, :1], -30, 30)
        shown = {"raw": clustered_t(_loss(head, raw, y), groups), **shown}
    told = ["all base scores are equal"] if np.ptp(x[:, 0]) == 0 else []
    told += [f"{count} independent labels: the fit itself is in doubt"] if count < 50 else []
    rows = tuple(tuple(map(float, row if full else row[:1])) for row in weights)
    penalty = float(penalties[best - 1]) if full else None
    kept: Literal["full", "affine"] = "full" if full else "affine"
    ends = tuple(map(float, intercept))
    return Quantitative(
        head, kept, labels, rows, ends, penalty, shown, n, count, missing, tuple(told)
    )  # fmt: skip


def _no_fit(y: Floats, count: int) -> str:
    if count < LEAST:
        return f"{count} independent labels are too few: at least {LEAST} are needed"
    return f"all {y.size} labels are equal" if np.ptp(y) == 0 else ""


def _held_out(
    head: Head, x: Floats, y: Floats, groups: NDArray[Any], penalties: Floats, how: tuple[int, int]
) -> Floats:
    """Losses of the affine map and of each penalty, shape (1 + n_penalties, n)."""
    repeats, seed = how
    total = np.zeros((1 + penalties.size, y.size))
    for again in range(repeats):
        part = folds(groups, seed + again)
        for k in range(part.max() + 1):
            train, test = part != k, part == k
            for i, (weights, intercept) in enumerate(_path(head, x[train], y[train], penalties, y)):
                total[i, test] += _loss(head, x[test] @ weights.T + intercept, y[test])
    return total / repeats


def _loss(head: Head, linear: Floats, y: Floats) -> Floats:
    if head == "LS":
        return np.asarray((linear[:, 0] - y) ** 2)
    if head == "MN":
        return np.asarray(-log_softmax(linear, axis=1)[np.arange(y.size), y.astype(int)])
    return log_loss(expit(linear[:, 0]), y)


def _path(
    head: Head, x: Floats, y: Floats, penalties: Floats, every: Floats | None = None
) -> Iterator[Solution]:
    """The affine solution, then one for each penalty; `every` holds all labels that there are."""
    mean = np.zeros(x.shape[1]) if head == "BTL2" else x.mean(axis=0)
    scale = np.sqrt(((x - mean) ** 2).mean(axis=0))
    scale[scale < 1e-12] = 1.0
    z = (x - mean) / scale
    if head == "LS":
        solutions = _ridge(z, y, penalties)
    elif head == "MN":
        solutions = _softmaxes(z, y, penalties, int((y if every is None else every).max()) + 1)
    else:
        solutions = _logits(z, y, penalties, constant=head == "BTL")
    for theta, level in solutions:
        weights = theta / scale
        yield weights, level - weights @ mean


def _ridge(z: Floats, y: Floats, penalties: Floats) -> Iterator[Solution]:
    """Ridge on what base score and constant leave, through the smaller of the two Gram matrices."""
    free = np.column_stack([z[:, 0], np.ones(y.size)])
    hat = free @ np.linalg.pinv(free)
    phi, rest = z[:, 1:] - hat @ z[:, 1:], y - hat @ y
    dual = phi.shape[1] > phi.shape[0]
    values, vectors = np.linalg.eigh(phi @ phi.T if dual else phi.T @ phi)
    inner = vectors.T @ (rest if dual else phi.T @ rest)
    for penalty in (np.inf, *penalties):
        theta = vectors @ (inner / (np.maximum(values, 0.0) + penalty))
        theta = phi.T @ theta if dual else theta
        slope, level = np.linalg.lstsq(free, y - z[:, 1:] @ theta, rcond=None)[0]
        yield np.concatenate([[slope], theta])[None, :], np.array([level])


def _turned(phi: Floats) -> tuple[Floats, Floats]:
    """The embedding in at most n coordinates, and the matrix that turns weights back."""
    if phi.shape[1] <= phi.shape[0]:
        return phi, np.eye(phi.shape[1])
    values, vectors = np.linalg.eigh(phi @ phi.T)
    good = values > 1e-10 * max(float(values[-1]), 1e-300)
    back = phi.T @ (vectors[:, good] / np.sqrt(values[good]))
    return phi @ back, back


def _logits(z: Floats, y: Floats, penalties: Floats, *, constant: bool) -> Iterator[Solution]:
    phi, back = _turned(z[:, 1:])
    free = np.column_stack([z[:, 0], np.ones(y.size)]) if constant else z[:, :1]
    weak = np.array([_WEAK, 0.0])[: free.shape[1]]
    beta = newton(free, y, weak)
    yield _whole(beta, np.zeros(z.shape[1] - 1))
    x, beta = np.hstack([free, phi]), np.concatenate([beta, np.zeros(phi.shape[1])])
    for penalty in penalties:
        all_penalties = np.concatenate([weak, np.full(phi.shape[1], penalty)])
        beta = newton(x, y, all_penalties, start=beta)
        yield _whole(beta[: free.shape[1]], back @ beta[free.shape[1] :])


def _whole(free: Floats, theta: Floats) -> Solution:
    level = free[1] if free.size == 2 else 0.0
    return np.concatenate([free[:1], theta])[None, :], np.array([level])


def _softmaxes(z: Floats, y: Floats, penalties: Floats, count: int) -> Iterator[Solution]:
    phi, back = _turned(z[:, 1:])
    free = np.column_stack([z[:, 0], np.ones(y.size)])
    hits = np.eye(count)[y.astype(int)]

    def solved(x: Floats, penalty: Floats, start: Floats) -> Floats:
        def cost(flat: Floats) -> tuple[float, Floats]:
            beta = flat.reshape(count, -1)
            logs = log_softmax(x @ beta.T, axis=1)
            slope = (np.exp(logs) - hits).T @ x + penalty * beta
            told = -float((hits * logs).sum()) + 0.5 * float((penalty * beta**2).sum())
            return told, slope.ravel()

        found = minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", tol=1e-9)
        return np.asarray(found.x.reshape(count, -1))

    weak = np.array([_WEAK, _WEAK])
    beta = solved(free, weak, np.zeros((count, 2)))
    yield np.hstack([beta[:, :1], np.zeros((count, z.shape[1] - 1))]), beta[:, 1]
    x, beta = np.hstack([free, phi]), np.hstack([beta, np.zeros((count, phi.shape[1]))])
    for penalty in penalties:
        beta = solved(x, np.concatenate([weak, np.full(phi.shape[1], penalty)]), beta)
        yield np.hstack([beta[:, :1], beta[:, 2:] @ back.T]), beta[:, 1]
