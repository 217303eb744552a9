from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, norm

from evenhand.rank.justrank import HOWS, _aggregate, ranking_quality, system_scores


def made(seed, *, systems=15, instructions=120, noise=2.0):
    rng = np.random.default_rng(seed)
    worth = rng.normal(0, 1, systems)
    mood = rng.normal(0, 1, instructions)
    return worth, worth[:, None] + mood + noise * rng.normal(size=(systems, instructions))


def test_win_rate_is_the_share_of_other_systems_beaten_with_ties_half():
    scores = [[3, 4, 5], [3, 2, np.nan], [1, 1, 9]]
    found = system_scores(scores, how="win_rate")
    np.testing.assert_allclose(found, [(0.75 + 1 + 0) / 3, (0.75 + 0.5) / 2, (0 + 0 + 1) / 3])


def test_means_and_medians_leave_missing_scores_out():
    scores = [[1, 2, np.nan, 9], [2, 2, 2, 2]]
    np.testing.assert_allclose(system_scores(scores, how="mean"), [4, 2])
    np.testing.assert_allclose(system_scores(scores, how="median"), [2, 2])
    _, drawn = made(0)
    np.testing.assert_allclose(system_scores(drawn, how="median"), np.median(drawn, axis=1))


def test_bradley_terry_on_complete_scores_has_the_order_of_the_win_rates():
    _, scores = made(1)
    strengths, rates = system_scores(scores, how="bt"), system_scores(scores, how="win_rate")
    np.testing.assert_array_equal(strengths.argsort(), rates.argsort())
    assert strengths.sum() == pytest.approx(0, abs=1e-9)


def test_bradley_terry_forgives_a_system_its_hard_opponents():
    rng = np.random.default_rng(2)
    scores = np.array([2.0, 1.0, 0.0, -1.0])[:, None] + rng.normal(0, 2, (4, 3000))
    scores[3, :1500] = np.nan  # the weak one is away, so the others meet strong ones there
    scores[1, 1500:] = np.nan  # and this one only ever meets the strong
    assert system_scores(scores, how="bt")[1] > system_scores(scores, how="bt")[2]
    apart = system_scores(scores, how="bt") - system_scores(scores, how="bt")[2]
    assert apart[1] > 0.3


def test_tau_is_that_of_scipy_for_each_aggregation():
    worth, scores = made(3)
    found = ranking_quality(scores, worth, replicates=50)
    assert tuple(found) == HOWS
    for how, quality in found.items():
        expected = kendalltau(system_scores(scores, how=how), worth).statistic
        assert quality.tau.estimate == pytest.approx(expected)
        assert quality.by_system.estimate == pytest.approx(expected)


def test_the_bootstrap_draws_whole_instructions_or_clusters_of_them():
    worth, scores = made(4, noise=4.0)
    one = ranking_quality(scores, worth, hows=["mean"], replicates=400)["mean"]
    tripled = np.repeat(scores, 3, axis=1)
    groups = np.repeat(np.arange(scores.shape[1]), 3)
    same = ranking_quality(tripled, worth, hows=["mean"], clusters=groups, replicates=400)["mean"]
    assert (same.tau.low, same.tau.high) == (one.tau.low, one.tau.high)
    assert same.tau.n_clusters == 120


def test_each_aggregation_resampled_is_the_aggregation_of_the_resample():
    _, scores = made(5, systems=5, instructions=40)
    scores[2, :7] = np.nan
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 40, 40)
    weights = np.bincount(drawn, minlength=40)[None].astype(float)
    for how in HOWS:
        fast = _aggregate(scores, how)(weights)[0]
        np.testing.assert_allclose(fast, system_scores(scores[:, drawn], how=how), atol=1e-5)


def test_few_systems_have_no_interval_by_system_and_nobody_has_a_p_value():
    worth, scores = made(6, systems=5)
    found = ranking_quality(scores, worth, hows=["mean"], replicates=100)["mean"]
    assert found.by_system.low is None
    assert found.tau.low is not None or found.tau.reason
    assert not hasattr(found, "p_value")


def test_a_gold_order_without_scores_will_do():
    worth, scores = made(7)
    rank = (-worth).argsort().argsort() + 1
    one = ranking_quality(scores, worth, hows=["mean"], replicates=50)["mean"]
    other = ranking_quality(scores, -rank, hows=["mean"], replicates=50)["mean"]
    assert one.tau == other.tau


def test_systems_without_gold_are_left_out_and_told():
    worth, scores = made(8)
    worth[3] = np.nan
    found = ranking_quality(scores, worth, hows=["win_rate"], replicates=20)["win_rate"]
    assert found.n_systems == 14
    assert "1 systems" in found.warnings[0]


def test_a_sharper_judge_ranks_better():
    worth, scores = made(9, noise=1.0)
    _, dull = made(9, noise=15.0)
    sharp = ranking_quality(scores, worth, hows=["bt"], replicates=100)["bt"].tau
    assert sharp.estimate > ranking_quality(dull, worth, hows=["bt"], replicates=100)["bt"].tau.high


@pytest.mark.parametrize("scores", [[[1, 2]], [1, 2, 3], [[1, 2], [np.nan, np.nan]]])
def test_scores_that_are_no_table_are_refused(scores):
    with pytest.raises(ValueError, match=r"scores of shape|no score at all"):
        system_scores(scores)


def test_systems_that_never_met_have_no_common_strength():
    scores = [[1, np.nan], [2, np.nan], [np.nan, 1], [np.nan, 3]]
    with pytest.raises(ValueError, match="2 sets that no instruction joins"):
        system_scores(scores, how="bt")


def test_win_rates_of_normal_scores_are_what_normal_scores_imply():
    scores = np.array([1.0, 0.0])[:, None] + np.random.default_rng(10).normal(size=(2, 20_000))
    expected = norm.cdf(1 / np.sqrt(2))
    assert system_scores(scores, how="win_rate")[0] == pytest.approx(expected, abs=0.01)
    odds = system_scores(scores, how="bt")
    assert odds[0] - odds[1] == pytest.approx(np.log(expected / (1 - expected)), abs=0.05)
