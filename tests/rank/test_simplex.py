from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import beta, binom

from evenhand.intervals import wilson
from evenhand.rank.simplex import MIN_ESS, Prior, simplex

PRIORS = {"uniform": (1.0, 1.0), "8:2": (8.0, 2.0), "40:10": (40.0, 10.0), "95:5": (95.0, 5.0)}


def yeses(rng, pi, *, cases=200, sens=0.85, spec=0.75):
    said = rng.binomial(cases, pi * sens + (1 - pi) * (1 - spec))
    return np.column_stack([cases - said, said])


def both(shape, tau=0.0):
    return Prior(shape, shape, tau)


def covered(repetitions):
    """Mean coverage and width of 95 % intervals for the true rate, by prior; no gold at all."""
    inside, width = {}, {}
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        pi = rng.random(3)
        counts = yeses(rng, pi)
        found = {
            name: simplex(counts, prior=both(shape), draws=10_000, seed=seed).score
            for name, shape in PRIORS.items()
        }
        found["binomial"] = tuple(wilson(float(k), 200) for k in counts[:, 1])
        for name, score in found.items():
            inside.setdefault(name, []).extend(
                one.low <= p <= one.high for one, p in zip(score, pi, strict=True)
            )
            width.setdefault(name, []).extend(one.high - one.low for one in score)
    return ({k: np.mean(v) for k, v in one.items()} for one in (inside, width))


def in_order(inside, width):
    names = [*PRIORS, "binomial"]
    widths = [width[name] for name in names]
    assert widths == sorted(widths, reverse=True)
    modest = min(inside["uniform"], inside["8:2"])
    assert modest >= inside["40:10"] - 0.01 > inside["95:5"] > inside["binomial"]


def test_a_prior_that_trusts_the_judge_too_much_covers_too_little():
    inside, width = covered(25)
    in_order(inside, width)
    assert inside["95:5"] < 0.8


@pytest.mark.slow
def test_coverage_and_width_of_each_prior_at_length():
    inside, width = covered(200)
    in_order(inside, width)
    assert min(inside["uniform"], inside["8:2"]) > 0.94
    assert 0.9 < inside["40:10"] < 0.99
    assert inside["95:5"] < 0.7
    assert inside["binomial"] < 0.55
    assert width["uniform"] == pytest.approx(0.53, abs=0.05)


def test_beliefs_are_those_of_integration_by_quadrature():
    no, yes = 14, 6
    found = simplex([[no, yes], [no, yes]], prior=both((8.0, 2.0)), draws=200_000)

    def weight(sens, spec, power):
        pi = (np.arange(400) + 0.5) / 400
        likelihood = binom.pmf(yes, no + yes, pi * sens + (1 - pi) * (1 - spec))
        mass = likelihood.mean()  # two candidates alike: the other's mass is a factor
        prior = beta.pdf(sens, 8, 2) * beta.pdf(spec, 8, 2)
        return prior * mass * (likelihood * pi**power).mean()

    def total(power):
        return dblquad(
            lambda spec, sens: weight(sens, spec, power), 0, 1, lambda sens: 1 - sens, 1,
            epsabs=1e-5, epsrel=1e-5,
        )[0]  # fmt: skip

    assert found.score[0].estimate == pytest.approx(total(1) / total(0), abs=0.006)


def test_with_two_levels_and_one_judge_the_order_is_that_of_its_yes_rates():
    rng = np.random.default_rng(1)
    pi = np.array([0.2, 0.4, 0.6, 0.8])
    for sens, spec in ((0.6, 0.6), (0.9, 0.55), (0.95, 0.95)):
        found = simplex(yeses(rng, pi, cases=20_000, sens=sens, spec=spec), prior=both((8.0, 2.0)))
        assert [int(row.argmax()) for row in found.rank] == [3, 2, 1, 0]
        assert (np.diag(found.better[1:, :-1]) > 0.99).all()


def test_a_judge_that_may_differ_by_candidate_makes_the_order_less_sure():
    counts = [[60, 140], [90, 110]]
    chances = [simplex(counts, prior=both((8.0, 2.0), tau)).better[0, 1] for tau in (0.0, 0.3, 0.8)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.99
    assert chances[2] < 0.9


def test_places_and_comparisons_are_probabilities():
    found = simplex([[60, 140], [90, 110], [88, 112]])
    np.testing.assert_allclose(found.rank.sum(axis=0), 1)
    np.testing.assert_allclose(found.rank.sum(axis=1), 1)
    np.testing.assert_allclose(found.better + found.better.T, 1 - np.eye(3))
    assert (found.rank_low <= found.rank_high).all()
    assert found.best[0] == found.rank[0, 0]


def test_gold_rows_teach_about_the_judge_and_the_candidate():
    rng = np.random.default_rng(2)
    pi = np.array([0.3, 0.5, 0.7])
    counts = yeses(rng, pi, sens=0.9, spec=0.6)
    gold = np.zeros((3, 2, 2))
    for k, p in enumerate(pi):
        yes = rng.binomial(60, p)
        gold[k, 1, 1], gold[k, 0, 0] = rng.binomial(yes, 0.9), rng.binomial(60 - yes, 0.6)
        gold[k, 1, 0], gold[k, 0, 1] = yes - gold[k, 1, 1], 60 - yes - gold[k, 0, 0]
    blind, taught = simplex(counts), simplex(counts, gold=gold)
    for one, other, truth in zip(blind.score, taught.score, pi, strict=True):
        assert other.high - other.low < one.high - one.low
        assert other.low < truth < other.high
    spec = taught.judge["specificity"]
    assert spec.low < 0.6 < spec.high
    apart = simplex(counts, gold=gold, prior=both((8.0, 2.0), tau=0.5))
    assert apart.ess >= MIN_ESS
    assert apart.score[0].high - apart.score[0].low > taught.score[0].high - taught.score[0].low


def test_the_same_seed_gives_the_same_beliefs():
    one, other = (simplex([[60, 140], [90, 110]], seed=3) for _ in range(2))
    assert one.score == other.score
    np.testing.assert_array_equal(one.better, other.better)


def test_too_few_effective_draws_are_told():
    counts = np.tile([5000, 5000], (12, 1))
    found = simplex(counts, draws=2000)
    assert found.ess >= MIN_ESS or "effective draws" in found.warnings[0]
    assert found.n_draws == 16_000


def test_counts_far_from_the_prior_still_have_weights():
    found = simplex([[0, 1000], [900, 100]], prior=both((40.0, 10.0)))
    assert np.isfinite([one.estimate for one in found.score]).all()
    assert found.score[0].estimate > found.score[1].estimate


def test_forty_thousand_draws_take_little_time():
    rng = np.random.default_rng(4)
    counts = yeses(rng, np.linspace(0.2, 0.8, 5))
    start = time.process_time()
    found = simplex(counts)
    assert found.n_draws == 40_000
    assert time.process_time() - start < 0.5  # 0.1 s measured


@pytest.mark.parametrize("counts", [[[1, 2, 3], [1, 2, 3]], [[1, 2]], [[1, -2], [3, 4]]])
def test_counts_of_another_form_are_refused(counts):
    with pytest.raises(ValueError, match=r"counts of shape|negative"):
        simplex(counts)
