from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import minimize

from evenhand.rank.battles import Battles
from evenhand.rank.ties import davidson, rao_kupper


def outcomes(rng, gap, *, nu=None, eta=None):
    """Drawn from either model of ties."""
    if nu is not None:
        weights = np.column_stack([np.exp(-gap / 2), np.full(gap.size, nu), np.exp(gap / 2)])
        p = weights / weights.sum(axis=1, keepdims=True)
    else:
        win, loss = 1 / (1 + eta * np.exp(-gap)), 1 / (1 + eta * np.exp(gap))
        p = np.column_stack([loss, 1 - win - loss, win])
    return (rng.random(gap.size)[:, None] > np.cumsum(p, axis=1)).sum(axis=1) / 2


def made(seed, *, systems=8, battles=2000, per_prompt=1, **shape):
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, systems)
    theta -= theta.mean()
    a = rng.integers(0, systems, battles)
    b = (a + rng.integers(1, systems, battles)) % systems
    outcome = outcomes(rng, theta[a] - theta[b], **shape)
    names = tuple(f"s{at:03d}" for at in range(systems))
    clusters = np.arange(battles) // per_prompt
    return theta, Battles.numbered(names, a, b, outcome=outcome, clusters=clusters)


def plain_maximum(battles, log_likelihood):
    """By scipy, on the likelihood as the papers write it, with worths p."""
    k = battles.n_systems

    def loss(x):
        worth = np.exp(x[:k] - x[:k].mean())
        return -log_likelihood(worth[battles.a], worth[battles.b], np.exp(x[k])).sum()

    start = np.zeros(k + 1)
    start[k] = 0.3
    found = minimize(loss, start, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
    return found.x[:k] - found.x[:k].mean(), np.exp(found.x[k])


def test_davidson_is_the_maximum_of_the_plain_likelihood():
    _, battles = made(1, systems=5, battles=400, nu=0.7)
    y = battles.outcome

    def likelihood(pa, pb, nu):
        tie = nu * np.sqrt(pa * pb)
        return np.log(np.where(y == 1, pa, np.where(y == 0, pb, tie)) / (pa + pb + tie))

    theta, nu = plain_maximum(battles, likelihood)
    found = davidson(battles)
    np.testing.assert_allclose(found.theta, theta, atol=2e-6)
    assert found.shape["nu"].estimate == pytest.approx(nu, abs=2e-6)


def test_rao_kupper_is_the_maximum_of_the_plain_likelihood():
    _, battles = made(2, systems=5, battles=400, eta=1.6)
    y = battles.outcome

    def likelihood(pa, pb, eta):
        win, loss = pa / (pa + eta * pb), pb / (pb + eta * pa)
        tie = np.maximum(1 - win - loss, 1e-12)  # the optimiser may try eta below 1
        return np.log(np.where(y == 1, win, np.where(y == 0, loss, tie)))

    theta, eta = plain_maximum(battles, likelihood)
    found = rao_kupper(battles)
    np.testing.assert_allclose(found.theta, theta, atol=2e-6)
    assert found.shape["eta"].estimate == pytest.approx(eta, abs=2e-6)


def test_davidson_finds_the_share_of_ties_and_the_scale_that_half_wins_shrink():
    theta, battles = made(3, systems=20, battles=40_000, nu=0.7)
    assert np.mean(battles.outcome == 0.5) == pytest.approx(0.22, abs=0.02)
    found = davidson(battles)
    nu = found.shape["nu"]
    assert nu.low < 0.7 < nu.high
    assert nu.estimate == pytest.approx(0.7, abs=0.03)
    assert np.polyfit(theta, found.theta, 1)[0] == pytest.approx(1, abs=0.03)
    halves = plain_halves(battles)
    assert np.polyfit(theta, halves, 1)[0] == pytest.approx(0.74, abs=0.05)
    assert np.corrcoef(halves, theta)[0, 1] > 0.99


def plain_halves(battles):
    """Bradley-Terry with ties as half wins, by the classic fixed point."""
    k = battles.n_systems
    won = np.zeros((k, k))
    np.add.at(won, (battles.a, battles.b), battles.outcome)
    np.add.at(won, (battles.b, battles.a), 1 - battles.outcome)
    worth = np.ones(k)
    for _ in range(500):
        worth = won.sum(axis=1) / ((won + won.T) / (worth[:, None] + worth)).sum(axis=1)
        worth /= np.exp(np.log(worth).mean())
    return np.log(worth)


def test_rao_kupper_finds_its_threshold():
    theta, battles = made(4, systems=10, battles=20_000, eta=1.8)
    found = rao_kupper(battles)
    assert found.shape["eta"].low < 1.8 < found.shape["eta"].high
    np.testing.assert_allclose(found.theta, theta, atol=0.12)


@pytest.mark.parametrize("model", [davidson, rao_kupper])
def test_telling_every_battle_from_the_other_side_changes_nothing(model):
    _, battles = made(5, nu=0.5, per_prompt=4)
    one, other = model(battles), model(battles.swapped())
    np.testing.assert_array_equal(one.theta, other.theta)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-15)


@pytest.mark.parametrize("model", [davidson, rao_kupper])
def test_a_weight_of_two_is_the_row_twice_in_the_same_cluster(model):
    _, battles = made(6, battles=300, nu=0.5)
    doubled = Battles.numbered(
        battles.systems, battles.a, battles.b, outcome=battles.outcome,
        clusters=battles.clusters, weights=np.full(300, 2.0),
    )  # fmt: skip
    twice = Battles.numbered(
        battles.systems, np.tile(battles.a, 2), np.tile(battles.b, 2),
        outcome=np.tile(battles.outcome, 2), clusters=np.tile(battles.clusters, 2),
    )  # fmt: skip
    one, other = model(doubled), model(twice)
    np.testing.assert_allclose(one.theta, other.theta, atol=1e-10)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-10)
    np.testing.assert_allclose(one.covariance, model(battles).covariance, atol=1e-8)


def test_names_of_systems_only_move_the_figures_about():
    _, battles = made(7, systems=6, nu=0.5, per_prompt=3)
    order = np.array([3, 0, 5, 1, 4, 2])
    moved = Battles.numbered(
        battles.systems, order[battles.a], order[battles.b], outcome=battles.outcome,
        clusters=battles.clusters,
    )  # fmt: skip
    one, other = davidson(battles), davidson(moved)
    np.testing.assert_allclose(one.theta, other.theta[order], atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance[np.ix_(order, order)], atol=1e-9)


def test_the_sandwich_by_cluster_is_the_one_by_hand():
    _, battles = made(8, systems=4, battles=240, nu=0.6, per_prompt=6)
    found = davidson(battles)
    x = np.append(found.theta, np.log(found.shape["nu"].estimate))

    def each(x):
        gap = x[battles.a] - x[battles.b]
        value = np.column_stack([-gap / 2, np.full(gap.size, x[4]), gap / 2])
        picked = value[np.arange(gap.size), (2 * battles.outcome).astype(int)]
        return picked - np.log(np.exp(value).sum(axis=1))

    step = 1e-4
    moves = step * np.eye(5)
    scores = np.column_stack([(each(x + m) - each(x - m)) / (2 * step) for m in moves])
    second = [
        [(each(x + m + q) - each(x + m - q) - each(x - m + q) + each(x - m - q)).sum()
         for q in moves] for m in moves
    ]  # fmt: skip
    bread = np.linalg.pinv(-np.array(second) / (4 * step**2), rcond=1e-5)
    sums = np.array([scores[battles.clusters == c].sum(axis=0) for c in range(40)])
    by_hand = 40 / 39 * bread @ sums.T @ sums @ bread
    np.testing.assert_allclose(found.covariance, by_hand[:4, :4], rtol=1e-3, atol=1e-5)


def test_intervals_by_cluster_cover_where_battles_of_one_prompt_hang_together():
    covered, runs = 0, 150
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        theta = np.array([0.5, 0.0, -0.5])
        prompt = np.repeat(np.arange(120), 6)
        a = np.tile([0, 0, 1, 1, 2, 2], 120)
        b = np.tile([1, 2, 0, 2, 0, 1], 120)
        mood = rng.normal(0, 0.8, (120, 3))
        gap = theta[a] - theta[b] + mood[prompt, a] - mood[prompt, b]
        outcome = outcomes(rng, gap, nu=0.5)
        gap = davidson(
            Battles.numbered(("x", "y", "z"), a, b, outcome=outcome, clusters=prompt)
        ).difference("x", "z")
        covered += gap.low < 0.826 < gap.high  # 1 shrunk by the moods; from 150,000 prompts
    assert 0.88 <= covered / runs <= 1


def test_graded_outcomes_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"graded, such as 0\.75.*`ordinal`"):
        davidson(Battles.of(["x", "x"], ["y", "y"], [0.75, 0.5]))


@pytest.mark.parametrize(("model", "name", "none"), [(davidson, "nu", 0), (rao_kupper, "eta", 1)])
def test_without_a_tie_the_model_is_bradley_terry_and_says_so(model, name, none):
    found = model(Battles.of(["x"] * 40, ["y"] * 40, [1.0] * 30 + [0.0] * 10))
    assert found.theta[0] - found.theta[1] == pytest.approx(np.log(3))
    assert found.shape[name].estimate == none
    assert found.shape[name].low is None
    assert "no battle was a tie" in found.shape[name].reason


@pytest.mark.parametrize("model", [davidson, rao_kupper])
def test_a_system_that_never_lost_rests_on_a_prior_and_a_warning(model):
    a, b = ["x"] * 20 + ["y"] * 20, ["y"] * 20 + ["z"] * 20
    found = model(Battles.of(a, b, [1.0] * 20 + [1.0] * 8 + [0.5] * 4 + [0.0] * 8))
    assert found.separated
    assert found.prior == 0.5
    assert np.isfinite(found.theta).all()
    assert any("never lost" in said for said in found.warnings)
    assert found.interval("x").high - found.interval("x").low > 1


@pytest.mark.parametrize("model", [davidson, rao_kupper])
def test_ties_alone_leave_all_systems_equal(model):
    found = model(Battles.of(["x"] * 20 + ["y"] * 20, ["y"] * 20 + ["z"] * 20, [0.5] * 40))
    np.testing.assert_allclose(found.theta, 0, atol=1e-9)
    assert found.separated


def test_systems_that_no_battle_connects_are_not_compared():
    outcome = [1.0, 0.0, 0.5, 1.0] * 5
    found = davidson(Battles.of(["v"] * 20 + ["x"] * 20, ["w"] * 20 + ["y"] * 20, outcome * 2))
    assert found.components == (("v", "w"), ("x", "y"))
    assert found.difference("v", "x").low is None
    assert found.difference("v", "w").low is not None
    anchored = davidson(
        Battles.of(["v"] * 20 + ["x"] * 20, ["w"] * 20 + ["y"] * 20, outcome * 2), anchor="x"
    )
    assert anchored.theta[anchored.systems.index("x")] == 0
    assert anchored.interval("v") == found.interval("v")


def test_an_anchor_without_a_battle_leaves_the_mean_at_zero_and_is_told():
    battles = Battles.numbered(("x", "y", "z"), [0] * 4, [1] * 4, outcome=[1, 0, 0.5, 1])
    found = davidson(battles, anchor="z")
    assert found.anchor is None
    assert np.isnan(found.theta[2])
    assert any("'z' has no rating" in said for said in found.warnings)


def test_an_anchor_moves_the_strengths_and_leaves_their_differences():
    _, battles = made(9, nu=0.5)
    free, held = davidson(battles), davidson(battles, anchor="s003")
    assert held.theta[3] == 0
    assert held.interval("s003").high == pytest.approx(0, abs=1e-9)
    one, other = free.difference("s001", "s002"), held.difference("s001", "s002")
    assert (one.low, one.high) == pytest.approx((other.low, other.high))
    with pytest.raises(ValueError, match="the anchor 'nobody'"):
        davidson(battles, anchor="nobody")


def test_undecided_battles_are_counted_and_left_out():
    _, battles = made(10, nu=0.5, battles=300)
    more = Battles.numbered(
        battles.systems, np.append(battles.a, 0), np.append(battles.b, 1),
        outcome=np.append(battles.outcome, np.nan),
    )  # fmt: skip
    found = davidson(more)
    assert (found.n_used, found.n_undecided) == (300, 1)
    np.testing.assert_array_equal(found.theta, davidson(battles).theta)


def test_few_clusters_give_no_interval():
    _, battles = made(11, nu=0.5, battles=300, per_prompt=60)
    found = davidson(battles)
    assert found.shape["nu"].low is None
    assert "5 clusters" in found.shape["nu"].reason


def test_covariates_are_not_silently_ignored():
    battles = Battles.of(
        ["x"] * 4, ["y"] * 4, [1, 0, 0.5, 1], covariates={"length": [1, 2, 3, np.nan]}
    )
    found = davidson(battles)
    assert found.n_used == 4
    assert any("length" in said for said in found.warnings)


def test_a_hundred_thousand_battles_take_little_time():
    _, battles = made(12, systems=100, battles=100_000, nu=0.7, per_prompt=4)
    davidson(battles)
    spent = []
    for _ in range(3):
        start = time.process_time()
        davidson(battles)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.15  # 0.04 s measured


@pytest.mark.parametrize("model", [davidson, rao_kupper])
def test_battles_that_cancel_in_every_prompt_show_no_spread(model) -> None:
    """In each prompt x wins one battle and loses one: how surely they are equal is open."""
    prompts = np.repeat(np.arange(20), 2)
    battles = Battles.of(["x", "y"] * 20, ["y", "x"] * 20, [1.0] * 40, clusters=prompts)
    gap = model(battles).difference("x", "y")
    assert gap.estimate == pytest.approx(0.0, abs=1e-9)
    assert gap.low is None
    assert gap.reason == "no variance can be seen"
