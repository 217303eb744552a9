"""Rogan-Gladen, the isotonic form with its audit, and drawing labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from evenhand.trust.isotonic import isotonic_mean, support, transport_audit
from evenhand.trust.rogan_gladen import calibration_allocation, rogan_gladen, youden_of
from evenhand.trust.sampling import (
    LabelPlan,
    active_mean,
    aligned_probabilities,
    label_plan,
    neyman,
)

Floats = NDArray[np.float64]
NAN = float("nan")


def rows(yes: int, no: int) -> Floats:
    return np.repeat([1.0, 0.0], [yes, no])


# ---- Rogan-Gladen --------------------------------------------------------------------------------


def test_the_rate_and_its_interval_follow_the_published_formula() -> None:
    """p .4 of 1000, specificity 140 of 200, sensitivity 180 of 200, by hand."""
    found = rogan_gladen(rows(400, 600), rows(200, 200), np.r_[rows(180, 20), 1 - rows(140, 60)])
    assert found.interval.estimate == pytest.approx((0.4 + 0.7 - 1) / (0.7 + 0.9 - 1))
    z = stats.norm.ppf(0.975)
    n = 1000 + z**2
    p, s0, s1 = (400 + z**2 / 2) / n, 141 / 202, 181 / 202
    theta = (p + s0 - 1) / (s0 + s1 - 1)
    v0, v1 = s0 * (1 - s0) / 202, s1 * (1 - s1) / 202
    shift = 2 * z**2 * (-(1 - theta) * v0 + theta * v1)
    half = z * (p * (1 - p) / n + (1 - theta) ** 2 * v0 + theta**2 * v1) ** 0.5 / (s0 + s1 - 1)
    expected = (max(theta + shift - half, 0), theta + shift + half)
    assert (found.interval.low, found.interval.high) == pytest.approx(expected)
    assert any("constancy" in said for said in found.assumptions)


@pytest.mark.parametrize(("hits", "rejects"), [(12, 12), (20, 0), (6, 14), (10, 10)])
def test_a_judge_that_may_be_chance_is_refused(hits: int, rejects: int) -> None:
    answers = np.r_[rows(hits, 20 - hits), 1 - rows(rejects, 20 - rejects)]
    found = rogan_gladen(rows(60, 40), rows(20, 20), answers)
    assert math.isnan(found.interval.estimate)
    assert found.interval.low is None
    assert "no better than chance" in found.interval.reason
    assert found.youden is not None
    assert found.youden.low is not None
    assert found.youden.low <= 0.05
    assert found.naive is not None
    assert found.naive.estimate == pytest.approx(0.6)


@pytest.mark.parametrize(("truth", "kind"), [(rows(20, 0), "bad"), (rows(0, 20), "good")])
def test_labels_of_one_class_measure_half_a_judge(truth: Floats, kind: str) -> None:
    found = rogan_gladen(rows(6, 4), truth, truth)
    assert math.isnan(found.interval.estimate)
    assert f"no labelled {kind} case" in found.interval.reason


@pytest.mark.parametrize(
    ("judged", "truth", "answers"),
    [([NAN] * 5, rows(9, 9), rows(9, 9)), ([], rows(9, 9), rows(9, 9)), (rows(5, 5), [], [])],
)
def test_nothing_to_correct_gives_a_reason(judged: Any, truth: Any, answers: Any) -> None:
    found = rogan_gladen(judged, truth, answers)
    assert math.isnan(found.interval.estimate)
    assert found.interval.reason


def test_undecided_verdicts_are_left_out_and_counted() -> None:
    judged = np.r_[rows(60, 40), [NAN] * 10]
    found = rogan_gladen(judged, [*rows(50, 50), 1.0], [*rows(50, 50), NAN])
    assert (found.n_unlabelled, found.n_undecided, found.n_labelled) == (100, 10, 100)
    assert any("10 undecided cases are left out" in said for said in found.warnings)
    assert any("1 rows from elsewhere" in said for said in found.warnings)
    assert found.interval.estimate == pytest.approx(0.6)


def test_grades_are_refused() -> None:
    with pytest.raises(ValueError, match="map the scale"):
        rogan_gladen([3, 4], [1, 0], [1, 0])
    with pytest.raises(ValueError, match="differ"):
        rogan_gladen([1, 0], [1, 0], [1])


def test_verdicts_in_clusters_weigh_less() -> None:
    calibration = (rows(50, 50), np.r_[rows(45, 5), 1 - rows(45, 5)])
    judged = np.repeat(rows(30, 20), 20)
    free = rogan_gladen(judged, *calibration).interval
    tied = rogan_gladen(judged, *calibration, clusters=np.repeat(np.arange(50), 20)).interval
    assert tied.low is not None
    assert tied.high is not None
    assert free.low is not None
    assert free.high is not None
    assert tied.high - tied.low > 1.3 * (free.high - free.low)


@settings(max_examples=50, deadline=None)
@given(a=st.integers(0, 30), b=st.integers(0, 30), level=st.floats(0.5, 0.99))
def test_youden_lies_in_its_interval(a: int, b: int, level: float) -> None:
    found = youden_of(rows(a, 30 - a), rows(b, 30 - b), level=level)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.estimate <= found.high <= 1


def test_more_labels_go_to_the_class_that_counts_more() -> None:
    good, bad = calibration_allocation(200, 0.9, sensitivity=0.8, specificity=0.8)
    assert good + bad == 200
    assert (good, bad) == (180, 20)
    # A class that the pilot found perfect still gets a label.
    assert calibration_allocation(10, 0.5, sensitivity=1.0, specificity=0.2) == (1, 9)
    with pytest.raises(ValueError, match="budget"):
        calibration_allocation(1, 0.5, sensitivity=0.8, specificity=0.8)


# ---- the isotonic form ---------------------------------------------------------------------------


def bent(seed: int, n: int = 80, rest: int = 500) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    q = rng.random(n + rest)
    y = (rng.random(q.size) < q**2).astype(float)
    y[n:] = np.nan
    return y, q


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), power=st.floats(0.3, 3), times=st.floats(0.1, 50))
def test_only_the_order_of_verdicts_matters_for_two_values_a_step(
    seed: int, power: float, times: float
) -> None:
    """Any rising map of the judge's few answers gives the same corrected mean."""
    y, q = bent(seed)
    stars = np.ceil(q * 5)
    plain = isotonic_mean(y, stars, span=(0, 1)).interval
    other = isotonic_mean(y, times * stars**power, span=(0, 1)).interval
    assert other.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert (other.low, other.high) == pytest.approx((plain.low, plain.high), abs=1e-9)


def test_the_order_of_rows_does_not_matter_for_the_isotonic_mean() -> None:
    y, q = bent(1)
    order = np.random.default_rng(0).permutation(y.size)
    a, b = isotonic_mean(y, q).interval, isotonic_mean(y[order], q[order]).interval
    assert (a.estimate, a.low, a.high) == pytest.approx((b.estimate, b.low, b.high), abs=1e-12)


def test_a_judge_on_another_scale_helps_by_its_order() -> None:
    """0 to 100 against 0 or 1: shorter than the labels alone."""
    ratios = []
    for seed in range(20):
        y, q = bent(seed, n=150, rest=3000)
        found = isotonic_mean(y, 100 * q**4, span=(0, 1))
        assert found.human is not None
        assert found.human.low is not None
        assert found.human.high is not None
        assert found.interval.low is not None
        assert found.interval.high is not None
        ratios.append(
            (found.interval.high - found.interval.low) / (found.human.high - found.human.low)
        )
    assert np.mean(ratios) < 0.9


def test_verdicts_beyond_the_labelled_range_forbid_a_level() -> None:
    y = np.r_[np.tile([0.0, 1.0], 20), np.full(100, NAN)]
    f = np.r_[np.linspace(0, 1, 40), np.linspace(0, 2, 100)]
    badge = support(y, f)
    assert not badge.enough
    assert badge.outside == pytest.approx(0.5)
    assert (badge.low, badge.high) == (0, 1)
    found = isotonic_mean(y, f, span=(0, 1))
    assert found.interval.low is None
    assert "outside the labelled range" in found.interval.reason


@pytest.mark.parametrize(
    ("y", "f"),
    [
        ([], []),
        ([NAN] * 5, [1.0] * 5),
        ([1.0, 0.0, 1.0, *[NAN] * 9], [1.0] * 12),
        ([1.0] * 15 + [NAN] * 9, [NAN] * 24),
        ([1.0] * 15 + [NAN] * 9, [0.5] * 24),
        ([1.0, 0.0] * 8, [0.5] * 16),
    ],
)
def test_poor_input_gives_an_isotonic_result_or_a_reason(y: list[float], f: list[float]) -> None:
    found = isotonic_mean(y, f, span=(0, 1))
    assert found.interval.low is not None or found.interval.reason
    assert found.interval.low is None or found.interval.low <= found.interval.estimate
    assert support(y, f).n_labelled >= 0


def systems(seed: int, shift: float, n: int = 80) -> tuple[Floats, Floats, NDArray[Any]]:
    """Three systems with 80 labels each; of the third people think `shift` better than the judge"""
    rng = np.random.default_rng(seed)
    who = np.repeat(["a", "b", "c"], n)
    f = rng.random(who.size)
    y = f + rng.normal(0, 0.1, who.size) + np.where(who == "c", shift, 0.0)
    return y, f, who


def test_the_audit_passes_where_the_map_holds_and_fails_where_it_does_not() -> None:
    good = [transport_audit(*systems(s, 0.0), margin=0.1)[2].result for s in range(20)]
    bad = [transport_audit(*systems(s, 0.3), margin=0.1)[2] for s in range(20)]
    assert good.count("PASS") >= 19
    assert {one.result for one in bad} == {"FAIL"}
    assert np.mean([one.residual.estimate for one in bad]) == pytest.approx(0.3, abs=0.03)


def test_a_bias_at_the_margin_passes_at_most_one_time_in_twenty() -> None:
    found = [transport_audit(*systems(s, 0.1, n=40), margin=0.1)[2].result for s in range(150)]
    assert found.count("PASS") <= 0.05 * 150 + 3 * (150 * 0.05 * 0.95) ** 0.5


def test_few_labels_cannot_pass_the_audit() -> None:
    y, f, who = systems(1, 0.0)
    y[who == "c"] = np.where(np.arange(80) < 15, y[who == "c"], NAN)
    found = {one.system: one for one in transport_audit(y, f, who, margin=1.0)}
    assert found["a"].result == "PASS"
    assert found["c"].result == "INCONCLUSIVE"
    assert "15 labelled clusters; a PASS needs 20" in found["c"].reason


def test_an_audit_without_labels_or_other_systems_is_inconclusive() -> None:
    y, f, who = systems(1, 0.0)
    alone = transport_audit(y, f, np.full(who.size, "only"), margin=0.1)
    assert [one.result for one in alone] == ["INCONCLUSIVE"]
    assert "any other system" in alone[0].reason
    y[who == "b"] = NAN
    found = transport_audit(y, f, who, margin=0.1)[1]
    assert found.result == "INCONCLUSIVE"
    assert math.isnan(found.residual.estimate)
    with pytest.raises(ValueError, match="margin"):
        transport_audit(y, f, who, margin=0)


# ---- which labels next ---------------------------------------------------------------------------


def unsure(n: int = 500, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return (rng.random(n) < 0.6).astype(float), 0.5 + rng.random(n) / 2


def test_the_same_seed_draws_the_same_cases() -> None:
    f, sure = unsure()
    plans = [label_plan(f, sure, budget=50, rng=np.random.default_rng(s)) for s in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0].cases != plans[2].cases


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    budget=st.integers(1, 120),
    floor=st.floats(0.05, 1),
    layers=st.integers(1, 4),
)
def test_a_plan_spends_its_budget_with_chances_above_the_floor(
    seed: int, budget: int, floor: float, layers: int
) -> None:
    f, sure = unsure(100, seed)
    layer = None if layers == 1 else np.arange(100) % layers
    rng = np.random.default_rng(seed)
    plan = label_plan(f, sure, budget=budget, strata=layer, floor=floor, rng=rng)
    assert len(set(plan.cases)) == len(plan.cases) == min(budget, 100)
    assert list(plan.cases) == sorted(plan.cases)
    assert all(0 < p <= 1 + 1e-12 for p in plan.probabilities)
    if layers == 1:
        assert min(plan.probabilities) >= floor * min(budget, 100) / 100 - 1e-12


def test_cases_are_drawn_as_often_as_their_chances_say() -> None:
    f, sure = unsure(60)
    sure[:3], f[3:6] = 0.0, NAN
    prompts = np.arange(60) // 3
    counts, chances = np.zeros(60), np.full(60, NAN)
    rng = np.random.default_rng(0)
    for _ in range(3000):
        plan = label_plan(f, sure, clusters=prompts, budget=12, rng=rng)
        counts[list(plan.cases)] += 1
        chances[list(plan.cases)] = plan.probabilities
    assert np.abs(counts / 3000 - chances).max() < 4 * (0.25 / 3000) ** 0.5
    assert chances.sum() == pytest.approx(12)
    assert chances[3] == pytest.approx(chances[0])  # undecided counts as the likeliest error
    assert chances[0] > chances[20]


def test_labels_spread_over_prompts() -> None:
    """Ten even draws from ten prompts of ten answers name each prompt once."""
    prompts = np.repeat(np.arange(10), 10)
    rng = np.random.default_rng(0)
    plan = label_plan(np.ones(100), None, clusters=prompts, budget=10, rng=rng)
    assert sorted(prompts[list(plan.cases)]) == list(range(10))
    assert set(np.round(plan.probabilities, 12)) == {0.1}


def test_strata_get_labels_by_size_and_doubt() -> None:
    sure = np.r_[np.full(300, 0.99), np.full(100, 0.75)]
    layer = np.repeat(["known", "unknown"], [300, 100])
    plan = label_plan(np.ones(400), sure, budget=48, strata=layer, rng=np.random.default_rng(0))
    counts = {name: int((layer[list(plan.cases)] == name).sum()) for name in ("known", "unknown")}
    assert counts == {"known": 18, "unknown": 30}


def test_a_budget_for_everything_takes_everything() -> None:
    plan = label_plan(np.ones(5), None, budget=9, rng=np.random.default_rng(0))
    assert (plan.cases, plan.probabilities) == ((0, 1, 2, 3, 4), (1.0,) * 5)
    assert "covers all 5" in plan.warnings[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"budget": 0}, "budget 0"),
        ({"budget": 2, "floor": 0.0}, "floor 0"),
        ({"budget": 2, "confidence": [0.5, 2.0, 0.1]}, "outside"),
        ({"budget": 2, "confidence": [0.5]}, "confidence of shape"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(more: dict[str, Any], said: str) -> None:
    more = {"confidence": None, **more}
    sure = more.pop("confidence")
    with pytest.raises(ValueError, match=said):
        label_plan(np.ones(3), sure, rng=np.random.default_rng(0), **more)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 3)), min_size=1, max_size=6), st.data())
def test_an_allocation_spends_the_budget_inside_the_strata(
    strata: list[tuple[int, float]], data: st.DataObject
) -> None:
    sizes, spreads = (np.array(part) for part in zip(*strata, strict=True))
    budget = data.draw(st.integers(0, int(sizes.sum()) + 3))
    counts = neyman(sizes, spreads, budget)
    assert counts.sum() == min(budget, sizes.sum())
    assert (counts <= sizes).all()
    assert (counts >= np.minimum(sizes, min(5, budget // len(strata)))).all() or (
        budget < 5 * len(strata)
    )


def test_a_flat_spread_shares_by_size() -> None:
    assert neyman([100, 300], [0, 0], 40).tolist() == [10, 30]


# ---- the mean from drawn labels ------------------------------------------------------------------


def test_even_chances_give_the_original_estimate_over_all_cases() -> None:
    rng = np.random.default_rng(1)
    y, f = rng.random((2, 400))
    labels = np.where(np.arange(400) < 100, y, NAN)
    found = active_mean(labels, f, np.full(400, 0.25))
    assert found.interval.estimate == pytest.approx(f.mean() + (y - f)[:100].mean())
    value = f + np.where(np.isnan(labels), 0, (y - f) / 0.25)
    half = stats.t.ppf(0.975, 99) * np.std(value, ddof=1) / 20
    assert found.interval.high == pytest.approx(value.mean() + half)
    assert found.human is not None
    assert found.human.estimate == pytest.approx(y[:100].mean())


def test_labels_without_their_chances_are_refused() -> None:
    y, f = np.r_[np.ones(20), np.full(20, NAN)], np.ones(40)
    with pytest.raises(ValueError, match="no sampling probabilities"):
        active_mean(y, f, None)
    chances = np.full(40, 0.5)
    for wrong in (NAN, 0.0, 1.5):
        chances[3] = wrong
        with pytest.raises(ValueError, match="1 labelled cases have no sampling probability"):
            active_mean(y, f, chances)
    with pytest.raises(ValueError, match="shape"):
        active_mean(y, f, [0.5])


def test_weighting_undoes_a_lopsided_draw() -> None:
    """Labels go to what the judge doubts; their plain mean is far off."""
    rng = np.random.default_rng(4)
    y = (rng.random(20_000) < 0.8).astype(float)
    sure = np.where(y == 1, 0.95, 0.6)
    f = np.where(rng.random(y.size) < sure, y, 1 - y)
    plan = label_plan(f, sure, budget=2000, rng=rng)
    chances = aligned_probabilities(plan, y.size)
    labels = np.where(np.isnan(chances), NAN, y)
    found = active_mean(labels, f, chances, span=(0, 1))
    assert np.nanmean(labels) < 0.6
    assert found.interval.estimate == pytest.approx(0.8, abs=0.03)
    assert found.human is not None
    assert found.human.estimate == pytest.approx(0.8, abs=0.05)
    assert found.bias is not None
    assert "unequal chances" in found.bias.reason


@pytest.mark.parametrize("n", [0, 3])
def test_few_drawn_labels_give_a_reason(n: int) -> None:
    labels = np.where(np.arange(50) < n, 1.0, NAN)
    found = active_mean(labels, np.full(50, 0.5), np.full(50, 0.1), span=(0, 1))
    assert found.interval.low is None
    assert found.interval.reason
    assert math.isnan(found.interval.estimate) == (n == 0)


def test_a_plan_is_plain_data() -> None:
    plan = LabelPlan((1, 3), (0.5, 1.0))
    assert aligned_probabilities(plan, 4).tolist()[1::2] == [0.5, 1.0]
