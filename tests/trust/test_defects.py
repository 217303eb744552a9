"""Errors of tools in use, each beside our answer; the wrong procedure is told in our own words."""

from __future__ import annotations

import ast
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri

import evenhand.rank
import evenhand.trust
from evenhand.intervals import Interval
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.alt_test import alt_test
from evenhand.trust.coefficients import krippendorff_alpha
from evenhand.trust.confidence import confidence
from evenhand.trust.engine import How
from evenhand.trust.pairwise import both_orders
from evenhand.trust.ppi import ppi_bound, ppi_mean
from evenhand.trust.ratings import Ratings
from evenhand.trust.rogan_gladen import rogan_gladen
from tests.trust.draws import FOUR_LABELS, binary, elsewhere, four_labels

Floats = NDArray[np.float64]
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
RUNS = 100
ERROR = (0.95 * 0.05 / RUNS) ** 0.5


# ---- 1: alpha's bootstrap draws pairs of ratings ----------------------------------------------


def by_pairs(ratings: Ratings, rng: np.random.Generator, draws: int = 500) -> tuple[float, float]:
    """Krippendorff 2006: disagreement is drawn pair by pair, as if pairs were independent."""
    values = ratings.values
    n, m = values.shape
    apart = values[:, :, None] != values[:, None, :]
    observed = apart[:, ~np.eye(m, dtype=bool)].ravel()
    _, counts = np.unique(values, return_counts=True)
    expected = 1 - float(np.sum(counts * (counts - 1))) / (n * m * (n * m - 1))
    half = observed.size // 2
    drawn = observed[rng.integers(0, observed.size, (draws, half))].mean(axis=1)
    low, high = np.quantile(1 - drawn / expected, [0.025, 0.975])
    return float(low), float(high)


def test_1_alpha_resamples_items_and_not_pairs_of_ratings() -> None:
    rng, ours, theirs = np.random.default_rng(14), 0, 0
    how = How(method="bootstrap", replicates=400)
    for _ in range(RUNS):
        ratings = four_labels(rng, 100)
        found = krippendorff_alpha(ratings, "nominal", how).interval
        assert found.low is not None
        assert found.high is not None
        ours += found.low <= FOUR_LABELS <= found.high
        low, high = by_pairs(ratings, rng)
        theirs += low <= FOUR_LABELS <= high
    assert ours / RUNS >= 0.95 - 3 * ERROR
    assert theirs / RUNS <= 0.85


@pytest.mark.slow
def test_1_the_package_that_draws_pairs_covers_three_times_in_four() -> None:
    evalica, pandas = pytest.importorskip("evalica"), pytest.importorskip("pandas")
    rng, hit = np.random.default_rng(14), 0
    for _ in range(RUNS):
        table = pandas.DataFrame(four_labels(rng, 100).values.T)
        found = evalica.alpha_bootstrap(table, n_resamples=500, random_state=1)
        hit += found.low <= FOUR_LABELS <= found.high
    assert hit / RUNS <= 0.85


# ---- 4: prediction-powered means --------------------------------------------------------------


def tuned_normal(labels: Floats, judged: Floats, *, larger: bool = False) -> tuple[float, float]:
    """One lambda from all labels, used on them, a normal quantile; with a fitted lambda the wish
    for one side gets lost on the way and both ends come back (`larger` changes nothing).
    """
    del larger
    lab = ~np.isnan(labels)
    y, f, rest = labels[lab], judged[lab], judged[~lab]
    pooled = np.concatenate([f, rest]).var()
    lam = np.cov(y, f, ddof=0)[0, 1] / ((1 + y.size / rest.size) * pooled)
    lam = float(np.clip(lam, 0, 1))
    mean = lam * rest.mean() + (y - lam * f).mean()
    spread = (lam**2 * rest.var() / rest.size + (y - lam * f).var() / y.size) ** 0.5
    half = float(ndtri(0.975)) * spread
    return float(mean - half), float(mean + half)


def test_4_a_one_sided_bound_is_one_sided_and_the_lower_end_at_90_percent() -> None:
    part = binary(np.random.default_rng(0), 100, rate=0.7, sp=0.7, se=0.9)
    both = ppi_mean(part.labels, part.judged, span=(0, 1)).interval
    at_90 = ppi_mean(part.labels, part.judged, span=(0, 1), level=0.90).interval
    bound = ppi_bound(part.labels, part.judged, span=(0, 1), side="lower").interval
    assert both.low is not None
    assert bound.low is not None
    assert (bound.low, bound.high, bound.level) == (at_90.low, 1.0, 0.95)
    assert both.low < bound.low
    two = tuned_normal(part.labels, part.judged)
    assert tuned_normal(part.labels, part.judged, larger=True) == two
    assert two[1] < 1, "the package's upper end should be open"


def test_4_small_samples_are_covered() -> None:
    rng, ours, theirs = np.random.default_rng(1), 0, 0
    for _ in range(4 * RUNS):
        part = binary(rng, 100, rate=0.95, sp=0.7, se=0.9)
        found = ppi_mean(part.labels, part.judged, span=(0, 1)).interval
        assert found.low is not None
        assert found.high is not None
        ours += found.low <= 0.95 <= found.high
        low, high = tuned_normal(part.labels, part.judged)
        theirs += low <= 0.95 <= high
    assert ours / (4 * RUNS) >= 0.95 - 1.5 * ERROR
    assert theirs / (4 * RUNS) <= 0.91


# ---- 5: a bootstrap of Rogan and Gladen's formula ---------------------------------------------


def drawn_again(
    labels: Floats, answers: Floats, here: Floats, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Labelled rows drawn again, the share of yes held fixed, results cut to [0, 1]."""
    if labels.min() == labels.max() or answers[labels == 1].mean() <= answers[labels == 0].mean():
        return None
    rows = rng.integers(0, labels.size, (1000, labels.size))
    y, f = labels[rows], answers[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        hits = (y * f).sum(axis=1) / y.sum(axis=1)
        rejects = ((1 - y) * (1 - f)).sum(axis=1) / (1 - y).sum(axis=1)
        rate = (here.mean() + rejects - 1) / (hits + rejects - 1)
    kept = np.clip(rate[hits + rejects > 1], 0, 1)
    low, high = np.quantile(kept, [0.025, 0.975])
    return float(low), float(high)


def test_5_a_corrected_rate_knows_how_little_it_knows() -> None:
    rng, ours, theirs = np.random.default_rng(2), [], []
    for _ in range(4 * RUNS):
        draw = elsewhere(rng, 100, rate=0.95, there=0.95, sp=0.85, se=0.95)
        found = rogan_gladen(draw.judged, draw.labels, draw.answers).interval
        if found.low is None or found.high is None:
            assert found.reason
        else:
            ours.append(found.low <= 0.95 <= found.high)
        ends = drawn_again(draw.labels, draw.answers, draw.judged, rng)
        if ends is not None:
            theirs.append(ends[0] <= 0.95 <= ends[1])
    assert np.mean(ours) >= 0.95 - 3 * (0.95 * 0.05 / len(ours)) ** 0.5
    assert np.mean(theirs) < 0.95 - 3 * (0.95 * 0.05 / len(theirs)) ** 0.5


# ---- 6: what one number called accuracy hides ---------------------------------------------------


def test_6_one_right_and_one_tie_is_right_by_net_vote_only_and_both_are_named() -> None:
    found = both_orders(Ratings.from_values([[1, 1, 0], [1, 1, 1], [-1, 0, -1], [1, -1, 1]] * 5),
                        ties="wrong")  # fmt: skip
    assert found.net_vote_accuracy.estimate == 3 / 4
    assert found.consistent_accuracy.estimate == 1 / 4
    assert "net_vote_accuracy" in found.net_vote_accuracy.name
    assert "consistent_accuracy" in found.consistent_accuracy.name


def test_6_the_published_judge_scores_66_or_58_by_the_rule() -> None:
    files = sorted((SHARED / "judgebench").glob("*o1-mini*")) if SHARED.exists() else []
    if not files:
        pytest.skip(f"the shared data is not here: {SHARED / 'judgebench'}")
    sign = {"A>B": 1.0, "B>A": -1.0, "A=B": 0.0}
    rows = []
    for line in gzip.decompress(files[0].read_bytes()).decode("utf-8").splitlines():
        row = json.loads(line)
        one, two = (sign.get(str(j["decision"]), np.nan) if j else np.nan for j in row["judgments"])
        rows.append([sign[row["label"]], one, -two])
    found = both_orders(Ratings.from_values(rows, why=np.where(np.isnan(rows), 3, 0)), ties="wrong")
    assert round(100 * found.net_vote_accuracy.estimate, 2) == 65.71
    assert round(100 * found.consistent_accuracy.estimate, 2) == 58.00


# ---- 10: the calibration error of a calibrated judge -------------------------------------------


def test_10_a_calibrated_judge_has_an_error_of_an_eighth_and_is_not_rejected() -> None:
    rng, raw, rejected, floor = np.random.default_rng(3), [], 0, 0
    for _ in range(RUNS):
        p = rng.uniform(0, 1, 100)
        y = (rng.random(100) < p).astype(float)
        place = np.minimum((p * 15).astype(int), 14)
        size = np.maximum(np.bincount(place, minlength=15), 1)
        gap = np.bincount(place, weights=p - y, minlength=15) / size
        raw.append(float(np.sum(np.abs(gap) * np.bincount(place, minlength=15)) / 100))
        found = confidence(p, y, draws=300)
        rejected += found.p_value < 0.05
        floor += found.debiased_ece.low == 0.0
    assert np.mean(raw) == pytest.approx(0.12, abs=0.02)
    assert rejected / RUNS <= 0.05 + 3 * ERROR
    assert floor / RUNS >= 0.95 - 3 * ERROR


# ---- 11: what the trust layer needs ------------------------------------------------------------


@pytest.mark.parametrize("room", [evenhand.trust, evenhand.rank], ids=["trust", "rank"])
def test_11_the_statistics_load_nothing_but_numpy_and_scipy(room: object) -> None:
    """A package that pins another's version breaks a third one; extras load where they are used."""
    folder = Path(next(iter(room.__path__)))  # type: ignore[attr-defined]
    known = {"numpy", "scipy", "evenhand"} | sys.stdlib_module_names
    below = (folder.parent / f"{name}.py" for name in ("intervals", "correlations"))
    for file in (*folder.glob("*.py"), *below):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            assert {name.partition(".")[0] for name in names} <= known, f"{file.name}: {names}"


# ---- 12: the annotator test ----------------------------------------------------------------------


def wide(interval: Interval) -> float:
    assert interval.low is not None
    assert interval.high is not None
    return interval.high - interval.low


def people(rng: np.random.Generator, n: int) -> Alignment:
    truth = rng.integers(0, 3, (n, 1))
    said = np.where(rng.random((n, 4)) < 0.25, rng.integers(0, 3, (n, 4)), truth)
    return align(said[:, 0], said[:, 1:])


def test_12_raters_below_thirty_items_give_a_reason_and_no_division_by_zero() -> None:
    found = alt_test(people(np.random.default_rng(4), 29), epsilon=0.1)
    assert found.passed is None
    assert np.isnan(found.winning_rate.estimate)
    assert "29" in found.winning_rate.reason
    assert found.n_excluded == 3


def test_12_the_winning_rate_has_an_interval() -> None:
    rate = alt_test(people(np.random.default_rng(5), 60), epsilon=0.1).winning_rate
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low <= rate.estimate <= rate.high
    assert rate.low < rate.high


def test_12_rows_of_one_text_are_not_independent() -> None:
    one = people(np.random.default_rng(6), 60)
    copies = Alignment(np.repeat(one.judge, 5, axis=0), np.repeat(one.human, 5, axis=0), 0, 0)
    naive = alt_test(copies, epsilon=0.1)
    minded = alt_test(copies, epsilon=0.1, clusters=np.repeat(range(60), 5))
    once = alt_test(one, epsilon=0.1)
    for forgot, knows, alone in zip(naive.raters, minded.raters, once.raters, strict=True):
        assert knows.p_value == pytest.approx(alone.p_value, rel=1e-9)
        assert 2 * wide(forgot.difference) < wide(knows.difference)
