from __future__ import annotations

from typing import Any

import numpy as np

from evenhand.report.figures import Evidence
from evenhand.report.slices import slices


def words(right: np.ndarray, clusters: np.ndarray | None = None) -> Evidence:
    """A judge of yes or no that is right where `right` says so."""
    n = right.size
    truth = np.arange(n) % 2.0
    said = np.where(right > 0, truth, 1 - truth)
    none = np.full(n, np.nan)
    return Evidence(
        said, said, truth[:, None], np.zeros((n, 1), dtype=np.int8),
        np.arange(n) if clusters is None else clusters, np.full(n, "s"), "words", (0.0, 1.0),
        (0.0, 1.0), none, none,
    )  # fmt: skip


def by_name(seen: Evidence, names: list[str]) -> dict[str, Any]:
    return {one.name: one for one in slices(seen, names)}


def test_a_slice_on_which_the_judge_is_worse_is_flagged_and_the_others_are_not() -> None:
    rng = np.random.default_rng(0)
    names = [("easy", "plain", "hard")[i % 3] for i in range(300)]
    share = np.where(np.array(names) == "hard", 0.6, 0.9)
    found = by_name(words((rng.random(300) < share).astype(float)), names)
    assert found["hard"].flagged
    assert found["hard"].difference.high < 0
    assert found["hard"].accuracy.level == found["hard"].difference.level == 1 - 0.05 / 3
    assert found["easy"].accuracy.estimate > 0.8


def test_slices_that_do_not_differ_are_seldom_flagged() -> None:
    wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        names = [f"s{i % 4}" for i in range(200)]
        found = slices(words((rng.random(200) < 0.8).astype(float)), names)
        wrong += any(one.flagged for one in found)
    assert wrong <= 12  # 5 of 100 expected, 12 is three standard errors more


def test_small_slices_of_clusters_that_do_not_differ_are_seldom_flagged() -> None:
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        names = np.repeat(rng.integers(0, 4, 100), 2)
        easy = np.clip(0.8 + 0.15 * np.repeat(rng.standard_normal(100), 2), 0.3, 1.0)
        seen = words((rng.random(200) < easy).astype(float), np.repeat(np.arange(100), 2))
        wrong += any(one.flagged for one in slices(seen, [f"s{name}" for name in names]))
    assert wrong <= 19  # 10 of 200 expected, 19 is three standard errors more


def test_the_difference_of_two_slices_is_paired_where_they_share_clusters() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(100) < 0.5
    right = np.repeat(np.where(hard, 0.0, 1.0), 2)
    right[rng.random(200) < 0.05] = 1.0
    names = ["old", "new"] * 100
    paired = by_name(words(right, np.repeat(np.arange(100), 2)), names)["new"].difference
    single = by_name(words(right), names)["new"].difference
    assert paired.high - paired.low < (single.high - single.low) / 2


def test_a_slice_without_an_error_still_has_a_wide_interval() -> None:
    right = np.ones(120)
    right[60:72] = 0
    found = by_name(words(right), ["a"] * 60 + ["b"] * 60)
    gap = found["a"].difference
    assert gap.method.startswith("square-and-add")
    assert gap.low < 0.2 < gap.high
    assert by_name(words(np.ones(40)), ["a", "b"] * 20)["a"].difference.low < 0


def test_few_clusters_and_a_single_slice_have_a_reason_instead_of_a_difference() -> None:
    found = by_name(words(np.ones(30)), ["a"] * 4 + ["b"] * 26)["a"]
    assert found.difference.low is None
    assert "4 clusters" in found.difference.reason
    assert not found.flagged
    assert "no other slice" in by_name(words(np.ones(30)), ["a"] * 30)["a"].difference.reason
    assert slices(words(np.ones(3)), None) == ()


def test_on_a_line_a_slice_is_measured_by_closeness() -> None:
    n, rng = 60, np.random.default_rng(2)
    truth = rng.uniform(1, 5, n)
    judged = np.clip(truth + np.where(np.arange(n) < 30, 0.0, 1.5), 1, 5)
    none = np.full(n, np.nan)
    seen = Evidence(
        judged, judged, truth[:, None], np.zeros((n, 1), dtype=np.int8), np.arange(n),
        np.full(n, "s"), "line", (), (1.0, 5.0), none, none,
    )  # fmt: skip
    found = by_name(seen, ["near"] * 30 + ["far"] * 30)
    assert found["near"].measure == "closeness"
    assert found["near"].accuracy.estimate == 1.0
    assert found["far"].flagged
