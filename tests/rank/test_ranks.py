from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, stdtrit

from evenhand.rank.battles import Battles
from evenhand.rank.bradley_terry import bradley_terry
from evenhand.rank.ranks import ranks
from tests.rank.arena import names, simple


def test_two_systems_are_told_apart_as_their_difference_is():
    for won in (20, 22, 24, 26, 28):
        fitted = bradley_terry(Battles.of(["a"] * 40, ["b"] * 40, [1] * won + [0] * (40 - won)))
        apart = fitted.difference("a", "b").low > 0
        found = ranks(fitted)
        assert found.high.tolist() == ([1, 2] if apart else [2, 2])
        assert found.low.tolist() == ([1, 2] if apart else [1, 1])


def test_the_limit_of_a_pair_is_students():
    fitted = bradley_terry(Battles.of(["a"] * 12, ["b"] * 12, [1] * 10 + [0] * 2))
    gap = fitted.difference("a", "b")
    error = (gap.high - gap.estimate) / stdtrit(11, 0.975)
    chance = float(ranks(fitted, draws=200_000).best[0])
    from scipy.special import stdtr

    assert chance == pytest.approx(stdtr(11, gap.estimate / error), abs=0.005)


def test_clear_orders_get_one_place_each_and_even_systems_all_places():
    a, b = np.repeat([0, 0, 1], 200), np.repeat([1, 2, 2], 200)
    clear = np.tile([1, 1, 1, 1, 0], 120).astype(float)
    found = ranks(bradley_terry(Battles.numbered(names(3), a, b, outcome=clear)))
    assert found.low.tolist() == found.high.tolist() == [1, 2, 3]
    assert found.best[0] == 1
    even = np.tile([1.0, 0.0], 300)
    found = ranks(bradley_terry(Battles.numbered(names(3), a, b, outcome=even)))
    assert found.low.tolist() == [1, 1, 1]
    assert found.high.tolist() == [3, 3, 3]
    assert found.best.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.best, 1 / 3, atol=0.03)


def test_all_true_places_are_inside_together_as_often_as_promised():
    """Eight systems, three of them nearly even; 200 data sets of 400 independent battles."""
    theta = np.array([1.0, 0.5, 0.1, 0.08, 0.06, -0.4, -0.5, -1.0])
    rng, held = np.random.default_rng(5), []
    for _ in range(200):
        a = rng.integers(0, 8, 400)
        b = (a + rng.integers(1, 8, 400)) % 8
        won = rng.random(400) < expit(theta[a] - theta[b])
        found = ranks(bradley_terry(Battles.numbered(names(8), a, b, outcome=won)), draws=1000)
        held.append(((found.low <= np.arange(1, 9)) & (np.arange(1, 9) <= found.high)).all())
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 200)


def test_places_count_inside_a_component():
    battles = Battles.of(list("axay") * 30, list("bybx") * 30, [1, 0, 1, 1, 1, 1, 0, 0] * 15)
    found = ranks(bradley_terry(battles))
    assert found.high.max() == 2
    assert found.low[:2].tolist() == [1, 2]
    assert found.best[:2].sum() == pytest.approx(1)
    assert found.best[2:].sum() == pytest.approx(1)


def test_a_system_without_a_rating_has_no_place():
    battles = Battles.of(list("abc") * 20, list("baa") * 20, [1, 0.5, np.nan, 0, 1, np.nan] * 10)
    found = ranks(bradley_terry(battles))
    assert (found.low[2], found.high[2]) == (0, 0)
    assert np.isnan(found.best[2])


def test_where_no_interval_is_given_every_place_is_open():
    few = ranks(bradley_terry(Battles.of(["a"] * 5, ["b"] * 5, [1, 1, 1, 1, 0])))
    assert few.low.tolist() == [1, 1]
    assert few.high.tolist() == [2, 2]
    assert few.reason == "5 clusters, and no interval is given below 10"
    ties = ranks(bradley_terry(Battles.of(["a"] * 20, ["b"] * 20, [0.5] * 20)))
    assert ties.reason == "no variance can be seen"
    assert np.isnan(ties.best).all()


def test_order_of_systems_and_seed():
    fitted = bradley_terry(simple(600, 6, seed=2))
    found, again = ranks(fitted), ranks(fitted)
    assert np.array_equal(found.best, again.best)
    turned = replace(
        fitted, systems=fitted.systems[::-1], theta=fitted.theta[::-1],
        covariance=fitted.covariance[::-1, ::-1],
    )  # fmt: skip
    other = ranks(turned)
    np.testing.assert_allclose(other.best[::-1], found.best, atol=0.03)
    wider = ranks(fitted, level=0.999)
    assert (wider.high - wider.low >= found.high - found.low).all()
