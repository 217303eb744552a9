from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evenhand.rank.graph import components, cycles, separated


def test_meetings_connect_systems_through_others():
    assert components(6, [0, 1, 4], [1, 2, 5]) == ((0, 1, 2), (3,), (4, 5))
    assert components(2, [], []) == ((0,), (1,))


def test_a_group_that_never_lost_stands_apart():
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[1, 0] = 1
    wins[0, 2] = wins[1, 3] = 1
    wins[2, 3] = wins[3, 2] = 0.5
    assert separated(wins) == ((0, 1), (2, 3))
    wins[2, 0] = 0.5
    assert separated(wins) == ((0, 1, 2, 3),)


def test_stone_paper_and_scissors_are_one_cycle():
    wins = np.array([[0, 3, 1], [1, 0, 3], [3, 1, 0.0]])
    found = cycles(wins)
    assert (found.triads, found.cyclic, found.share) == (1, 1, 1.0)
    assert found.examples == ((0, 1, 2),)


def test_an_order_has_no_cycle_and_few_systems_no_triad():
    found = cycles(np.triu(np.ones((6, 6)), 1))
    assert (found.triads, found.cyclic, found.examples) == (20, 0, ())
    assert np.isnan(cycles(np.array([[0, 1], [0, 0.0]])).share)


def test_no_more_examples_are_given_than_asked_for():
    # a regular tournament of seven: 14 of 35 triads go round
    at = np.arange(7)
    wins = np.isin((at - at[:, None]) % 7, [1, 2, 4]).astype(float)
    found = cycles(wins, examples=3)
    assert (found.triads, found.cyclic, len(set(found.examples))) == (35, 14, 3)


@given(st.integers(0, 10**6), st.integers(3, 8), st.booleans())
def test_triads_are_counted_as_by_looking_at_each(seed, k, complete):
    rng = np.random.default_rng(seed)
    wins = rng.integers(0, 3, (k, k)).astype(float)
    if complete:
        wins = np.triu(wins, 1) + np.tril(wins.max() - wins.T + 0.5, -1)
    np.fill_diagonal(wins, 0)
    beats = wins > wins.T
    whole, around = 0, set()
    for i, j, m in combinations(range(k), 3):
        if all(beats[x, y] or beats[y, x] for x, y in ((i, j), (j, m), (i, m))):
            whole += 1
        for x, y, z in ((i, j, m), (i, m, j)):
            if beats[x, y] and beats[y, z] and beats[z, x]:
                around.add((x, y, z))
    found = cycles(wins, examples=1000)
    assert (found.triads, found.cyclic) == (whole, len(around))
    assert set(found.examples) == around
