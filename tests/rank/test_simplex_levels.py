from __future__ import annotations

import numpy as np
import pytest

from evenhand.rank.simplex import simplex
from evenhand.rank.simplex_levels import simplex_levels

JUDGE = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]])


def test_with_two_levels_it_is_the_model_of_yes_and_no():
    counts = [[40, 160], [80, 120], [90, 110]]
    one, other = simplex(counts), simplex_levels(counts)
    for a, b in zip(one.score, other.score, strict=True):
        assert (b.estimate, b.low, b.high) == pytest.approx((a.estimate, a.low, a.high), abs=0.04)
    np.testing.assert_allclose(other.better, one.better, atol=0.06)
    sens = other.judge["P(1 | 1)"].estimate
    assert sens == pytest.approx(one.judge["sensitivity"].estimate, abs=0.02)


def test_expected_levels_are_within_their_intervals():
    truth = np.array([[0.2, 0.3, 0.5], [0.3, 0.4, 0.3], [0.5, 0.3, 0.2], [0.4, 0.2, 0.4]])
    inside = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        counts = np.array([rng.multinomial(300, p @ JUDGE) for p in truth])
        found = simplex_levels(counts, seed=seed)
        assert found.ess >= 400
        inside += [
            one.low < p @ [0, 1, 2] < one.high for one, p in zip(found.score, truth, strict=True)
        ]
    assert np.mean(inside) > 0.85


def test_with_three_levels_two_judges_can_tell_opposite_stories_of_the_same_scores():
    one = np.array([[0.9, 0.05, 0.05], [0.8, 0.15, 0.05], [0.05, 0.15, 0.8]])
    other = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.45, 0.5]])
    seen = np.array([[0.62, 0.12, 0.26], [0.55, 0.25, 0.2]])
    levels = np.array([0, 1, 2])
    orders = []
    for judge in (one, other):
        above = judge[:, ::-1].cumsum(axis=1)
        assert (np.diff(above, axis=0) >= -1e-12).all()  # each is a judge in stochastic order
        true = seen @ np.linalg.inv(judge)
        orders.append(float((true @ levels) @ [1, -1]))
    assert orders[0] * orders[1] < 0


def test_a_prior_decides_what_endless_counts_leave_open():
    rng = np.random.default_rng(3)
    flips = 0
    for _ in range(2000):
        alpha = np.full((3, 3), 1.0)
        judge = np.array([rng.dirichlet(row) for row in alpha])
        above = judge[:, ::-1].cumsum(axis=1)
        if (np.diff(above, axis=0) < 0).any():
            continue
        a, b = rng.dirichlet(np.ones(3), 2)
        true, said = (a - b) @ [0, 1, 2], (a - b) @ judge @ [0, 1, 2]
        flips += true * said < 0
    assert flips > 0


def test_values_of_levels_scale_the_scores():
    counts = [[50, 60, 90], [80, 60, 60]]
    one, other = simplex_levels(counts), simplex_levels(counts, values=(1, 3, 5))
    assert other.score[0].estimate == pytest.approx(1 + 2 * one.score[0].estimate)


def test_five_levels_can_be_asked_for():
    found = simplex_levels([[10, 20, 30, 60, 80], [60, 50, 40, 30, 20]])
    assert found.better[0, 1] > 0.95
    assert len(found.judge) == 25


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="rows of shape"):
        simplex_levels([[1, 2, 3], [3, 2, 1]], rows=np.ones((2, 2)))
