"""Confidence: maps against planted miscalibration, scores, their tests and intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from evenhand.fits import Fit, calibrated, made_from
from evenhand.trust.calibrate import calibrate, calibrate_labels
from evenhand.trust.confidence import auroc, compare_sources, confidence

SLOPE, SHIFT = 1.9, 0.15


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(true chance, overconfident confidence, what came true)."""
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(0.7, 1.3, n))
    return truth, expit(SLOPE * logit(truth) + SHIFT), (rng.random(n) < truth).astype(float)


def error(n: int, seed: int) -> tuple[float, float, str]:
    """Root mean square distance to the truth: raw, calibrated, and the map."""
    _, p, y = planted(n, seed)
    truth, fresh, _ = planted(2000, seed + 1000)
    found = calibrate(p, y)
    mended = calibrated(found.data, fresh)
    return rms(fresh - truth), rms(mended - truth), str(found.map)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


# ---- maps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "runs", "most"), [(50, 10, 0.085), (200, 8, 0.055), (1000, 4, 0.030), (4000, 1, 0.020)]
)
def test_the_chosen_map_comes_near_the_planted_truth(n: int, runs: int, most: float) -> None:
    raw, mended, maps = zip(*(error(n, seed) for seed in range(runs)), strict=True)
    print(f"n={n}: raw {np.mean(raw):.3f}, calibrated {np.mean(mended):.3f}, {sorted(set(maps))}")
    assert 0.09 < np.mean(raw) < 0.13
    assert np.mean(mended) < most


def test_few_labels_get_a_temperature_and_more_get_platts_map() -> None:
    small = [calibrate(*planted(60, seed)[1:]).map for seed in range(6)]
    large = [calibrate(*planted(600, seed)[1:]).map for seed in range(4)]
    assert small.count("temperature") >= 5
    assert large.count("platt") >= 3


def test_steps_are_not_tried_below_a_hundred_labels_and_win_where_no_curve_fits() -> None:
    rng = np.random.default_rng(5)
    assert set(calibrate(*planted(99, 1)[1:]).candidates) == {"temperature", "platt", "beta"}
    p = rng.random(3000)
    y = (rng.random(3000) < np.where(p < 0.3, 0.05, np.where(p < 0.6, 0.5, 0.55))).astype(float)
    assert calibrate(p, y).map in ("isotonic", "histogram")


def test_the_planted_parameters_come_back() -> None:
    data = calibrate(*planted(20_000, 3)[1:]).data
    for p in (0.2, 0.5, 0.9):
        assert float(calibrated(data, p)) == pytest.approx(
            expit((logit(p) - SHIFT) / SLOPE), abs=0.02
        )


def test_the_gain_is_shown_where_there_is_one_and_doubted_where_there_is_none() -> None:
    _, p, y = planted(800, 7)
    found = calibrate(p, y)
    assert found.gain.low is not None
    assert found.gain.low > 0
    truth, _, y = planted(800, 8)
    none = calibrate(truth, y)
    assert abs(none.gain.estimate) < 0.01
    assert any("not shown" in told for told in none.warnings)


@pytest.mark.parametrize(
    ("p", "y", "told"),
    [
        ([0.2, 0.5, 0.9], [0, 1, 1], "3 independent labels are too few"),
        ([], [], "0 independent labels"),
        (np.linspace(0.1, 0.9, 40), np.ones(40), "all 40 labels are equal"),
        ([np.nan] * 20, [0, 1] * 10, "0 independent labels"),
    ],
)
def test_what_cannot_be_fitted_is_a_result_with_a_reason(p: object, y: object, told: str) -> None:
    found = calibrate(p, y)  # type: ignore[arg-type]
    assert found.map is None
    assert told in found.reason
    assert np.isnan(found.gain.estimate)
    with pytest.raises(ValueError, match="nothing was fitted"):
        found.fit_data("mode")


def test_missing_rows_are_counted_and_clusters_are_what_counts() -> None:
    _, p, y = planted(120, 2)
    p[:3], y[3] = np.nan, np.nan
    found = calibrate(p, y, clusters=np.arange(120) // 20)
    assert (found.n, found.n_missing, found.n_clusters, found.map) == (116, 4, 6, None)
    with pytest.raises(ValueError, match="one row each"):
        calibrate([0.5], [1, 0])


def test_a_judge_that_is_always_sure_gets_its_share_of_hits() -> None:
    y = (np.arange(200) % 4 > 0).astype(float)
    found = calibrate(np.ones(200), y)
    assert calibrated(found.data, [1.0])[0] == pytest.approx(0.75, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([30, 150]))
def test_a_map_keeps_to_probabilities_and_is_the_same_twice(seed: int, n: int) -> None:
    _, p, y = planted(n, seed)
    found = calibrate(p, y, seed=seed)
    if found.map is None:
        return
    assert found == calibrate(p, y, seed=seed)
    mended = calibrated(found.data, np.linspace(0, 1, 21))
    assert np.isfinite(mended).all()
    assert ((mended >= 0) & (mended <= 1)).all()
    assert Fit("calibrate", found.fit_data("mode"), made_from("x", ["a"])).kind == "calibrate"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_a_temperature_does_not_see_which_outcome_is_called_a_hit(seed: int) -> None:
    _, p, y = planted(60, seed)
    one, other = (calibrate(a, b).candidates["temperature"] for a, b in ((p, y), (1 - p, 1 - y)))
    assert one.estimate == pytest.approx(other.estimate, rel=1e-6)


def test_one_temperature_for_all_labels_comes_back() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 4)) * 1.5
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((3000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    sharp = chances**2 / (chances**2).sum(axis=1, keepdims=True)
    found = calibrate_labels(sharp, truth)
    assert found.data["a"] == pytest.approx(0.5, abs=0.05)
    assert found.gain.low is not None
    assert found.gain.low > 0
    assert calibrate_labels(sharp[:3], truth[:3]).map is None
    with pytest.raises(ValueError, match="shape"):
        calibrate_labels([0.5], [1])


# ---- scores ----------------------------------------------------------------------------------


def test_brier_is_the_sum_of_its_parts() -> None:
    _, p, y = planted(900, 4)
    one = confidence(p, y, draws=50)
    parts = one.reliability - one.resolution + one.uncertainty + one.within
    assert one.brier.estimate == pytest.approx(parts, abs=1e-12)
    assert one.brier.estimate == pytest.approx(np.mean((p - y) ** 2))
    coarse = confidence(np.round(p, 1), y, bins=50, draws=50)
    assert coarse.within == pytest.approx(0.0, abs=1e-3)


def test_the_calibration_test_errs_as_stated_and_finds_what_is_planted() -> None:
    wrong = found = 0
    for seed in range(100):
        truth, p, y = planted(300, seed)
        wrong += confidence(truth, y, draws=199, seed=seed).p_value <= 0.05
        found += confidence(p, y, draws=199, seed=seed).p_value <= 0.05
    print(f"calibrated rejected {wrong} of 100, overconfident {found} of 100")
    assert wrong <= 5 + 3 * 2.2
    assert found >= 90


def test_a_calibrated_judge_has_an_error_above_zero_that_debiasing_takes_away() -> None:
    ones = [confidence(*planted(100, seed)[::2], draws=99) for seed in range(60)]
    raw, null = (np.mean([getattr(one, name) for one in ones]) for name in ("ece", "null_ece"))
    print(f"raw error of a calibrated judge at n=100: {raw:.3f}, expected {null:.3f}")
    assert raw > 0.08
    assert raw == pytest.approx(null, abs=0.02)
    assert np.mean([one.debiased_ece.low == 0.0 for one in ones]) >= 0.95


def test_the_debiased_error_covers_the_planted_one() -> None:
    truth, p, _ = planted(200_000, 1)
    planted_error, hits = rms(p - truth), 0
    for seed in range(100):
        _, p, y = planted(800, seed + 5)
        one = confidence(p, y, draws=1).debiased_ece
        assert one.low is not None
        assert one.high is not None
        hits += one.low <= planted_error <= one.high
    print(f"planted {planted_error:.4f}, covered {hits} of 100")
    assert hits >= 95 - 3 * 2.2


def test_auroc_is_the_share_of_pairs_and_its_interval_covers() -> None:
    p, y = [0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]
    assert auroc(p, y).estimate == (1 + 0.5 + 1 + 1) / 4
    truth, _, y = planted(20_000, 9)
    area, hits = auroc(truth, y).estimate, 0
    for seed in range(100):
        truth, _, y = planted(200, seed + 50)
        one = auroc(truth, y)
        assert one.low is not None
        assert one.high is not None
        hits += one.low <= area <= one.high
    print(f"AUROC {area:.3f}, covered {hits} of 100")
    assert hits >= 95 - 3 * 2.2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_scores_do_not_see_the_order_of_rows_nor_auroc_the_unit(seed: int) -> None:
    _, p, y = planted(80, seed)
    order = np.random.default_rng(seed).permutation(80)
    one, other = confidence(p, y, draws=5), confidence(p[order], y[order], draws=5)
    assert other.ece == pytest.approx(one.ece)
    assert other.debiased_ece.high == pytest.approx(one.debiased_ece.high)
    assert auroc(p**3, y).estimate == pytest.approx(one.auroc.estimate)
    assert auroc(-p, y).estimate == pytest.approx(1 - one.auroc.estimate)


def test_clusters_widen_and_copies_add_nothing() -> None:
    _, p, y = planted(150, 6)
    twice = confidence(np.tile(p, 2), np.tile(y, 2), clusters=np.tile(np.arange(150), 2), draws=5)
    once = confidence(p, y, draws=5)
    for name in ("brier", "auroc"):
        assert getattr(twice, name).low == pytest.approx(getattr(once, name).low, abs=1e-9)
    assert twice.n_clusters == 150
    assert "one cluster" in twice.warnings[0]


def test_draws_do_not_depend_on_the_size_of_chunks_and_seeds_repeat() -> None:
    _, p, y = planted(5000, 6)
    assert confidence(p, y, seed=3) == confidence(p, y, seed=3)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_rows_get_no_test_no_interval_and_a_warning(n: int) -> None:
    one = confidence([0.2, 0.5, 0.9][:n], [0, 1, 1][:n])
    assert np.isnan(one.p_value)
    assert one.brier.low is None
    assert one.brier.reason
    assert one.n == n


def test_constant_labels_have_no_auroc_and_say_why() -> None:
    one = confidence(np.linspace(0.5, 1, 50), np.ones(50), draws=10)
    assert np.isnan(one.auroc.estimate)
    assert "equal" in one.auroc.reason
    assert "all events are equal" in one.warnings


def test_sources_are_ordered_by_how_well_they_find_errors() -> None:
    truth, p, right = planted(600, 12)
    rng = np.random.default_rng(1)
    gaps = np.where(np.arange(600) < 100, np.nan, truth)
    given_sources = {"stated": rng.random(600), "token": p, "samples": gaps}
    found = compare_sources(given_sources, right)
    assert found[-1].name == "stated"
    by_name = {one.name: one for one in found}
    assert by_name["samples"].n_missing == 100
    assert by_name["token"].auroc.estimate > 0.7
    assert by_name["token"].debiased_ece.estimate > by_name["samples"].debiased_ece.estimate
    assert all("different rows" in one.warnings[0] for one in found)
    assert all(one.brier.low is not None for one in found)
