"""Weights of checklist questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.fits import Fit, checklist_key, made_from
from evenhand.trust.checklist import checklist_weights


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten questions, of which the third and the eighth matter."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 10))
    return x, np.clip(2 + 4 * x[:, 2] + 3 * x[:, 7] + 0.5 * rng.normal(size=n), 1, 10)


def test_weights_go_to_the_questions_that_matter() -> None:
    found = checklist_weights(*planted(200, 0))
    weights = np.array(found.weights)
    assert set(np.argsort(weights)[-2:]) == {2, 7}
    assert weights[[2, 7]].sum() > 0.7 * weights.sum()
    for item, truth in ((2, 4.0), (7, 3.0)):
        interval = found.intervals[item]
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low <= truth <= interval.high
    fresh, ratings = planted(500, 1)
    mine, plain = found.predict(fresh), 1 + 9 * fresh.mean(axis=1)
    mse = [float(np.mean((one - ratings) ** 2)) for one in (plain, mine)]
    print(f"squared error of plain and learnt scores: {mse[0]:.2f} {mse[1]:.2f}")
    assert mse[1] < 0.5 * mse[0]


def test_ratings_that_say_nothing_leave_the_plain_score() -> None:
    rng = np.random.default_rng(2)
    mixed = [
        checklist_weights(rng.random((60, 10)), rng.integers(1, 11, 60), seed=i).mixing
        for i in range(30)
    ]
    print(f"noise learnt in {sum(w > 0 for w in mixed)} of 30")
    assert sum(w > 0 for w in mixed) <= 3
    one = checklist_weights(rng.random((60, 10)), rng.integers(1, 11, 60))
    assert (one.intercept, one.weights) == (1.0, (0.9,) * 10)
    assert "teach no weights" in one.warnings[0]


@pytest.mark.parametrize(
    ("n", "ratings", "told"),
    [(3, [1, 5, 9], "3 independent ratings are too few"), (30, [4] * 30, "all 30 ratings")],
)
def test_too_few_or_equal_ratings_leave_the_plain_score_with_the_reason(
    n: int, ratings: list[int], told: str
) -> None:
    x = np.random.default_rng(0).random((n, 4))
    found = checklist_weights(x, ratings)
    assert told in found.reason
    assert found.mixing == 0.0
    assert np.isnan(found.intervals[0].estimate)
    assert found.predict(x) == pytest.approx(1 + 9 * x.mean(axis=1))


def test_unanswered_questions_count_as_the_mean_and_empty_rows_are_counted() -> None:
    x, y = planted(100, 3)
    x[0], x[1, :5], y[2] = np.nan, np.nan, np.nan
    found = checklist_weights(x, y)
    assert (found.n, found.n_missing) == (98, 2)
    assert np.isnan(found.predict(x)[0])
    assert np.isfinite(found.predict(x)[1])
    with pytest.raises(ValueError, match="one row each"):
        checklist_weights(x, y[:5])
    with pytest.raises(ValueError, match="shape"):
        checklist_weights(y, y)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_weights_are_never_negative_and_follow_their_questions(seed: int) -> None:
    x, y = planted(40, seed)
    x[:, 0] = 1 - x[:, 2]
    order = np.random.default_rng(seed).permutation(10)
    one, other = checklist_weights(x, y), checklist_weights(x[:, order], y)
    assert min(one.weights) >= 0
    assert np.array(one.weights)[order] == pytest.approx(np.array(other.weights), abs=1e-6)
    data = {checklist_key(["A?"]): one.fit_data()}
    assert Fit("rocketeval", data, made_from("x", ["a"])).data


def test_copies_of_prompts_in_clusters_do_not_narrow_the_intervals() -> None:
    x, y = planted(60, 4)
    one = checklist_weights(x, y)
    both = checklist_weights(np.tile(x, (3, 1)), np.tile(y, 3), clusters=np.tile(np.arange(60), 3))
    widths = [
        np.mean([(i.high or 0) - (i.low or 0) for i in found.intervals]) for found in (one, both)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    few = checklist_weights(x[:6], y[:6])
    assert few.intervals[0].low is None
    assert "too few" in few.intervals[0].reason
