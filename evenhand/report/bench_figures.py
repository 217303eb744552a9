"""Figures of a judge on a benchmark, by the names that cards and sources use for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from evenhand import correlations
from evenhand.errors import Misuse
from evenhand.intervals import Floats, Interval, clustered_t, enough, undefined
from evenhand.records import Verdict
from evenhand.report.bench_sections import SECTIONS
from evenhand.report.bench_special import SPECIAL
from evenhand.report.sample import Sample
from evenhand.trust.agreement import accuracy, confusion
from evenhand.trust.alignment import align
from evenhand.trust.alt_test import AltTest, alt_test
from evenhand.trust.coefficients import (
    cohen_kappa,
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
)
from evenhand.trust.confidence import auroc
from evenhand.trust.pairwise import both_orders, hits, mean_of_hits
from evenhand.trust.process import StepFigures, detection, step_figures
from evenhand.trust.ratings import Gap, Ratings

MANY = 500  # cases from which ranks are not resampled, which would take seconds
Options = Mapping[str, Any]
Made = Callable[[Sample, Options], Interval]


def figure(name: str, sample: Sample, options: Options | None = None) -> Interval:
    """A figure of a sample.

    Raises:
        Misuse: No figure has that name.
    """
    if name not in FIGURES:
        raise Misuse(f"no figure is called {name!r}", expected=", ".join(FIGURES))
    return FIGURES[name](sample, options or {})


def point(name: str, sample: Sample, options: Options) -> float:
    """The estimate of a figure, for those who take it many times."""
    if name == "alt_test_advantage":
        return _advantage(sample, options)
    return figure(name, sample, options).estimate


def known(name: str) -> bool:
    return name in FIGURES


# ---- pairs ---------------------------------------------------------------------------------------


def _of_orders(name: str) -> Made:
    def made(sample: Sample, options: Options) -> Interval:
        orders = sample.orders
        if options.get("unread") == "same":  # as some sources count: two unread ones agree
            silent = np.isnan(orders).all(axis=1) & sample.asked
            orders = np.where(silent[:, None], 1.0, orders)
        gaps = np.where(np.isnan(orders), Gap.UNREAD, Gap.USED)
        gaps[~sample.asked] = Gap.MISSING
        why = np.column_stack([np.where(np.isnan(sample.gold), Gap.MISSING, Gap.USED), gaps])
        values = np.column_stack([sample.gold, orders])
        ratings = Ratings.from_values(values, why=why, clusters=sample.clusters)
        found = both_orders(ratings, ties=options.get("ties", "wrong"))
        return getattr(found, name).interval  # type: ignore[no-any-return]

    return made


def _accuracy(sample: Sample, options: Options) -> Interval:
    """Of the whole verdict; undecided is wrong. `over`: the cases that are in question."""
    if not sample.pairs:
        return accuracy(sample.two()).strict.interval
    ratings = sample.two()
    ties = options.get("ties", "separate")
    right = hits(sample.said, sample.gold, ties)
    asked = sample.asked & ~np.isnan(sample.gold)
    return mean_of_hits(
        "accuracy", right, ratings, ties=ties, level=0.95, asked=asked
    ).interval  # fmt: skip


def _trivial(said: Callable[[Sample], Floats]) -> Made:
    """Of a judge that reads nothing; its ties are wrong."""

    def made(sample: Sample, options: Options) -> Interval:
        there = ~np.isnan(sample.gold)
        if not there.any():
            return undefined("no case has a gold label", "clustered t", level=0.95)
        right = (said(sample) == sample.gold)[there].astype(float)
        return clustered_t(right, sample.clusters[there], span=(0.0, 1.0))

    return made


def first(sample: Sample) -> Floats:
    return np.ones(sample.n)


def longer(sample: Sample) -> Floats:
    lengths = np.array([one.lengths for one in sample.facts], dtype=float).reshape(-1, 2)
    return np.asarray(np.sign(lengths[:, 0] - lengths[:, 1]))


# ---- labels --------------------------------------------------------------------------------------


def _macro(which: str) -> Made:
    """Mean over the gold's classes; a class that was never said has precision 0."""

    def made(sample: Sample, options: Options) -> Interval:
        if which == "f1":
            return confusion(sample.two()).macro_f1.interval
        kinds = np.unique(sample.gold[~np.isnan(sample.gold)])
        shares = [_share(sample, kind, which) for kind in kinds]
        values = [0.0 if np.isnan(one.estimate) else one.estimate for one in shares]
        return replace(shares[0], estimate=float(np.mean(values)), low=None, high=None,
            reason="a mean over classes: its interval is not computed")  # fmt: skip

    return made


def _share(sample: Sample, positive: float, which: str) -> Interval:
    hit = sample.said == positive
    true = sample.gold == positive
    among = (hit if which == "precision" else true) & ~np.isnan(sample.gold) & sample.asked
    if not among.any():
        return undefined("no case is in question", "clustered t", level=0.95)
    return clustered_t((hit & true)[among], sample.clusters[among], span=(0.0, 1.0))


def _one_class(which: str) -> Made:
    def made(sample: Sample, options: Options) -> Interval:
        positive = sample.number(str(options["positive"]))
        if which != "f1":
            return _share(sample, positive, which)
        both = [_share(sample, positive, one) for one in ("precision", "recall")]
        p, r = (one.estimate for one in both)
        value = 2 * p * r / (p + r) if p + r else 0.0
        why = "a ratio of two shares: its interval is not computed"
        return replace(both[0], estimate=value, low=None, high=None, reason=why)

    return made


def _kappa(sample: Sample, options: Options) -> Interval:
    ratings = _people(sample, options) if options.get("raters") else sample.two()
    return cohen_kappa(_cut(ratings, sample, options)).interval


def _cut(ratings: Ratings, sample: Sample, options: Options) -> Ratings:
    """Labels put into the classes of `cut`; a label of none of them keeps its own."""
    if not options.get("cut"):
        return ratings
    values = ratings.values.copy()
    for at, labels in enumerate(options["cut"]):
        for label in labels:
            values[ratings.values == sample.number(str(label))] = -1000.0 + at
    return replace(ratings, values=np.asarray(values, order="F"), scale=None, names=())


def _people(sample: Sample, options: Options) -> Ratings:
    wanted = options.get("raters", sample.raters)
    columns = [sample.raters.index(str(name)) for name in wanted]
    return Ratings.from_values(sample.labels[:, columns], clusters=sample.clusters)


def _alpha(sample: Sample, options: Options) -> Interval:
    """Of gold and judge; of the people, when no judge was asked."""
    ratings = sample.two() if sample.asked.any() else _people(sample, options)
    return krippendorff_alpha(ratings, options.get("level", "nominal")).interval


# ---- numbers -------------------------------------------------------------------------------------


def _correlation(kind: str) -> Made:
    def made(sample: Sample, options: Options) -> Interval:
        score = sample.said if options.get("mode") else sample.score
        gold = sample.gold if options.get("gold") != "mean" else _means(sample)
        if options.get("within"):
            found = _within(kind, gold, score, sample.clusters)
        else:
            many = {"method": "influence"} if sample.n > MANY else {}
            of = getattr(correlations, kind)
            found = of(gold, score, clusters=sample.clusters, **many).interval
        return replace(found, estimate=abs(found.estimate)) if options.get("absolute") else found

    return made


def _means(sample: Sample) -> Floats:
    there = ~np.isnan(sample.labels)
    total = np.where(there, sample.labels, 0.0).sum(axis=1)
    n = there.sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _within(kind: str, gold: Floats, score: Floats, clusters: np.ndarray) -> Interval:
    """The mean over clusters that have one; the others are left out."""
    of = {"pearson": correlations.PEARSON, "spearman": correlations.SPEARMAN}.get(
        kind, correlations.KENDALL
    )
    found = []
    for name in np.unique(clusters):
        mine = (clusters == name) & np.isfinite(gold) & np.isfinite(score)
        x, y = gold[mine], score[mine]
        if x.size > 1 and np.ptp(x) > 0 and np.ptp(y) > 0:
            found.append(of.influence(x, y)[0])
    if not found:
        return undefined("no cluster has a correlation", "clustered t", level=0.95)
    return enough(clustered_t(found, np.arange(len(found)), span=(-1.0, 1.0)))


def _rmse(sample: Sample, options: Options) -> Interval:
    score = sample.said if options.get("mode") else sample.score
    there = ~np.isnan(sample.gold) & ~np.isnan(score)
    if not there.any():
        return undefined("no case has a gold and a score", "clustered t", level=0.95)
    square = clustered_t((score - sample.gold)[there] ** 2, sample.clusters[there])
    ends = [None if end is None else max(end, 0.0) ** 0.5 for end in (square.low, square.high)]
    return replace(square, estimate=square.estimate**0.5, low=ends[0], high=ends[1])


def _mean(of: Callable[[Sample], Floats]) -> Made:
    def made(sample: Sample, options: Options) -> Interval:
        values = of(sample)
        there = ~np.isnan(values)
        if system := options.get("system"):
            there &= np.array([one.systems[-1:] == (system,) for one in sample.facts])
        if not there.any():
            return undefined("no value", "clustered t", level=0.95)
        return clustered_t(values[there], sample.clusters[there])

    return made


def _auc(sample: Sample, options: Options) -> Interval:
    positive = sample.number(str(options["positive"])) if "positive" in options else 1.0
    return auroc(sample.score, (sample.gold == positive).astype(float), clusters=sample.clusters)


# ---- steps ---------------------------------------------------------------------------------------


def steps(sample: Sample, options: Options) -> StepFigures:
    """Verdicts with `steps` in their marks; of those with `first_error`, one step is called wrong.

    A step after the one that a judge names is undecided: it never came to it.
    """
    scores = [_steps(one, fact) for one, fact in zip(sample.verdicts, sample.facts, strict=True)]
    first = [fact.notes.get("first_error") for fact in sample.facts]
    return step_figures(
        scores, [None if one is None else int(one) - 1 for one in first],
        threshold=options.get("threshold", 0.5), clusters=sample.clusters,
        solution_scores=sample.score if _generative(sample) else None,
    )  # fmt: skip


def _generative(sample: Sample) -> bool:
    """Whether the whole verdict is the judge's own word, not its least step."""
    return any(one is not None and bool(one.scale.labels) for one in sample.verdicts)


def _steps(verdict: Any, fact: Any) -> Floats:
    n = int(fact.notes.get("n_steps", 0))
    if verdict is None:
        return np.full(n, np.nan)
    if "steps" in verdict.marks:
        return np.asarray(verdict.marks["steps"], dtype=float)
    found, named = np.ones(n), verdict.marks.get("first_error")
    if named is not None:
        found[int(named) - 1 :] = np.nan
        found[int(named) - 1 : int(named)] = 0.0
    return found


def _step(level: str, which: str) -> Made:
    def made(sample: Sample, options: Options) -> Interval:
        if level == "solutions" and not any(
            one and "steps" in one.marks for one in sample.verdicts
        ):
            sound = [fact.notes.get("first_error") is None for fact in sample.facts]
            bar = options.get("threshold", 0.5)
            found = detection(sample.score, sound, threshold=bar, clusters=sample.clusters)
        else:
            found = getattr(steps(sample, options), level)
        return getattr(found, which)  # type: ignore[no-any-return]

    return made


# ---- in a person's place -------------------------------------------------------------------------


def replacement(sample: Sample, options: Options) -> AltTest:
    least = int(options.get("min_instances", 30))
    return _replaced(sample, _scoring(sample, options), (float(options.get("epsilon", 0.2)), least))


def _scoring(sample: Sample, options: Options) -> Any:
    """Words are scored by accuracy and numbers by -RMSE, unless `scoring` says otherwise."""
    return options.get("scoring") or ("accuracy" if sample.words else "neg_rmse")


def _advantage(sample: Sample, options: Options) -> float:
    """The advantage probability alone, which takes a fiftieth of the time of the whole test."""
    scores = align(sample.said, sample.labels, metric=_scoring(sample, options))
    there = ~np.isnan(scores.judge)
    tested = there.sum(axis=0) >= int(options.get("min_instances", 30))
    ahead = np.where(there, scores.judge >= scores.human, 0.0).sum(axis=0)
    shares = ahead[tested] / there.sum(axis=0)[tested]
    return float(shares.mean()) if shares.size else float("nan")


@lru_cache(maxsize=1)  # three figures come of one test
def _replaced(sample: Sample, scoring: Any, bounds: tuple[float, int]) -> AltTest:
    scores = align(sample.said, sample.labels, metric=scoring)
    return alt_test(scores, epsilon=bounds[0], min_items=bounds[1])


def _exact(value: float, n: int, why: str = "a count") -> Interval:
    return Interval(value, None, None, 0.95, "none", n, n, why)


def _all_equal(verdict: Verdict | None) -> bool:
    labels = [part.label for part in verdict.parts] if verdict is not None else []
    return len(labels) > 1 and None not in labels and len(set(labels)) == 1


FIGURES: Mapping[str, Made] = {
    **SECTIONS,
    **SPECIAL,
    **{name: _of_orders(name) for name in
       ("mean_accuracy", "consistent_accuracy", "net_vote_accuracy", "consistency")},
    "first_position_share": _of_orders("first_slot_rate"),
    "accuracy": _accuracy,
    "accuracy of the first": _trivial(first),
    "accuracy of the longer": _trivial(longer),
    "coverage": _mean(lambda sample: np.where(
        sample.asked, (~np.isnan(sample.said)).astype(float), np.nan)),
    **{f"macro_{which}": _macro(which) for which in ("f1", "precision", "recall")},
    **{which: _one_class(which) for which in ("precision", "recall", "f1")},
    "cohen_kappa": _kappa,
    "weighted_kappa": lambda sample, options: weighted_kappa(
        sample.two(), options.get("weights", "quadratic")).interval,
    "krippendorff_alpha": _alpha,
    "percent_agreement": lambda sample, options: percent_agreement(
        _people(sample, options)).interval,
    **{kind: _correlation(kind) for kind in ("pearson", "spearman", "kendall")},
    "rmse": _rmse,
    "mean_score": _mean(lambda sample: sample.score),
    "mean_label": _mean(
        lambda sample: _means(sample) if sample.labels.shape[1] else sample.gold),
    "win_rate": _mean(lambda sample: (1 - sample.score) / 2),
    "auc": _auc,
    **{f"{level}_{which}": _step(f"{level}s", which)
       for level in ("solution", "step") for which in ("macro_f1", "auc")},
    "label_count": lambda sample, options: _exact(
        float((sample.gold == sample.number(str(options["label"]))).sum()), sample.n),
    "equal_repeats": lambda sample, options: _exact(
        float(sum(_all_equal(one) for one in sample.verdicts)), sample.n),
    "people_label_count": lambda sample, options: _exact(
        float((sample.labels == sample.number(str(options["label"]))).sum()), sample.n),
    "cases_with_labels": lambda sample, options: _exact(
        float(((~np.isnan(sample.labels)).sum(axis=1) == options["n"]).sum()), sample.n),
    "chance": _mean(lambda sample: np.array(
        [float(fact.notes.get("chance", np.nan)) for fact in sample.facts])),
    "rows": lambda sample, options: _exact(float(sample.n), sample.n),
    "alt_test_winning_rate": lambda sample, options: replacement(sample, options).winning_rate,
    "alt_test_advantage": lambda sample, options: replacement(
        sample, options).advantage_probability,
    "alt_test_passed": lambda sample, options: _exact(
        float(replacement(sample, options).passed is True), sample.n, "an answer"),
}  # fmt: skip
