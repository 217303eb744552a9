"""What a run and its labels say, as arrays, and what each gate of a claim asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenhand.intervals import Interval, clustered_t
from evenhand.report.certificate import Claim, Floats, Gate, Ints, Measure, Policy, Result
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.alt_test import AltTest, alt_test
from evenhand.trust.baselines import baselines
from evenhand.trust.ceiling import human_ceiling
from evenhand.trust.coefficients import cohen_kappa, krippendorff_alpha, weighted_kappa
from evenhand.trust.engine import How
from evenhand.trust.estimate import Estimate
from evenhand.trust.isotonic import Transport, transport_audit
from evenhand.trust.ppi import ppi_difference, ppi_mean
from evenhand.trust.ratings import Figure, Gap, Ratings

Kind = Literal["pairs", "words", "grades", "line"]
PROBES = "needs verdicts on changed copies of the cases; a run holds none"
MOST_GATES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Cases with a verdict, decided or not.

    Attributes:
        judged: Shape (n_cases,), the expected score; NaN where undecided. Of a pair: A's share.
        said: The same with the label's number in place of the expectation.
        labels: Shape (n_cases, n_raters), NaN where a person said nothing.
        why: Like labels: a `Gap` each.
        clusters: Shape (n_cases,); equal entries are not independent.
        systems: Shape (n_cases,), who answered; of a pair (n_cases, 2). "" where nobody said.
        kind: Pairs (1, 0.5, 0), words without order, ordered grades, or a line of numbers.
        grades: The scale's numbers, rising; empty for a line.
        span: Least and greatest number; None for a line without bounds.
        same: Whether both orders gave one winner, 1 or 0; NaN where not both were judged.
        first: Share of wins of the response shown first; NaN where order was not varied.
    """

    judged: Floats
    said: Floats
    labels: Floats
    why: np.ndarray
    clusters: Ints
    systems: np.ndarray
    kind: Kind
    grades: tuple[float, ...]
    span: tuple[float, float] | None
    same: Floats
    first: Floats

    @property
    def width(self) -> float:
        return 1.0 if self.span is None else self.span[1] - self.span[0]

    @property
    def truth(self) -> Floats:
        """One label a case: the commonest one, of grades the middle one, on a line the mean.

        NaN where nobody said anything, or two labels are equally common.
        """
        if self.kind == "line":
            return self.means
        if self.kind == "grades":
            return _middle(self.labels)
        grades = np.array(self.grades)
        counts = (self.labels[:, :, None] == grades).sum(axis=1)
        most = counts.max(axis=1)
        alone = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
        return np.where(alone, grades[counts.argmax(axis=1)], np.nan)

    @property
    def means(self) -> Floats:
        """The mean label of each case."""
        there = ~np.isnan(self.labels)
        n = there.sum(axis=1)
        total = np.where(there, self.labels, 0.0).sum(axis=1)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    def ratings(self, people: Floats, why: np.ndarray | None = None) -> Ratings:
        """People's columns, and the judge's as the last one."""
        gaps = np.where(np.isnan(people), Gap.MISSING, Gap.USED) if why is None else why
        unread = np.where(np.isnan(self.said), Gap.UNREAD, Gap.USED)
        values = np.column_stack([people, self.said])
        whole = Ratings.from_values(
            values, why=np.column_stack([gaps, unread]), clusters=self.clusters,
            scale=self.grades or None,
        )  # fmt: skip
        labelled = (~np.isnan(people)).reshape(len(people), -1).any(axis=1)
        return whole.where(np.asarray(labelled))


def _middle(labels: Floats) -> Floats:
    """The lower median of each row, which is always a grade."""
    ordered = np.sort(labels, axis=1)  # NaN stand last
    n = (~np.isnan(labels)).sum(axis=1)
    return np.asarray(ordered[np.arange(len(labels)), np.maximum(n - 1, 0) // 2])


# ---- figures -------------------------------------------------------------------------------------


def coefficient(seen: Evidence, level: float = 0.95) -> Figure:
    """The judge with one label a case: kappa, weighted for grades, interval alpha for a line."""
    both, how = seen.ratings(seen.truth), How(level=level)
    if seen.kind == "line":
        return krippendorff_alpha(both, "interval", how)
    if seen.kind == "grades":
        return weighted_kappa(both, "quadratic", how)
    return cohen_kappa(both, how)


def over_baseline(seen: Evidence, level: float = 0.95) -> Interval | str:
    """Accuracy above the best of the trivial judges that know no text."""
    truth = seen.truth
    there = ~np.isnan(truth)
    if seen.kind in ("grades", "line") and len(seen.grades) != 2:
        return "the labels are ordered numbers: agreement is already measured beyond chance"
    if not there.any():
        return "no case has a label"
    if seen.kind == "pairs":
        both = seen.ratings(truth)
        signs = Ratings.from_values(2 * both.values - 1, why=both.why, clusters=both.clusters)
        return baselines(signs, ties="separate", level=level).over_best.interval
    values, counts = np.unique(truth[there], return_counts=True)
    common = values[np.argmax(counts)]
    gained = (seen.said == truth).astype(float) - (truth == common)
    span = (-1.0, 1.0)
    return clustered_t(gained[there], seen.clusters[there], level=level, span=span)


def annotator_scores(seen: Evidence) -> Alignment | str:
    if seen.labels.shape[1] < 2:
        return f"labels by {seen.labels.shape[1]} rater; the test needs two, better three"
    metric: Literal["accuracy", "neg_rmse"] = (
        "accuracy" if seen.kind in ("pairs", "words") else "neg_rmse"
    )
    return align(seen.said, seen.labels, metric=metric)


def annotator_test(seen: Evidence, policy: Policy, q: float = 0.05) -> AltTest | str:
    scores = annotator_scores(seen)
    if isinstance(scores, str):
        return scores
    alone = len(np.unique(seen.clusters)) == len(seen.clusters)
    clusters = None if alone else seen.clusters
    return alt_test(scores, epsilon=policy.epsilon, clusters=clusters, q=q)


def levels(seen: Evidence, level: float = 0.95) -> dict[str, Estimate]:
    """The corrected mean of each system; of pairs, the win rate of the first of two systems."""
    means, rest = seen.means, {"clusters": seen.clusters, "level": level, "span": seen.span}
    if seen.kind == "pairs":
        name, turned, judged = _oriented(seen, means)
        return {name: ppi_mean(turned, judged, **rest)}  # type: ignore[arg-type]
    found = {}
    for system in np.unique(seen.systems):
        mine = seen.systems == system
        found[str(system) or "all responses"] = ppi_mean(
            means[mine], seen.judged[mine], clusters=seen.clusters[mine], level=level,
            span=seen.span,
        )  # fmt: skip
    return found


def _oriented(seen: Evidence, means: Floats) -> tuple[str, Floats, Floats]:
    """Shares of one system, which is named; of the first response when there are not two."""
    names = two_systems(seen)
    if names is None:
        return "the first response", means, seen.judged
    turn = seen.systems[:, 0] != names[0]
    return (
        f"{names[0]} over {names[1]}",
        np.where(turn, 1 - means, means),
        np.where(turn, 1 - seen.judged, seen.judged),
    )


def two_systems(seen: Evidence) -> tuple[str, str] | None:
    names = sorted({str(name) for name in seen.systems.ravel()})
    if len(names) != 2 or "" in names:
        return None
    return (names[0], names[1])


def contrast(seen: Evidence, level: float = 0.95) -> tuple[str, Estimate] | str:
    """The first system less the second; of pairs, its win rate."""
    names = two_systems(seen)
    if names is None:
        n = len(np.unique(seen.systems[seen.systems != ""]))
        return f"{n} systems are named in the run; the claim compares two"
    if seen.kind == "pairs":
        return next(iter(levels(seen, level).items()))
    means, rows = seen.means, dict[int, dict[str, int]]()
    for at, (cluster, system) in enumerate(zip(seen.clusters, seen.systems, strict=True)):
        rows.setdefault(int(cluster), {}).setdefault(str(system), at)
    both = [(row[names[0]], row[names[1]]) for row in rows.values() if len(row) == 2]
    if not both:
        return "no prompt was answered by both systems"
    index = np.array(both)
    clusters = seen.clusters[index[:, 0]]
    found = ppi_difference(
        means[index], seen.judged[index], clusters=clusters, level=level, span=seen.span
    )
    return f"{names[0]} minus {names[1]}", found


# ---- gates ---------------------------------------------------------------------------------------


def questions(seen: Evidence, claim: Claim, policy: Policy) -> Mapping[str, Measure | Gate | str]:
    """What `certify` asks, by gate."""
    asked: dict[str, Measure | Gate | str] = {
        "coverage": Measure(
            lambda level: _share(~np.isnan(seen.judged), seen, level), policy.coverage,
            "the share of cases that the judge decides",
        ),
        "agreement": Measure(
            lambda level: coefficient(seen, level).interval, policy.agreement,
            "its agreement with people beyond chance",
        ),
        "ceiling": _ceiling(seen, policy),
        "baseline": _baseline(seen, policy),
        "probes": PROBES,
    }  # fmt: skip
    if claim == "replace":
        asked["alt_test"] = _alt_gate(seen, policy)
    if claim == "level":
        asked["precision"] = _precision(seen, policy)
    if claim == "compare":
        asked["difference"] = _difference(seen, policy)
    asked["transport"] = _transport(seen, policy)
    return {**asked, **_orders(seen, policy)}


def _share(hits: np.ndarray, seen: Evidence, level: float) -> Interval:
    there = ~np.isnan(hits.astype(float))
    values = hits.astype(float)[there]
    return clustered_t(values, seen.clusters[there], level=level, span=(0.0, 1.0))


def _orders(seen: Evidence, policy: Policy) -> dict[str, Measure | Gate | str]:
    if seen.kind != "pairs":
        why = "one response was in view: there is no order"
        return {"consistency": why, "position": why}
    missing = "the order was not varied; judge with --order swap"
    asked: dict[str, Measure | Gate | str] = {"consistency": missing, "position": missing}
    if not np.isnan(seen.same).all():
        words = "the share of cases with one winner in both orders"
        asked["consistency"] = Measure(
            lambda level: _share(seen.same, seen, level), policy.consistency, words
        )
    if not np.isnan(seen.first).all():
        words = "the share of wins of the response shown first"
        asked["position"] = Measure(
            lambda level: _share(seen.first, seen, level), policy.position, words, "within", 0.5
        )
    return asked


def _ceiling(seen: Evidence, policy: Policy) -> Measure | str:
    shared = int(((~np.isnan(seen.labels)).sum(axis=1) >= 2).sum())
    if not shared:
        return "no case has labels by two people, so they cannot be compared with each other"
    if seen.kind == "line":
        return "for a line of numbers the annotator test compares people and judge"
    ratings = seen.ratings(seen.labels, seen.why)
    weights: Literal["identity", "quadratic"] = "quadratic" if seen.kind == "grades" else "identity"

    def at(level: float) -> Interval:
        how = How(method="bootstrap", level=level)
        return human_ceiling(ratings, weights=weights, how=how).ratio.interval

    return Measure(at, policy.ceiling_ratio, "its agreement with people over theirs")


def _baseline(seen: Evidence, policy: Policy) -> Measure | str:
    found = over_baseline(seen)
    if isinstance(found, str):
        return found

    def at(level: float) -> Interval:
        again = over_baseline(seen, level)
        assert isinstance(again, Interval)
        return again

    return Measure(at, policy.over_baseline, "its accuracy above the best trivial judge's")


def _alt_gate(seen: Evidence, policy: Policy) -> Gate | str:
    """FAIL only when the judge is surely worse, by epsilon, than most of the raters."""
    test = annotator_test(seen, policy)
    if isinstance(test, str):
        return test
    rate = test.winning_rate
    said = f"the judge holds against {rate.estimate:.0%} of the raters tested; wanted: half"
    result: Result = "PASS" if test.passed else "INCONCLUSIVE"
    if test.passed is None:
        said = rate.reason
    elif rate.n_clusters < policy.least_clusters:
        result = "INCONCLUSIVE"
        said = f"{rate.n_clusters} clusters; {policy.least_clusters} are needed"
    elif not test.passed and _surely_worse(seen, policy, len(test.raters)):
        result = "FAIL"
    elif not test.passed:
        said += "; more labels could still show it"
    estimate = None if np.isnan(rate.estimate) else rate.estimate
    gap = max((_half(one.difference) for one in test.raters if not one.reason), default=0.0)
    needed = None if result != "INCONCLUSIVE" or test.passed is not None else 30
    return Gate(
        "alt_test", result, said, estimate, rate.low, rate.high, rate.n,
        mde=1.43 * gap or None, needed=needed,
    )  # fmt: skip


def _surely_worse(seen: Evidence, policy: Policy, raters: int) -> bool:
    test = annotator_test(seen, policy, q=0.05 / (MOST_GATES * raters))
    assert isinstance(test, AltTest)
    tested = [one.difference.low for one in test.raters if not one.reason]
    worse = [low for low in tested if low is not None and low > test.epsilon]
    return len(worse) > len(tested) / 2


def _half(interval: Interval) -> float:
    if interval.low is None or interval.high is None:
        return 0.0
    return (interval.high - interval.low) / 2


def _precision(seen: Evidence, policy: Policy) -> Gate:
    """The widest interval of any system's corrected level."""
    found, target = levels(seen), policy.half_width * seen.width
    unknown = [(name, est) for name, est in found.items() if est.interval.low is None]
    name, worst = (unknown or sorted(found.items(), key=lambda one: -_half(one[1].interval)))[0]
    interval, n = worst.interval, worst.n_labelled
    estimate = None if np.isnan(interval.estimate) else interval.estimate
    if unknown:
        why = f"{name}: {interval.reason}"
        return Gate("precision", "INCONCLUSIVE", why, estimate, n=n)
    half = _half(interval)
    enough = interval.n_clusters >= policy.least_clusters and n >= policy.least_clusters
    result: Result = "PASS" if half <= target and enough else "INCONCLUSIVE"
    why = f"{name}: the corrected level is known to ±{half:.2f}; wanted: ±{target:.2f}"
    needed = None if result == "PASS" else max(policy.least_clusters, int(n * (half / target) ** 2))
    return Gate("precision", result, why, estimate, interval.low, interval.high, n, half, needed)


def _difference(seen: Evidence, policy: Policy) -> Measure | str:
    found = contrast(seen)
    if isinstance(found, str):
        return found

    def at(level: float) -> Interval:
        again = contrast(seen, level)
        assert not isinstance(again, str)
        return again[1].interval

    middle = 0.5 if seen.kind == "pairs" else 0.0
    words = f"the corrected {'win rate' if middle else 'difference'} ({found[0]})"
    return Measure(at, policy.difference * seen.width, words, "apart", middle)


def audited(seen: Evidence, policy: Policy, level: float = 0.95) -> tuple[Transport, ...] | str:
    if seen.kind == "pairs":
        return "verdicts are on pairs; the audit is of single responses"
    names = np.unique(seen.systems[~np.isnan(seen.means)])
    if len(names) < 2:
        return f"labels of {len(names)} system; its error is compared between two or more"
    return transport_audit(
        seen.means, seen.judged, seen.systems, margin=policy.transport * seen.width,
        clusters=seen.clusters, level=level,
    )  # fmt: skip


def _transport(seen: Evidence, policy: Policy) -> Gate | str:
    found = audited(seen, policy)
    if isinstance(found, str):
        return found
    strict = audited(seen, policy, 1 - 0.05 / (MOST_GATES * len(found)))
    results = [one.result for one in found]
    failed = [one for one in strict if not isinstance(one, str) and one.result == "FAIL"]
    result: Result = "FAIL" if failed else "PASS" if set(results) == {"PASS"} else "INCONCLUSIVE"
    open_ = [one for one in found if one.result != "PASS"] or list(found)
    worst = max(failed or open_, key=lambda one: np.nan_to_num(abs(one.residual.estimate)))
    gap = worst.residual
    why = f"{worst.system}: label less mapped verdict is {gap.estimate:.2f}"
    why += "" if gap.low is None else f" [{gap.low:.2f}, {gap.high:.2f}]"
    why += f"; wanted: inside ±{worst.margin:.2f}" + (f" ({worst.reason})" if worst.reason else "")
    estimate = None if np.isnan(gap.estimate) else gap.estimate
    return Gate(
        "transport", result, why, estimate, gap.low, gap.high, gap.n, 1.43 * _half(gap) or None
    )
