from __future__ import annotations

import numpy as np
import pytest

from evenhand.rank.battles import Battles
from evenhand.rank.judge_aware import judge_aware
from evenhand.rank.ties import davidson

GAMMA = np.array([2.0, 1.5, 1.0, 0.5, 0.0])
NAMES = ("keen", "good", "fair", "dull", "coin")


def made(seed, *, systems=12, battles=12_000, per_prompt=3, gamma=GAMMA):
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, systems)
    theta -= theta.mean()
    a = rng.integers(0, systems, battles)
    b = (a + rng.integers(1, systems, battles)) % systems
    judge = rng.integers(0, len(gamma), battles)
    p = 1 / (1 + np.exp(-gamma[judge] * (theta[a] - theta[b])))
    names = tuple(f"s{at:02d}" for at in range(systems))
    made = Battles.numbered(
        names, a, b, outcome=(rng.random(battles) < p).astype(float),
        clusters=np.arange(battles) // per_prompt,
    )  # fmt: skip
    return theta, made.judged_by(judge, NAMES[: len(gamma)])


def test_planted_discriminations_are_recovered_and_a_coin_flipper_has_none():
    theta, battles = made(1)
    found = judge_aware(battles)
    for name, truth in zip(NAMES, GAMMA, strict=True):
        sharp = found.shape[f"discrimination: {name}"]
        assert sharp.estimate == pytest.approx(truth, abs=0.2)
        assert sharp.low < truth < sharp.high
    np.testing.assert_allclose(found.theta, theta, atol=0.2)
    assert np.mean([sharp.estimate for sharp in found.shape.values()]) == pytest.approx(1)


def test_intervals_cover_strengths_and_discriminations():
    inside = []
    for seed in range(60):
        theta, battles = made(seed, systems=6, battles=1500)
        found = judge_aware(battles)
        gap = found.difference("s00", "s01")
        inside.append(gap.low < theta[0] - theta[1] < gap.high)
        sharp = found.shape["discrimination: fair"]
        inside.append(sharp.low < 1 < sharp.high)
    assert 0.88 <= np.mean(inside) <= 1


def test_weighing_judges_makes_strengths_surer_than_taking_them_all_alike():
    theta, battles = made(2, battles=3000)
    aware, alike = judge_aware(battles), davidson(battles)
    scale = np.polyfit(theta, alike.theta, 1)[0]
    error = np.abs(aware.theta - theta).mean()
    assert error < np.abs(alike.theta / scale - theta).mean()


def test_a_judge_that_prefers_the_weaker_system_is_below_zero():
    _, battles = made(3, gamma=np.array([1.5, 1.5, -1.0]))
    assert judge_aware(battles).shape["discrimination: fair"].high < 0


def test_one_judge_is_bradley_terry():
    _, battles = made(4, gamma=np.array([1.0]))
    found, plain = judge_aware(battles), davidson(battles)
    np.testing.assert_allclose(found.theta, plain.theta, atol=1e-7)
    np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-5, atol=1e-8)
    assert "sets the scale" in found.shape["discrimination: keen"].reason


def test_a_judge_without_a_decided_battle_has_no_discrimination():
    _, battles = made(5, battles=1000)
    outcome = np.where(battles.judges == 1, np.nan, battles.outcome)
    mute = Battles.numbered(battles.systems, battles.a, battles.b, outcome=outcome)
    found = judge_aware(mute.judged_by(battles.judges, NAMES))
    assert np.isnan(found.shape["discrimination: good"].estimate)
    assert found.shape["discrimination: fair"].low is not None
    assert found.n_undecided == int((battles.judges == 1).sum())


def test_the_side_that_tells_the_battle_does_not_matter():
    _, battles = made(6, battles=2000)
    one, other = judge_aware(battles), judge_aware(battles.swapped())
    np.testing.assert_allclose(one.theta, other.theta, atol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-12)


def test_verdicts_without_exception_rest_on_a_prior():
    a, b = ["x"] * 20 + ["y"] * 20, ["y"] * 20 + ["z"] * 20
    battles = Battles.of(a, b, [1.0] * 40, judges=["p", "q"] * 20)
    found = judge_aware(battles)
    assert found.separated
    assert found.prior == 0.5
    assert np.isfinite(found.theta).all()


def test_ties_count_as_half_wins():
    _, battles = made(7, battles=2000)
    assert judge_aware(battles).ties == "half"
    even = Battles.of(["x"] * 40, ["y"] * 40, [0.5] * 40, judges=["p", "q"] * 20)
    np.testing.assert_allclose(judge_aware(even).theta, 0, atol=1e-9)
