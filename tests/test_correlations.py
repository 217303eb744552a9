from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evenhand import correlations
from evenhand.correlations import (
    KENDALL,
    PEARSON,
    SPEARMAN,
    kendall,
    pearson,
    spearman,
    within_group_tau,
)
from evenhand.intervals import Interval, cluster_weights, from_replicates, resampled_sums

DOORS = (pearson, spearman, kendall)
STATISTICS = (PEARSON, SPEARMAN, KENDALL)


def covers(interval: Interval, truth: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= truth <= interval.high


def slow_tau_b(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall 1945 by counting pairs one by one."""
    both = left = right = 0.0
    for i, j in combinations(range(len(x)), 2):
        a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
        both, left, right = both + a * b, left + a * a, right + b * b
    return float(both / np.sqrt(left * right))


def a_table(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n = int(rng.integers(12, 60))
    x = rng.integers(0, rng.integers(3, 50), n).astype(float)
    y = np.round(x / 2 + rng.normal(0, 3, n), int(rng.integers(0, 3)))
    return x, y


def test_two_hundred_random_tables_with_ties_agree_with_scipy() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        x, y = a_table(rng)
        assert pearson(x, y).interval.estimate == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
        ours = spearman(x, y, method="influence").interval.estimate
        assert ours == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
        ours = kendall(x, y, method="influence").interval.estimate
        assert ours == pytest.approx(stats.kendalltau(x, y)[0], abs=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_influence_is_the_derivative_by_a_units_weight(statistic: object) -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        x, y = a_table(rng)
        n = x.size
        step = 1e-5 * np.eye(n)
        ahead, back = (statistic.of(x, y, 1 + s) for s in (step, -step))  # type: ignore[attr-defined]
        _, influence = statistic.influence(x, y)  # type: ignore[attr-defined]
        assert influence == pytest.approx(n * (ahead - back) / 2e-5, abs=1e-5)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_weight_of_two_is_a_row_written_twice(statistic: object) -> None:
    rng = np.random.default_rng(3)
    x, y = a_table(rng)
    times = rng.integers(0, 4, x.size)
    weighted = statistic.of(x, y, times[None].astype(float))[0]  # type: ignore[attr-defined]
    plain = statistic.influence(np.repeat(x, times), np.repeat(y, times))[0]  # type: ignore[attr-defined]
    assert weighted == pytest.approx(plain, abs=1e-12)


def test_kendall_of_a_small_table_with_ties_is_counted_by_hand() -> None:
    x = np.array([1, 2, 2, 3, 4, 4.0])
    y = np.array([1, 1, 2, 3, 3, 2.0])
    found = kendall(x, y, method="influence").interval.estimate
    assert found == pytest.approx(slow_tau_b(x, y), abs=1e-14)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=25))
def test_tau_b_is_that_of_counting_pairs(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    found = kendall(x, y, method="influence").interval
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found.estimate)
        assert found.reason
    else:
        assert found.estimate == pytest.approx(slow_tau_b(x, y), abs=1e-12)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["influence", "bootstrap"])
def test_missing_pairs_are_left_out_and_counted(door: object, method: str) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 40))
    holed = np.append(x, [1.0, np.nan]), np.append(y, [np.nan, 2.0])
    whole, found = door(x, y, method=method), door(*holed, method=method)  # type: ignore[operator]
    assert found.interval == whole.interval
    assert (found.n_used, found.n_missing) == (40, 2)


@pytest.mark.parametrize("door", DOORS)
def test_a_constant_side_gives_nan_with_the_reason(door: object) -> None:
    found = door([1, 1, 1, 1], [1, 2, 3, 4])  # type: ignore[operator]
    assert np.isnan(found.interval.estimate)
    assert found.interval.low is None
    assert "constant" in found.interval.reason
    assert found.warnings == (found.interval.reason,)


@pytest.mark.parametrize("door", DOORS)
def test_few_clusters_and_perfect_order_give_no_interval(door: object) -> None:
    x = np.arange(30.0)
    few = door(x, x % 7, clusters=np.repeat(np.arange(9), [4, 4, 4, 3, 3, 3, 3, 3, 3]))  # type: ignore[operator]
    assert few.interval.low is None
    assert "9 clusters" in few.interval.reason
    perfect = door(x, 2 * x)  # type: ignore[operator]
    assert perfect.interval.estimate == pytest.approx(1)
    assert perfect.interval.low is None
    assert "without exception" in perfect.interval.reason


@pytest.mark.parametrize("door", DOORS)
def test_bootstrap_and_influence_tell_the_same_story(door: object) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=600)
    y, clusters = x + rng.normal(size=600), np.repeat(np.arange(150), 4)
    one = door(x, y, clusters=clusters, method="influence").interval  # type: ignore[operator]
    two = door(x, y, clusters=clusters, method="bootstrap", replicates=600).interval  # type: ignore[operator]
    assert one.n_clusters == two.n_clusters == 150
    assert two.high - two.low == pytest.approx(one.high - one.low, rel=0.12)


def test_draws_do_not_depend_on_how_many_come_at_a_time() -> None:
    whole = np.vstack(list(cluster_weights(37, 50, 8)))
    sums = np.random.default_rng(0).random((37, 3))
    assert resampled_sums(sums, 50, 8) == pytest.approx(whole @ sums)
    assert (whole.sum(axis=1) == 37).all()
    again = np.vstack(list(cluster_weights(37, 20, 8)))
    assert np.array_equal(again, whole[:20])
    many = np.vstack(list(cluster_weights(50_000, 5, 8)))
    one = np.random.default_rng(8).integers(0, 50_000, (5, 50_000), dtype=np.uint32)
    assert np.array_equal(many[4], np.bincount(one[4], minlength=50_000))


def test_replicates_that_are_mostly_undefined_give_no_interval() -> None:
    draws = np.array([np.nan] * 20 + [0.5] * 80)
    found = from_replicates(0.5, draws, n=30, n_clusters=30)
    assert found.low is None
    assert "20 of 100" in found.reason


def test_within_group_tau_is_the_mean_of_the_groups_and_not_the_pooled_one() -> None:
    """Inside each prompt the judge is backwards; across prompts it looks good."""
    rng = np.random.default_rng(6)
    ease = np.repeat(rng.normal(0, 10, 30), 5)
    inside = np.tile(np.arange(5.0), 30)
    truth, judge = ease + inside, ease - inside
    groups = np.repeat(np.arange(30), 5)
    within = within_group_tau(truth, judge, groups).interval
    assert within.estimate == -1
    assert kendall(truth, judge, method="influence").interval.estimate > 0.5
    noisy = judge + rng.normal(0, 3, 150)
    taus = [stats.kendalltau(truth[groups == g], noisy[groups == g])[0] for g in range(30)]
    found = within_group_tau(truth, noisy, groups).interval
    assert found.estimate == pytest.approx(np.mean(taus), abs=1e-12)
    assert found.n_clusters == 30


def test_groups_without_a_tau_are_left_out_with_a_warning() -> None:
    found = within_group_tau([1, 2, 1, 1, 5], [1, 2, 1, 2, 3], ["a", "a", "b", "b", "c"])
    assert found.interval.estimate == 1
    assert "2 of 3 groups" in found.warnings[0]
    nothing = within_group_tau([1, 1], [1, 2], [0, 0])
    assert np.isnan(nothing.interval.estimate)


def test_arrays_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        pearson([1, 2, 3], [1, 2])


COVERAGE = [
    pytest.param(60, 1.0, id="60"),
    pytest.param(400, 0.0, id="400", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("runs", "slack"), COVERAGE)
@pytest.mark.parametrize("name", ["pearson", "spearman", "kendall"])
@pytest.mark.parametrize("method", ["influence", "bootstrap"])
def test_intervals_cover_the_planted_correlation(
    runs: int, slack: float, name: str, method: str
) -> None:
    """Normal pairs in clusters of 3 that share an effect; r = .6, the others by Greiner."""
    r = 0.6
    truth = {"pearson": r, "spearman": 6 / np.pi * np.arcsin(r / 2)}
    truth["kendall"] = 2 / np.pi * np.arcsin(r)
    rng = np.random.default_rng(11)
    clusters = np.repeat(np.arange(50), 3)
    hit = 0
    for _ in range(runs):
        shared, own = rng.normal(size=(2, 50))[:, clusters], rng.normal(size=(2, 150))
        x, e = np.sqrt(0.5) * shared + np.sqrt(0.5) * own
        y = r * x + np.sqrt(1 - r * r) * e
        options = {"clusters": clusters, "method": method, "replicates": 400}
        hit += covers(getattr(correlations, name)(x, y, **options).interval, truth[name])
    error = np.sqrt(0.95 * 0.05 / runs)
    assert hit / runs >= 0.95 - 3 * error - 0.03 * slack
