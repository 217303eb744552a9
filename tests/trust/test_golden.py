"""Our coefficients against values of packages that cannot be installed beside ours.

Expected values: tests/golden/irrcac.json and crowdkit.json, written by bench/oracles.py, with the
versions of the packages inside; the tables are made again from their seed.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit

from evenhand.trust.coefficients import fleiss_kappa, gwet_ac, krippendorff_alpha
from evenhand.trust.ratings import Figure, Ratings

ROOT = Path(__file__).resolve().parents[2]
OURS: dict[str, Callable[[Ratings], Figure]] = {
    "fleiss": fleiss_kappa,
    "ac1": gwet_ac,
    "ac2 linear": lambda ratings: gwet_ac(ratings, "linear"),
    "ac2 quadratic": lambda ratings: gwet_ac(ratings, "quadratic"),
    "alpha nominal": lambda ratings: krippendorff_alpha(ratings, "nominal"),
    "alpha interval": lambda ratings: krippendorff_alpha(ratings, "interval"),
    "alpha ratio": lambda ratings: krippendorff_alpha(ratings, "ratio"),
}


@cache
def oracles() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oracles", ROOT / "bench" / "oracles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def tables() -> list[Ratings]:
    made = [np.array(table, dtype=float) for table in oracles().tables()]
    return [Ratings.from_values(values, scale=range(1, 6)) for values in made]


def golden(file: str) -> dict[str, Any]:
    return json.loads((ROOT / "tests" / "golden" / file).read_text(encoding="utf-8"))


def error_of(figure: Figure) -> float | None:
    """The standard error behind the interval; None where a small-sample form widened it."""
    interval = figure.interval
    if interval.low is None or interval.method != "influence, clustered t":
        return None
    return (interval.estimate - interval.low) / float(stdtrit(interval.n_clusters - 1, 0.975))


@pytest.mark.parametrize("file", ["irrcac.json", "crowdkit.json"])
def test_the_golden_values_are_of_the_tables_made_here(file: str) -> None:
    told = golden(file)
    made = oracles().tables()
    assert told["tables sha256"] == oracles().fingerprint(made)
    assert {len(values) for values in told["values"].values()} == {len(made)} == {200}
    assert sum(np.isnan(ratings.values).any() for ratings in tables()) > 90


@pytest.mark.parametrize("name", OURS)
def test_two_hundred_values_are_those_of_irrcac(name: str) -> None:
    told = golden("irrcac.json")["values"][name]
    ours = [OURS[name](ratings).estimate for ratings in tables()]
    assert ours == pytest.approx([value for value, _ in told], abs=1e-10)


@pytest.mark.parametrize("name", [name for name in OURS if "alpha" in name])
def test_two_hundred_alphas_are_those_of_crowd_kit(name: str) -> None:
    told = golden("crowdkit.json")["values"][name]
    ours = [OURS[name](ratings).estimate for ratings in tables()]
    assert ours == pytest.approx(told, abs=1e-10)


def rated(ratings: Ratings) -> np.ndarray:
    return np.asarray((~np.isnan(ratings.values)).sum(axis=1))


@pytest.mark.parametrize("name", [name for name in OURS if "alpha" not in name])
def test_standard_errors_are_those_of_irrcac_where_every_item_has_two_ratings(name: str) -> None:
    told, compared = golden("irrcac.json")["values"][name], 0
    for ratings, (_, right) in zip(tables(), told, strict=True):
        ours = error_of(OURS[name](ratings))
        if ours is not None and (rated(ratings) != 1).all():
            compared += 1
            assert ours == pytest.approx(right, abs=1e-10)
    assert compared > 120


@pytest.mark.parametrize("name", [name for name in OURS if "alpha" in name])
def test_standard_errors_of_alpha_are_within_two_percent_of_irrcac(name: str) -> None:
    """irrCAC leaves out the derivative of a term of one over the number of ratings, so its error
    is larger by about that share: tables of 150 ratings or more are compared."""
    told, compared = golden("irrcac.json")["values"][name], 0
    for ratings, (_, right) in zip(tables(), told, strict=True):
        ours = error_of(OURS[name](ratings))
        if ours is not None and rated(ratings).sum() >= 150:
            compared += 1
            assert ours == pytest.approx(right, rel=0.02)
    assert compared > 80


@pytest.mark.parametrize("name", ["fleiss", "ac1", "ac2 quadratic"])
def test_where_items_have_one_rating_the_jackknife_sides_with_us(name: str) -> None:
    """irrCAC takes the share of items with two ratings as known when it forms its error, which
    then is not that of the coefficient; so these errors are not compared, but left out one by one.
    """
    told, ours, theirs = golden("irrcac.json")["values"][name], [], []
    for ratings, (_, right) in zip(tables(), told, strict=True):
        n, error = ratings.n_items, error_of(OURS[name](ratings))
        if error is None or n < 30 or (rated(ratings) == 1).sum() < 0.25 * n:
            continue
        without = [OURS[name](ratings.where(np.arange(n) != i)).estimate for i in range(n)]
        jackknife = float(np.sqrt((n - 1) * np.var(without)))
        ours.append(error / jackknife)
        theirs.append(right / jackknife)
    assert len(ours) > 10
    assert ours == pytest.approx(np.ones(len(ours)), abs=0.04)
    assert max(theirs) > {"fleiss": 1.05, "ac1": 1.2, "ac2 quadratic": 9.0}[name]
