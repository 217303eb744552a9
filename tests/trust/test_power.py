from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evenhand.intervals import Interval
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.alt_test import alt_test
from evenhand.trust.power import (
    Pilot,
    cases_needed,
    detectable,
    labels_needed,
    paired_accuracy_cases,
    pilot,
    win_rate_cases,
)
from evenhand.trust.replace_plan import assumed_annotators, items_to_replace, replace_power

PILOTS = st.builds(
    Pilot,
    sd=st.floats(0.1, 3),
    correlation=st.floats(-0.95, 0.95),
    icc=st.floats(0, 0.5),
    cluster_size=st.floats(1, 8),
)
CLAIMS = st.sampled_from(["level", "compare"])


# ---- the numbers that the pages of the field print --------------------------------------------


def test_win_rates_need_the_known_numbers() -> None:
    assert [win_rate_cases(p).n_cases for p in (0.52, 0.55, 0.60)] == [4904, 783, 194]
    assert win_rate_cases(0.4).n_cases == 194


def test_paired_accuracy_needs_the_known_number() -> None:
    """0.45 against 0.05: 23 pairs, the worked example of the formula's usual calculator."""
    assert paired_accuracy_cases(0.45, 0.05, power=0.9, level=0.9).n_cases == 23
    assert paired_accuracy_cases(0.05, 0.45, power=0.9, level=0.9).n_cases == 23


def test_without_a_judge_the_number_is_that_of_the_t_test() -> None:
    n = labels_needed(Pilot(sd=1.0), "level", 0.2).n_labels
    assert n is not None
    half = [stats.t.ppf(0.975, k - 1) / np.sqrt(k) for k in (n - 1, n)]
    assert half[1] <= 0.2 < half[0]


# ---- inverse of each other, and the right way round -------------------------------------------


@settings(deadline=None, max_examples=80)
@given(PILOTS, CLAIMS, st.floats(0.02, 0.5), st.integers(200, 100_000))
def test_labels_needed_is_the_least_number_that_detects(
    known: Pilot, claim: Any, effect: float, cases: int
) -> None:
    plan = labels_needed(known, claim, effect, cases=cases)
    if plan.n_labels is None:
        best = detectable(known, claim, labels=cases, cases=cases).effect
        assert best is not None
        assert best > effect
        assert plan.reason
        return
    enough = detectable(known, claim, labels=plan.n_labels, cases=cases).effect
    fewer = detectable(known, claim, labels=plan.n_labels - 1, cases=cases).effect
    assert enough is not None
    assert enough <= effect
    assert fewer is None or fewer > effect


@settings(deadline=None, max_examples=60)
@given(PILOTS, CLAIMS, st.floats(0.05, 0.5), st.integers(50, 5000))
def test_cases_needed_is_the_least_number_that_detects(
    known: Pilot, claim: Any, effect: float, labels: int
) -> None:
    plan = cases_needed(known, claim, effect, labels=labels)
    if plan.n_cases is None:
        best = detectable(known, claim, labels=labels, cases=1e12).effect
        assert best is None or best > effect * (1 - 1e-6)
        return
    enough = detectable(known, claim, labels=labels, cases=plan.n_cases).effect
    assert enough is not None
    assert enough <= effect
    if plan.n_cases > labels:
        fewer = detectable(known, claim, labels=labels, cases=plan.n_cases - 1).effect
        assert fewer is not None
        assert fewer > effect


@settings(deadline=None, max_examples=60)
@given(PILOTS, CLAIMS, st.floats(0.05, 0.5), st.floats(0.1, 10))
def test_the_unit_of_the_scale_does_not_matter(
    known: Pilot, claim: Any, effect: float, by: float
) -> None:
    other = Pilot(known.sd * by, -known.correlation, known.icc, known.cluster_size)
    here = labels_needed(known, claim, effect).n_labels
    there = labels_needed(other, claim, effect * by).n_labels
    assert here is not None
    assert there is not None
    assert abs(here - there) <= 1


def test_a_better_judge_and_independent_cases_need_fewer_labels() -> None:
    def needed(correlation: float, icc: float) -> int:
        known = Pilot(sd=0.5, correlation=correlation, icc=icc, cluster_size=4)
        found = labels_needed(known, "compare", 0.05, cases=20_000).n_labels
        assert found is not None
        return found

    assert needed(0.9, 0) < needed(0.6, 0) < needed(0, 0)
    assert needed(0.6, 0) < needed(0.6, 0.2)


# ---- against simulation ----------------------------------------------------------------------


def ppi_interval(
    rng: np.random.Generator, known: Pilot, labels: int, cases: int, mean: float
) -> tuple[float, float]:
    """(estimate, half-width) of PPI++ with clusters, written out again."""
    m = int(known.cluster_size)
    r, g = known.correlation, cases // m

    def part() -> Any:
        shared = np.repeat(rng.standard_normal(g), m)
        own = rng.standard_normal(g * m)
        return np.sqrt(known.icc) * shared + np.sqrt(1 - known.icc) * own

    base, other = part(), part()
    y = mean + known.sd * base
    f = r * base + np.sqrt(1 - r * r) * other
    n = labels // m * m
    weight = np.cov(y[:n], f[:n])[0, 1] / np.var(f, ddof=1) * (1 - n / len(f)) if r else 0.0
    rest = f[n:].mean() if n < len(f) else 0.0
    estimate = y[:n].mean() + weight * (rest - f[:n].mean())
    sums = np.add.reduceat(y[:n] - weight * f[:n] - np.mean(y[:n] - weight * f[:n]), range(0, n, m))
    others = np.add.reduceat(f[n:] - rest, range(0, len(f) - n, m)) if n < len(f) else np.zeros(1)
    variance = np.sum(sums**2) / n**2 + weight**2 * np.sum(others**2) / max(1, len(f) - n) ** 2
    return float(estimate), float(stats.t.ppf(0.975, n / m - 1) * np.sqrt(variance))


SETTINGS = [
    Pilot(sd=1.0, correlation=0.0),
    Pilot(sd=1.0, correlation=0.8),
    Pilot(sd=0.5, correlation=-0.6),
    Pilot(sd=1.0, correlation=0.7, icc=0.3, cluster_size=4),
]


def simulated(known: Pilot, runs: int, seed: int) -> tuple[float, float]:
    """(power at the planned number of labels, mean half-width over the planned one)."""
    rng, cases, effect = np.random.default_rng(seed), 2000, 0.2 * known.sd
    plan = labels_needed(known, "compare", effect, cases=cases)
    assert plan.n_labels is not None
    m = int(known.cluster_size)
    labels = -(-plan.n_labels // m) * m
    found = [ppi_interval(rng, known, labels, cases, effect) for _ in range(runs)]
    power = np.mean([abs(estimate) > half for estimate, half in found])
    planned = detectable(known, "level", labels=labels, cases=cases).effect
    assert planned is not None
    return float(power), float(np.mean([half for _, half in found])) / planned


@pytest.mark.parametrize("known", SETTINGS)
def test_the_planned_number_has_the_planned_power(known: Pilot) -> None:
    power, width = simulated(known, 150, 31)
    assert abs(power - 0.8) <= 3 * np.sqrt(0.8 * 0.2 / 150)
    assert width == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("known", SETTINGS)
def test_the_planned_number_has_the_planned_power_in_many_runs(known: Pilot) -> None:
    power, width = simulated(known, 2000, 32)
    print(f"{known}: power {power:.3f}, half-width {width:.3f} of the planned")
    assert abs(power - 0.8) <= 3 * np.sqrt(0.8 * 0.2 / 2000)
    assert width == pytest.approx(1, abs=0.03)


def test_paired_accuracy_has_the_planned_power() -> None:
    rng, plan = np.random.default_rng(33), paired_accuracy_cases(0.15, 0.08)
    assert plan.n_cases is not None
    cells = rng.multinomial(plan.n_cases, [0.15, 0.08, 0.77], size=4000)
    z = (cells[:, 0] - cells[:, 1]) / np.sqrt(cells[:, 0] + cells[:, 1])
    assert np.mean(np.abs(z) > stats.norm.ppf(0.975)) == pytest.approx(0.8, abs=0.025)


# ---- pilots ----------------------------------------------------------------------------------


def test_a_pilot_finds_what_was_planted() -> None:
    rng, groups, m = np.random.default_rng(34), 3000, 4
    shared = np.repeat(rng.standard_normal(groups), m)
    y = np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.standard_normal(groups * m)
    f = 0.7 * y + np.sqrt(1 - 0.49) * rng.standard_normal(groups * m)
    f[0] = np.nan
    known = pilot(2 * y, f, np.repeat(range(groups), m))
    assert known.sd == pytest.approx(2, abs=0.06)
    assert known.correlation == pytest.approx(0.7, abs=0.03)
    assert known.icc == pytest.approx(0.3, abs=0.04)
    assert known.cluster_size == pytest.approx(4, abs=0.01)
    assert known.n == groups * m - 1
    assert known.worst is not None
    assert 0.6 < known.worst < known.correlation
    assert "dropped" in " ".join(known.warnings)


def test_the_intraclass_correlation_is_that_of_the_analysis_of_variance() -> None:
    """Shrout and Fleiss's 6 targets by 4 judges: ICC(1, 1) is 0.17."""
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    known = pilot(np.ravel(table), np.ravel(table), np.repeat(range(6), 4))
    assert known.icc == pytest.approx(0.17, abs=0.005)


def test_a_small_pilot_is_read_with_caution() -> None:
    rng = np.random.default_rng(35)
    y = rng.standard_normal(20)
    known = pilot(y, y + rng.standard_normal(20))
    plan = labels_needed(known, "level", 0.1, cases=5000)
    assert plan.cautious is not None
    assert plan.n_labels is not None
    assert plan.cautious > plan.n_labels
    few = pilot(y[:6], y[:6] + 1 + rng.standard_normal(6))
    assert "cautious" in " ".join(few.warnings)


def test_a_judge_that_always_says_the_same_is_planned_without() -> None:
    known = pilot([0, 1, 1, 0, 1], [1, 1, 1, 1, 1])
    assert known.correlation == 0
    assert "always" in " ".join(known.warnings)


@pytest.mark.parametrize("labels", [[1, 2, 3], [1, 1, 1, 1], [1, np.nan, np.nan, 2, 3]])
def test_a_pilot_that_shows_nothing_is_refused(labels: list[float]) -> None:
    with pytest.raises(ValueError, match="pilot"):
        pilot(labels, np.arange(len(labels)))


def test_too_few_cases_give_no_number_but_a_reason() -> None:
    plan = labels_needed(Pilot(sd=1.0, correlation=0.9), "level", 0.01, cases=500)
    assert plan.n_labels is None
    assert "too few" in plan.reason
    assert cases_needed(Pilot(sd=1.0), "level", 0.01, labels=100).n_cases is None
    assert detectable(Pilot(sd=1.0, cluster_size=10), "level", labels=12).effect is None
    with pytest.raises(ValueError, match="above 0"):
        labels_needed(Pilot(sd=1.0), "level", 0)


# ---- replacing an annotator ------------------------------------------------------------------


def estimate(found: float | Interval | None) -> float:
    assert isinstance(found, Interval)
    return found.estimate


def test_the_planned_items_make_a_judge_pass_the_real_test() -> None:
    known = assumed_annotators(3, human_noise=0.3, judge_noise=0.2)
    plan = items_to_replace(known, epsilon=0.1, power=0.8)
    assert plan.n_labels is not None
    assert estimate(plan.power) >= 0.8
    rng, passed = np.random.default_rng(36), 0
    for _ in range(100):
        rows = rng.integers(len(known.judge), size=plan.n_labels)
        again = Alignment(known.judge[rows], known.human[rows], 0, 0)
        passed += bool(alt_test(again, epsilon=0.1).passed)
    assert abs(passed / 100 - estimate(plan.power)) <= 3 * np.sqrt(0.8 * 0.2 / 100)


def test_the_chance_to_pass_is_that_of_the_published_simulation() -> None:
    """Human noise 0.3, three raters, 50 items, epsilon 0.2; judge noise against the chance."""
    for noise, wanted in ((0.2, 0.96), (0.3, 0.67), (0.4, 0.32), (0.5, 0.11)):
        known = assumed_annotators(3, human_noise=0.3, judge_noise=noise)
        assert estimate(replace_power(known, 50, epsilon=0.2)) == pytest.approx(wanted, abs=0.1)


def test_a_judge_worse_than_epsilon_allows_has_no_number() -> None:
    known = assumed_annotators(3, human_noise=0.1, judge_noise=0.8)
    plan = items_to_replace(known, epsilon=0.1)
    assert plan.n_labels is None
    assert "passes" in plan.reason


def test_clusters_of_copies_need_as_many_clusters_as_items() -> None:
    known = assumed_annotators(3, human_noise=0.3, judge_noise=0.2)
    rows = np.arange(500)
    once = Alignment(known.judge[rows], known.human[rows], 0, 0)
    copied = Alignment(np.repeat(once.judge, 3, 0), np.repeat(once.human, 3, 0), 0, 0)
    clusters = np.repeat(rows, 3)
    chance = estimate(replace_power(copied, 180, epsilon=0.1, clusters=clusters))
    assert chance == pytest.approx(estimate(replace_power(once, 60, epsilon=0.1)), abs=0.05)


def test_large_clusters_are_planned_by_the_number_of_clusters() -> None:
    """Forty clusters of 25 copies: 30 or 60 items would be too few clusters to test on."""
    known = assumed_annotators(3, human_noise=0.3, judge_noise=0.05)
    rows = np.repeat(range(40), 25)
    copied = Alignment(known.judge[rows], known.human[rows], 0, 0)
    plan = items_to_replace(copied, epsilon=0.3, clusters=rows)
    assert plan.n_labels is not None
    assert plan.n_labels >= 250


def test_a_pilot_of_three_items_gives_nan_and_the_reason() -> None:
    known = align([1, 0, 1], [[1, 1, 0], [0, 0, 0], [1, 0, 1]])
    assert np.isnan(estimate(replace_power(known, 50, epsilon=0.1)))
    plan = items_to_replace(known, epsilon=0.1)
    assert plan.n_labels is None
    assert "3" in plan.reason
