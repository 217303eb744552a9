from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evenhand.intervals import Interval
from evenhand.report.certificate import Certificate, Measure, Policy, certify, holm
from evenhand.report.evidence import questions
from evenhand.report.figures import Evidence, confidences, contrast, levels, over_baseline

POLICY = Policy.read()


def pairs(seed: int = 0, n: int = 300, right: float = 0.95, **more: Any) -> Evidence:
    """Two people who are always right, two systems, a judge that is right so often."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n).astype(float)
    judged = np.where(rng.random(n) < right, truth, 1 - truth)
    labels, none = np.column_stack([truth, truth]), np.full(n, np.nan)
    seen = Evidence(
        judged, judged, labels, np.zeros(labels.shape, dtype=np.int8), np.arange(n),
        np.tile(["new", "old"], (n, 1)), "pairs", (0.0, 0.5, 1.0), (0.0, 1.0), none, none,
    )  # fmt: skip
    return replace(seen, **more)


def results(found: Certificate) -> dict[str, str]:
    return {gate.name: gate.result for gate in found.gates}


def settled(seen: Evidence, claim: Any = "level") -> dict[str, str]:
    return results(certify(claim, questions(seen, claim, POLICY), POLICY))


# ---- trivial judges ------------------------------------------------------------------------------


def test_a_judge_that_only_prefers_length_is_not_above_the_longer_response() -> None:
    seen = pairs(right=0.8)
    winner = seen.means > 0.5
    size = np.where(winner[:, None], [200.0, 100.0], [100.0, 200.0])
    known = over_baseline(seen)
    told = over_baseline(replace(seen, lengths=size, overlap=size / 400))
    assert isinstance(known, tuple)
    assert isinstance(told, tuple)
    assert known[1].low is not None
    assert known[1].low > 0.1
    assert told[0] == "longer wins"
    assert told[1].high is not None
    assert told[1].high < 0
    assert settled(replace(seen, lengths=size))["baseline"] == "FAIL"
    assert settled(seen)["baseline"] == "PASS"


# ---- transport of pairs --------------------------------------------------------------------------


def favour(seed: int, share: float, n: int = 300, systems: int = 2) -> Evidence:
    """A judge that gives a share of the pairs of system s0 to it, whatever the truth."""
    rng = np.random.default_rng(seed)
    seen = pairs(seed, n, right=1.0)
    names = np.array([rng.permutation(systems)[:2] for _ in range(n)])
    mine = np.where(names[:, 0] == 0, 1.0, np.where(names[:, 1] == 0, 0.0, np.nan))
    bent = ~np.isnan(mine) & (rng.random(n) < share)
    judged = np.where(bent, mine, seen.judged)
    named = np.array([f"s{i}" for i in range(systems)])[names]
    return replace(seen, judged=judged, said=judged, systems=named)


def test_a_judge_that_favours_a_system_fails_on_transport_whatever_its_place() -> None:
    for systems in (2, 4):
        assert settled(favour(1, 0.6, 400, systems))["transport"] == "FAIL"
        assert settled(favour(1, 0.0, 400, systems))["transport"] == "PASS"


def test_a_favour_beyond_the_margin_hardly_ever_passes_on_transport() -> None:
    # Half of the bent pairs were won already: a share of 0.24 moves the system's rate by 0.12.
    found = []
    for seed in range(60):
        asked = questions(favour(seed, 0.24, 200), "level", POLICY)["transport"]
        found.append(results(certify("level", {"transport": asked}, POLICY))["transport"])
    assert found.count("PASS") <= 3


def test_pairs_of_one_system_or_without_names_have_no_transport() -> None:
    seen = pairs(n=40, systems=np.full((40, 2), ""))
    assert settled(seen)["transport"] == "NOT RUN"
    assert settled(replace(seen, systems=np.full((40, 2), "a")))["transport"] == "NOT RUN"


# ---- people against people on a line -------------------------------------------------------------


def line(seed: int, noise: float, n: int = 200) -> Evidence:
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, n)
    labels = truth[:, None] + rng.normal(0, 0.5, (n, 3))
    judged, none = truth + rng.normal(0, noise, n), np.full(n, np.nan)
    return Evidence(
        judged, judged, labels, np.zeros(labels.shape, dtype=np.int8), np.arange(n),
        np.full(n, "s"), "line", (), None, none, none,
    )  # fmt: skip


def test_a_line_of_numbers_has_a_ceiling() -> None:
    assert settled(line(0, 0.3), "replace")["ceiling"] == "PASS"
    assert settled(line(0, 3.0), "replace")["ceiling"] == "FAIL"
    assert settled(line(0, 0.3, 15), "replace")["ceiling"] == "INCONCLUSIVE"


# ---- labels drawn with unequal chances -----------------------------------------------------------


def drawn(seed: int, n: int = 2000) -> tuple[Evidence, float]:
    """Cases on which the judge errs are labelled four times as often; the true rate."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.5).astype(float)
    hard = rng.random(n) < 0.3
    judged = np.where(hard & (rng.random(n) < 0.5), 1.0, truth)
    chances = np.where(hard, 0.4, 0.1)
    labels = np.where(rng.random(n) < chances, truth, np.nan)[:, None]
    none = np.full(n, np.nan)
    why = np.isnan(labels).astype(np.int8)
    seen = Evidence(
        judged, judged, labels, why, np.arange(n), np.where(np.arange(n) % 2, "a", "b"), "words",
        (0.0, 1.0), (0.0, 1.0), none, none, np.where(np.isnan(labels[:, 0]), np.nan, chances),
    )  # fmt: skip
    return seen, float(truth.mean())


def test_recorded_chances_correct_a_level_that_the_hard_cases_would_bend() -> None:
    missed, bent = 0, []
    for seed in range(40):
        seen, rate = drawn(seed)
        both = levels(replace(seen, systems=np.full(2000, "s")))["s"]
        assert both.method == "active"
        assert both.interval.low is not None
        assert both.interval.high is not None
        missed += not both.interval.low <= rate <= both.interval.high
        bent.append(both.interval.estimate - rate)
    assert missed <= 6
    assert abs(np.mean(bent)) < 0.01


def test_two_systems_are_compared_with_the_recorded_chances() -> None:
    seen, _ = drawn(1)
    seen = replace(seen, clusters=np.repeat(np.arange(1000), 2))
    found = contrast(seen)
    assert isinstance(found, tuple)
    name, estimate = found
    each = levels(seen)
    gap = each["a"].interval.estimate - each["b"].interval.estimate
    assert name == "a minus b"
    assert estimate.method == "active"
    assert estimate.interval.estimate == pytest.approx(gap, abs=0.02)
    assert estimate.interval.low is not None


def test_a_labelled_case_without_a_chance_leaves_the_level_open() -> None:
    seen, _ = drawn(2)
    assert seen.chances is not None
    holes = seen.chances.copy()
    holes[np.flatnonzero(~np.isnan(holes))[:3]] = np.nan
    seen = replace(seen, chances=holes, systems=np.full(2000, "s"))
    found = certify("level", questions(seen, "level", POLICY), POLICY)
    gate = next(one for one in found.gates if one.name == "precision")
    assert gate.result == "INCONCLUSIVE"
    assert "3 labelled cases have no recorded chance" in gate.reason


# ---- how sure ------------------------------------------------------------------------------------


def test_sources_of_confidence_are_compared_and_constant_ones_left_out() -> None:
    seen, rng = pairs(n=400, right=0.8), np.random.default_rng(3)
    hit = seen.said == seen.means
    sure = np.where(hit, 0.9, 0.6) + rng.normal(0, 0.1, 400)
    sources = {"probabilities": np.clip(sure, 0, 1), "repeats": rng.random(400)}
    sources["stated"] = np.ones(400)
    found = confidences(replace(seen, sources=sources))
    assert [one.name for one in found] == ["probabilities", "repeats"]
    assert found[0].auroc.estimate > 0.9
    assert abs(found[1].auroc.estimate - 0.5) < 0.1
    assert found[0].brier.estimate < found[1].brier.estimate


def test_a_win_rate_is_turned_towards_the_system_that_it_names() -> None:
    won = (np.arange(200) % 10 > 0).astype(float)  # 'b' stands first and wins nine of ten
    none = np.full(200, np.nan)
    seen = Evidence(
        won, won, won[:, None], np.zeros((200, 1), dtype=np.int8), np.arange(200),
        np.tile(["b", "a"], (200, 1)), "pairs", (0.0, 0.5, 1.0), (0.0, 1.0), none, none,
    )  # fmt: skip
    assert levels(seen)["a over b"].interval.estimate == pytest.approx(0.1, abs=0.02)


# ---- Holm ----------------------------------------------------------------------------------------


def test_holm_lets_the_second_failure_face_a_lower_level() -> None:
    bars = {"first": 0.98, "second": 0.965, "third": 0.9}  # the largest level at which each fails
    fails = {name: (lambda level, bar=bar: level <= bar) for name, bar in bars.items()}
    assert holm(fails) == set()  # type: ignore[arg-type]
    fails["first"] = lambda level: level <= 0.984
    assert holm(fails) == {"first"}  # type: ignore[arg-type]
    fails["second"] = lambda level: level <= 0.976
    assert holm(fails) == {"first", "second"}  # type: ignore[arg-type]
    fails["third"] = lambda level: level <= 0.951
    assert holm(fails) == set(bars)  # type: ignore[arg-type]
    assert holm({}) == set()


def measured(high_at: float) -> Measure:
    """An interval below the bar at levels up to `high_at` only."""

    def at(level: float) -> Interval:
        return Interval(0.2, 0.0, 0.3 if level <= high_at else 0.5, level, "given", 100, 100)

    return Measure(at, 0.4, "it")


def test_a_gate_that_fails_lowers_the_level_for_the_next_one() -> None:
    sure, less = measured(0.999), measured(0.97)
    both = certify("replace", {"agreement": sure, "coverage": less}, POLICY)
    alone = certify("replace", {"agreement": measured(0.96), "coverage": less}, POLICY)
    assert results(both)["agreement"] == results(both)["coverage"] == "FAIL"
    assert results(alone)["agreement"] == results(alone)["coverage"] == "INCONCLUSIVE"
