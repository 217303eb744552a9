from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betainc, expit, ndtr

from evenhand.rank.decisiveness import decisiveness, decisiveness_of_scores


def rates(seed, *, systems=20, alpha=1.0, votes=500, bias=0.0, gold_votes=None):
    """Judge and gold win rates; the judge favours system 0 by `bias`."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, systems)
    gold = expit(theta[:, None] - theta)
    p = betainc(alpha, alpha, gold)
    p[0] += bias
    p[:, 0] -= bias
    judged = drawn(rng, np.clip(p, 0, 1), votes)
    return judged, gold if gold_votes is None else drawn(rng, gold, gold_votes)


def drawn(rng, p, votes):
    one, other = np.triu_indices(len(p), 1)
    found = np.full(p.shape, np.nan)
    found[one, other] = rng.binomial(votes, p[one, other]) / votes
    found[other, one] = 1 - found[one, other]
    return found


@pytest.mark.parametrize(("alpha", "error"), [(0.5, 0.015), (1, 0.02), (2, 0.05), (5, 0.15)])
def test_decisiveness_is_recovered_from_four_hundred_pairs(alpha, error):
    judged, gold = rates(1, systems=29, alpha=alpha)  # 406 pairs
    found = decisiveness(judged, gold, 500, replicates=300)
    assert found.n_pairs == 406
    assert found.alpha.estimate == pytest.approx(alpha, abs=error)
    assert found.alpha.low < alpha < found.alpha.high
    assert (found.alpha.high - found.alpha.low) / 2 == pytest.approx(error * 2 / 3, rel=0.5)


def test_a_favoured_system_is_found_and_no_other_is_accused():
    judged, gold = rates(2, bias=0.08)
    found = decisiveness(judged, gold, 500, replicates=500)
    assert found.flagged == (True, *[False] * 19)
    assert found.bias[0].estimate == pytest.approx(0.073, abs=0.015)
    assert max(abs(one.estimate) for one in found.bias[1:]) < 0.03
    assert found.delta == pytest.approx(0.018, abs=0.004)
    assert found.delta > found.noise_high
    assert found.delta_beyond_noise == pytest.approx(0.0175, abs=0.004)


def test_without_bias_nobody_is_flagged_and_delta_is_noise():
    judged, gold = rates(3)
    found = decisiveness(judged, gold, 500, replicates=500)
    assert not any(found.flagged)
    assert found.delta < found.noise_high
    assert found.noise_floor == pytest.approx(0.0044, abs=0.0008)


def test_over_many_data_sets_flags_are_rarely_false_and_intervals_cover():
    false, inside = 0, []
    for seed in range(40):
        judged, gold = rates(seed, systems=10, votes=200)
        found = decisiveness(judged, gold, 200, replicates=200)
        false += any(found.flagged)
        inside += [one.low < 0 < one.high for one in found.bias]
    assert false <= 6
    assert 0.9 < np.mean(inside) < 0.99


def test_doubt_about_the_gold_rates_widens_the_intervals():
    judged, gold = rates(4, gold_votes=500)
    sure = decisiveness(judged, gold, 500, replicates=300)
    honest = decisiveness(judged, gold, 500, gold_n=500, replicates=300)
    assert honest.noise_floor > 1.2 * sure.noise_floor
    assert honest.bias[0].high - honest.bias[0].low > sure.bias[0].high - sure.bias[0].low


def test_biases_sum_to_nothing_when_every_pair_met():
    judged, gold = rates(5)
    found = decisiveness(judged, gold, 500, replicates=50)
    assert sum(one.estimate for one in found.bias) == pytest.approx(0, abs=1e-9)


def test_the_judge_that_is_the_gold_is_neither_sharp_nor_blurred():
    _, gold = rates(6)
    found = decisiveness(gold, gold, 10_000, replicates=50)
    assert found.alpha.estimate == pytest.approx(1, abs=1e-6)
    assert found.delta == pytest.approx(0, abs=1e-6)


def test_votes_a_pair_are_its_weight():
    judged, gold = rates(6)
    votes = np.full((20, 20), 500)
    one, other = (decisiveness(judged, gold, n, replicates=50) for n in (500, votes))
    assert one == other
    votes[:10], votes[:, :10] = 5, 5
    uneven = decisiveness(judged, gold, votes, replicates=50)
    assert uneven.bias[0].high - uneven.bias[0].low > one.bias[0].high - one.bias[0].low


def test_pairs_that_never_met_are_left_out():
    judged, gold = rates(7)
    judged[3, 5] = judged[5, 3] = np.nan
    assert decisiveness(judged, gold, 500, replicates=50).n_pairs == 189


def test_gold_rates_of_one_are_clipped_by_the_votes():
    judged, gold = rates(8, systems=5)
    gold[0, 1], gold[1, 0] = 1.0, 0.0
    assert np.isfinite(decisiveness(judged, gold, 50, replicates=50).alpha.estimate)


def test_from_scores_whole_instructions_are_redrawn():
    rng = np.random.default_rng(9)
    worth, n = np.linspace(-1, 1, 12), 300
    scores = worth[:, None] + rng.normal(0, 2, (12, n))
    apart = (worth[:, None] - worth) / np.sqrt(8)
    found = decisiveness_of_scores(scores, ndtr(apart), replicates=300)
    assert found.alpha.n_clusters == n
    assert found.alpha.low < 1 < found.alpha.high
    assert not any(found.flagged)
    doubled = np.repeat(scores, 2, axis=1)
    same = decisiveness_of_scores(
        doubled, ndtr(apart), clusters=np.repeat(np.arange(n), 2), replicates=300
    )
    assert same.alpha.high - same.alpha.low == pytest.approx(found.alpha.high - found.alpha.low)


def test_few_instructions_give_neither_intervals_nor_flags():
    rng = np.random.default_rng(10)
    _, gold = rates(10, systems=4)
    found = decisiveness_of_scores(rng.normal(size=(4, 6)), gold, replicates=50)
    assert found.alpha.low is None
    assert not any(found.flagged)
    assert "6 clusters" in found.warnings[0]


def test_rates_that_depend_on_the_order_of_presentation_are_refused():
    judged, gold = rates(11, systems=4)
    judged[0, 1] += 0.1
    with pytest.raises(ValueError, match="average both orders"):
        decisiveness(judged, gold, 500)


def test_a_system_without_a_pair_or_a_pair_without_votes_is_refused():
    judged, gold = rates(12, systems=4)
    votes = np.full((4, 4), 500.0)
    votes[0, 1] = 0
    with pytest.raises(ValueError, match="without votes"):
        decisiveness(judged, gold, votes)
    judged[2], judged[:, 2] = np.nan, np.nan
    with pytest.raises(ValueError, match="system 2 has no pair"):
        decisiveness(judged, gold, 500)
