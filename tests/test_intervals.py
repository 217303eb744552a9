from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from evenhand.intervals import Interval, clustered_t, from_influence, wilson


def covers(interval: Interval, truth: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= truth <= interval.high


# ---- Wilson ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 7, 40, 1000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_wilson_is_the_interval_of_scipy(n: int, level: float) -> None:
    for successes in {0, 1, n // 3, n}:
        ours = wilson(successes, n, level=level)
        theirs = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        assert ours.estimate == successes / n


def test_wilson_is_where_the_score_test_just_rejects() -> None:
    """Halves are allowed, so the definition itself is checked: |p - q| = z sqrt(q (1 - q) / n)."""
    interval = wilson(12.5, 30, level=0.9)
    z = stats.norm.ppf(0.95)
    for bound in (interval.low, interval.high):
        assert bound is not None
        assert abs(12.5 / 30 - bound) == pytest.approx(z * np.sqrt(bound * (1 - bound) / 30))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (score)."""
    interval = wilson(successes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        wilson(0, 0)


@given(n=st.integers(1, 500), data=st.data())
def test_wilson_mirrors_and_stays_inside(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.floats(0, n))
    one, other = wilson(successes, n), wilson(n - successes, n)
    assert one.low is not None
    assert other.high is not None
    assert 0 <= one.low <= one.estimate + 1e-12
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


# ---- clustered t -----------------------------------------------------------------------------

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40)


@given(values=VALUES)
def test_values_that_stand_alone_give_the_plain_t_interval(values: list[float]) -> None:
    ours = clustered_t(values, range(len(values)))
    error = stats.sem(values)
    half = stats.t.ppf(0.975, len(values) - 1) * error
    assert ours.estimate == pytest.approx(np.mean(values), abs=1e-9)
    assert ours.low == pytest.approx(np.mean(values) - half, abs=1e-6)
    assert ours.high == pytest.approx(np.mean(values) + half, abs=1e-6)


def cr1(values: NDArray[np.float64], clusters: NDArray[np.int64]) -> tuple[float, float]:
    """A regression on a constant with CR1 errors, in its general matrix form.

    (X'X)^-1 [sum_g X_g' e_g e_g' X_g] (X'X)^-1 times G / (G - 1) times (n - 1) / (n - k).
    """
    x = np.ones((len(values), 1))
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ values
    residuals = values - x @ beta
    meat = np.zeros((1, 1))
    groups = sorted(set(clusters.tolist()))
    for group in groups:
        inside = clusters == group
        score = x[inside].T @ residuals[inside]
        meat += np.outer(score, score)
    n, k, g = len(values), 1, len(groups)
    variance = bread @ meat @ bread * g / (g - 1) * (n - 1) / (n - k)
    return float(beta[0]), float(np.sqrt(variance[0, 0]))


@pytest.mark.parametrize("seed", range(5))
def test_clustered_t_is_cr1_of_a_regression_on_a_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 12, 60)
    values = rng.normal(size=60) + clusters / 3
    mean, error = cr1(values, clusters)
    ours = clustered_t(values, clusters, level=0.9)
    g = len(set(clusters.tolist()))
    assert ours.estimate == pytest.approx(mean)
    assert ours.high == pytest.approx(mean + stats.t.ppf(0.95, g - 1) * error)
    assert ours.low == pytest.approx(mean - stats.t.ppf(0.95, g - 1) * error)
    assert (ours.n, ours.n_clusters, ours.method) == (60, g, "clustered t")


@given(values=VALUES, seed=st.integers(0, 99))
def test_the_order_of_values_and_the_names_of_clusters_do_not_matter(
    values: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 4, len(values))
    shuffled = rng.permutation(len(values))
    one = clustered_t(values, clusters)
    two = clustered_t(np.array(values)[shuffled], [f"q{c}" for c in clusters[shuffled]])
    assert one.estimate == pytest.approx(two.estimate, abs=1e-9)
    if one.low is None:
        assert two.low is None
    else:
        assert (one.low, one.high) == pytest.approx((two.low, two.high), abs=1e-6)


def test_coverage_holds_where_the_plain_t_interval_fails() -> None:
    """400 samples of 30 prompts with 1 to 8 verdicts each; prompts differ as much as verdicts."""
    rng = np.random.default_rng(20)
    runs, ours, plain = 400, 0, 0
    for _ in range(runs):
        clusters = np.repeat(np.arange(30), rng.integers(1, 9, 30))
        values = 0.3 + rng.normal(size=30)[clusters] + rng.normal(size=len(clusters))
        ours += covers(clustered_t(values, clusters), 0.3)
        plain += covers(clustered_t(values, range(len(values))), 0.3)
    allowed = 3 * np.sqrt(0.95 * 0.05 / runs)
    assert ours / runs >= 0.95 - allowed
    assert plain / runs < 0.95 - allowed


def test_one_cluster_gives_no_interval_and_says_why() -> None:
    interval = clustered_t([1.0, 2.0, 3.0], ["q"] * 3)
    assert (interval.estimate, interval.low, interval.high) == (2.0, None, None)
    assert "one cluster" in interval.reason


@pytest.mark.parametrize("value", [1.0, 3.0, 5.0])
def test_equal_values_give_wilson_on_the_clusters(value: float) -> None:
    interval = clustered_t([value] * 12, list("aabbccddeeff"), span=(1, 5))
    share = stats.binomtest(round((value - 1) / 4 * 6), 6).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((1 + 4 * share.low, 1 + 4 * share.high))
    assert interval.method.startswith("Wilson on clusters")
    assert (interval.estimate, interval.n, interval.n_clusters) == (value, 12, 6)


def test_equal_clusters_give_wilson_on_the_clusters_too() -> None:
    interval = clustered_t([1, 0, 0, 1, 1, 0], list("aabbcc"), span=(0, 1))
    share = wilson(1.5, 3)
    assert (interval.low, interval.high) == pytest.approx((share.low, share.high))


def test_the_interval_is_cut_at_the_bounds_of_the_values() -> None:
    interval = clustered_t([0.0, 1.0, 1.0], range(3), span=(0, 1))
    assert (interval.low, interval.high) == (0.0, 1.0)
    free = clustered_t([0.0, 1.0, 1.0], range(3))
    assert free.low is not None
    assert free.low < 0


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_nothing_and_nan_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        clustered_t(values, range(len(values)))


def test_influence_values_of_a_mean_give_the_clustered_t_interval():
    rng = np.random.default_rng(5)
    values, clusters = rng.normal(size=60), rng.integers(0, 12, size=60)
    one = clustered_t(values, clusters)
    two = from_influence(float(values.mean()), values - values.mean(), clusters)
    assert (two.low, two.high) == pytest.approx((one.low, one.high))
    assert (two.n, two.n_clusters) == (60, one.n_clusters)


def test_one_cluster_has_no_influence_interval():
    assert from_influence(0.3, [0.1, -0.1], ["a", "a"]).low is None
