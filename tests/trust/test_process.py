from __future__ import annotations

import numpy as np
import pytest

from evenhand.trust.agreement import confusion, macro_f1
from evenhand.trust.confidence import auroc
from evenhand.trust.engine import How
from evenhand.trust.process import ONE_KIND, detection, step_figures
from evenhand.trust.ratings import Gap, Ratings

NAN = np.nan


def planted(rng: np.random.Generator, n: int, *, pull: float = 1.0) -> tuple[list, list]:
    """Solutions of 2 to 8 steps, half with an error; scores are normal, lower at the error, and
    what a solution shares makes its steps alike."""
    scores, first = [], []
    for _ in range(n):
        size = int(rng.integers(2, 9))
        error = int(rng.integers(size)) if rng.random() < 0.5 else None
        own = rng.normal(0, 1, size) + rng.normal(0, 1)
        if error is not None:
            own[error] -= 2 * pull
        scores.append(own)
        first.append(error)
    return scores, first


def long_auc(scores: np.ndarray, right: np.ndarray) -> float:
    pairs = [(a > b) + (a == b) / 2 for a in scores[right] for b in scores[~right]]
    return float(np.mean(pairs))


def test_a_worked_example_by_hand() -> None:
    """Three solutions; the judge finds one error of two and is undecided once.

    Steps scored: 2 + 2 + 3. Right: 5, of which 4 are called right; wrong: 2, of which 1 is called
    wrong. F1 of right 2*4/(4+1 + 5) = .8, of wrong 2*1/(1+1 + 2) = .5.
    """
    steps = [[0.9, NAN], [0.8, 0.2, 0.1], [0.7, 0.9, 0.6]]
    found = step_figures(steps, [None, 1, 2])
    assert found.steps.macro_f1.estimate == pytest.approx(0.65)
    assert (found.steps.n, found.steps.n_undecided, found.n_beyond) == (7, 1, 1)
    assert (found.solutions.n, found.solutions.n_undecided) == (3, 1)
    assert found.located.estimate == pytest.approx(1 / 3)
    assert found.steps.auc.estimate == pytest.approx(long_auc(
        np.array([0.9, 0.8, 0.2, 0.7, 0.9, 0.6]), np.array([1, 1, 0, 1, 1, 0], dtype=bool)
    ))  # fmt: skip
    assert found.steps.macro_f1.low is None
    assert "3 clusters" in found.steps.macro_f1.reason


def test_steps_after_the_first_error_change_no_step_figure() -> None:
    scores, first = planted(np.random.default_rng(1), 40)
    other = [
        np.where((e is not None) & (np.arange(s.size) > (e or 0)), 9.0, s)
        for s, e in zip(scores, first, strict=True)
    ]
    one, two = step_figures(scores, first), step_figures(other, first)
    assert one.steps == two.steps
    assert one.n_beyond == two.n_beyond > 0


def test_an_undecided_step_leaves_the_solution_undecided_unless_another_is_wrong() -> None:
    found = step_figures([[0.9, NAN], [0.1, NAN]] * 10, [None, 0] * 10)
    assert found.solutions.n_undecided == 10
    assert found.solutions.macro_f1.estimate == pytest.approx((0 + 20 / 30) / 2)
    assert found.located.estimate == 0.5


def test_macro_f1_and_auc_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    for _ in range(50):
        right = rng.random(60) < 0.6
        scores = np.round(rng.random(60) + 0.3 * right, 1)
        found = detection(scores, right, how=How(replicates=2))
        said = scores > 0.5
        assert found.macro_f1.estimate == pytest.approx(
            metrics.f1_score(right, said, average="macro"), abs=1e-12
        )
        assert found.auc.estimate == pytest.approx(metrics.roc_auc_score(right, scores), abs=1e-12)
        named = macro_f1(Ratings.from_values(np.column_stack([right, said]))).estimate
        assert named == pytest.approx(found.macro_f1.estimate, abs=1e-12)


def test_macro_f1_of_three_labels_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    truth, said = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    ratings = Ratings.from_values(np.column_stack([truth, said]), clusters=np.arange(200) // 4)
    right = metrics.f1_score(truth, said, average="macro")
    found = macro_f1(ratings)
    assert found.estimate == pytest.approx(right, abs=1e-12)
    assert found == confusion(ratings).macro_f1
    assert found.interval.n_clusters == 50


def test_an_undecided_verdict_misses_its_own_label_only_where_there_are_many() -> None:
    """Three labels: F1 is 2/3 of the missed one and 1 of the others, as in the PandaLM figures."""
    rows = [[0, 0], [0, Gap.UNREAD], [1, 1], [2, 2]]
    assert macro_f1(Ratings.from_labels(rows)).estimate == pytest.approx((2 / 3 + 1 + 1) / 3)


def test_intervals_are_as_wide_as_those_from_influence() -> None:
    """Independent derivations: influence values in `confidence` and `agreement`."""
    scores, first = planted(np.random.default_rng(4), 150)
    found = step_figures(scores, first, threshold=-1.0)
    whole = [s.size if e is None else e + 1 for s, e in zip(scores, first, strict=True)]
    kept = np.concatenate([s[:n] for s, n in zip(scores, whole, strict=True)])
    right = np.ones(kept.size, dtype=bool)
    right[[int(np.sum(whole[: i + 1])) - 1 for i, e in enumerate(first) if e is not None]] = False
    clusters = np.repeat(np.arange(150), whole)
    area = auroc(kept, right, clusters=clusters)
    f1 = macro_f1(Ratings.from_values(np.column_stack([right, kept > -1]), clusters=clusters))
    for ours, theirs in ((found.steps.auc, area), (found.steps.macro_f1, f1.interval)):
        assert ours.estimate == pytest.approx(theirs.estimate, abs=1e-12)
        assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.12)
        assert ours.n_clusters == theirs.n_clusters == 150


def test_steps_of_one_solution_stay_together_and_widen_the_interval() -> None:
    scores, first = planted(np.random.default_rng(5), 60)
    alone = step_figures(scores, first)
    questions = step_figures(scores * 2, first * 2, clusters=[*range(60)] * 2)
    assert questions.steps.auc.estimate == pytest.approx(alone.steps.auc.estimate)
    assert questions.steps.auc.low == pytest.approx(alone.steps.auc.low, abs=0.02)
    wrong = step_figures(scores * 2, first * 2).steps.auc
    assert wrong.high - wrong.low < 0.85 * (questions.steps.auc.high - questions.steps.auc.low)


@pytest.mark.parametrize(
    ("runs", "slack"), [(60, 0.03), pytest.param(400, 0.0, marks=pytest.mark.slow)]
)
def test_step_intervals_cover_the_planted_value(runs: int, slack: float) -> None:
    """Truth from 20,000 solutions of the same kind."""
    rng, few = np.random.default_rng(6), How(method="bootstrap", replicates=300)
    truth = step_figures(*planted(rng, 20_000), threshold=-1.0, how=How(replicates=2)).steps
    hits = np.zeros(2)
    for _ in range(runs):
        found = step_figures(*planted(rng, 80), threshold=-1.0, how=few).steps
        pairs = ((found.auc, truth.auc), (found.macro_f1, truth.macro_f1))
        hits += [one.low <= right.estimate <= one.high for one, right in pairs]
    assert (hits / runs >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs) - slack).all()


def test_one_kind_only_gives_nan_with_the_reason() -> None:
    found = step_figures([[0.9, 0.4]] * 20, [None] * 20)
    for interval in (found.steps.macro_f1, found.steps.auc, found.solutions.auc):
        assert np.isnan(interval.estimate)
        assert interval.low is None
        assert interval.reason == ONE_KIND
    silent = detection([NAN] * 20, [True, False] * 10)
    assert silent.macro_f1.estimate == 0
    assert np.isnan(silent.auc.estimate)
    assert silent.n_undecided == 20


def test_log_probabilities_of_minus_infinity_are_scores_and_not_gaps() -> None:
    found = detection(
        [-np.inf, -np.inf, -0.1, -0.2] * 5, [False, False, True, True] * 5, threshold=-1
    )
    assert (found.n_undecided, found.auc.estimate, found.macro_f1.estimate) == (0, 1.0, 1.0)


def test_input_that_does_not_fit_is_refused_with_the_place() -> None:
    with pytest.raises(ValueError, match="solution 1: 2 steps, first error 2"):
        step_figures([[0.9], [0.9, 0.1]], [None, 2])
    with pytest.raises(ValueError, match="1 solutions and 2"):
        step_figures([[0.9]], [None, None])
    with pytest.raises(ValueError, match="0 steps"):
        step_figures([[]], [None])
    with pytest.raises(ValueError, match="one entry each"):
        detection([0.5], [True, False])


def test_the_same_seed_gives_the_same_interval() -> None:
    scores, first = planted(np.random.default_rng(7), 30)
    one, two = (step_figures(scores, first, how=How(seed=seed)) for seed in (3, 3))
    assert one == two
    assert one.steps.auc != step_figures(scores, first, how=How(seed=4)).steps.auc
