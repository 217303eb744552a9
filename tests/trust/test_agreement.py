from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from evenhand.intervals import wilson
from evenhand.trust.agreement import accuracy, confusion, correlation, denoised_accuracy
from evenhand.trust.ceiling import human_ceiling
from evenhand.trust.coefficients import percent_agreement
from evenhand.trust.engine import How
from evenhand.trust.ratings import Gap, Ratings

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
NAN = np.nan
ROWS = [[1, 1], [1, 2], [2, 2], [2, Gap.UNREAD], [2, Gap.REFUSED], [1, None], [None, 1], [2, 2]]


# ---- accuracy and confusion ----------------------------------------------------------------------


def test_undecided_is_wrong_when_strict_and_absent_when_answered() -> None:
    found = accuracy(Ratings.from_labels(ROWS))
    assert found.strict.estimate == pytest.approx(3 / 6)
    assert found.answered.estimate == pytest.approx(3 / 4)
    assert found.coverage.estimate == pytest.approx(4 / 6)
    assert found.strict.interval == wilson(3, 6)
    counts = (found.strict.n_missing, found.strict.n_refused, found.strict.n_unread)
    assert counts == (2, 1, 1)
    assert found.strict.warnings == ("1 labelled items never got an answer",)


def test_all_undecided_is_zero_when_strict_and_nan_when_answered() -> None:
    found = accuracy(Ratings.from_labels([[1, Gap.UNREAD]] * 12, scale=(1, 2)))
    assert found.strict.estimate == 0
    assert np.isnan(found.answered.estimate)
    assert found.answered.interval.reason


def test_accuracy_of_clustered_items_is_wider() -> None:
    rng = np.random.default_rng(0)
    good = np.repeat(rng.random(40) < 0.5, 5)
    right = np.where(good, rng.random(200) < 0.95, rng.random(200) < 0.4)
    table = np.column_stack([np.ones(200), np.where(right, 1, 2)])
    alone = accuracy(Ratings.from_values(table)).strict.interval
    grouped = accuracy(Ratings.from_values(table, clusters=np.repeat(np.arange(40), 5)))
    wide = grouped.strict.interval
    assert wide.n_clusters == 40
    assert wide.high - wide.low > 1.3 * (alone.high - alone.low)  # type: ignore[operator]


def test_confusion_keeps_the_undecided_in_their_own_columns() -> None:
    found = confusion(Ratings.from_labels(ROWS))
    assert found.grades == (1, 2)
    assert found.counts.tolist() == [[1, 1, 1, 0, 0], [0, 2, 0, 1, 1]]
    assert [figure.estimate for figure in found.recall] == [1 / 2, 2 / 4]
    assert [figure.estimate for figure in found.precision] == [1, 2 / 3]
    assert found.macro_f1.estimate == pytest.approx((2 / 3 + 4 / 7) / 2)
    assert (found.macro_f1.n_missing, found.macro_f1.n_unread) == (2, 1)
    nobody = confusion(Ratings.from_values(np.full((12, 2), NAN)))
    assert nobody.grades == ()
    assert np.isnan(nobody.macro_f1.estimate)


def test_a_perfect_judge_has_no_interval_of_f1_but_a_reason() -> None:
    found = confusion(Ratings.from_values([[1, 1], [2, 2]] * 10)).macro_f1
    assert found.estimate == 1
    assert found.interval.low is None
    assert found.interval.reason


def test_pandalm_judges_have_the_accuracies_and_f1_of_the_data_page() -> None:
    folder = SHARED / "pandalm"
    if not folder.exists():
        pytest.skip(f"the shared data is not here: {folder}")
    people = json.loads((folder / "testset-v1.json").read_text(encoding="utf-8"))
    codes = {"0": 0, "1": 1, "2": 2, "Tie": 0}
    told = {
        ("gpt-3.5-turbo-testset-v1.json", "gpt_result"): (0.6977, 0.5274),
        ("pandalm-7b-testset-v1.json", "pandalm_result"): (0.6677, 0.5743),
    }
    for (file, field), (share, f1) in told.items():
        said = {row["idx"]: row[field] for row in json.loads((folder / file).read_text("utf-8"))}
        rows = []
        for row in people:
            votes = [row[f"annotator{i}"] for i in (1, 2, 3)]
            judge = codes.get(str(said[row["idx"]]), Gap.UNREAD)
            rows.append([max(sorted(set(votes)), key=votes.count), judge])
        ratings = Ratings.from_labels(rows)
        assert round(accuracy(ratings).strict.estimate, 4) == share
        assert round(confusion(ratings).macro_f1.estimate, 4) == f1


@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
def test_correlation_counts_the_gaps(kind: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    rows = [*np.column_stack([x, x + rng.normal(size=40)]).tolist(), [1.0, Gap.REFUSED]]
    found = correlation(Ratings.from_labels(rows), kind, How(method="influence"))  # type: ignore[arg-type]
    right = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    assert found.estimate == pytest.approx(right[kind](*np.array(rows[:40]).T)[0])
    assert (found.n_used, found.n_refused) == (80, 1)


# ---- the human ceiling ---------------------------------------------------------------------------


def panel(rng: np.random.Generator, n: int, error: float) -> np.ndarray:
    """Three people who err one time in five, and a judge, on three labels, with holes."""
    z = rng.integers(0, 3, n)
    wrong = np.array([0.2, 0.2, 0.2, error])
    values = np.where(rng.random((n, 4)) < wrong, rng.integers(0, 3, (n, 4)), z[:, None])
    values = values.astype(float)
    values[rng.random((n, 4)) < [0.2, 0.2, 0.2, 0.05]] = NAN
    return values


def long_ceiling(values: np.ndarray) -> tuple[float, float]:
    human, judge = [], []
    for *people, said in values:
        here = [x for x in people if np.isfinite(x)]
        if len(here) < 2 or not np.isfinite(said):
            continue
        among = [a == b for a, b in permutations(here, 2)]
        human += [np.mean(among)] * len(here)
        judge += [np.mean([said == x for x in here])] * len(here)
    return float(np.mean(human)), float(np.mean(judge))


def test_ceiling_is_each_human_against_the_others_and_the_judge_against_the_same() -> None:
    values = panel(np.random.default_rng(2), 120, 0.3)
    found = human_ceiling(Ratings.from_values(values))
    human, judge = long_ceiling(values)
    assert found.human.estimate == pytest.approx(human, abs=1e-12)
    assert found.judge.estimate == pytest.approx(judge, abs=1e-12)
    assert found.ratio.estimate == pytest.approx(judge / human, abs=1e-12)
    assert [each.rater for each in found.per_human] == [0, 1, 2]
    for each in found.per_human:
        assert each.human.interval.n == each.judge.interval.n


def test_a_judge_that_is_one_of_the_people_reaches_the_ceiling() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(40):
        ratings = Ratings.from_values(panel(rng, 150, 0.2))
        found = human_ceiling(ratings, how=How(method="bootstrap", replicates=300)).ratio.interval
        inside += found.low <= 1 <= found.high  # type: ignore[operator]
    assert inside >= 40 * (0.95 - 3 * np.sqrt(0.95 * 0.05 / 40)) - 1


def test_ceiling_beyond_chance_is_kappa_of_the_pooled_table() -> None:
    rng = np.random.default_rng(4)
    values = panel(rng, 200, 0.2)
    values = values[np.isfinite(values).all(axis=1)]
    found = human_ceiling(Ratings.from_values(values), beyond_chance=True)
    pairs = np.vstack([values[:, [a, b]] for a, b in permutations(range(3), 2)]).astype(int)
    table = np.bincount(3 * pairs[:, 0] + pairs[:, 1], minlength=9).reshape(3, 3) / len(pairs)
    pe = table.sum(0) @ table.sum(1)
    assert found.human.estimate == pytest.approx((np.trace(table) - pe) / (1 - pe), abs=1e-12)


def test_two_humans_ceiling_is_their_percent_agreement() -> None:
    values = panel(np.random.default_rng(5), 80, 0.4)[:, 1:]
    found = human_ceiling(Ratings.from_values(values), judge=2)
    kept = values[np.isfinite(values).all(axis=1)]
    people = percent_agreement(Ratings.from_values(kept[:, :2])).estimate
    assert found.human.estimate == pytest.approx(people)


def test_without_two_humans_there_is_no_ceiling_but_a_reason() -> None:
    found = human_ceiling(Ratings.from_values([[1, NAN, 1], [NAN, 2, 2]]))
    assert np.isnan(found.ratio.estimate)
    assert "two humans" in found.ratio.interval.reason
    assert found.per_human == ()
    same = human_ceiling(Ratings.from_values(np.ones((20, 3))), beyond_chance=True)
    assert np.isnan(same.human.estimate)
    assert same.human.interval.reason


# ---- without the judge's own noise ---------------------------------------------------------------


def noisy(rng: np.random.Generator, n: int, right: float, flip: float) -> Ratings:
    truth = rng.integers(0, 2, n)
    settled = np.where(rng.random(n) < right, truth, 1 - truth)
    repeats = np.where(rng.random((n, 3)) < flip, 1 - settled[:, None], settled[:, None])
    return Ratings.from_values(np.column_stack([truth, repeats]), scale=(0, 1))


def test_flip_noise_is_taken_out_of_accuracy() -> None:
    found = denoised_accuracy(noisy(np.random.default_rng(6), 60_000, 0.85, 0.15))
    assert found.raw.estimate == pytest.approx(0.85 * 0.85 + 0.15 * 0.15, abs=0.006)
    assert found.denoised.estimate == pytest.approx(0.85, abs=0.006)
    assert found.flip_rate.estimate == pytest.approx(0.15, abs=0.004)


def test_denoised_interval_covers_the_settled_accuracy() -> None:
    rng, hit = np.random.default_rng(7), 0
    for _ in range(100):
        found = denoised_accuracy(noisy(rng, 200, 0.8, 0.1)).denoised.interval
        hit += found.low <= 0.8 <= found.high  # type: ignore[operator]
    assert hit / 100 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100)


def test_a_judge_without_noise_keeps_its_accuracy() -> None:
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 2, 60)
    said = np.where(rng.random(60) < 0.8, truth, 1 - truth)
    found = denoised_accuracy(Ratings.from_values(np.column_stack([truth, said, said])))
    assert found.denoised.estimate == pytest.approx(found.raw.estimate)
    assert found.flip_rate.estimate == 0
    assert found.flip_rate.interval.low is None


def test_coin_flips_and_three_labels_have_no_denoised_accuracy() -> None:
    rng = np.random.default_rng(9)
    coin = denoised_accuracy(Ratings.from_values([[1, 0, 1], [0, 1, 0]] * 10)).denoised
    assert np.isnan(coin.estimate)
    assert "coin" in coin.interval.reason
    three = denoised_accuracy(Ratings.from_values(rng.integers(0, 3, (30, 3)))).denoised
    assert np.isnan(three.estimate)
    assert "two labels" in three.interval.reason
    nothing = denoised_accuracy(Ratings.from_values([[1, 0, NAN], [NAN, 1, 1]])).denoised
    assert np.isnan(nothing.estimate)
    assert nothing.warnings
