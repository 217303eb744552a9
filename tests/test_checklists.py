"""Ratings of checklists by a fit's data."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from evenhand import Verdict
from evenhand.checklists import checklist_key, checklist_score, grown, mixed, tree_fault
from evenhand.records import YES_NO

# Left where the second answer is at most a half; there, by the first answer.
TREE: dict[str, Any] = {
    "feature": [1, 0, -1, -1, -1],
    "threshold": [0.5, 0.25, 0.0, 0.0, 0.0],
    "left": [1, 3, -1, -1, -1],
    "right": [2, 4, -1, -1, -1],
    "value": [5.0, 4.0, 9.0, 1.0, 6.0],
}
STUMP = {"feature": [-1], "threshold": [0.0], "left": [-1], "right": [-1], "value": [3.0]}
ITEMS = ["Is it four?", "Is it short?"]


@pytest.mark.parametrize(
    ("chances", "leaf"),
    [((0.0, 0.0), 1.0), ((0.25, 0.5), 1.0), ((0.26, 0.5), 6.0), ((0.0, 0.51), 9.0)],
)
def test_a_tree_goes_left_up_to_its_threshold(chances: tuple[float, float], leaf: float) -> None:
    assert grown([TREE], chances) == leaf
    assert grown([TREE, STUMP], chances) == (leaf + 3.0) / 2


def test_chances_are_compared_in_single_precision() -> None:
    assert grown([TREE], (0.25 + 1e-12, 0.5)) == 1.0


def test_trees_and_the_plain_score_are_mixed() -> None:
    one = {"mixing": 0.25, "trees": [TREE]}
    assert mixed(one, (0.0, 1.0)) == 0.25 * 9.0 + 0.75 * (1 + 9 * 0.5)
    assert mixed({"mixing": 1.0, "trees": [{**STUMP, "value": [99.0]}]}, (0.0, 1.0)) == 10.0


def said(*chances: float | None) -> list[Verdict]:
    return [
        Verdict(YES_NO, {}, "unread") if p is None else Verdict(YES_NO, {"yes": p, "no": 1 - p})
        for p in chances
    ]


def test_an_unanswered_question_counts_as_the_mean_or_as_said() -> None:
    data = {checklist_key(ITEMS): {"questions": 2, "mixing": 1.0, "trees": [TREE]}}
    assert checklist_score(data, ITEMS, said(0.2, None), unread="drop") == 1.0
    assert checklist_score(data, ITEMS, said(0.2, None), unread="yes") == 9.0
    assert checklist_score(data, ITEMS, said(0.9, None), unread="no") == 6.0
    assert checklist_score(data, ITEMS[:1], said(0.9), unread="no") is None


def changed(**lists: Any) -> dict[str, Any]:
    return {**copy.deepcopy(TREE), **lists}


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ([], "an object with"),
        ({"feature": [1]}, "an object with"),
        (changed(more=[1]), "an object with"),
        (changed(value=[1.0]), "one entry a node"),
        ({name: [] for name in TREE}, "one entry a node"),
        (changed(left=[1.0, 3, -1, -1, -1]), "whole numbers"),
        (changed(feature=[True, 0, -1, -1, -1]), "whole numbers"),
        (changed(threshold=[0.5, float("nan"), 0.0, 0.0, 0.0]), "finite numbers"),
        (changed(value=[5.0, 4.0, "9", 1.0, 6.0]), "finite numbers"),
        (changed(left=[0, 3, -1, -1, -1]), "two later nodes"),
        (changed(right=[2, 5, -1, -1, -1]), "two later nodes"),
        (changed(right=[2, -1, -1, -1, -1]), "two later nodes"),
        (changed(feature=[2, 0, -1, -1, -1]), "features from 0 to 1"),
    ],
)
def test_what_is_no_tree_is_told(tree: Any, told: str) -> None:
    assert told in tree_fault(tree, 2)
    assert tree_fault(TREE, 2) == tree_fault(STUMP, 2) == ""


def test_applying_trees_loads_no_library() -> None:
    code = (
        "import sys, evenhand.checklists; print('numpy' in sys.modules, 'sklearn' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False"] * 2
