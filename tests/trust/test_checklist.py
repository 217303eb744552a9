"""Weights of checklist questions."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.checklists import checklist_key, grown
from evenhand.fits import Fit, made_from
from evenhand.trust.checklist import checklist_trees, checklist_weights


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


# ---- trees ---------------------------------------------------------------------------------------


def forest_of(x: np.ndarray, y: np.ndarray) -> Any:
    ensemble = pytest.importorskip("sklearn.ensemble", reason="needs the extra ml")
    return ensemble.ExtraTreesRegressor(n_estimators=10, max_depth=2, random_state=42).fit(x, y)


@pytest.mark.parametrize("seed", range(5))
def test_saved_trees_say_what_scikit_learn_says(seed: int) -> None:
    x, y = planted(12, seed)
    y = np.rint(y)
    forest = forest_of(x, y)
    found = checklist_trees(x, y)
    fresh, _ = planted(200, seed + 100)
    near = np.array([one["threshold"][0] for one in found.trees])
    edges = np.tile(near[:, None], 10)  # chances that are the thresholds themselves
    for rows in (x, fresh, edges, edges.astype(np.float32)):
        mine = [grown(found.trees, row) for row in rows.tolist()]
        assert np.abs(mine - forest.predict(rows)).max() < 1e-12
    data = json.loads(json.dumps({checklist_key(["a"] * 10): found.fit_data()}))
    assert Fit("rocketeval-trees", data, made_from("x", ["a"])).data == data


def test_the_score_is_mixed_as_in_the_paper() -> None:
    x, _ = planted(10, 0)
    y = np.array([1, 2, 2, 3, 3, 3, 9, 9, 9, 9])
    forest, found = forest_of(x, y), checklist_trees(x, y)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    kl = float((shares * np.log(shares * 10)).sum())
    w = (np.log(10) - kl) / np.log(10)
    assert found.mixing == pytest.approx(w, abs=1e-12)
    expected = w * forest.predict(x) + (1 - w) * (9 * x.mean(axis=1) + 1)
    assert found.predict(x) == pytest.approx(np.clip(expected, 1, 10), abs=1e-12)
    holes = x.copy()
    holes[0, :3] = np.nan
    filled = np.where(np.isnan(holes[:1]), np.nanmean(holes[:1]), holes[:1])
    plain = 9 * np.nanmean(holes[0]) + 1
    assert found.predict(holes)[0] == pytest.approx(w * forest.predict(filled)[0] + (1 - w) * plain)
    assert np.isnan(found.predict(np.full((1, 10), np.nan))).all()


def test_trees_follow_the_questions_that_matter_and_equal_shares_count_whole() -> None:
    pytest.importorskip("sklearn", reason="needs the extra ml")
    x, y = planted(200, 0)
    found = checklist_trees(x, y)
    asked = [f for tree in found.trees for f in tree["feature"] if f >= 0]
    assert sum(f in (2, 7) for f in asked) > 0.4 * len(asked)  # two of ten matter
    fresh, ratings = planted(500, 1)
    plain = 1 + 9 * fresh.mean(axis=1)
    assert np.mean((found.predict(fresh) - ratings) ** 2) < np.mean((plain - ratings) ** 2)
    assert checklist_trees(x[:10], np.arange(1, 11)).mixing == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("ratings", "told"),
    [([1, 5, 9], "3 independent ratings are too few"), ([4] * 6, "all 6 ratings are equal")],
)
def test_below_four_ratings_or_without_a_difference_there_are_no_trees(
    ratings: list[int], told: str
) -> None:
    x = np.random.default_rng(0).random((len(ratings), 4))
    found = checklist_trees(x, ratings)
    assert (found.trees, found.mixing) == ((), 0.0)
    assert told in found.reason
    assert found.predict(x) == pytest.approx(1 + 9 * x.mean(axis=1))


def test_rows_without_rating_or_answer_are_counted_and_shapes_must_match() -> None:
    pytest.importorskip("sklearn", reason="needs the extra ml")
    x, y = planted(12, 3)
    y[0] = np.nan
    x[1] = np.nan
    found = checklist_trees(x, y)
    assert (found.n, found.n_missing) == (10, 2)
    with pytest.raises(ValueError, match="one rating a row"):
        checklist_trees(x, y[:5])


def test_without_scikit_learn_the_message_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np\n"
        "from evenhand.errors import Misuse\n"
        "from evenhand.trust.checklist import checklist_trees\n"
        "x = np.random.default_rng(0).random((6, 3))\n"
        "try: checklist_trees(x, [1, 2, 3, 4, 5, 6])\n"
        "except Misuse as error: print(error.do)\n"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said == "pip install 'evenhand[ml]'\n"
