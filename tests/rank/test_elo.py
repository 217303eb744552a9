from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.rank.battles import Battles
from evenhand.rank.elo import elo

GAP = 400 * np.log10(3)  # 190.8 points: what a system that wins three of four is ahead by


def duel(n: int, share: float) -> Battles:
    wins = np.arange(n) < share * n
    return Battles.of(["x"] * n, ["y"] * n, wins.astype(float))


def test_winning_three_of_four_is_191_points_ahead_over_orders():
    found = elo(duel(4000, 0.75), k=4, shuffles=200)
    gap, spread = found.mean[0] - found.mean[1], found.sd[0] + found.sd[1]
    assert abs(gap - GAP) < 5
    assert 2 * (found.low[0] - 1000) < GAP < 2 * (found.high[0] - 1000)
    assert 5 < spread < 60


def test_even_battles_leave_both_at_the_start():
    found = elo(duel(2000, 0.5), k=4, shuffles=200)
    assert abs(found.mean[0] - 1000) < 3 * found.sd[0] / np.sqrt(200) + 0.5
    tied = elo(Battles.of(["x"] * 30, ["y"] * 30, [0.5] * 30), k=32)
    assert tied.mean.tolist() == [1000, 1000]


def test_the_expected_score_with_its_sign_turned_round_diverges_and_ours_does_not():
    """A known fault of a tool in use: the stronger is expected to lose, so its lead grows."""
    wins = np.random.default_rng(0).random(200) < 0.75
    x, y = 1000.0, 1000.0
    for won in wins:
        step = 32 * (won - 1 / (1 + 10 ** ((x - y) / 400)))
        x, y = x + step, y - step
    found = elo(Battles.of(["x"] * 200, ["y"] * 200, wins.astype(float)), k=32)
    assert x - y > 3000
    assert found.high[0] - found.low[1] < 600


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_sum_of_ratings_is_kept_and_swapping_sides_changes_nothing(data):
    n = data.draw(st.integers(1, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    a = rng.integers(0, 4, n)
    b = (a + rng.integers(1, 4, n)) % 4
    battles = Battles.numbered(
        tuple("wxyz"), a, b, outcome=rng.random(n).round(1), weights=rng.random(n)
    )
    found, turned = elo(battles, k=32, shuffles=5), elo(battles.swapped(), k=32, shuffles=5)
    met = np.isfinite(found.mean)
    assert np.nansum(found.mean) == pytest.approx(1000 * met.sum())
    np.testing.assert_allclose(found.mean[met], turned.mean[met])


def test_a_weight_multiplies_the_points_at_stake():
    a, b, outcome = ["x", "y", "x"], ["y", "z", "z"], [1, 0.5, 0]
    double = elo(Battles.of(a, b, outcome, weights=[2, 2, 2]), k=10, shuffles=6)
    np.testing.assert_allclose(double.mean, elo(Battles.of(a, b, outcome), k=20, shuffles=6).mean)


def test_undecided_battles_are_counted_and_a_system_without_any_has_no_rating():
    found = elo(Battles.of(["x", "x", "z"], ["y", "y", "x"], [1, np.nan, np.nan]))
    assert (found.n_used, found.n_undecided) == (1, 2)
    assert np.isnan(found.mean).tolist() == [False, False, True]
    assert np.isnan(found.own).all()


def test_the_order_moves_ratings_more_with_a_large_k_and_the_result_says_so():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 5, 1000)
    b = (a + rng.integers(1, 5, 1000)) % 5
    battles = Battles.numbered(tuple("vwxyz"), a, b, outcome=(a < b).astype(float))
    small, large = elo(battles, k=4), elo(battles, k=32)
    assert (large.sd > 2 * small.sd).all()
    assert "order" in small.warnings[0]
    assert "k = 4" in small.method
    assert small.mean.tolist() == elo(battles, k=4).mean.tolist()


@pytest.mark.parametrize("wrong", [{"k": 0.0}, {"shuffles": 0}])
def test_settings_without_a_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        elo(duel(4, 0.5), **wrong)


def test_no_decided_battle_is_no_rating():
    found = elo(Battles.of(["x"], ["y"], [np.nan]))
    assert np.isnan(found.mean).all()
    assert found.n_used == 0
