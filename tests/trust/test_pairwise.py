from __future__ import annotations

import gzip
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.trust.baselines import baselines
from evenhand.trust.pairwise import both_orders, fit_tie_width, hits, pairwise_accuracy
from evenhand.trust.ratings import Gap, Ratings

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
NAN = np.nan


def rows_of(path: str) -> list[dict[str, object]]:
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"the shared data is not here: {file}")
    text = gzip.decompress(file.read_bytes()).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


# ---- tie rules -----------------------------------------------------------------------------------


def test_every_tie_rule_does_what_its_name_says() -> None:
    verdicts = np.array([1.0, 0, -1, 0, 1, NAN])
    labels = np.array([1.0, 1, 1, 0, 0, 1])
    told = {rule: hits(verdicts, labels, rule).tolist() for rule in ("separate", "half", "wrong")}  # type: ignore[arg-type]
    assert told["separate"] == [1, 0, 0, 1, 0, 0]
    assert told["half"] == pytest.approx([1, 0.5, 0, NAN, NAN, 0], nan_ok=True)
    assert told["wrong"] == pytest.approx([1, 0, 0, NAN, NAN, 0], nan_ok=True)
    assert hits(verdicts, labels, "drop") == pytest.approx([1, NAN, 0, NAN, NAN, 0], nan_ok=True)


def test_the_four_figures_on_a_table_small_enough_to_check_by_hand() -> None:
    rows = [
        [1, 1, 1],  # right twice
        [1, 1, -1],  # first slot twice
        [-1, -1, 0],  # right and a tie
        [1, -1, -1],  # wrong twice
        [1, 0, 0],  # a tie twice
        [1, 1, Gap.UNREAD],  # right and unread
        [1, 1, None],  # the second answer never came
        [None, 1, 1],  # no label, but consistent
    ]
    found = both_orders(Ratings.from_labels(rows), ties="wrong")
    assert found.mean_accuracy.estimate == pytest.approx((1 + 0.5 + 0.5 + 0 + 0 + 0.5) / 6)
    assert found.consistent_accuracy.estimate == pytest.approx(1 / 6)
    assert found.net_vote_accuracy.estimate == pytest.approx(3 / 6)
    assert found.consistency.estimate == pytest.approx(3 / 7)
    assert "(ties wrong)" in found.mean_accuracy.name
    assert any("2 pairs lack" in warning for warning in found.mean_accuracy.warnings)
    separate = both_orders(Ratings.from_labels(rows), ties="separate")
    assert separate.consistency.estimate == pytest.approx(4 / 7)
    half = both_orders(Ratings.from_labels(rows), ties="half")
    assert half.net_vote_accuracy.estimate == pytest.approx(
        4 / 6
    )  # one right and one wrong is a tie vote
    drop = both_orders(Ratings.from_labels(rows), ties="drop")
    assert drop.mean_accuracy.interval.n == 4
    assert "2 pairs with a tie were left out" in drop.mean_accuracy.warnings


def test_first_slot_rate_of_a_judge_that_always_takes_the_first_is_one() -> None:
    rows = [[1, 1, -1]] * 30
    found = both_orders(Ratings.from_values(rows), ties="wrong").first_slot_rate
    assert found.estimate == 1
    assert found.n_used == 60
    assert found.interval.n_clusters == 30


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([1, 0, -1])] * 3), min_size=1, max_size=30))
def test_trading_the_responses_places_changes_no_accuracy(rows: list[tuple[int, ...]]) -> None:
    values = np.array(rows, dtype=float)
    for ties in ("half", "drop", "wrong", "separate"):
        one = both_orders(Ratings.from_values(values), ties=ties)  # type: ignore[arg-type]
        two = both_orders(Ratings.from_values(-values[:, [0, 2, 1]]), ties=ties)  # type: ignore[arg-type]
        for name in ("mean_accuracy", "consistent_accuracy", "net_vote_accuracy", "consistency"):
            first, second = getattr(one, name).estimate, getattr(two, name).estimate
            assert first == pytest.approx(second, nan_ok=True)
        assert one.first_slot_rate.estimate == pytest.approx(
            two.first_slot_rate.estimate, nan_ok=True
        )


def test_verdicts_that_are_no_signs_are_refused() -> None:
    with pytest.raises(ValueError, match="1, 0 or -1"):
        both_orders(Ratings.from_values([[1, 2, 1]]), ties="wrong")


# ---- published figures ---------------------------------------------------------------------------

SIGN = {"A>B": 1, "B>A": -1, "A=B": 0}


@pytest.mark.parametrize(
    ("judge", "net", "both", "same"),
    [
        ("arena_hard_o1-mini-2024-09-12", 65.71, 58.00, 68.57),
        ("reward_model_Ray2333_GRM-Gemma-2B-rewardmodel-ft", 59.43, 59.43, 100.0),
        ("reward_model_Skywork_Skywork-Reward-Llama-3.1-8B", 62.29, 62.29, 99.71),
    ],
)
def test_judgebench_figures_of_stored_judgements(
    judge: str, net: float, both: float, same: float
) -> None:
    """Defect: their rule counts one right and one tie as right; strictly o1-mini has 58.00."""
    rows = rows_of(f"judgebench/judgments_{judge}_on_gpt-4o-2024-05-13.jsonl.gz")
    table = []
    for row in rows:
        first, second = (SIGN[game["decision"]] for game in row["judgments"])  # type: ignore[attr-defined]
        table.append([SIGN[row["label"]], first, -second])  # type: ignore[index]
    found = both_orders(Ratings.from_values(table), ties="wrong")
    assert round(100 * found.net_vote_accuracy.estimate, 2) == net
    assert round(100 * found.consistent_accuracy.estimate, 2) == both
    separate = both_orders(Ratings.from_values(table), ties="separate")
    assert round(100 * separate.consistency.estimate, 2) == same
    assert found.net_vote_accuracy.interval.n == 350


def test_llmbar_accuracies_of_all_cells_are_the_published_ones() -> None:
    """An unread verdict is wrong; of two unread ones the source says that they agree, we do not."""
    file = SHARED / "llmbar/expected_statistics.json"
    if not file.exists():
        pytest.skip(f"the shared data is not here: {file}")
    expected = json.loads(file.read_text(encoding="utf-8"))
    cells: dict[str, list[list[object]]] = defaultdict(list)
    signs: dict[object, object] = {"1": 1, "2": -1, 1: 1, 2: -1}
    for judge in ("GPT-4", "ChatGPT", "LLaMA2"):
        for row in rows_of(f"llmbar/judgements_{judge}.jsonl.gz"):
            last = row["results"][-1]  # type: ignore[index]
            said = [
                signs.get(last[key]["winner"], Gap.UNREAD)
                for key in ("swap = False", "swap = True")
            ]
            key = f"{row['subset']}|{row['judge']}|{row['strategy']}"
            cells[key].append([signs[row["label"]], *said])
    checked = 0
    for key, told in expected.items():
        rows = cells[key]
        found = both_orders(Ratings.from_labels(rows), ties="wrong")  # type: ignore[arg-type]
        published = float(told["correct_average"].rstrip("%"))
        assert 100 * found.mean_accuracy.estimate == pytest.approx(published, abs=1e-9), key
        both = sum(a == b == c for a, b, c in rows)
        assert round(found.consistent_accuracy.estimate * len(rows)) == both
        assert told["correct_both"].startswith(f"{both} / {len(rows)} "), key
        silent = sum(b == c == Gap.UNREAD for _, b, c in rows)
        same = round(found.consistency.estimate * len(rows)) + silent
        assert told["equal"].startswith(f"{same} / {len(rows)} "), key
        checked += 1
    assert checked == 197


# ---- pairs of scores -----------------------------------------------------------------------------


def long_accuracy(truth: np.ndarray, judge: np.ndarray, epsilon: float) -> float:
    """Deutsch et al. 2023, accuracy with credit for ties, pair by pair."""
    right = []
    for i, j in combinations(range(len(truth)), 2):
        apart = judge[i] - judge[j]
        said = 0 if abs(apart) <= epsilon else np.sign(apart)
        right.append(said == np.sign(truth[i] - truth[j]))
    return float(np.mean(right)) if right else NAN


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 1.0]))
def test_pairwise_accuracy_is_that_of_counting_pairs(seed: int, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 24).astype(float)
    judge = np.round(truth + rng.normal(size=24), 1)
    groups = np.repeat(np.arange(6), 4)
    ratings = Ratings.from_values(np.column_stack([truth, judge]))
    pooled = pairwise_accuracy(ratings, epsilon=epsilon)
    assert pooled.estimate == pytest.approx(long_accuracy(truth, judge, epsilon), abs=1e-12)
    inside = [long_accuracy(truth[groups == g], judge[groups == g], epsilon) for g in range(6)]
    grouped = pairwise_accuracy(ratings, groups=groups, epsilon=epsilon)
    assert grouped.estimate == pytest.approx(np.mean(inside), abs=1e-12)
    assert grouped.interval.low is None
    assert grouped.interval.n_clusters == 6


def test_the_fitted_tie_width_is_the_best_of_all_widths() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 60).astype(float)
    judge = truth + rng.normal(0, 0.6, 60)
    ratings = Ratings.from_values(np.column_stack([truth, judge]))
    fit = fit_tie_width(ratings, ids=range(60))
    widths = np.unique(np.abs(judge[:, None] - judge))
    best = max(pairwise_accuracy(ratings, epsilon=width).estimate for width in widths[::7])
    assert pairwise_accuracy(ratings, epsilon=fit.epsilon).estimate == pytest.approx(
        fit.fitted_accuracy, abs=1e-12
    )
    assert fit.fitted_accuracy >= best - 1e-12
    assert fit.fitted_accuracy > pairwise_accuracy(ratings).estimate + 0.05
    assert fit.n_pairs == 60 * 59 // 2


def test_a_width_fitted_in_groups_is_the_best_for_the_mean_over_groups() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(12), [3, 4, 5, 6] * 3)
    truth = rng.integers(0, 3, groups.size).astype(float)
    judge = np.round(truth + rng.normal(0, 0.6, groups.size), 2)
    ratings = Ratings.from_values(np.column_stack([truth, judge]))
    fit = fit_tie_width(ratings, ids=range(groups.size), groups=groups)
    told = pairwise_accuracy(ratings, groups=groups, epsilon=fit.epsilon)
    assert told.estimate == pytest.approx(fit.fitted_accuracy, abs=1e-9)


def test_a_width_refuses_to_report_on_the_items_that_it_was_fitted_on() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 3, 80).astype(float)
    ratings = Ratings.from_values(np.column_stack([truth, truth + rng.normal(0, 0.6, 80)]))
    names = [f"q{i}" for i in range(80)]
    half = np.arange(80) < 40
    fit = fit_tie_width(ratings.where(half), ids=names[:40])
    told = pairwise_accuracy(ratings.where(~half), epsilon=fit, ids=names[40:])
    plain = pairwise_accuracy(ratings.where(~half), epsilon=fit.epsilon)
    assert told.interval == plain.interval
    with pytest.raises(ValueError, match="fitted on 1 of these 40 items"):
        pairwise_accuracy(ratings.where(~half), epsilon=fit, ids=["q7", *names[41:]])
    with pytest.raises(ValueError, match="needs the ids"):
        pairwise_accuracy(ratings.where(~half), epsilon=fit)
    with pytest.raises(ValueError, match="for 40 items"):
        pairwise_accuracy(ratings.where(~half), epsilon=fit, ids=names)


def test_pairwise_accuracy_without_pairs_is_nan_with_a_reason() -> None:
    found = pairwise_accuracy(Ratings.from_values([[1, 2], [NAN, 1]]))
    assert np.isnan(found.estimate)
    assert found.interval.reason
    with pytest.raises(ValueError, match="two items"):
        fit_tie_width(Ratings.from_values([[1, 2]]), ids=["q1"])


def test_pooled_pairs_share_items_and_the_interval_knows() -> None:
    """Truth by simulation; an interval that took pairs for independent would cover about a half."""
    rng = np.random.default_rng(5)
    hit, truth = 0, 0.5 + np.arcsin(np.sqrt(0.5)) / np.pi
    for _ in range(80):
        x = rng.normal(size=60)
        ratings = Ratings.from_values(np.column_stack([x, x + rng.normal(size=60)]))
        found = pairwise_accuracy(ratings).interval
        hit += found.low <= truth <= found.high  # type: ignore[operator]
    assert hit / 80 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 80) - 0.02


# ---- baselines -----------------------------------------------------------------------------------


def test_trivial_judges_stand_beside_the_judge() -> None:
    label = [1, 1, 1, -1, -1, 0]
    judge = [1, 1, -1, -1, 1, 0]
    lengths = [(9, 1), (1, 9), (5, 5), (1, 9), (9, 1), (3, 3)]
    found = baselines(
        Ratings.from_values(np.column_stack([label, judge])),
        ties="separate",
        lengths=lengths,
        lexical=[1, 1, 1, 1, 1, 1],
    )
    assert found.judge.estimate == pytest.approx(4 / 6)
    assert found.longer is not None
    assert found.longer.estimate == pytest.approx(3 / 6)
    assert found.first.estimate == found.majority.estimate == pytest.approx(3 / 6)
    assert found.lexical is not None
    assert found.lexical.estimate == pytest.approx(3 / 6)
    assert found.over_best.estimate == pytest.approx(1 / 6)


def test_without_lengths_there_is_no_length_baseline() -> None:
    rows = [[1, 1], [-1, Gap.REFUSED], [1, None], [None, 1]]
    found = baselines(Ratings.from_labels(rows), ties="wrong")
    assert found.longer is None
    assert found.lexical is None
    assert found.judge.estimate == 0.5
    assert (found.judge.n_missing, found.judge.n_refused) == (2, 1)


def test_a_judge_that_only_counts_words_is_not_over_the_length_rule() -> None:
    rng = np.random.default_rng(6)
    lengths = rng.integers(1, 100, (200, 2))
    longer = np.sign(lengths[:, 0] - lengths[:, 1]).astype(float)
    label = np.where(rng.random(200) < 0.8, longer, -longer)
    kept = longer != 0
    ratings = Ratings.from_values(np.column_stack([label, longer])[kept])
    found = baselines(ratings, ties="wrong", lengths=lengths[kept])
    assert found.over_best.estimate == 0
    assert found.over_best.name == "judge over longer wins"
