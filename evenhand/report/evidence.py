"""What each gate of a claim asks of the evidence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evenhand.intervals import Interval, clustered_t
from evenhand.report.certificate import Claim, Gate, Measure, Policy, Result, Tested
from evenhand.report.figures import Evidence as Evidence
from evenhand.report.figures import (
    annotator_test,
    audited,
    ceiling,
    coefficient,
    contrast,
    levels,
    over_baseline,
)
from evenhand.trust.alt_test import AltTest

PROBES = "needs verdicts on changed copies of the cases; a run holds none"
Question = Measure | Tested | Gate | str


def questions(seen: Evidence, claim: Claim, policy: Policy) -> Mapping[str, Question]:
    """What `certify` asks, by gate."""
    asked: dict[str, Question] = {
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
    if claim != "replace":
        asked["transport"] = _transport(seen, policy)
    return {**asked, **_orders(seen, policy)}


def _share(hits: np.ndarray, seen: Evidence, level: float) -> Interval:
    there = ~np.isnan(hits.astype(float))
    values = hits.astype(float)[there]
    return clustered_t(values, seen.clusters[there], level=level, span=(0.0, 1.0))


def _orders(seen: Evidence, policy: Policy) -> dict[str, Question]:
    if seen.kind != "pairs":
        why = "one response was in view: there is no order"
        return {"consistency": why, "position": why}
    missing = "the order was not varied; judge with --order swap"
    asked: dict[str, Question] = {"consistency": missing, "position": missing}
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
    words = {
        "line": "its concordance with people over theirs with each other",
        "grades": "its agreement beyond chance over that of people (near misses count in part)",
    }.get(seen.kind, "its agreement with people over theirs")
    return Measure(lambda level: ceiling(seen, level).ratio.interval, policy.ceiling_ratio, words)


def _baseline(seen: Evidence, policy: Policy) -> Measure | str:
    found = over_baseline(seen)
    if isinstance(found, str):
        return found

    def at(level: float) -> Interval:
        again = over_baseline(seen, level)
        assert not isinstance(again, str)
        return again[1]

    words = f"its accuracy above the best trivial judge's ({found[0]})"
    return Measure(at, policy.over_baseline, words)


def _alt_gate(seen: Evidence, policy: Policy) -> Tested | str:
    """FAIL only when the judge is surely worse, by epsilon, than most of the raters."""
    test = annotator_test(seen, policy)
    if isinstance(test, str):
        return test
    rate = test.winning_rate
    said = f"the judge holds against {rate.estimate:.0%} of the raters tested; wanted: half"
    result: Result = "PASS" if test.passed else "INCONCLUSIVE"
    enough = rate.n_clusters >= policy.least_clusters
    if test.passed is None:
        said = rate.reason
    elif not enough:
        result = "INCONCLUSIVE"
        said = f"{rate.n_clusters} clusters; {policy.least_clusters} are needed"
    estimate = None if np.isnan(rate.estimate) else rate.estimate
    gap = max((_half(one.difference) for one in test.raters if not one.reason), default=0.0)
    needed = None if result != "INCONCLUSIVE" or test.passed is not None else 30
    gate = Gate(
        "alt_test", result, said, estimate, rate.low, rate.high, rate.n,
        mde=1.43 * gap or None, needed=needed,
    )  # fmt: skip
    open_ = enough and test.passed is False
    still = "; more labels could still show it" if open_ else ""
    return Tested(
        gate, lambda level: open_ and _surely_worse(seen, policy, len(test.raters), level), still
    )


def _surely_worse(seen: Evidence, policy: Policy, raters: int, level: float) -> bool:
    test = annotator_test(seen, policy, q=(1 - level) / raters)
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


def _transport(seen: Evidence, policy: Policy) -> Tested | str:
    found = audited(seen, policy)
    if isinstance(found, str):
        return found
    if not found:
        return "no pair of two systems has a label and a verdict"
    result: Result = "PASS" if all(one.result == "PASS" for one in found) else "INCONCLUSIVE"
    ranks = {"FAIL": 2, "INCONCLUSIVE": 1, "PASS": 0}
    worst = max(
        found, key=lambda one: (ranks[one.result], np.nan_to_num(abs(one.residual.estimate)))
    )
    gap, what = worst.residual, "verdict" if seen.kind == "pairs" else "mapped verdict"
    why = f"{worst.system}: label less {what} is {gap.estimate:.2f}"
    why += "" if gap.low is None else f" [{gap.low:.2f}, {gap.high:.2f}]"
    why += f"; wanted: inside ±{worst.margin:.2f}" + (f" ({worst.reason})" if worst.reason else "")
    estimate = None if np.isnan(gap.estimate) else gap.estimate
    gate = Gate(
        "transport", result, why, estimate, gap.low, gap.high, gap.n, 1.43 * _half(gap) or None
    )

    def fails(level: float) -> bool:
        strict = audited(seen, policy, 1 - (1 - level) / len(found))
        return any(not isinstance(one, str) and one.result == "FAIL" for one in strict)

    return Tested(gate, fails)
