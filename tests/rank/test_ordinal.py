from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from evenhand.rank.battles import Battles
from evenhand.rank.bradley_terry import bradley_terry
from evenhand.rank.ordinal import ordinal
from evenhand.rank.ties import davidson, rao_kupper

GRADES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def made(seed, *, systems=8, battles=4000, per_prompt=1, cuts=(-1.5, -0.4, 0.4, 1.5)):
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, systems)
    theta -= theta.mean()
    a = rng.integers(0, systems, battles)
    b = (a + rng.integers(1, systems, battles)) % systems
    felt = theta[a] - theta[b] + rng.logistic(size=battles)
    outcome = GRADES[np.searchsorted(np.array(cuts), felt)]
    names = tuple(f"s{at}" for at in range(systems))
    clusters = np.arange(battles) // per_prompt
    return theta, Battles.numbered(names, a, b, outcome=outcome, clusters=clusters)


def test_cut_points_and_strengths_are_recovered():
    theta, battles = made(1, battles=20_000)
    found = ordinal(battles)
    assert list(found.shape) == ["cut 0.5|0.75", "cut 0.75|1"]
    for truth, cut in zip((0.4, 1.5), found.shape.values(), strict=True):
        assert cut.estimate == pytest.approx(truth, abs=0.06)
        assert cut.low < truth < cut.high
    np.testing.assert_allclose(found.theta, theta, atol=0.1)


def test_the_fit_is_the_maximum_of_the_plain_likelihood():
    _, battles = made(2, systems=4, battles=500)
    place = np.searchsorted(GRADES, battles.outcome)

    def loss(x):
        theta, inner = x[:4] - x[:4].mean(), np.exp(x[4])
        outer = inner + np.exp(x[5])
        ends = np.array([-60, -outer, -inner, inner, outer, 60])
        gap = theta[battles.a] - theta[battles.b]
        return -np.log(expit(ends[place + 1] - gap) - expit(ends[place] - gap)).sum()

    best = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7}).x
    found = ordinal(battles)
    np.testing.assert_allclose(found.theta, best[:4] - best[:4].mean(), atol=2e-6)
    cuts = [cut.estimate for cut in found.shape.values()]
    wanted = [np.exp(best[4]), np.exp(best[4]) + np.exp(best[5])]
    np.testing.assert_allclose(cuts, wanted, atol=2e-6)


def test_the_side_that_tells_the_battle_does_not_matter():
    _, battles = made(3, per_prompt=4)
    one, other = ordinal(battles), ordinal(battles.swapped())
    np.testing.assert_array_equal(one.theta, other.theta)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-15)
    assert one.shape["cut 0.75|1"].estimate == other.shape["cut 0.75|1"].estimate


def test_grades_of_one_side_only_still_have_their_mirror_image():
    rng = np.random.default_rng(4)
    outcome = rng.choice([0.25, 0.5, 0.75, 1.0], 400)
    flip = rng.random(400) < 0.5
    names = np.array(["x", "y"])
    battles = Battles.of(names[flip.astype(int)], names[1 - flip.astype(int)], outcome)
    found = ordinal(battles)
    assert list(found.shape) == ["cut 0.5|0.75", "cut 0.75|1"]
    assert np.isfinite(found.theta).all()


def test_without_ties_the_middle_cut_is_nothing_and_four_grades_have_one():
    _, battles = made(5, cuts=(-1.5, -1e-12, 1e-12, 1.5))
    assert set(np.unique(battles.outcome)) == {0.0, 0.25, 0.75, 1.0}
    assert list(ordinal(battles).shape) == ["cut 0.75|1"]


def test_three_grades_are_the_model_of_rao_and_kupper():
    _, battles = made(6, cuts=(-0.5, -0.5, 0.5, 0.5))
    outcome = np.where(battles.outcome == 0.5, 0.5, np.round(battles.outcome))
    three = Battles.numbered(battles.systems, battles.a, battles.b, outcome=outcome)
    one, other = ordinal(three), rao_kupper(three)
    np.testing.assert_allclose(one.theta, other.theta, atol=1e-12)
    eta = np.exp(one.shape["cut 0.5|1"].estimate)
    assert eta == pytest.approx(other.shape["eta"].estimate)


def test_two_grades_are_bradley_terry():
    battles = Battles.of(["x"] * 40, ["y"] * 40, [1.0] * 30 + [0.0] * 10)
    found = ordinal(battles)
    assert found.theta[0] - found.theta[1] == pytest.approx(np.log(3))
    assert not found.shape
    np.testing.assert_allclose(found.covariance, davidson(battles).covariance, atol=1e-12)
    _, drawn = made(12, systems=6, battles=900, per_prompt=3, cuts=(-1e-12, -1e-13, 0, 1e-12))
    drawn = drawn.where(np.isin(drawn.outcome, (0, 1)))
    one, other = ordinal(drawn), bradley_terry(drawn)
    np.testing.assert_allclose(one.theta, other.theta, atol=1e-8)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-8)


def test_grades_say_more_than_who_won_but_are_no_three_copies():
    _, battles = made(7, battles=3000)
    graded = ordinal(battles)
    plain = ordinal(
        Battles.numbered(
            battles.systems, battles.a, battles.b,
            outcome=np.where(battles.outcome == 0.5, 0.5, np.round(battles.outcome + 1e-9)),
        )
    )  # fmt: skip
    ratio = np.sqrt(np.diag(graded.covariance) / np.diag(plain.covariance)).mean()
    assert 0.85 < ratio < 1


def test_only_the_order_of_grades_counts():
    _, battles = made(8)
    moved = Battles.numbered(
        battles.systems, battles.a, battles.b,
        outcome=np.array([0.0, 0.4, 0.5, 0.6, 1.0])[np.searchsorted(GRADES, battles.outcome)],
    )  # fmt: skip
    np.testing.assert_allclose(ordinal(battles).theta, ordinal(moved).theta, atol=1e-12)


def test_a_system_that_always_won_by_far_rests_on_a_prior():
    battles = Battles.of(
        ["x"] * 20 + ["y"] * 20, ["y"] * 20 + ["z"] * 20, [1.0] * 20 + [0.25, 0.75, 0.5, 1.0] * 5
    )
    found = ordinal(battles)
    assert found.separated
    assert np.isfinite(found.theta).all()


def test_a_system_that_always_won_narrowly_is_bounded_by_its_grade():
    rng = np.random.default_rng(9)
    rest = rng.choice([0.0, 0.25, 0.75, 1.0], 200)
    battles = Battles.of(["x"] * 20 + ["y"] * 200, ["y"] * 20 + ["z"] * 200, [0.75] * 20 + [*rest])
    found = ordinal(battles)
    assert not found.separated
    assert 0 < found.difference("x", "y").estimate < 5


def test_no_decided_battle_is_an_error():
    with pytest.raises(ValueError, match="no battle is decided"):
        ordinal(Battles.of(["x"], ["y"], [np.nan]))


def test_shares_that_all_differ_are_no_grades():
    shares = np.random.default_rng(1).random(60)
    with pytest.raises(ValueError, match=r"different outcomes.*up to 50"):
        ordinal(Battles.of(["x"] * 60, ["y"] * 60, shares))
