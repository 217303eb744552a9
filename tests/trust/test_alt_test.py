from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from evenhand.trust.advantage import compare_judges
from evenhand.trust.alignment import Alignment, align, align_by_similarity, align_to_expert
from evenhand.trust.alt_test import alt_test, alt_test_by_group
from evenhand.trust.rater_tests import benjamini_yekutieli
from evenhand.trust.replace_plan import assumed_annotators
from evenhand.trust.trinomial import exact_p

DATA = Path(__file__).resolve().parents[2] / "../shared/data/alttest"
SETS = ["10k_prompts", "cebab_stars", "summeval", "mtbench", "wax"]


def stored(name: str) -> Any:
    plain = DATA / name
    if plain.exists():
        return json.loads(plain.read_text())
    return json.loads(gzip.decompress((DATA / f"{name}.gz").read_bytes()))


def noisy(seed: int, n: int, raters: int, noise: float, judge_noise: float) -> Alignment:
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=(n, 1))
    shares = np.array([judge_noise] + [noise] * raters)
    shape = (n, raters + 1)
    said = np.where(rng.random(shape) < shares, rng.integers(4, size=shape), truth)
    return align(said[:, 0], said[:, 1:])


# ---- published figures -----------------------------------------------------------------------


@pytest.mark.skipif(not DATA.exists(), reason="the alttest data are not beside the repository")
@pytest.mark.parametrize("name", SETS)
def test_published_rates_probabilities_and_verdicts_come_out(name: str) -> None:
    """Six judges a data set, 30 in all, to the two decimals that the authors print."""
    people, judges = (
        stored(f"{name}_human_annotations.json"),
        stored(f"{name}_llm_annotations.json"),
    )
    told = stored("expected.json")[name]
    items = sorted({item for labels in people.values() for item in labels})
    humans = np.array([[labels.get(i) for labels in people.values()] for i in items], dtype=object)
    assert len(told["llms"]) == 6
    for judge, wanted in told["llms"].items():
        said = np.array([judges[judge].get(i) for i in items], dtype=object)
        found = alt_test(align(said, humans, metric=told["scoring"]), epsilon=told["epsilon"])
        assert round(found.winning_rate.estimate, 2) == wanted["winning_rate"], judge
        probability = round(found.advantage_probability.estimate, 2)
        assert probability == wanted["advantage_probability"], judge
        assert found.passed == wanted["passed"], judge


# ---- the parts against slow and plain ones ---------------------------------------------------


@pytest.mark.parametrize("metric", ["accuracy", "neg_rmse"])
def test_scores_are_those_of_a_plain_loop(metric: Any) -> None:
    rng = np.random.default_rng(2)
    humans = rng.integers(1, 6, size=(40, 4)).astype(float)
    humans[rng.random(humans.shape) < 0.4] = np.nan
    judge = rng.integers(1, 6, size=40).astype(float)
    judge[:3] = np.nan
    found = align(judge, humans, metric=metric)
    for i in range(40):
        for j in range(4):
            others = [humans[i, k] for k in range(4) if k != j and not np.isnan(humans[i, k])]
            if np.isnan(humans[i, j]) or np.isnan(judge[i]) or not others:
                assert np.isnan(found.judge[i, j])
                continue
            for said, score in ((judge[i], found.judge[i, j]), (humans[i, j], found.human[i, j])):
                if metric == "accuracy":
                    wanted = np.mean([said == other for other in others])
                else:
                    wanted = -np.sqrt(np.mean([(said - other) ** 2 for other in others]))
                assert score == pytest.approx(wanted, abs=1e-12)
    assert found.n_missing == 3
    few = (~np.isnan(humans)).sum(axis=1) < 2
    assert found.n_alone == few[3:].sum()


def test_p_values_are_those_of_scipy() -> None:
    scores = noisy(0, 80, 3, 0.3, 0.3)
    found = alt_test(scores, epsilon=0.1)
    for j, rater in enumerate(found.raters):
        ours, theirs = scores.judge[:, j], scores.human[:, j]
        difference = (theirs >= ours).astype(float) - (ours >= theirs)
        wanted = stats.ttest_1samp(difference, 0.1, alternative="less").pvalue
        assert rater.p_value == pytest.approx(wanted, rel=1e-10)
        assert rater.difference.estimate == pytest.approx(difference.mean())


def test_benjamini_yekutieli_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        p = rng.beta(0.3, 3, size=rng.integers(1, 12))
        wanted = stats.false_discovery_control(p, method="by") <= 0.05
        assert (benjamini_yekutieli(p) == wanted).all()


def test_similarities_of_equal_labels_give_the_accuracy_form() -> None:
    rng = np.random.default_rng(5)
    judge, humans = rng.integers(3, size=60), rng.integers(3, size=(60, 4)).astype(float)
    humans[rng.random(humans.shape) < 0.2] = np.nan
    there = np.where(np.isnan(humans), np.nan, 0.0)
    ours = (judge[:, None] == humans) + there
    between = (humans[:, :, None] == humans[:, None, :]) + there[:, :, None] + there[:, None, :]
    one, other = align(judge, humans), align_by_similarity(ours, between)
    np.testing.assert_allclose(one.judge, other.judge)
    np.testing.assert_allclose(one.human, other.human)
    assert one.n_alone == other.n_alone


def test_exact_p_is_the_worst_case_over_shares_of_ties() -> None:
    """Against a sum over all outcomes, with the same interval for the share of ties."""
    values, mean = [0, 0, -1, -1, 0, 1, 0, -1], 0.2
    low = stats.beta.ppf(0.0005, 4, 5)
    high = min(0.8, stats.beta.ppf(0.9995, 5, 4))
    worst = 0.0
    for zero in np.linspace(low, high, 40):
        law = stats.multinomial(8, [(1 - zero - mean) / 2, zero, (1 - zero + mean) / 2])
        cases = [(a, 8 - a - b, b) for a in range(9) for b in range(9 - a) if b - a <= -2]
        worst = max(worst, sum(law.pmf(case) for case in cases))
    assert exact_p(values, [mean])[0] == pytest.approx(worst + 0.001, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=29))
def test_exact_p_falls_as_the_hypothesis_rises(values: list[int]) -> None:
    p = exact_p(values, np.linspace(-1, 1, 41))
    assert (np.diff(p) <= 1e-12).all()
    assert ((p > 0) & (p <= 1)).all()


def test_the_winning_rate_moves_as_a_bootstrap_of_the_items_moves() -> None:
    scores, rng = noisy(6, 200, 5, 0.3, 0.35), np.random.default_rng(0)
    found = alt_test(scores, epsilon=0.1)
    rates = []
    for _ in range(120):
        rows = rng.integers(200, size=200)
        again = Alignment(scores.judge[rows], scores.human[rows], 0, 0)
        rates.append(alt_test(again, epsilon=0.1).winning_rate.estimate)
    low, high = np.quantile(rates, [0.025, 0.975], method="nearest")
    assert found.winning_rate.low == pytest.approx(low, abs=0.21)
    assert found.winning_rate.high == pytest.approx(high, abs=0.21)


# ---- what must not change the result ---------------------------------------------------------


def same(one: Any, other: Any) -> None:
    assert one.winning_rate.estimate == other.winning_rate.estimate
    assert one.advantage_probability.estimate == pytest.approx(
        other.advantage_probability.estimate, abs=1e-12
    )
    assert one.smallest_epsilon.estimate == pytest.approx(other.smallest_epsilon.estimate, abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_order_of_items_raters_and_names_of_labels_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    judge, humans = rng.integers(3, size=50), rng.integers(3, size=(50, 4))
    items, raters = rng.permutation(50), rng.permutation(4)
    before = alt_test(align(judge, humans), epsilon=0.2)
    same(before, alt_test(align(judge[items], humans[items][:, raters]), epsilon=0.2))
    names = np.array(["c", "a", "b"])
    same(before, alt_test(align(names[judge], names[humans]), epsilon=0.2))


def test_a_change_of_unit_does_not_matter_to_the_squared_form() -> None:
    rng = np.random.default_rng(8)
    judge, humans = rng.integers(1, 6, size=60), rng.integers(1, 6, size=(60, 3))
    before = alt_test(align(judge, humans, metric="neg_rmse"), epsilon=0.2)
    after = align(judge * 0.1 + 7, humans * 0.1 + 7, metric="neg_rmse")
    same(before, alt_test(after, epsilon=0.2))


def test_a_rater_without_labels_and_items_without_a_judge_change_nothing_but_counts() -> None:
    rng = np.random.default_rng(9)
    judge, humans = rng.integers(3, size=60).astype(float), rng.integers(3, size=(60, 3)) * 1.0
    before = alt_test(align(judge, humans), epsilon=0.2)
    wide = np.column_stack([humans, np.full(60, np.nan)])
    judge, wide = np.append(judge, np.nan), np.vstack([wide, [1, 1, 1, np.nan]])
    after = alt_test(align(judge, wide), epsilon=0.2)
    same(before, after)
    assert (after.n_missing, after.n_excluded) == (1, 1)
    assert "not tested" in " ".join(after.warnings)


def test_a_cluster_of_copies_says_no_more_than_one_item() -> None:
    scores = noisy(10, 60, 3, 0.3, 0.3)
    copied = Alignment(np.repeat(scores.judge, 4, 0), np.repeat(scores.human, 4, 0), 0, 0)
    once = alt_test(scores, epsilon=0.1)
    often = alt_test(copied, epsilon=0.1, clusters=np.repeat(range(60), 4))
    for one, other in zip(once.raters, often.raters, strict=True):
        assert other.p_value == pytest.approx(one.p_value, rel=1e-9)
        assert (other.difference.n, other.difference.n_clusters) == (240, 60)
    assert often.advantage_probability.low == pytest.approx(once.advantage_probability.low)


def test_the_smallest_epsilon_is_where_the_judge_begins_to_pass() -> None:
    for n, least in ((25, 10), (60, 30)):
        scores = noisy(11, n, 4, 0.3, 0.3)
        edge = alt_test(scores, epsilon=0.1, min_items=least).smallest_epsilon.estimate
        assert alt_test(scores, epsilon=edge + 0.01, min_items=least).passed
        assert not alt_test(scores, epsilon=edge - 0.01, min_items=least).passed


# ---- forms -----------------------------------------------------------------------------------


def test_groups_share_one_false_discovery_rate() -> None:
    one, two = noisy(12, 60, 3, 0.3, 0.2), noisy(13, 60, 3, 0.3, 0.6)
    both = Alignment(np.vstack([one.judge, two.judge]), np.vstack([one.human, two.human]), 0, 0)
    names = np.repeat(["one", "two"], 60)
    first, second = alt_test_by_group(both, names, epsilon=0.2)
    p = [rater.p_value for found in (first, second) for rater in found.raters]
    better = [rater.better for found in (first, second) for rater in found.raters]
    assert p[:3] == [rater.p_value for rater in alt_test(one, epsilon=0.2).raters]
    assert better == benjamini_yekutieli(p).tolist()
    assert (first.n_items, second.n_items) == (60, 60)
    assert first.winning_rate.estimate > second.winning_rate.estimate


def test_a_single_expert_is_the_only_reference() -> None:
    rng = np.random.default_rng(14)
    expert = rng.integers(3, size=80)
    judge = np.where(rng.random(80) < 0.1, rng.integers(3, size=80), expert)
    crowd = np.where(rng.random((80, 2)) < 0.5, rng.integers(3, size=(80, 2)), expert[:, None])
    scores = align_to_expert(judge, crowd, expert)
    assert (scores.judge[:, 0] == (judge == expert)).all()
    assert (scores.human == (crowd == expert[:, None])).all()
    assert alt_test(scores, epsilon=0.1).passed
    worse = align_to_expert(crowd[:, 0], judge[:, None], expert)
    assert not alt_test(worse, epsilon=0.1).passed


def test_two_judges_are_compared_on_the_same_items() -> None:
    rng = np.random.default_rng(15)
    truth = rng.integers(4, size=(200, 1))
    people = np.where(rng.random((200, 4)) < 0.3, rng.integers(4, size=(200, 4)), truth)
    good, bad = (
        np.where(rng.random(200) < noise, rng.integers(4, size=200), truth[:, 0])
        for noise in (0.1, 0.6)
    )
    found = compare_judges(align(good, people), align(bad, people))
    assert found.p_value < 0.001
    assert found.difference.low is not None
    assert found.difference.low > 0
    turned = compare_judges(align(bad, people), align(good, people))
    assert turned.difference.estimate == pytest.approx(-found.difference.estimate)
    assert turned.p_value == pytest.approx(found.p_value)
    itself = compare_judges(align(good, people), align(good, people))
    assert itself.difference.estimate == 0
    assert itself.difference.low is None
    assert np.isnan(itself.p_value)


# ---- bad input -------------------------------------------------------------------------------


def test_three_items_give_nan_and_the_reason() -> None:
    found = alt_test(align([1, 0, 1], [[1, 1, 0], [0, 0, 0], [1, 0, 1]]), epsilon=0.1)
    assert np.isnan(found.winning_rate.estimate)
    assert found.passed is None
    assert found.n_excluded == 3
    assert "3" in found.winning_rate.reason
    assert found.warnings


@pytest.mark.parametrize("metric", ["accuracy", "neg_rmse"])
def test_constant_labels_give_nan_and_the_reason(metric: Any) -> None:
    """Not a pass: whoever says the same is as near as the people are."""
    found = alt_test(align(np.ones(50), np.ones((50, 3)), metric=metric), epsilon=0.1)
    assert np.isnan(found.winning_rate.estimate)
    assert found.passed is None
    assert "same" in found.winning_rate.reason
    flat = align_by_similarity(np.ones((50, 3)), np.ones((50, 3, 3)))
    assert alt_test(flat, epsilon=0.1).passed is None


def test_a_judge_without_any_verdict_gives_nan() -> None:
    humans = np.random.default_rng(0).integers(2, size=(40, 3))
    found = alt_test(align(np.full(40, np.nan), humans), epsilon=0.1)
    assert np.isnan(found.winning_rate.estimate)
    assert found.n_missing == 40
    nothing = compare_judges(align(np.full(40, np.nan), humans), align(humans[:, 0], humans))
    assert np.isnan(nothing.p_value)


def test_two_raters_and_few_clusters_are_warned_of() -> None:
    scores = noisy(16, 60, 2, 0.3, 0.3)
    assert "two raters" in " ".join(alt_test(scores, epsilon=0.1).warnings)
    found = alt_test(scores, epsilon=0.1, clusters=np.arange(60) // 4)
    assert "clusters" in " ".join(found.warnings)
    none = alt_test(scores, epsilon=0.1, clusters=np.arange(60) // 10)
    assert none.passed is None
    assert "6 clusters" in none.raters[0].reason


def test_wrong_shapes_and_text_without_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="items"):
        align([1, 2], [[1, 2]])
    with pytest.raises(ValueError, match="numbers"):
        align(["a", "b"], [["a", "b"], ["b", "a"]], metric="neg_rmse")
    with pytest.raises(ValueError, match="epsilon"):
        alt_test(noisy(0, 40, 3, 0.3, 0.3), epsilon=3)


# ---- size, power, speed ----------------------------------------------------------------------

Generator = Callable[[np.random.Generator, int], Alignment]


def from_differences(d: NDArray[np.float64]) -> Alignment:
    return Alignment(-np.maximum(d, 0.0), np.minimum(d, 0.0), 0, 0)


def skilled(rng: np.random.Generator, n: int) -> Alignment:
    """Independent differences at the boundary, three raters: E d = 0.1, a third ties."""
    return from_differences(rng.choice([-1.0, 0.0, 1.0], size=(n, 3), p=[0.28, 0.34, 0.38]))


def shared(rng: np.random.Generator, n: int) -> Alignment:
    """The same with one cause behind the three raters' differences."""
    common = rng.random((n, 1)) < 0.6
    own = rng.random((n, 3))
    u = np.where(common, own[:, :1], own)
    return from_differences(np.where(u < 0.28, -1.0, np.where(u < 0.62, 0.0, 1.0)))


def one_sided(rng: np.random.Generator, n: int) -> Alignment:
    """Nine ties and a loss in ten: the skewed edge, for the exact test only."""
    return from_differences((rng.random((n, 3)) < 0.1).astype(float))


def errors(draw: Generator, n: int, runs: int, seed: int) -> tuple[float, float]:
    """(share of runs with any rejection, share that pass), all hypotheses true at the boundary."""
    rng, any_, passed = np.random.default_rng(seed), 0, 0
    for _ in range(runs):
        found = alt_test(draw(rng, n), epsilon=0.1, min_items=min(n, 30))
        any_ += any(rater.better for rater in found.raters)
        passed += bool(found.passed)
    return any_ / runs, passed / runs


BOUNDARY = [(skilled, 60), (shared, 60), (skilled, 20), (shared, 20), (one_sided, 20)]


@pytest.mark.parametrize(("draw", "n"), BOUNDARY)
def test_at_the_boundary_the_test_errs_no_more_than_stated(draw: Generator, n: int) -> None:
    found, _ = errors(draw, n, 60, 21)
    assert found <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "n"), [*BOUNDARY, (skilled, 30), (skilled, 200)])
def test_at_the_boundary_many_runs_err_no_more_than_stated(draw: Generator, n: int) -> None:
    any_, passed = errors(draw, n, 400, 22)
    print(f"{draw.__name__} n={n}: any rejection {any_:.3f}, passes {passed:.3f}")
    assert any_ <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def covered(runs: int, seed: int) -> dict[str, float]:
    """Shares of runs in which intervals hold the truth: 20 clusters of 3 items, labels missing."""
    rng, hits = np.random.default_rng(seed), {"mean": 0, "rater": 0, "difference": 0, "judges": 0}
    for _ in range(runs):
        law = [rng.choice([-1.0, 0.0, 1.0], size=(n, 4), p=[0.3, 0.5, 0.2]) for n in (20, 60)]
        d = np.where(rng.random((60, 4)) < 0.4, law[1], np.repeat(law[0], 3, axis=0))
        d[rng.random(d.shape) < 0.2] = np.nan
        one, two = from_differences(d[:, :3]), from_differences(d[:, 1:])
        clusters = np.repeat(range(20), 3)
        found = alt_test(one, epsilon=0.1, clusters=clusters)
        pairs = {
            "mean": (found.advantage_probability, 0.8),
            "rater": (found.raters[0].advantage, 0.8),
            "difference": (found.raters[0].difference, -0.1),
            "judges": (compare_judges(one, two, clusters=clusters).difference, 0.0),
        }
        for name, (interval, truth) in pairs.items():
            assert interval.low is not None
            assert interval.high is not None
            hits[name] += interval.low <= truth <= interval.high
    return {name: count / runs for name, count in hits.items()}


def test_the_intervals_cover() -> None:
    for name, share in covered(60, 26).items():
        assert share >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 60), name


@pytest.mark.slow
def test_the_intervals_cover_in_many_runs() -> None:
    found = covered(400, 27)
    print(f"covered, nominally 0.95: {found}")
    for name, share in found.items():
        assert share >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400), name


def clustered(rng: np.random.Generator) -> Alignment:
    """40 prompts of 5 items each that share their difference: the boundary, in clusters."""
    law = rng.choice([-1.0, 0.0, 1.0], size=(40, 3), p=[0.28, 0.34, 0.38])
    return from_differences(np.repeat(law, 5, axis=0))


def test_ignoring_clusters_errs_and_minding_them_does_not() -> None:
    rng, naive, minded = np.random.default_rng(23), 0, 0
    for _ in range(60):
        scores = clustered(rng)
        naive += any(r.better for r in alt_test(scores, epsilon=0.1).raters)
        found = alt_test(scores, epsilon=0.1, clusters=np.repeat(range(40), 5))
        minded += any(r.better for r in found.raters)
    assert minded / 60 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    assert naive / 60 > 0.2


def test_the_signed_rank_test_would_err_where_ours_does_not() -> None:
    """Why raters with few items are not tested as the paper says."""
    rng, theirs, ours = np.random.default_rng(24), 0, 0
    for _ in range(100):
        d = one_sided(rng, 25)
        values = (d.human[:, 0] >= d.judge[:, 0]) * 1.0 - (d.judge[:, 0] >= d.human[:, 0])
        theirs += stats.wilcoxon(values - 0.1, alternative="less", method="approx").pvalue < 0.05
        ours += exact_p(values, [0.1])[0] < 0.05
    assert theirs > 70
    assert ours / 100 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)


def test_a_good_judge_passes_with_enough_items() -> None:
    whole, rng, passed = assumed_annotators(3, human_noise=0.3, judge_noise=0.2), 25, 0
    draws = np.random.default_rng(rng)
    for _ in range(60):
        rows = draws.integers(len(whole.judge), size=100)
        again = Alignment(whole.judge[rows], whole.human[rows], 0, 0)
        passed += bool(alt_test(again, epsilon=0.1).passed)
    assert passed / 60 >= 0.8 - 3 * np.sqrt(0.8 * 0.2 / 60)


def test_a_t_test_that_rests_on_few_losses_is_warned_of() -> None:
    d = np.zeros((40, 3))
    d[0] = 1.0
    found = alt_test(from_differences(d), epsilon=0.1)
    assert "exact" in " ".join(found.warnings)


def test_ten_thousand_items_and_five_raters_take_under_a_twentieth_of_a_second() -> None:
    rng = np.random.default_rng(0)
    judge, humans = rng.integers(4, size=10_000), rng.integers(4, size=(10_000, 5))
    spent = []
    for _ in range(5):
        start = time.process_time()
        alt_test(align(judge, humans), epsilon=0.1)
        spent.append(time.process_time() - start)
    print(f"alt-test, 10,000 items x 5 annotators: {1e3 * min(spent):.0f} ms of CPU")
    assert min(spent) < 0.05 * 2, "the floor is 50 ms; twice that on a busy machine"
