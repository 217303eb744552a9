"""Rows are fitted to what a judge looks at."""

import pytest

from evenhand.data import fit, open_data
from evenhand.errors import DataError, Misuse


def rows(*systems, **more):
    row = {"id": "q", "prompt": "p", "responses": [f"by {s}" for s in systems], "systems": systems}
    return list(open_data([{**row, **more}]))


def seen(found):
    return [(row.case.id, [r.text for r in row.case.responses]) for row in found]


def test_one_response_keeps_its_id_and_label():
    row = {"id": "q", "prompt": "p", "response": "r", "label": 4}
    (found,) = fit(open_data([row]), "pointwise")
    assert (found.case.id, found.cluster, found.label) == ("q", "q", "4")


def test_a_pair_becomes_two_cases_of_one_cluster_without_the_label():
    found = list(fit(rows("x", "y", label="A"), "pointwise"))
    assert seen(found) == [("q/x", ["by x"]), ("q/y", ["by y"])]
    assert {(row.cluster, row.label, row.row) for row in found} == {("q", None, 1)}


def test_unknown_and_repeated_systems_are_told_apart():
    assert [i for i, _ in seen(fit(rows(None, None), "pointwise"))] == ["q/1", "q/2"]
    assert [i for i, _ in seen(fit(rows("x", "y", "x"), "pointwise"))] == ["q/x#1", "q/y", "q/x#2"]


def test_two_responses_stay_one_case_with_their_label():
    assert [(r.case.id, r.label) for r in fit(rows("x", "y", label="B"), "pairwise")] == [
        ("q", "B")
    ]


def test_more_responses_become_all_pairs():
    found = list(fit(rows("x", "y", "z", label="y"), "pairwise"))
    assert seen(found) == [
        ("q/x-vs-y", ["by x", "by y"]),
        ("q/x-vs-z", ["by x", "by z"]),
        ("q/y-vs-z", ["by y", "by z"]),
    ]
    assert {(row.cluster, row.label) for row in found} == {("q", None)}


def test_a_baseline_stands_first_against_each_other_system():
    found = list(fit(rows("x", "y", "z"), "pairwise", pairs="baseline:y"))
    assert seen(found) == [("q/y-vs-x", ["by y", "by x"]), ("q/y-vs-z", ["by y", "by z"])]


@pytest.mark.parametrize(("label", "swapped"), [("A", "B"), ("tie", "tie"), (None, None)])
def test_a_baseline_given_second_in_a_pair_trades_places_with_its_label(label, swapped):
    (found,) = fit(rows("x", "y", label=label), "pairwise", pairs="baseline:y")
    assert (seen([found]), found.label) == ([("q", ["by y", "by x"])], swapped)


def test_an_unknown_baseline_lists_the_systems():
    with pytest.raises(DataError) as caught:
        list(fit(rows("x", "y", "z"), "pairwise", pairs="baseline:w"))
    assert caught.value.happened == "no response of the baseline 'w'"
    assert caught.value.expected == "one of x, y, z"
    assert caught.value.row == 1


def test_listwise_keeps_all_together():
    assert seen(fit(rows("x", "y", "z"), "listwise")) == [("q", ["by x", "by y", "by z"])]


@pytest.mark.parametrize("view", ["pairwise", "listwise"])
def test_too_few_responses_point_at_pointwise_judges(view):
    with pytest.raises(DataError) as caught:
        list(fit(rows("x"), view))
    assert (caught.value.row, caught.value.happened) == (1, "one response")
    assert "pointwise" in caught.value.do


def test_no_response_at_all_is_an_error_for_every_view():
    for view in ("pointwise", "pairwise", "listwise"):
        with pytest.raises(DataError, match="no response"):
            list(fit(open_data([{"prompt": "p"}]), view))


@pytest.mark.parametrize("pairs", ["some", "baseline:", "y"])
def test_another_rule_for_pairs_is_misuse_before_anything_is_read(pairs):
    with pytest.raises(Misuse, match="--pairs"):
        fit([], "pairwise", pairs=pairs)


def test_rows_that_do_not_fit_the_judge_can_be_handed_over_and_skipped():
    table = open_data([{"id": "a", "prompt": "p", "response": "r"}, PAIR_ROW])
    bad = []
    kept = list(fit(table, "pairwise", on_bad=bad.append))
    assert [row.case.id for row in kept] == ["b"]
    assert [(b.row, b.field) for b in bad] == [(1, "responses")]


PAIR_ROW = {"id": "b", "prompt": "p", "output_1": "x", "output_2": "y"}
