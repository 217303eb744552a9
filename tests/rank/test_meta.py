from __future__ import annotations

import numpy as np
import pytest

from evenhand.rank.meta import (
    Standings,
    agreement_with_confidence,
    pair_rank_brier,
    separability,
)


def board(*intervals: tuple[float, float, float]) -> Standings:
    return Standings(*np.array(intervals, dtype=float).T)


PEOPLE = board((1, 0.5, 1.5), (3, 2.5, 3.5), (5, 4.5, 5.5))


def test_separability_is_the_share_of_pairs_without_a_common_point():
    found = separability(board((1, 0, 2), (2, 1, 3), (5, 4, 6)))
    assert found.interval.estimate == pytest.approx(2 / 3)
    assert found.n_pairs == 3
    assert found.interval.low is None
    assert "below 10" in found.interval.reason


def test_touching_intervals_are_apart_only_when_asked_for():
    touching = board((1, 0, 2), (3, 2, 4))
    assert separability(touching).interval.estimate == 0
    assert separability(touching, touching=True).interval.estimate == 1


@pytest.mark.parametrize(
    ("form", "same", "overlap", "reversed_"),
    [("paper", 1, 0, -1), ("disjoint", 1, 0.5, 0), ("notebook", 1, 0.5, 0)],
)
def test_each_form_of_agreement_has_its_own_points(form, same, overlap, reversed_):
    boards = {
        same: PEOPLE,
        overlap: board((1, 0, 9), (3, 0, 9), (5, 0, 9)),
        reversed_: board((5, 4.5, 5.5), (3, 2.5, 3.5), (1, 0.5, 1.5)),
    }
    for points, ours in boards.items():
        found = agreement_with_confidence(ours, PEOPLE, form=form)
        assert found.interval.estimate == points
        assert (found.n_pairs, found.form) == (3, form)


def test_pairs_that_people_do_not_separate_do_not_count():
    people = board((1, 0, 4), (3, 2, 6), (9, 8, 10))
    assert agreement_with_confidence(PEOPLE, people).n_pairs == 2


def test_only_the_notebook_takes_an_interval_without_width_as_disjoint():
    people = board((1, 0, 4), (3, 3, 3))
    ours = board((1, 0, 2), (3, 2.5, 4))
    assert agreement_with_confidence(ours, people, form="notebook").n_pairs == 1
    nothing = agreement_with_confidence(ours, people)
    assert nothing.n_pairs == 0
    assert np.isnan(nothing.interval.estimate)
    assert nothing.interval.reason == "no pair counts"


def test_the_notebook_orders_by_lower_bounds_and_the_paper_by_scores():
    ours = board((9, 0, 10), (8, 11, 12))  # a score outside its interval: of the whole data
    people = board((2, 1.5, 2.5), (1, 0.5, 1.2))
    assert agreement_with_confidence(ours, people, form="notebook").interval.estimate == 0
    assert agreement_with_confidence(ours, people, form="disjoint").interval.estimate == 1


def test_the_brier_score_is_0_when_sure_and_right_1_when_sure_and_wrong_and_a_quarter_unknowing():
    sure = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert pair_rank_brier(sure, [1, 2, 3]).interval.estimate == 0
    assert pair_rank_brier(sure, [3, 2, 1]).interval.estimate == 1
    assert pair_rank_brier(np.ones((3, 2)), [1, 2, 3]).interval.estimate == 0.25


def test_systems_that_people_rate_equal_are_a_half_in_the_brier_score():
    found = pair_rank_brier([[1.0, 2.0], [1.0, 2.0]], [5, 5])
    assert found.interval.estimate == 0


def test_the_interval_is_that_of_drawing_other_systems():
    """Against the spread of the share over many samples of systems from one population."""
    rng = np.random.default_rng(0)

    def sample() -> Standings:
        score = rng.normal(0, 2, 40)
        return Standings(score, score - 1, score + 1)

    found = [separability(sample()).interval for _ in range(400)]
    spread = np.std([each.estimate for each in found])
    half = np.mean([(each.high - each.low) / 2 for each in found])
    assert half / 2.02 == pytest.approx(spread, rel=0.15)


def test_intervals_of_bootstrap_scores_are_percentiles_and_the_score_may_be_given():
    draws = np.arange(101.0)[None]
    found = Standings.of(draws, level=0.9)
    assert (found.score[0], found.low[0], found.high[0]) == pytest.approx((50, 5, 95))
    assert Standings.of(draws, score=[42]).score[0] == 42
