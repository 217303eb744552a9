from __future__ import annotations

from itertools import chain, permutations, product

import numpy as np
import pytest
from scipy.optimize import minimize

from evenhand.rank.plackett_luce import plackett_luce

THETA = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def drawn(n: int, rng: np.random.Generator, theta: np.ndarray = THETA) -> list[list[list[int]]]:
    """Strict rankings from the model: the order of strengths with Gumbel noise."""
    noise = rng.gumbel(size=(n, theta.size))
    return [[[int(s)] for s in order] for order in np.argsort(-(theta + noise), axis=1)]


def strict_likelihood(order: list[int], rest: list[int], theta: np.ndarray) -> float:
    left, total = [*order, *rest], 0.0
    for system in order:
        total += theta[system] - np.log(np.exp(theta[left]).sum())
        left.remove(system)
    return total


def orders_of(ranking: list[list[int]]) -> list[list[int]]:
    parts = product(*(permutations(group) for group in ranking))
    return [list(chain.from_iterable(part)) for part in parts]


def brute(rankings, offered, k: int, weights=None) -> np.ndarray:
    """The maximum of the mean log likelihood over all orders that ties leave open."""
    cases = []
    for ranking, there in zip(rankings, offered, strict=True):
        rest = [system for system in there if not any(system in group for group in ranking)]
        cases.append((orders_of(ranking), rest))
    mass = np.ones(len(cases)) if weights is None else weights

    def loss(theta: np.ndarray) -> float:
        return -sum(
            w * np.mean([strict_likelihood(order, rest, theta) for order in orders])
            for w, (orders, rest) in zip(mass, cases, strict=True)
        )

    found = minimize(loss, np.zeros(k), method="BFGS", options={"gtol": 1e-8}).x
    return found - found.mean()


def test_strict_rankings_give_the_maximum_that_choix_finds():
    choix = pytest.importorskip("choix")
    rankings = drawn(200, np.random.default_rng(0))
    flat = [[system for [system] in ranking] for ranking in rankings]
    expected = choix.ilsr_rankings(5, flat, tol=1e-12)
    found = plackett_luce(rankings, "abcde").theta
    np.testing.assert_allclose(found, expected - expected.mean(), atol=1e-6)


def test_partial_rankings_and_the_best_few_give_the_maximum_that_choix_finds():
    choix = pytest.importorskip("choix")
    rng = np.random.default_rng(1)
    rankings = [
        [group for group in ranking if group[0] in kept]
        for ranking in drawn(300, rng)
        for kept in [set(rng.choice(5, 4, replace=False).tolist())]
    ]
    tops = [(ranking[0][0], [system for [system] in ranking[1:]]) for ranking in rankings]
    found = plackett_luce(
        [ranking[:1] for ranking in rankings],
        "abcde",
        offered=[[system for [system] in ranking] for ranking in rankings],
    )
    expected = choix.ilsr_top1(5, tops, tol=1e-12)
    np.testing.assert_allclose(found.theta, expected - expected.mean(), atol=1e-6)


def test_two_systems_a_ranking_are_bradley_terry_with_ties_as_halves():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 4, 300)
    b = (a + rng.integers(1, 4, 300)) % 4
    share = rng.choice([0, 0.5, 1], 300)
    rankings = [
        [[x], [y]] if s == 1 else [[y], [x]] if s == 0 else [[x, y]]
        for x, y, s in zip(a.tolist(), b.tolist(), share, strict=True)
    ]

    def loss(theta: np.ndarray) -> float:
        gap = theta[a] - theta[b]
        return float(np.sum(np.logaddexp(0, gap) - share * gap))

    expected = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    found = plackett_luce(rankings, "abcd")
    np.testing.assert_allclose(found.theta, expected - expected.mean(), atol=1e-6)
    gap = found.theta[a] - found.theta[b]
    p = 1 / (1 + np.exp(-gap))
    design = (np.arange(4) == a[:, None]).astype(float) - (np.arange(4) == b[:, None])
    pull = design * (share - p)[:, None]
    bread = np.linalg.pinv(design.T @ (design * (p * (1 - p))[:, None]))
    sandwich = 300 / 299 * bread @ (pull.T @ pull) @ bread
    np.testing.assert_allclose(found.covariance, sandwich, atol=1e-8)


def test_a_tie_is_the_mean_over_the_orders_that_it_leaves_open():
    rankings = [[[0, 1], [2, 3]], [[1], [0, 2, 3]], [[3, 2, 1], [0]], [[2], [3]], [[0], [2, 1, 3]]]
    offered = [[0, 1, 2, 3]] * 3 + [[2, 3], [0, 1, 2, 3]]
    found = plackett_luce(rankings, "abcd")
    np.testing.assert_allclose(found.theta, brute(rankings, offered, 4), atol=1e-5)


def test_ties_among_the_best_few_count_the_rest_as_below():
    rankings = [[[0, 1]], [[2]], [[1], [3]], [[3, 0]], [[2, 1]]]
    offered = [[0, 1, 2, 3]] * 5
    weights = np.array([1, 2, 0.5, 1, 1])
    found = plackett_luce(rankings, "abcd", offered=offered, weights=weights)
    np.testing.assert_allclose(found.theta, brute(rankings, offered, 4, weights), atol=1e-5)


def test_a_large_tie_is_answered_with_drawn_orders():
    everyone = list(range(10))
    rankings = [[everyone[1:], [0]], [[0], everyone[1:]]] * 6
    found = plackett_luce(rankings, [f"s{i}" for i in everyone])
    assert np.isfinite(found.theta).all()
    assert np.ptp(found.theta[1:]) < 0.2


def test_a_weight_of_two_is_the_ranking_twice_in_its_cluster():
    rankings = drawn(30, np.random.default_rng(3))
    twice = plackett_luce(rankings * 2, "abcde", clusters=[*range(30)] * 2)
    heavy = plackett_luce(rankings, "abcde", weights=np.full(30, 2))
    np.testing.assert_allclose(heavy.theta, twice.theta, atol=1e-9)
    np.testing.assert_allclose(heavy.covariance, twice.covariance, atol=1e-9)
    assert (heavy.n_used, twice.n_used, twice.n_clusters) == (30, 60, 30)


def test_renumbering_the_systems_only_renumbers_the_result():
    rankings = drawn(60, np.random.default_rng(4))
    to = np.array([3, 0, 4, 1, 2])
    renamed = [[[int(to[s]) for s in group] for group in ranking] for ranking in rankings]
    one, other = plackett_luce(rankings, "abcde"), plackett_luce(renamed, "abcde")
    np.testing.assert_allclose(one.theta, other.theta[to], atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance[np.ix_(to, to)], atol=1e-9)


def test_intervals_cover_the_truth_when_a_prompt_is_ranked_several_times():
    """The three rankings of a prompt share its noise: as independent ones they cover far less."""
    rng = np.random.default_rng(5)
    held, naive, n = 0, 0, 200
    for _ in range(n):
        noise = np.repeat(rng.gumbel(size=(40, 3)), 3, axis=0)
        order = np.argsort(-(np.array([0.5, 0, -0.5]) + noise), axis=1).tolist()
        rankings = [[[s] for s in row] for row in order]
        for at, clusters in enumerate([np.repeat(np.arange(40), 3), None]):
            gap = plackett_luce(rankings, "abc", clusters=clusters).difference("a", "c")
            covers = gap.low <= 1 <= gap.high
            held, naive = (held + covers, naive) if at == 0 else (held, naive + covers)
    assert 0.91 <= held / n <= 0.985
    assert naive / n < 0.8


def test_a_system_that_never_lost_is_named_and_bounded_by_half_wins():
    found = plackett_luce([[[0], [1], [2]], [[0], [2], [1]]] * 6, "abc")
    assert found.separated
    assert found.prior == 0.5
    assert np.isfinite(found.theta).all()
    assert found.theta.argmax() == 0
    assert "never lost" in found.warnings[0]


def test_systems_that_no_ranking_connects_are_not_compared():
    rankings = [[[0], [1], [2]], [[2], [1], [0]], [[1], [0], [2]], [[3], [4]], [[4], [3]]] * 4
    found = plackett_luce(rankings, "abcdef")
    assert found.components == (("a", "b", "c"), ("d", "e"), ("f",))
    assert np.isnan(found.theta).tolist() == [False] * 5 + [True]
    assert found.theta[:3].sum() == pytest.approx(0, abs=1e-9)
    assert found.theta[3:5].tolist() == pytest.approx([0, 0])
    assert found.difference("a", "d").low is None
    assert found.difference("a", "d").reason == "no battle connects them"
    assert found.difference("a", "b").low is not None
    assert np.isnan(found.covariance[0, 3])
    assert "3 sets" in found.warnings[0]


def test_rankings_that_say_nothing_are_undecided():
    found = plackett_luce([[[0], [1]], [[1], [0]], [], [[1]]], "ab")
    assert (found.n_used, found.n_undecided) == (2, 2)
    assert "below 10" in found.interval("a").reason
    nothing = plackett_luce([[]], "ab")
    assert np.isnan(nothing.theta).all()
    assert nothing.interval("a").low is None


@pytest.mark.parametrize(
    ("rankings", "options", "words"),
    [
        ([[[0], [0]]], {}, "twice"),
        ([[[0], [5]]], {}, "outside 0 to 1"),
        ([[[0]]], {"offered": [[1]]}, "not offered"),
        ([[[0], [1]]], {"offered": []}, "1 rankings, but 0"),
        ([[[0], [1]]], {"weights": [-1]}, "weight"),
        ([[[0], [1]]], {"clusters": [1, 2]}, "clusters"),
    ],
)
def test_what_cannot_be_a_ranking_is_refused(rankings, options, words):
    with pytest.raises(ValueError, match=words):
        plackett_luce(rankings, "ab", **options)
