from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from evenhand.rank.battles import Battles
from evenhand.rank.bradley_terry import bootstrap, bradley_terry, elo_interval, elo_points
from evenhand.rank.likelihood import meat
from evenhand.rank.meeting import Meeting
from tests.rank.arena import long_winded, names, simple, tau

seeds = st.integers(0, 10**6)


def same(one, other, tolerance=1e-8):
    np.testing.assert_allclose(one.theta, other.theta, atol=tolerance)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=tolerance)
    for name, effect in one.effects.items():
        assert effect.estimate == pytest.approx(other.effects[name].estimate, abs=tolerance)
        assert effect.low == pytest.approx(other.effects[name].low, abs=tolerance)


def with_length(seed: int, n: int = 150, k: int = 4) -> Battles:
    battles = simple(n, k, clusters=40, seed=seed)
    x = np.random.default_rng(seed).normal(size=(n, 1))
    return replace(battles, covariates=x, names=("length",))


# ---- the estimate --------------------------------------------------------------------------------


def test_two_systems_have_the_log_odds_of_their_wins():
    fitted = bradley_terry(Battles.of(["a"] * 40, ["b"] * 40, [1] * 30 + [0] * 10))
    gap = fitted.difference("a", "b")
    assert gap.estimate == pytest.approx(np.log(3))
    # the sandwich of a share, carried to log odds: 1 / (n p q), times G / (G - 1)
    error = np.sqrt(40 / 39 / (40 * 0.75 * 0.25))
    assert (gap.high - gap.estimate) / 2.0227 == pytest.approx(error, rel=1e-4)
    assert fitted.probability("a", "b").estimate == pytest.approx(0.75)
    assert not fitted.separated
    assert fitted.prior == 0
    assert fitted.warnings == ()


def test_expected_wins_equal_wins():
    battles = simple(800, 7, seed=3)
    theta = bradley_terry(battles).theta
    p = expit(theta[battles.a] - theta[battles.b])
    left = np.bincount(battles.a, battles.outcome - p, 7) - np.bincount(
        battles.b, battles.outcome - p, 7
    )
    np.testing.assert_allclose(left, 0, atol=1e-9)


def test_shares_of_a_win_are_fitted_exactly():
    theta = np.array([0.7, 0.1, -0.8])
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    battles = Battles.numbered(names(3), a, b, outcome=expit(theta[a] - theta[b]))
    np.testing.assert_allclose(bradley_terry(battles).theta, theta, atol=1e-12)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_names_do_not_matter(seed):
    battles = with_length(seed)
    order = np.random.default_rng(seed).permutation(4)
    moved = replace(battles, a=order[battles.a], b=order[battles.b])
    one, other = bradley_terry(battles), bradley_terry(moved)
    other = replace(
        other, theta=other.theta[order], covariance=other.covariance[np.ix_(order, order)]
    )
    same(one, other)


@given(seeds, st.booleans())
@settings(max_examples=25, deadline=None)
def test_which_side_is_told_first_does_not_matter(seed, control):
    battles = with_length(seed)
    same(bradley_terry(battles, control=control), bradley_terry(battles.swapped(), control=control))


@given(seeds, st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_weight_of_two_is_the_row_twice_in_its_cluster(seed, control):
    battles = with_length(seed)
    twice = np.random.default_rng(seed).random(battles.a.size) < 0.3
    heavy = replace(battles, weights=1.0 + twice)
    rows = np.repeat(np.arange(battles.a.size), 1 + twice)
    same(bradley_terry(heavy, control=control), bradley_terry(battles.where(rows), control=control))


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_units_of_a_covariate_do_not_matter(seed):
    battles = with_length(seed)
    same(
        bradley_terry(battles),
        bradley_terry(replace(battles, covariates=1000 * battles.covariates)),
    )


@pytest.mark.parametrize("clusters", [30, 300, 2000, None])
def test_the_covariance_is_the_textbook_sandwich_however_it_is_summed(clusters):
    battles = simple(1200, 5, clusters=clusters, seed=8)
    x = np.random.default_rng(1).normal(size=(1200, 2))
    battles = replace(battles, covariates=x, names=("x", "y"), weights=1.0 + (x[:, 0] > 0))
    fitted = bradley_terry(battles)
    spread = np.sqrt(battles.weights @ x**2 / battles.weights.sum())
    rows = np.hstack([np.eye(5)[battles.a] - np.eye(5)[battles.b], x / spread])
    point = np.concatenate([fitted.theta, [e.estimate for e in fitted.effects.values()]])
    p = expit(rows @ point)
    inverse = np.linalg.pinv((rows * (battles.weights * p * (1 - p))[:, None]).T @ rows)
    scores = rows * (battles.weights * (battles.outcome - p))[:, None]
    groups = np.unique(battles.clusters)
    sums = np.array([scores[battles.clusters == one].sum(axis=0) for one in groups])
    whole = inverse @ sums.T @ sums @ inverse * groups.size / (groups.size - 1)
    np.testing.assert_allclose(fitted.covariance, whole[:5, :5], atol=1e-9)
    half = fitted.effects["y"].high - fitted.effects["y"].estimate
    assert half == pytest.approx(np.sqrt(whole[6, 6]) * 1.98, rel=0.04)
    assert fitted.n_clusters == groups.size


def test_many_systems_and_a_giant_cluster_are_summed_in_blocks():
    battles = simple(3000, 40, clusters=400_000, seed=2)
    lumped = replace(battles, clusters=np.where(battles.clusters < 5000, 0, battles.clusters))
    groups, compact = np.unique(lumped.clusters, return_inverse=True)
    lumped = replace(lumped, clusters=compact * 400)
    same(bradley_terry(lumped), bradley_terry(replace(lumped, clusters=compact)), 1e-10)
    assert bradley_terry(lumped).n_clusters == groups.size


def test_an_anchor_moves_the_zero_and_no_difference():
    battles = simple(500, 4, clusters=60)
    free, held = bradley_terry(battles), bradley_terry(battles, anchor="s002")
    assert held.theta[2] == 0
    assert held.interval("s002").low == held.interval("s002").high == 0
    assert held.anchor == "s002"
    one, other = free.difference("s000", "s003"), held.difference("s000", "s003")
    assert one.low == pytest.approx(other.low)
    moved = held.interval("s000")
    assert moved.low == pytest.approx(free.difference("s000", "s002").low)
    assert free.theta.sum() == pytest.approx(0)


# ---- no bound, no connection, nothing ------------------------------------------------------------


def test_a_perfect_order_is_an_order_and_is_said_to_rest_on_added_wins():
    fitted = bradley_terry(Battles.of(["a", "b", "a"] * 20, ["b", "c", "c"] * 20, [1] * 60))
    assert fitted.separated
    assert fitted.prior == 0.5
    assert fitted.theta[0] > fitted.theta[1] > fitted.theta[2]
    (said,) = fitted.warnings
    assert said == (
        "a never lost; c never won: such strengths have no bound, and what is shown rests on 0.5 "
        "wins added to each side of every pair that met"
    )
    gap = fitted.difference("a", "b")
    # 20 of 20 wins do not bound the odds from above, and from below at about 0.83 (Wilson 0.84)
    assert 0.6 < fitted.probability("a", "b").low < 0.9
    assert gap.low < gap.estimate < gap.high


def test_a_group_that_never_lost_is_named():
    battles = Battles.of(list("abac") * 5, list("bacd") * 5, [1, 1, 1, 0.5] * 5)
    fitted = bradley_terry(battles)
    assert fitted.separated
    assert fitted.warnings[0].startswith("a, b (to the others) never lost; c, d (to the others)")


def test_added_wins_can_be_asked_for():
    battles = Battles.of(["a"] * 40, ["b"] * 40, [1] * 30 + [0] * 10)
    fitted = bradley_terry(battles, prior=5)
    assert fitted.theta[0] - fitted.theta[1] == pytest.approx(np.log(35 / 15))
    assert (fitted.prior, fitted.separated) == (5, False)


def test_groups_that_never_met_have_ratings_of_their_own_and_no_comparison():
    battles = Battles.of(list("axay") * 30, list("bybx") * 30, [1, 0, 0, 1, 1, 1, 1, 0] * 15)
    fitted = bradley_terry(battles)
    assert fitted.components == (("a", "b"), ("x", "y"))
    assert fitted.theta[:2].sum() == pytest.approx(0)
    assert fitted.theta[2:].sum() == pytest.approx(0)
    assert fitted.difference("a", "b").low is not None
    across = fitted.difference("a", "x")
    assert np.isnan(across.estimate)
    assert across.reason == "no battle connects them"
    assert np.isnan(fitted.covariance[0, 2])
    assert "2 groups that no battle connects (a, b; x, y)" in fitted.warnings[0]
    held = bradley_terry(battles, anchor="x")
    assert held.theta[2] == 0
    np.testing.assert_allclose(held.theta[:2], fitted.theta[:2])


def test_a_system_without_a_decided_battle_has_no_rating():
    battles = Battles.of(list("abc") * 10, list("baa") * 10, [1, 0.5, np.nan, 0, 1, np.nan] * 5)
    fitted = bradley_terry(battles)
    assert np.isnan(fitted.theta[2])
    assert fitted.interval("c").reason == "no decided battle, so no rating"
    assert fitted.warnings == ("no decided battle, so no rating: c",)
    assert (fitted.n_used, fitted.n_undecided) == (20, 10)
    assert np.isfinite(fitted.theta[:2]).all()
    anchored = bradley_terry(battles, anchor="c")
    assert anchored.anchor is None
    assert "no rating to be the anchor" in anchored.warnings[-1]


def test_one_system_or_nothing_decided_is_a_plain_outcome():
    alone = bradley_terry(Battles.numbered(("a",), [], [], outcome=[]))
    assert np.isnan(alone.theta).all()
    nothing = bradley_terry(Battles.of(["a"], ["b"], [np.nan]))
    assert np.isnan(nothing.theta).all()
    assert (nothing.n_used, nothing.n_undecided, nothing.n_clusters) == (0, 1, 0)
    assert nothing.difference("a", "b").low is None
    assert np.isnan(bootstrap(Battles.of(["a"], ["b"], [np.nan]), replicates=3)).all()


def test_ties_only_are_even_and_show_no_variance():
    fitted = bradley_terry(Battles.of(list("abc") * 10, list("bca") * 10, [0.5] * 30))
    np.testing.assert_allclose(fitted.theta, 0, atol=1e-12)
    gap = fitted.difference("a", "b")
    assert (gap.estimate, gap.low, gap.reason) == (0, None, "no variance can be seen")


def test_a_single_battle_gives_a_direction_and_no_interval():
    fitted = bradley_terry(Battles.of(["a"], ["b"], [1]))
    assert fitted.difference("a", "b").estimate == pytest.approx(np.log(3))
    assert fitted.difference("a", "b").low is None
    assert fitted.separated


def test_wrong_use_is_refused():
    battles = Battles.of(["a"], ["b"], [1])
    with pytest.raises(ValueError, match="no system to rate"):
        bradley_terry(Battles.numbered((), [], [], outcome=[]))
    with pytest.raises(ValueError, match=r"anchor is 'z'.*a, b"):
        bradley_terry(battles, anchor="z")
    with pytest.raises(ValueError, match="a prior of 0"):
        bradley_terry(battles, prior=0)


# ---- covariates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_control_finds_the_order_that_a_long_winded_judge_hides(seed):
    battles, truth = long_winded(2.0, seed=seed)
    plain = tau(bradley_terry(battles, control=False).theta, truth)
    fitted = bradley_terry(battles)
    assert plain < 0.8
    assert tau(fitted.theta, truth) > 0.93
    effect = fitted.effects["length"]
    assert abs(effect.estimate - 2) < 0.1
    assert effect.low is not None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_control_does_no_harm_where_length_does_not_matter(seed):
    battles, truth = long_winded(0.0, seed=seed)
    plain = tau(bradley_terry(battles, control=False).theta, truth)
    assert tau(bradley_terry(battles).theta, truth) > plain - 0.03


def test_a_covariate_that_says_nothing_of_its_own_has_no_effect_and_a_reason():
    battles = with_length(4)
    skill = np.array([0.3, 1.0, -1.0, 0.2])
    columns = np.column_stack(
        [
            np.zeros(150),
            skill[battles.a] - skill[battles.b],
            battles.covariates[:, 0],
            -3 * battles.covariates[:, 0],
        ]
    )
    many = replace(battles, covariates=columns, names=("zero", "skill", "length", "again"))
    fitted = bradley_terry(many)
    for name in ("zero", "skill", "again"):
        assert np.isnan(fitted.effects[name].estimate)
        assert "cannot tell it" in fitted.effects[name].reason
    np.testing.assert_allclose(fitted.theta, bradley_terry(battles).theta, atol=1e-9)
    only = bradley_terry(replace(battles, covariates=np.zeros((150, 1)), names=("zero",)))
    assert np.isnan(only.effects["zero"].estimate)
    same(replace(only, effects={}), bradley_terry(battles, control=False))


def test_covariates_that_decide_every_battle_are_said_to():
    battles = simple(200, 4, clusters=50)
    x = np.where(battles.outcome > 0.5, 1.0, -1.0)
    decisive = replace(
        battles, covariates=x[:, None], names=("length",), outcome=(x > 0).astype(float)
    )
    fitted = bradley_terry(decisive)
    assert fitted.separated
    assert fitted.prior == 0.5
    assert "covariates decide who wins" in fitted.warnings[-1]
    assert 2 < fitted.effects["length"].estimate < 10
    assert np.isfinite(fitted.theta).all()


def test_an_unknown_covariate_leaves_a_battle_out_only_under_control():
    battles = with_length(5)
    battles.covariates[:7] = np.nan
    assert bradley_terry(battles).n_undecided == 7
    assert bradley_terry(battles, control=False).n_undecided == 0
    assert bradley_terry(battles, control=False).effects == {}


# ---- resampling and points -----------------------------------------------------------------------


@pytest.mark.parametrize("clusters", [None, 300])
def test_the_sandwich_agrees_with_resampled_clusters(clusters):
    battles = simple(6000, 8, clusters=clusters, seed=4)
    drawn = bootstrap(battles, replicates=600)
    assert drawn.shape == (600, 8)
    ratio = drawn.std(axis=0) / np.sqrt(np.diag(bradley_terry(battles).covariance))
    assert abs(ratio.mean() - 1) < 0.03


def test_each_replicate_is_the_fit_of_its_own_battles():
    from evenhand.intervals import cluster_weights

    battles = simple(400, 5, clusters=30, seed=6)
    drawn = bootstrap(battles, replicates=8, seed=9)
    (weights,) = cluster_weights(30, 8, 9)
    for row, times in zip(drawn, weights, strict=True):
        again = bradley_terry(replace(battles, weights=times[battles.clusters]))
        np.testing.assert_allclose(row, again.theta, atol=1e-5)


def test_few_kinds_of_battles_are_drawn_by_kind():
    battles = simple(4000, 3, seed=7)
    drawn = bootstrap(battles, replicates=800)
    ratio = drawn.std(axis=0) / np.sqrt(np.diag(bradley_terry(battles).covariance))
    np.testing.assert_allclose(ratio, 1, atol=0.08)


def test_replicates_without_a_bound_are_nan():
    outcome = [1] * 30 + [0]  # one loss; a third of the resamples miss it
    battles = Battles.of(["a"] * 31 + ["b"] * 20, ["b"] * 31 + ["c"] * 20, outcome + [1, 0] * 10)
    drawn = bootstrap(battles, replicates=300)
    missing = np.isnan(drawn).any(axis=1)
    assert 0.2 < missing.mean() < 0.5
    assert np.isnan(drawn[missing]).all()


def test_replicates_that_fall_apart_are_nan():
    clusters = [0] + [1 + i for i in range(40)]
    a, b = ["b"] + ["a"] * 20 + ["c"] * 20, ["c"] + ["b"] * 20 + ["d"] * 20
    battles = Battles.of(a, b, [0.5] + [1, 0] * 20, clusters=clusters)
    missing = np.isnan(bootstrap(battles, replicates=300)).all(axis=1)
    assert 0.25 < missing.mean() < 0.5  # the one bridge is missed with (40 / 41) ** 41


def test_the_same_seed_gives_the_same_replicates():
    battles = simple(300, 4, clusters=40)
    assert np.array_equal(bootstrap(battles, replicates=70), bootstrap(battles, replicates=70))
    assert not np.array_equal(
        bootstrap(battles, replicates=70), bootstrap(battles, replicates=70, seed=1)
    )


def test_four_hundred_points_are_ten_to_one():
    fitted = bradley_terry(Battles.of(["a"] * 11, ["b"] * 11, [1] * 10 + [0]), anchor="b")
    assert elo_points(fitted).tolist() == pytest.approx([1400, 1000])
    shown = elo_interval(fitted.interval("a"))
    assert shown.estimate == pytest.approx(1400)
    assert shown.low < shown.estimate < shown.high
    assert elo_interval(fitted.difference("a", "b"), centre=0).estimate == pytest.approx(400)
    few = bradley_terry(Battles.of(["a"] * 2, ["b"] * 2, [1, 0]))
    assert elo_interval(few.interval("a")).low is None


def test_names_of_prompts_say_nothing_where_each_has_one_battle():
    battles = simple(300, 4, clusters=300, seed=3)
    ordered = replace(battles, clusters=np.arange(300))
    shuffled = replace(battles, clusters=np.random.default_rng(4).permutation(300))
    same(bradley_terry(ordered), bradley_terry(shuffled))
    p = expit((theta := bradley_terry(ordered).theta)[battles.a] - theta[battles.b])
    pull = np.zeros((300, 4))
    pull[np.arange(300), battles.a] = battles.outcome - p
    pull[np.arange(300), battles.b] = p - battles.outcome
    met = (np.abs(pull) > 0).astype(float) * np.sqrt(p * (1 - p))[:, None]
    sides = met * np.sign(pull) * np.sign(battles.outcome - p)[:, None]
    bread = np.linalg.pinv(sides.T @ sides)
    expected = bread @ (pull.T @ pull) @ bread * 300 / 299
    np.testing.assert_allclose(bradley_terry(shuffled).covariance, expected, atol=1e-8)


@pytest.mark.parametrize(("systems", "battles", "prompts"), [(100, 8000, 2000), (100, 400, 200)])
def test_sums_by_prompt_are_the_same_by_whichever_way_they_are_made(systems, battles, prompts):
    """Sparse, by couples, or dense: the size decides, and the plain sum is the truth."""
    rng = np.random.default_rng(4)
    a = rng.integers(0, systems, battles)
    b = (a + rng.integers(1, systems, battles)) % systems
    given = Battles.numbered(
        tuple(f"s{i:03}" for i in range(systems)), a, b,
        outcome=rng.integers(0, 2, battles), clusters=rng.integers(0, prompts, battles),
    )  # fmt: skip
    rows = Meeting.of(given, control=False).rows
    point = rng.normal(size=systems)
    each = np.zeros((int(rows.clusters.max()) + 1, systems))
    residual = rows.share - expit(point[rows.a] - point[rows.b])
    np.add.at(each, (rows.clusters, rows.a), residual)
    np.add.at(each, (rows.clusters, rows.b), -residual)
    np.testing.assert_allclose(meat(rows, point), each.T @ each, atol=1e-9)
