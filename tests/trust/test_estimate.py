from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from evenhand.intervals import clustered_t, wilson
from evenhand.trust.estimate import human_only, recommended
from evenhand.trust.ppi import ppi_bound, ppi_difference, ppi_mean
from evenhand.trust.stratified import ppi_stratified

Floats = NDArray[np.float64]
NAN = float("nan")


def sample(seed: int, n: int = 60, rest: int = 300, binary: bool = True) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    y = rng.random(n + rest) if not binary else (rng.random(n + rest) < 0.7).astype(float)
    f = y + rng.normal(0.1, 0.3, y.size)
    if binary:
        f = np.where(rng.random(y.size) < 0.2, 1 - y, y)
    y[n:] = np.nan
    return y, f


def bounds(found: Any) -> tuple[float, float, float]:
    assert found.low is not None, found.reason
    assert found.high is not None
    return found.estimate, found.low, found.high


# ---- against the paper's equations ---------------------------------------------------------------


def paper(labels: Floats, judged: Floats, *, lam: float | None, level: float) -> list[float]:
    """PPI++ for a mean, written from its equations alone: estimate, low, high, lambda."""
    has = ~np.isnan(labels)
    y, f, g = labels[has], judged[has], judged[~has]
    n, big = len(y), len(g)
    if lam is None:
        covariance = np.cov(y, f)[0, 1]
        lam = covariance / ((1 + n / big) * np.var(np.r_[f, g], ddof=1))
        lam = min(max(lam, 0), 1)
    theta = lam * g.mean() + (y - lam * f).mean()
    variance = lam**2 * np.var(g, ddof=1) / big + np.var(y - lam * f, ddof=1) / n
    half = stats.norm.ppf(0.5 + level / 2) * variance**0.5
    return [theta, theta - half, theta + half, lam]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("lam", [None, 0.0, 0.3, 1.0])
def test_the_plain_form_is_the_papers(seed: int, lam: float | None) -> None:
    y, f = sample(seed, n=15 + 7 * seed, binary=seed % 2 == 0)
    found = ppi_mean(y, f, method="clt", lambda_=lam, level=0.9)
    expected = paper(y, f, lam=lam, level=0.9)
    assert [*bounds(found.interval), found.lambda_] == pytest.approx(expected, abs=1e-12)


def test_cross_fitting_gives_each_label_the_lambda_of_the_other_folds() -> None:
    """The default form, written again with loops; the folds are dealt by verdict, then label."""
    y, f = sample(4, n=47, binary=False)
    has = ~np.isnan(y)
    rows = sorted(np.flatnonzero(has), key=lambda i: (f[i], y[i]))
    g, n = f[~has], has.sum()
    pooled = np.var(f, ddof=1)
    gaps, lambdas = [], []
    for place, i in enumerate(rows):
        train = [j for k, j in enumerate(rows) if k % 10 != place % 10]
        lam = np.cov(y[train], f[train])[0, 1] / ((1 + n / g.size) * pooled)
        lambdas.append(min(max(lam, 0), 1))
        gaps.append(y[i] - lambdas[-1] * (f[i] - g.mean()))
    variance = np.var(gaps, ddof=1) / n + np.mean(lambdas) ** 2 * np.var(g, ddof=1) / g.size
    half = stats.t.ppf(0.975, n - 1) * variance**0.5
    theta = np.mean(gaps)
    found = ppi_mean(y, f)
    assert bounds(found.interval) == pytest.approx((theta, theta - half, theta + half), abs=1e-12)
    assert found.lambda_ == pytest.approx(np.mean(lambdas))


def test_the_small_sample_form_is_agresti_and_coull_when_the_judge_counts_nothing() -> None:
    y, f = sample(1, n=40)
    p = np.r_[y[:40], 1, 1, 0, 0]
    half = stats.norm.ppf(0.975) * np.std(p, ddof=1) / 44**0.5
    found = ppi_mean(y, f, span=(0, 1), lambda_=0)
    expected = (np.mean(y[:40]), p.mean() - half, p.mean() + half)
    assert bounds(found.interval) == pytest.approx(expected)
    assert "pseudo-rows" in found.method


# ---- one-sided bounds: defect 4 ------------------------------------------------------------------


@pytest.mark.parametrize("method", ["small_sample", "clt"])
def test_a_one_sided_bound_is_one_sided_with_the_fitted_lambda(method: Any) -> None:
    """Elsewhere the default lambda silently gave the two-sided interval (defect 4)."""
    y, f = sample(2, n=80, binary=False)
    two = ppi_mean(y, f, method=method, level=0.95).interval
    lower = ppi_bound(y, f, side="lower", method=method, level=0.95)
    upper = ppi_bound(y, f, side="upper", method=method, level=0.95)
    assert two.low is not None
    assert lower.interval.low is not None
    assert lower.interval.high == math.inf
    assert upper.interval.low == -math.inf
    assert lower.interval.low > two.low
    both = ppi_mean(y, f, method=method, level=0.90).interval
    assert (lower.interval.low, upper.interval.high) == (both.low, both.high)
    assert lower.interval.level == 0.95
    assert lower.human is not None
    assert lower.human.high == math.inf


def test_a_one_sided_bound_ends_at_the_span_and_covers_as_stated() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(200):
        y = (rng.random(660) < 0.7).astype(float)
        f = np.where(rng.random(y.size) < 0.2, 1 - y, y)
        y[60:] = np.nan
        found = ppi_bound(y, f, side="lower", span=(0, 1)).interval
        assert found.high == 1
        assert found.low is not None
        hits.append(found.low <= 0.7)
    assert 0.95 - 3 * (0.95 * 0.05 / 200) ** 0.5 <= np.mean(hits) < 0.995


def test_a_one_sided_bound_needs_a_level_above_a_half() -> None:
    with pytest.raises(ValueError, match="level"):
        ppi_bound(*sample(0), side="lower", level=0.5)


# ---- invariances ---------------------------------------------------------------------------------

seeds = st.integers(0, 10_000)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, binary=st.booleans(), add=st.floats(-50, 50), times=st.floats(0.1, 20))
def test_units_do_not_matter(seed: int, binary: bool, add: float, times: float) -> None:
    y, f = sample(seed, binary=binary)
    span = (0.0, 1.0) if binary else None
    moved = (add, add + times) if binary else None
    if binary:  # the same arithmetic as for the labels, so that they stand exactly at the ends
        moved = (0.0 * times + add, 1.0 * times + add)
    plain = bounds(ppi_mean(y, f, span=span).interval)
    other = bounds(ppi_mean(y * times + add, f * times + add, span=moved).interval)
    assert other == pytest.approx([add + times * v for v in plain], abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, binary=st.booleans(), grouped=st.booleans())
def test_the_order_of_rows_does_not_matter(seed: int, binary: bool, grouped: bool) -> None:
    y, f = sample(seed, binary=binary)
    prompts = np.arange(y.size) // 3 if grouped else None
    order = np.random.default_rng(seed).permutation(y.size)
    moved = None if prompts is None else prompts[order]
    span = (0.0, 1.0) if binary else None
    plain = ppi_mean(y, f, clusters=prompts, span=span)
    other = ppi_mean(y[order], f[order], clusters=moved, span=span)
    assert bounds(other.interval) == pytest.approx(bounds(plain.interval), abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, binary=st.booleans())
def test_weight_zero_is_the_labels_alone_and_one_is_the_original(seed: int, binary: bool) -> None:
    y, f = sample(seed, binary=binary)
    none = ppi_mean(y, f, lambda_=0).interval
    alone = clustered_t(y[:60], np.arange(60))
    assert bounds(none) == pytest.approx(bounds(alone), abs=1e-10)
    full = ppi_mean(y, f, lambda_=1, method="clt").interval
    theta = f[60:].mean() + (y[:60] - f[:60]).mean()
    assert full.estimate == pytest.approx(theta)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, add=st.floats(-5, 5))
def test_a_constant_bias_of_the_judge_changes_nothing(seed: int, add: float) -> None:
    y, f = sample(seed, binary=False)
    plain, moved = (ppi_mean(y, one).interval for one in (f, f + add))
    assert bounds(moved) == pytest.approx(bounds(plain), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_clusters_of_one_are_no_clusters(seed: int) -> None:
    y, f = sample(seed, binary=False)
    names = np.array([f"case {i:04}" for i in range(y.size)])
    found = ppi_mean(y, f, clusters=names, lambda_=0.7).interval
    assert bounds(found) == pytest.approx(bounds(ppi_mean(y, f, lambda_=0.7).interval), abs=1e-12)


def test_the_interval_holds_the_estimate_and_stays_in_the_span() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        y = (rng.random(512) < 0.97).astype(float)
        f = np.where(rng.random(y.size) < 0.3, 1 - y, y)
        y[12:] = np.nan
        estimate, low, high = bounds(ppi_mean(y, f, span=(0, 1)).interval)
        assert 0 <= low <= estimate <= high <= 1


def test_a_copied_prompt_counts_once() -> None:
    """Every row four times over, with its cluster: the interval does not shrink."""
    y, f = sample(9, binary=False)
    prompts = np.arange(y.size)
    once = ppi_mean(y, f, clusters=prompts, lambda_=0.5).interval
    four = ppi_mean(*(np.tile(v, 4) for v in (y, f)), clusters=np.tile(prompts, 4), lambda_=0.5)
    assert bounds(four.interval) == pytest.approx(bounds(once), abs=1e-10)


# ---- differences and strata ----------------------------------------------------------------------


def test_a_difference_is_the_mean_of_the_differences_and_turns_with_the_systems() -> None:
    rng = np.random.default_rng(3)
    y, f = rng.random((2, 400, 2))
    y[90:] = np.nan
    there, back = ppi_difference(y, f), ppi_difference(y[:, ::-1], f[:, ::-1])
    plain = ppi_mean(y[:, 0] - y[:, 1], f[:, 0] - f[:, 1])
    assert bounds(there.interval) == bounds(plain.interval)
    estimate, low, high = bounds(back.interval)
    assert bounds(there.interval) == pytest.approx((-estimate, -high, -low), abs=1e-12)
    assert there.human is not None
    assert there.human.estimate == pytest.approx((y[:90, 0] - y[:90, 1]).mean())


def test_a_label_for_one_system_only_is_counted_not_used() -> None:
    y, f = (np.random.default_rng(3).random((2, 100, 2)) < 0.6).astype(float)
    y[50:, 0], y[40:, 1] = np.nan, np.nan
    found = ppi_difference(y, f, span=(0, 1))
    assert found.n_labelled == 40
    assert any("10 cases have a label for one system only" in said for said in found.warnings)


def test_two_systems_that_never_differ_still_get_an_interval() -> None:
    f = np.repeat(np.arange(500) % 2, 2).reshape(500, 2).astype(float)
    y = np.where(np.arange(500)[:, None] < 100, f, np.nan)
    estimate, low, high = bounds(ppi_difference(y, f, span=(0, 1)).interval)
    assert estimate == 0
    assert -0.05 < low < -0.01
    assert 0.01 < high < 0.05


def test_a_difference_needs_a_column_a_system() -> None:
    with pytest.raises(ValueError, match="a column a system"):
        ppi_difference([1.0, 0.0], [1.0, 0.0])


def test_one_stratum_with_its_share_known_is_the_plain_form() -> None:
    y, f = sample(6, binary=False)
    one = ppi_stratified(y, f, np.zeros(y.size), shares={0.0: 1.0}).interval
    assert bounds(one) == pytest.approx(bounds(ppi_mean(y, f).interval), abs=1e-12)


def test_unequal_labelling_of_strata_is_undone_by_their_shares() -> None:
    rng = np.random.default_rng(8)
    layer = np.array(["easy"] * 900 + ["hard"] * 100)
    y = np.where(layer == "easy", rng.normal(4, 0.2, 1000), rng.normal(1, 0.2, 1000))
    f = y + rng.normal(0, 0.1, 1000)
    labels = y.copy()
    labels[30:900] = np.nan
    labels[930:] = np.nan
    found = ppi_stratified(labels, f, layer)
    assert found.interval.estimate == pytest.approx(3.7, abs=0.1)
    assert abs(np.nanmean(labels) - 2.5) < 0.1  # what forgetting the strata would say
    for beside in (found.human, found.naive):
        assert beside is not None
        assert beside.estimate == pytest.approx(3.7, abs=0.1)
    assert found.bias is not None
    assert found.bias.estimate == pytest.approx(0, abs=0.05)
    swapped = ppi_stratified(labels, f, layer, shares={"easy": 0.1, "hard": 0.9})
    assert swapped.interval.estimate == pytest.approx(1.3, abs=0.1)


def test_a_stratum_with_few_labels_is_refused_by_name() -> None:
    y, f = sample(1)
    layer = np.where(np.arange(y.size) % 30 == 0, "rare", "usual")
    found = ppi_stratified(y, f, layer, span=(0, 1))
    assert math.isnan(found.interval.estimate)
    assert "rare (2)" in found.interval.reason
    assert found.human is not None
    assert "rare (2)" in found.human.reason


def test_strata_without_cases_or_verdicts_are_a_reason() -> None:
    assert ppi_stratified([], [], []).interval.reason == "no cases"
    y, _ = sample(1)
    silent = ppi_stratified(y, np.full(y.size, NAN), np.arange(y.size) % 2, span=(0, 1))
    assert silent.interval.low is not None
    assert silent.naive is not None
    assert silent.naive.low is None
    assert silent.bias is not None
    assert silent.bias.reason


def test_clusters_that_cross_strata_are_counted_once() -> None:
    y, f = sample(6, binary=False)
    layer, prompts = np.arange(y.size) % 2, np.arange(y.size) // 2
    apart = ppi_stratified(y, f, layer).interval
    same = ppi_stratified(np.repeat(y, 2), np.repeat(f, 2), np.tile([0, 1], y.size),
                          clusters=np.repeat(np.arange(y.size), 2)).interval  # fmt: skip
    found = ppi_stratified(y, f, layer, clusters=prompts).interval
    assert (apart.n_clusters, found.n_clusters, same.n_clusters) == (60, 30, 60)
    alone = bounds(ppi_mean(y, f).interval)
    assert bounds(same)[2] - bounds(same)[1] == pytest.approx(alone[2] - alone[1], rel=0.1)


def test_shares_that_do_not_fit_are_refused() -> None:
    y, f = sample(1)
    for shares in ({"a": 1.0}, {0: 0.4}):
        with pytest.raises(ValueError, match="shares"):
            ppi_stratified(y, f, np.zeros(y.size, dtype=int), shares=shares)


# ---- bad input: a result with its reason, never a traceback --------------------------------------


def test_no_label_at_all_is_no_estimate_with_the_reason() -> None:
    """Also what labels for cases that are not in the run come to."""
    found = ppi_mean([NAN] * 20, [1.0, 0.0] * 10, span=(0, 1))
    assert math.isnan(found.interval.estimate)
    assert found.interval.low is None
    assert "no case has a label" in found.interval.reason
    assert (found.n_labelled, found.n_unlabelled) == (0, 20)
    assert found.lambda_ is None
    assert found.bias_bound is None
    assert found.naive is not None
    assert found.naive.estimate == 0.5


def test_no_case_at_all_is_no_estimate() -> None:
    found = ppi_mean([], [], span=(0, 1))
    assert math.isnan(found.interval.estimate)
    assert found.naive is not None
    assert found.naive.reason


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_under_ten_labels_there_is_an_estimate_without_bounds(n: int) -> None:
    y = np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 1, *[NAN] * 40])
    y[n:] = np.nan
    found = ppi_mean(y, np.ones(y.size), span=(0, 1))
    assert found.interval.estimate == pytest.approx(y[:n].mean())
    assert (found.interval.low, found.interval.high) == (None, None)
    assert f"{n} independent labelled case" in found.interval.reason
    assert found.human == wilson(y[:n].sum(), n)


def test_ten_labels_of_two_prompts_are_two() -> None:
    y, f = sample(0, n=10)
    found = ppi_mean(y, f, clusters=np.r_[np.zeros(5), np.ones(5), np.arange(2, 302)])
    assert found.interval.low is None
    assert "2 independent" in found.interval.reason
    assert found.interval.n_clusters == 2


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_constant_labels_get_a_wide_interval_and_a_warning(value: float) -> None:
    y = np.r_[np.full(30, value), np.full(200, NAN)]
    f = (np.arange(230) % 3 == 0).astype(float)
    found = ppi_mean(y, f, span=(0, 1))
    estimate, low, high = bounds(found.interval)
    assert estimate == pytest.approx(value, abs=1e-3)
    assert 0.05 < high - low < 0.25
    assert "all 30 labels are equal" in found.warnings[0]


def test_constant_labels_without_a_span_have_no_visible_variance() -> None:
    found = ppi_mean(np.r_[np.full(30, 4.0), np.full(200, NAN)], np.full(230, 4.0))
    assert found.interval.estimate == 4
    assert found.interval.low is None
    assert "no variance" in found.interval.reason


def test_a_flat_judge_gives_the_labels_alone() -> None:
    y, _ = sample(5, binary=False)
    found = ppi_mean(y, np.full(y.size, 0.1))
    assert found.lambda_ == 0
    assert bounds(found.interval) == pytest.approx(bounds(clustered_t(y[:60], np.arange(60))))


def test_all_undecided_leaves_the_labels_and_says_so() -> None:
    y, f = sample(5)
    found = ppi_mean(y, np.full(f.size, NAN), span=(0, 1))
    assert found.lambda_ == 0
    assert found.n_undecided == y.size
    assert found.naive is not None
    assert math.isnan(found.naive.estimate)
    assert "every case undecided" in found.warnings[0]
    assert found.interval.estimate == pytest.approx(np.nanmean(y))


def test_undecided_cases_stay_in_the_mean() -> None:
    """A judge that is silent on bad answers: leaving those out would flatter the system."""
    rng = np.random.default_rng(2)
    y = (rng.random(4000) < 0.6).astype(float)
    f = np.where((y == 0) & (rng.random(y.size) < 0.8), NAN, y)
    labels = np.where(np.arange(y.size) < 300, y, NAN)
    found = ppi_mean(labels, f, span=(0, 1))
    _, low, high = bounds(found.interval)
    assert low <= 0.6 <= high
    assert np.nanmean(np.where(np.isnan(f), NAN, y)) > 0.85
    assert found.n_undecided == np.isnan(f).sum()


def test_every_case_labelled_needs_no_judge() -> None:
    y, f = sample(5, n=60, rest=0, binary=False)
    found = ppi_mean(y, f)
    assert found.lambda_ == 0
    assert found.n_unlabelled == 0
    assert bounds(found.interval) == pytest.approx(bounds(clustered_t(y, np.arange(60))))
    assert any("every case is labelled" in said for said in found.warnings)


@pytest.mark.parametrize(
    ("labels", "judged", "more", "said"),
    [
        ([1.0], [1.0, 0.0], {}, "do not match"),
        ([math.inf, 1.0], [1.0, 0.0], {}, "infinite"),
        ([2.0, 1.0], [1.0, 0.0], {"span": (0, 1)}, "outside the span"),
        ([1.0, 1.0], [1.0, 0.0], {"clusters": ["a"]}, "one a case"),
        ([1.0, 1.0], [1.0, 0.0], {"lambda_": 1.5}, "lambda is 1.5"),
    ],
)
def test_input_that_makes_no_sense_is_refused(
    labels: list[float], judged: list[float], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        ppi_mean(labels, judged, **more)


def test_two_valued_labels_without_a_span_are_pointed_out() -> None:
    assert any("span" in said for said in ppi_mean(*sample(0)).warnings)


def test_labels_alone_on_a_scale_of_one_and_five_are_a_share() -> None:
    found = human_only([1, 5, 5, 5, NAN], span=(1, 5))
    share = wilson(3, 4)
    assert share.low is not None
    assert found.estimate == 4
    assert found.low == pytest.approx(1 + 4 * share.low)


# ---- which method --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "rest", "more", "method"),
    [
        (100, 1000, {}, "ppi_mean"),
        (100, 1000, {"two_valued": False}, "ppi_mean"),
        (100, 1000, {"labels_from": "strata"}, "ppi_stratified"),
        (100, 1000, {"labels_from": "plan"}, "active_mean"),
        (100, 1000, {"labels_from": "elsewhere"}, "rogan_gladen"),
        (100, 1000, {"labels_from": "elsewhere", "two_valued": False}, "none"),
        (100, 1000, {"same_scale": False}, "isotonic_mean"),
        (20, 1000, {"same_scale": False}, "ppi_mean"),
        (100, 0, {}, "human_only"),
        (0, 1000, {}, "none"),
    ],
)
def test_the_labels_origin_decides_the_method(
    n: int, rest: int, more: dict[str, Any], method: str
) -> None:
    found = recommended(n, rest, **more)
    assert found.method == method
    assert found.because
