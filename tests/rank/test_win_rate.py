from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from evenhand.intervals import clustered_t
from evenhand.rank.battles import Battles
from evenhand.rank.win_rate import (
    length_controlled,
    length_controlled_board,
    win_matrix,
    win_rate,
)


@st.composite
def some_battles(draw) -> Battles:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 60))
    a = rng.integers(0, 4, n)
    b = (a + rng.integers(1, 4, n)) % 4
    outcome = rng.choice([0, 0.5, 1, np.nan], n)
    return Battles.numbered(
        tuple("wxyz"), a, b, outcome=outcome, clusters=rng.integers(0, 15, n),
        weights=rng.integers(0, 3, n),
    )  # fmt: skip


# ---- plain and adjusted --------------------------------------------------------------------------


def test_a_tie_is_half_a_win_and_an_undecided_battle_is_counted_apart():
    found = win_rate(
        Battles.of(["x", "y", "x", "x"], ["y", "x", "z", "z"], [1, 1, 0.5, np.nan]), "x"
    )
    assert found.raw.estimate == 0.5
    assert (found.n_used, found.n_ties, found.n_undecided) == (3, 1, 1)
    assert found.opponents == ("y", "z")


def test_an_uneven_schedule_moves_the_raw_rate_and_not_the_adjusted_one():
    """x wins .75 against y and .25 against z, whoever it meets more often."""

    def schedule(against_y: int, against_z: int):
        other = ["y"] * 4 * against_y + ["z"] * 4 * against_z
        outcome = [1, 1, 1, 0] * against_y + [1, 0, 0, 0] * against_z
        return win_rate(Battles.of(["x"] * len(other), other, outcome), "x")

    easy, hard = schedule(30, 10), schedule(10, 30)
    assert (easy.raw.estimate, hard.raw.estimate) == (0.625, 0.375)
    assert easy.adjusted.estimate == hard.adjusted.estimate == 0.5
    assert easy.adjusted.low < 0.5 < easy.adjusted.high


def test_against_one_opponent_both_rates_are_the_same():
    battles = Battles.of(["x"] * 40, ["y", "z"] * 20, [1, 0, 0, 1] * 10)
    found = win_rate(battles, "x", against="y")
    assert found.raw == found.adjusted == clustered_t([1, 0] * 10, np.arange(20), span=(0, 1))
    assert found.opponents == ("y",)


def test_battles_of_one_prompt_widen_the_interval():
    outcome = np.repeat(np.random.default_rng(0).integers(0, 2, 40), 5)
    names = ["x"] * 200, ["y"] * 200
    alone = win_rate(Battles.of(*names, outcome), "x").raw
    grouped = win_rate(Battles.of(*names, outcome, clusters=np.repeat(np.arange(40), 5)), "x").raw
    assert grouped.n_clusters == 40
    assert grouped.high - grouped.low > 1.8 * (alone.high - alone.low)


@settings(max_examples=50, deadline=None)
@given(some_battles())
def test_the_side_on_which_a_battle_is_told_changes_nothing(battles):
    for system in battles.systems:
        one, other = win_rate(battles, system), win_rate(battles.swapped(), system)
        assert one.raw.estimate == pytest.approx(other.raw.estimate, nan_ok=True)
        assert one.adjusted.estimate == pytest.approx(other.adjusted.estimate, nan_ok=True)
        assert (one.n_used, one.n_undecided) == (other.n_used, other.n_undecided)
    np.testing.assert_allclose(win_matrix(battles).rates, win_matrix(battles.swapped()).rates)


@settings(max_examples=50, deadline=None)
@given(some_battles())
def test_a_weight_repeats_its_battle_in_its_cluster(battles):
    times = battles.weights.astype(int)
    whole = Battles.numbered(
        battles.systems, battles.a.repeat(times), battles.b.repeat(times),
        outcome=battles.outcome.repeat(times), clusters=battles.clusters.repeat(times),
    )  # fmt: skip
    for system in battles.systems:
        one, other = win_rate(battles, system), win_rate(whole, system)
        for x, y in ((one.raw, other.raw), (one.adjusted, other.adjusted)):
            assert x.estimate == pytest.approx(y.estimate, nan_ok=True)
            assert x.n_clusters == y.n_clusters
            assert (x.low is None) == (y.low is None)
            if x.low is not None and "Wilson" not in y.method:
                assert (x.low, x.high) == pytest.approx((y.low, y.high))


@settings(max_examples=50, deadline=None)
@given(some_battles())
def test_the_matrix_holds_the_rates_of_every_pair(battles):
    found = win_matrix(battles)
    np.testing.assert_allclose(found.rates + found.rates.T, np.where(found.counts > 0, 1, np.nan))
    assert (found.counts == found.counts.T).all()
    assert (found.ties <= found.counts).all()
    assert found.counts.sum() / 2 == pytest.approx(battles.weights[battles.usable].sum())
    for i, one in enumerate(battles.systems):
        for j, other in enumerate(battles.systems):
            expected = win_rate(battles, one, against=other).raw.estimate
            assert found.rates[i, j] == pytest.approx(expected, nan_ok=True)


def test_winning_everything_is_no_point_of_certainty():
    found = win_rate(Battles.of(["x"] * 20, ["y"] * 20, np.ones(20)), "x")
    assert found.raw.estimate == 1
    assert found.raw.low < 0.9
    split = win_rate(Battles.of(["x"] * 20, ["y", "z"] * 10, [1, 0] * 10), "x")
    assert split.adjusted.low is None
    assert "no variance" in split.adjusted.reason


def test_an_opponent_met_once_is_warned_about():
    battles = Battles.of(["x"] * 13, ["y"] * 12 + ["z"], [1, 0] * 6 + [1])
    assert "met on one prompt only" in win_rate(battles, "x").warnings[0]


def test_a_system_without_decided_battles_has_no_rate():
    found = win_rate(Battles.of(["x", "y"], ["y", "z"], [np.nan, 1]), "x")
    assert np.isnan(found.raw.estimate)
    assert (found.n_used, found.n_undecided, found.opponents) == (0, 1, ())


@pytest.mark.parametrize("names", [("q", None), ("x", "q")])
def test_unknown_systems_are_refused_with_those_there_are(names):
    with pytest.raises(ValueError, match="'q'; there are x, y"):
        win_rate(Battles.of(["x"], ["y"], [1]), names[0], against=names[1])


# ---- length control ------------------------------------------------------------------------------


def biased(n: int, rng: np.random.Generator, *, theta: float = 0.3, phi: float = 1.0, psi=0.0):
    """Wins before a judge that likes length; the system's answers run longer."""
    difference = rng.normal(300, 600, n)
    hard = rng.normal(0, 1, n)
    logit = theta + phi * np.tanh(difference / difference.std()) + psi * hard
    return (rng.random(n) < expit(logit)).astype(float), difference, hard


def test_a_preference_for_length_is_taken_out():
    share, difference, _ = biased(4000, np.random.default_rng(0))
    found = length_controlled(share, difference)
    assert found.raw.estimate > 0.62
    assert found.controlled.low < expit(0.3) < found.controlled.high
    assert found.length.low > 0.5
    assert found.difficulty is None
    assert found.warnings == ()


def test_a_judge_without_the_preference_is_left_alone():
    moved, held = [], 0
    for seed in range(200):
        share, difference, _ = biased(1000, np.random.default_rng(seed), phi=0)
        found = length_controlled(share, difference)
        moved.append(found.controlled.estimate - found.raw.estimate)
        held += found.length.low < 0 < found.length.high
    assert abs(np.mean(moved)) < 0.003
    assert 0.91 <= held / 200 <= 0.985


def test_the_fit_is_the_logistic_maximum_with_graded_shares():
    rng = np.random.default_rng(2)
    share, difference, hard = rng.random(60), rng.normal(50, 90, 60), rng.normal(5, 2, 60)
    found = length_controlled(share, difference, difficulty=hard)
    from scipy.optimize import minimize

    x = np.column_stack(
        [np.ones(60), np.tanh(difference / difference.std()), (hard - hard.mean()) / hard.std()]
    )

    def loss(beta):
        return np.sum(np.logaddexp(0, x @ beta) - share * (x @ beta))

    beta = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    assert (found.length.estimate, found.difficulty.estimate) == pytest.approx(beta[1:], abs=1e-6)
    x[:, 1] = 0
    assert found.controlled.estimate == pytest.approx(expit(x @ beta).mean(), abs=1e-7)


def test_the_interval_has_the_doubt_of_the_fit_which_the_spread_of_predictions_has_not():
    """AlpacaEval's standard error is the second figure: far below what refitting shows."""
    rng = np.random.default_rng(3)
    share, difference, hard = biased(500, rng, psi=0.4)
    found = length_controlled(share, difference, difficulty=hard)
    error = (found.controlled.high - found.controlled.low) / 2 / 1.965
    refits = []
    for _ in range(300):
        at = rng.integers(0, 500, 500)
        one = length_controlled(share[at], difference[at], difficulty=hard[at])
        refits.append(one.controlled.estimate)
    assert error == pytest.approx(np.std(refits), rel=0.15)
    logit = np.log(found.controlled.estimate / (1 - found.controlled.estimate))
    predicted = expit(logit + found.difficulty.estimate * (hard - hard.mean()) / hard.std())
    assert predicted.std() / np.sqrt(500) < error / 3


def test_the_interval_covers_the_truth():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        difference = rng.normal(300, 600, 200)
        p = expit(0.3 + np.tanh(difference / difference.std()))
        found = length_controlled((rng.random(200) < p).astype(float), difference).controlled
        held += found.low <= expit(0.3) <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_telling_it_from_the_other_side_gives_the_complement():
    share, difference, hard = biased(300, np.random.default_rng(5), psi=0.5)
    one = length_controlled(share, difference, difficulty=hard)
    other = length_controlled(1 - share, -difference, difficulty=hard)
    assert one.controlled.estimate + other.controlled.estimate == pytest.approx(1)
    assert one.controlled.low + other.controlled.high == pytest.approx(1)


def test_equal_lengths_leave_the_raw_rate_and_a_constant_difference_leaves_nothing():
    share = [1, 0, 0.5, 1] * 5
    equal = length_controlled(share, np.zeros(20))
    assert equal.controlled == equal.raw
    constant = length_controlled(share, np.full(20, 7.0))
    assert np.isnan(constant.controlled.estimate)
    assert "by the same in every row" in constant.controlled.reason


def test_outcomes_that_length_decides_have_no_controlled_rate():
    difference = np.arange(-10.0, 10) + 0.5
    found = length_controlled((difference > 0).astype(float), difference)
    assert np.isnan(found.controlled.estimate)
    assert "no finite fit" in found.controlled.reason


def test_a_system_that_is_always_shorter_is_warned_about_as_an_extrapolation():
    share, difference, _ = biased(200, np.random.default_rng(6))
    found = length_controlled(share, -np.abs(difference))
    assert "0 of 200 rows lie on one side" in found.warnings[0]


def test_undecided_rows_are_left_out_and_counted():
    share, difference, _ = biased(100, np.random.default_rng(7))
    share[:5], difference[5] = np.nan, np.nan
    found = length_controlled(share, difference, clusters=np.arange(100) // 2)
    assert (found.n_used, found.n_missing, found.controlled.n_clusters) == (94, 6, 47)
    empty = length_controlled([np.nan], [1.0])
    assert (empty.n_used, empty.controlled.reason) == (0, "no decided row")


@pytest.mark.parametrize(
    ("share", "difference", "difficulty", "words"),
    [
        ([1, 0], [1], None, "one value a row"),
        ([1, 2], [1, 2], None, "outside"),
        ([1, 0], [1, 2], [3, 3], "every difficulty is 3"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(share, difference, difficulty, words):
    with pytest.raises(ValueError, match=words):
        length_controlled(share, difference, difficulty=difficulty)


def against_baseline(rng: np.random.Generator, n: int = 600) -> Battles:
    """Three systems against one baseline, on the same prompts; the last is the longest."""
    system = np.repeat(np.arange(3), n)
    difference = rng.normal(np.array([-200.0, 0, 400])[system], 300)
    logit = np.array([0.5, 0, -0.5])[system] + np.tanh(difference / difference.std())
    won = (rng.random(3 * n) < expit(logit)).astype(float)
    flip = rng.random(3 * n) < 0.5
    return Battles.numbered(
        ("a", "b", "c", "base"), np.where(flip, 3, system), np.where(flip, system, 3),
        outcome=np.where(flip, 1 - won, won), clusters=np.tile(np.arange(n), 3),
        covariates={"length": np.where(flip, -difference, difference)},
    )  # fmt: skip


def test_a_board_shares_the_effect_of_length_and_recovers_the_planted_rates():
    found = length_controlled_board(against_baseline(np.random.default_rng(8)), "base")
    assert found.systems == ("a", "b", "c")
    assert found.length.low < 1 < found.length.high
    for interval, theta in zip(found.controlled, (0.5, 0, -0.5), strict=True):
        assert interval.low < expit(theta) < interval.high
        assert interval.n_clusters == 600
    assert found.raw[2].estimate > found.controlled[2].estimate + 0.05


def test_a_board_of_one_system_is_the_single_fit():
    battles = against_baseline(np.random.default_rng(9))
    one = battles.where((battles.a == 0) | (battles.b == 0))
    board = length_controlled_board(one, "base")
    flip = one.a == 3
    single = length_controlled(
        np.where(flip, 1 - one.outcome, one.outcome),
        np.where(flip, -1, 1) * one.covariates[:, 0],
        clusters=one.clusters,
    )
    assert board.controlled[0] == single.controlled
    assert board.raw[0] == single.raw


def test_a_board_needs_its_covariate():
    with pytest.raises(ValueError, match="no covariate 'length'"):
        length_controlled_board(Battles.of(["x"], ["y"], [1]), "y")
