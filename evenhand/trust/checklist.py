"""How much each question of a checklist says about people's ratings: weights, or small trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls
from scipy.special import entr

from evenhand.checklists import mixed
from evenhand.errors import Misuse
from evenhand.intervals import Interval, clustered_t
from evenhand.trust.calibrate import LEAST, better, folds, nothing

Floats = NDArray[np.float64]
_FEWEST = 4
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class ChecklistWeights:
    """score = intercept + sum of weights x chances of a yes, in rating points from 1 to 10.

    Attributes:
        weights: One a question, none below 0.
        intervals: Of the learnt part of each weight, before it is mixed with the plain score;
            NaN with a reason where nothing was learnt.
        mixing: Share of the learnt part, in [0, 1]; at 0 the score is the plain 1 + 9 x mean.
        losses: 'plain' (1 + 9 x mean), 'constant' (the mean rating) and 'learnt' -> squared error
            on rows that were not fitted.
        n_missing: Rows without a rating or without any answer; they are left out.
    """

    intercept: float
    weights: tuple[float, ...]
    intervals: tuple[Interval, ...]
    mixing: float
    losses: Mapping[str, Interval] = field(hash=False)
    n: int
    n_clusters: int
    n_missing: int
    warnings: tuple[str, ...] = ()
    reason: str = ""

    def predict(self, chances: ArrayLike) -> Floats:
        """Scores, shape (n,); NaN where a row has no answer."""
        x, _ = _answered(chances)
        return np.asarray(np.clip(self.intercept + x @ np.asarray(self.weights), 1.0, 10.0))

    def fit_data(self) -> dict[str, Any]:
        """What a `Fit` of kind 'rocketeval' holds for this checklist, under its `checklist_key`."""
        return {"intercept": self.intercept, "weights": list(self.weights)}


def checklist_weights(
    chances: ArrayLike, ratings: ArrayLike, *, clusters: ArrayLike | None = None, seed: int = 0
) -> ChecklistWeights:
    """Weights of the questions of one checklist, by non-negative least squares.

    Paper: Wei et al. 2025, "RocketEval: Efficient Automated LLM Evaluation via Grading Checklist",
        arXiv:2503.05142. The paper learns ten small trees for each prompt; here it is one weight a
        question, which is never below 0. The learnt part is mixed with the plain score as in the
        authors' code, by the entropy of the ratings over that of ten equal shares; but not at all
        where it does not beat, by more than one standard error on held-out rows, both the plain
        score and the mean rating.

    Args:
        chances: Shape (n, n_questions), in [0, 1], a row a response; NaN: not answered, for which
            the mean of the row's answers is taken.
        ratings: Shape (n,), from 1 to 10; NaN: none.
        clusters: Shape (n,), for example prompts; None: every row is its own.
    """
    x, answered = _answered(chances)
    y = np.asarray(ratings, dtype=float).ravel()
    groups = np.arange(y.size) if clusters is None else np.asarray(clusters).ravel()
    if not len(x) == y.size == groups.size:
        raise ValueError(f"one row each is needed: {len(x)}, {y.size} and {groups.size}")
    good = answered & np.isfinite(y)
    x, y, groups, lost = x[good], y[good], groups[good], int((~good).sum())
    n, count, items = y.size, np.unique(groups).size, x.shape[1]
    if why := _no_fit(y, count):
        none = nothing(why, n, count)
        shown = dict.fromkeys(("plain", "constant", "learnt"), none)
        plain, same = (9.0 / items,) * items, (none,) * items
        return ChecklistWeights(1.0, plain, same, 0.0, shown, n, count, lost, (), why)
    losses = _held_out(x, y, groups, seed)
    wins = all(better(losses[one] - losses["learnt"], groups) for one in ("plain", "constant"))
    mixing = _entropy(y) if wins else 0.0
    level, learnt = _solved(x, y)
    weights = mixing * learnt + (1.0 - mixing) * 9.0 / items
    told = () if wins else ("the ratings teach no weights that do better on rows not seen",)
    spreads = _intervals(x, y, groups, seed)
    shown = {name: clustered_t(loss, groups) for name, loss in losses.items()}
    whole, start = tuple(map(float, weights)), mixing * level + (1.0 - mixing)
    return ChecklistWeights(start, whole, spreads, mixing, shown, n, count, lost, told)


def _answered(chances: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Chances with the mean of the row in the place of NaN, and which rows have any answer."""
    x = np.asarray(chances, dtype=float)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(f"chances have the shape (n, n_questions): {x.shape}")
    some = np.isfinite(x).any(axis=1)
    seen = np.isfinite(x).sum(axis=1).clip(1)
    means = np.where(some, np.nansum(x, axis=1) / seen, np.nan)
    return np.where(np.isfinite(x), x, means[:, None]), some


def _no_fit(y: Floats, count: int) -> str:
    if count < _FEWEST:
        return f"{count} independent ratings are too few: at least {_FEWEST} are needed"
    return f"all {y.size} ratings are equal" if np.ptp(y) == 0 else ""


def _solved(x: Floats, y: Floats, counts: Floats | None = None) -> tuple[float, Floats]:
    """Intercept and weights; `counts` says how often each row counts."""
    w = np.ones(y.size) if counts is None else counts
    middle, mean = w @ x / w.sum(), float(w @ y / w.sum())
    root = np.sqrt(w)
    weights = nnls((x - middle) * root[:, None], (y - mean) * root)[0]
    return mean - float(middle @ weights), np.asarray(weights)


def _held_out(x: Floats, y: Floats, groups: NDArray[Any], seed: int) -> dict[str, Floats]:
    part, constant, learnt = folds(groups, seed, 10), np.empty(y.size), np.empty(y.size)
    for k in range(part.max() + 1):
        train, test = part != k, part == k
        level, weights = _solved(x[train], y[train])
        learnt[test], constant[test] = level + x[test] @ weights, y[train].mean()
    said = {"plain": 1.0 + 9.0 * x.mean(axis=1), "constant": constant, "learnt": learnt}
    return {name: (one - y) ** 2 for name, one in said.items()}


def _entropy(y: Floats) -> float:
    """1 - KL(shares of the ratings from equal shares of ten) / log 10; 0 when all are equal."""
    _, counts = np.unique(np.clip(np.rint(y), 1, 10), return_counts=True)
    return float(entr(counts / y.size).sum() / np.log(10.0))


def _intervals(x: Floats, y: Floats, groups: NDArray[Any], seed: int) -> tuple[Interval, ...]:
    """Percentiles over bootstrap draws of clusters."""
    _, index = np.unique(groups, return_inverse=True)
    count, point = int(index.max()) + 1, _solved(x, y)[1]
    if count < LEAST:
        why = f"{count} clusters are too few for an interval: at least {LEAST} are needed"
        return tuple(
            Interval(float(w), None, None, 0.95, "none", y.size, count, why) for w in point
        )
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=_DRAWS).astype(float)
    found = np.array([_solved(x, y, one[index.ravel()])[1] for one in drawn])
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    rows, way = zip(point, low, high, strict=True), "cluster bootstrap"
    return tuple(
        Interval(float(w), float(a), float(b), 0.95, way, y.size, count) for w, a, b in rows
    )


# ---- trees ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChecklistTrees:
    """score = mixing x mean of the trees + (1 - mixing) x (1 + 9 x mean chance of a yes).

    Attributes:
        trees: Lists 'feature', 'threshold', 'left', 'right' and 'value', one entry a node; a leaf
            has -1 on both sides. None where nothing was learnt; `reason` then says why.
        mixing: Share of the trees, in [0, 1].
        n_missing: Rows without a rating or without any answer; they are left out.
    """

    n_questions: int
    trees: tuple[Mapping[str, list[Any]], ...]
    mixing: float
    n: int
    n_missing: int
    reason: str = ""

    def predict(self, chances: ArrayLike) -> Floats:
        """Scores, shape (n,); NaN where a row has no answer."""
        x, _ = _answered(chances)
        if not self.trees:
            return np.asarray(1.0 + 9.0 * x.mean(axis=1))
        data = self.fit_data()
        return np.array([mixed(data, row) if row[0] == row[0] else np.nan for row in x.tolist()])

    def fit_data(self) -> dict[str, Any]:
        """What a `Fit` of kind 'rocketeval-trees' holds for this checklist, under its key."""
        trees = [dict(tree) for tree in self.trees]
        return {"questions": self.n_questions, "mixing": self.mixing, "trees": trees}


def checklist_trees(chances: ArrayLike, ratings: ArrayLike) -> ChecklistTrees:
    """Ten small trees from the answers to one checklist to the ratings of its responses.

    Paper: Wei et al. 2025, "RocketEval: Efficient Automated LLM Evaluation via Grading Checklist",
        arXiv:2503.05142, and the authors' code: extremely randomised trees of depth 2 for each
        prompt, mixed with the plain score by 1 - KL(shares of the ratings from ten equal shares) /
        log 10. Ours: no trees below four ratings; a question without an answer counts as the mean
        of the row; ratings that are not whole are rounded for the shares.

    Args:
        chances: Shape (n, n_questions), in [0, 1], a row a response; NaN: not answered.
        ratings: Shape (n,), from 1 to 10; NaN: none.

    Raises:
        Misuse: scikit-learn is not installed.
    """
    x, answered = _answered(chances)
    y = np.asarray(ratings, dtype=float).ravel()
    if len(x) != y.size:
        raise ValueError(f"one rating a row is needed: {len(x)} and {y.size}")
    good = answered & np.isfinite(y)
    x, y, lost = x[good], y[good], int((~good).sum())
    if why := _no_fit(y, y.size):
        return ChecklistTrees(x.shape[1], (), 0.0, y.size, lost, why)
    return ChecklistTrees(x.shape[1], _forest(x, y), _entropy(y), y.size, lost)


def _forest(x: Floats, y: Floats) -> tuple[Mapping[str, list[Any]], ...]:
    try:
        from sklearn.ensemble import ExtraTreesRegressor
    except ImportError as error:
        raise Misuse(
            "trees are grown by scikit-learn, which is not installed",
            expected="the extra ml; applying a fit needs nothing",
            do="pip install 'evenhand[ml]'",
        ) from error
    forest = ExtraTreesRegressor(n_estimators=10, max_depth=2, random_state=42).fit(x, y)
    return tuple(_plain(one.tree_) for one in forest.estimators_)


def _plain(tree: Any) -> Mapping[str, list[Any]]:
    leaf = tree.children_left < 0
    return {
        "feature": np.where(leaf, -1, tree.feature).tolist(),
        "threshold": np.where(leaf, 0.0, tree.threshold).tolist(),
        "left": tree.children_left.tolist(),
        "right": tree.children_right.tolist(),
        "value": tree.value[:, 0, 0].tolist(),
    }
