from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from evenhand.rank.battles import Battles


def test_systems_are_numbered_in_the_order_of_their_names():
    battles = Battles.of(["zoe", "bob"], ["bob", "ann"], [1, 0])
    assert battles.systems == ("ann", "bob", "zoe")
    assert battles.a.tolist() == [2, 1]
    assert battles.b.tolist() == [1, 0]
    assert battles.n_systems == 3


def test_without_clusters_every_battle_stands_for_itself():
    battles = Battles.of(["a", "b"], ["b", "a"], [1, 0])
    assert battles.clusters.tolist() == [0, 1]
    named = Battles.of(["a", "b", "a"], ["b", "a", "b"], [1, 0, 1], clusters=["q", "p", "q"])
    assert named.clusters.tolist() == [1, 0, 1]


def test_undecided_weightless_and_half_known_battles_are_not_usable():
    battles = Battles.of(
        ["a"] * 4, ["b"] * 4, [1, np.nan, 0, 1], weights=[1, 1, 0, 1],
        covariates={"length": [0.1, 0.2, 0.3, np.nan]},
    )  # fmt: skip
    assert battles.usable.tolist() == [True, False, False, False]


def test_judges_are_kept_by_number_and_name():
    battles = Battles.of(["a", "a"], ["b", "b"], [1, 0], judges=["y", "x"])
    assert battles.judge_names == ("x", "y")
    assert battles.judges.tolist() == [1, 0]


def test_the_other_side_tells_the_same_battles():
    battles = Battles.of(["a"], ["b"], [0.75], covariates={"length": [0.2]})
    told = battles.swapped()
    assert (told.a[0], told.b[0], told.outcome[0]) == (1, 0, 0.25)
    assert told.covariates.tolist() == [[-0.2]]
    assert np.array_equal(told.swapped().outcome, battles.outcome)


def test_choosing_battles_keeps_numbers_of_systems_and_clusters():
    battles = Battles.of(["a", "b", "c"], ["b", "c", "a"], [1, 0, 1], clusters=[5, 6, 7])
    kept = battles.where(np.array([False, True, True]))
    assert kept.systems == ("a", "b", "c")
    assert kept.clusters.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"b": [0]}, "against itself"),
        ({"b": [2]}, "outside 0 to 1"),
        ({"outcome": [2]}, "outcome outside"),
        ({"outcome": [1, 0]}, "one value a battle"),
        ({"weights": [-1]}, "negative or unknown"),
        ({"covariates": {"length": [1, 2]}}, "'length' has shape"),
        ({"systems": ("a", "a")}, "named twice"),
    ],
)
def test_impossible_battles_are_refused(change, said):
    given = {"systems": ("a", "b"), "a": [0], "b": [1], "outcome": [1]} | change
    with pytest.raises(ValueError, match=said):
        Battles.numbered(given.pop("systems"), given.pop("a"), given.pop("b"), **given)


def test_one_long_name_does_not_give_every_row_its_room():
    rows = ["x" * 100_000] + ["y"] * 199
    tracemalloc.start()
    try:
        battles = Battles.of(rows, ["z"] * 200, [1.0] * 200, clusters=rows)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert battles.systems[1:] == ("y", "z")
    assert most < 2_000_000
