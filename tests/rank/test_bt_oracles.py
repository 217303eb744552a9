"""Against the libraries people use, in `pip install 'evenhand[oracles]'`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evenhand.rank.bradley_terry import bradley_terry
from tests.rank.arena import simple


def centred(values):
    values = np.asarray(values, dtype=float)
    return values - values.mean()


@pytest.mark.parametrize("seed", range(5))
def test_choix_finds_the_same_maximum(seed):
    choix = pytest.importorskip("choix")
    battles = simple(1500, 8, seed=seed, ties=0)
    won = battles.outcome == 1
    winners, losers = np.where(won, battles.a, battles.b), np.where(won, battles.b, battles.a)
    theirs = choix.ilsr_pairwise(
        8, list(zip(winners.tolist(), losers.tolist(), strict=True)), tol=1e-12
    )
    np.testing.assert_allclose(bradley_terry(battles).theta, centred(theirs), atol=1e-6)
    theirs = choix.opt_pairwise(
        8, list(zip(winners.tolist(), losers.tolist(), strict=True)), alpha=0, tol=1e-12
    )
    np.testing.assert_allclose(bradley_terry(battles).theta, centred(theirs), atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("covariates", [0, 2])
def test_scikit_learn_finds_the_same_maximum(seed, covariates):
    linear = pytest.importorskip("sklearn.linear_model")
    battles = simple(1500, 8, seed=seed)
    x = np.random.default_rng(seed).normal(size=(1500, covariates))
    x /= np.sqrt((x**2).mean(axis=0))
    battles = replace(battles, covariates=x, names=tuple("xy"[:covariates]))
    rows = np.hstack([np.eye(8)[battles.a] - np.eye(8)[battles.b], x])[:, 1:]
    weights = np.concatenate([battles.outcome, 1 - battles.outcome])
    model = linear.LogisticRegression(
        C=np.inf, fit_intercept=False, tol=1e-12, solver="newton-cholesky"
    )
    model.fit(np.vstack([rows, rows]), np.repeat([1, 0], 1500), sample_weight=weights)
    theirs = model.coef_[0]
    fitted = bradley_terry(battles)
    np.testing.assert_allclose(fitted.theta, centred([0, *theirs[:7]]), atol=1e-6)
    effects = [effect.estimate for effect in fitted.effects.values()]
    np.testing.assert_allclose(effects, theirs[7:], atol=1e-6)


@pytest.mark.parametrize("robust", ["HC0", "cluster"])
def test_statsmodels_gives_the_same_sandwich(robust):
    api = pytest.importorskip("statsmodels.api")
    battles = simple(1500, 5, clusters=100 if robust == "cluster" else None, ties=0)
    rows = (np.eye(5)[battles.a] - np.eye(5)[battles.b])[:, 1:]
    model = api.GLM(battles.outcome, rows, family=api.families.Binomial())
    given = {"groups": battles.clusters, "use_correction": False} if robust == "cluster" else {}
    found = model.fit(cov_type=robust, cov_kwds=given or None, tol=1e-12)
    fitted = bradley_terry(battles, anchor="s000")
    groups = fitted.n_clusters
    theirs = found.cov_params() * groups / (groups - 1)
    np.testing.assert_allclose(fitted.covariance[1:, 1:], theirs, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_evalica_finds_the_same_maximum(seed):
    evalica = pytest.importorskip("evalica")
    battles = simple(1500, 8, seed=seed)
    kinds = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    found = evalica.bradley_terry(
        [battles.systems[i] for i in battles.a],
        [battles.systems[i] for i in battles.b],
        [kinds[outcome] for outcome in battles.outcome],
        tolerance=1e-12,
        limit=10_000,
    )
    theirs = np.log(found.scores.reindex(list(battles.systems)))
    np.testing.assert_allclose(bradley_terry(battles).theta, centred(theirs), atol=1e-6)


@pytest.mark.slow
def test_a_perfect_order_is_a_tie_to_evalica_and_an_order_here():
    evalica = pytest.importorskip("evalica")
    from evenhand.rank.battles import Battles

    a, b = ["a", "b", "a"] * 20, ["b", "c", "c"] * 20
    theirs = evalica.bradley_terry(a, b, [evalica.Winner.X] * 60).scores
    assert theirs.nunique() == 1
    fitted = bradley_terry(Battles.of(a, b, [1] * 60))
    assert fitted.theta[0] > fitted.theta[1] > fitted.theta[2]
    assert "a never lost" in fitted.warnings[0]
