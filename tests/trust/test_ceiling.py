"""The ceiling on a line of numbers, beside the one of grades, and the audit of pairs."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.trust.ceiling import human_ceiling, line_ceiling
from evenhand.trust.isotonic import pair_audit
from evenhand.trust.ratings import Ratings


def grades(seed: int, n: int = 120) -> np.ndarray:
    """Three people, some of them missing here and there, and a judge."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, n)
    values = np.clip(truth[:, None] + rng.integers(-1, 2, (n, 4)), 1, 5).astype(float)
    values[rng.random(n) < 0.3, 1] = np.nan
    return values


def test_each_person_and_the_judge_meet_the_same_others_without_that_person() -> None:
    values = np.array([[1, 1, 2, 1], [2, 1, 1, 2], [1, 2, 2, 2], [2, 2, 2, 1]] * 10, dtype=float)
    first = human_ceiling(Ratings.from_values(values, scale=(1, 2))).per_human[0]
    others = values[:, 1:3]
    assert first.human.estimate == pytest.approx((others == values[:, :1]).mean())
    assert first.judge.estimate == pytest.approx((others == values[:, 3:]).mean())


def test_concordance_is_quadratic_kappa_of_the_pooled_table() -> None:
    ratings = Ratings.from_values(grades(0), scale=range(1, 6))
    line = line_ceiling(ratings)
    graded = human_ceiling(ratings, weights="quadratic", beyond_chance=True)
    for one, other in ((line.human, graded.human), (line.judge, graded.judge),
                       (line.ratio, graded.ratio)):  # fmt: skip
        assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
        assert one.interval.low == pytest.approx(other.interval.low, abs=1e-9)


def test_concordance_does_not_depend_on_unit_or_origin_but_on_a_shift_of_the_judge() -> None:
    values = grades(1)
    here = line_ceiling(Ratings.from_values(values))
    there = line_ceiling(Ratings.from_values(1e6 + 100 * values))
    assert there.ratio.estimate == pytest.approx(here.ratio.estimate, abs=1e-6)
    shifted = line_ceiling(Ratings.from_values(values + np.array([0, 0, 0, 2])))
    assert shifted.human.estimate == pytest.approx(here.human.estimate)
    assert shifted.judge.estimate < here.judge.estimate - 0.2


def test_people_who_agree_by_chance_only_give_no_ratio() -> None:
    found = line_ceiling(Ratings.from_values(np.full((30, 3), 4.0)))
    assert np.isnan(found.ratio.estimate)
    assert "all labels are the same" in found.ratio.interval.reason
    alone = line_ceiling(Ratings.from_values([[1.0, np.nan, 2.0]] * 20))
    assert "two humans" in alone.ratio.interval.reason


# ---- pairs ---------------------------------------------------------------------------------------


def test_the_error_of_a_pair_is_turned_towards_the_system() -> None:
    labels, judged = np.tile([1.0, 0.0], 30), np.tile([1.0, 1.0], 30)
    systems = np.tile([["a", "b"], ["a", "b"]], (30, 1))
    (one,) = pair_audit(labels, judged, systems, margin=0.1)
    assert (one.system, one.residual.estimate, one.result) == ("a", -0.5, "FAIL")
    turned = pair_audit(1 - labels, 1 - judged, systems[:, ::-1], margin=0.1)
    assert turned[0].residual == one.residual


def test_of_three_systems_each_has_its_own_error() -> None:
    rng = np.random.default_rng(0)
    systems = np.array([rng.permutation(["a", "b", "c"])[:2] for _ in range(600)])
    labels = rng.integers(0, 2, 600).astype(float)
    judged = np.where((systems[:, 0] == "c") & (rng.random(600) < 0.5), 1.0, labels)
    found = {one.system: one for one in pair_audit(labels, judged, systems, margin=0.1)}
    assert set(found) == {"a", "b", "c"}
    assert found["c"].residual.estimate == pytest.approx(-0.125, abs=0.05)
    assert found["a"].residual.estimate == pytest.approx(0.0625, abs=0.04)


def test_no_error_in_a_few_pairs_is_no_proof() -> None:
    labels = np.tile([1.0, 0.0], 12)
    systems = np.tile([["a", "b"]], (24, 1))
    assert pair_audit(labels, labels, systems, margin=0.1)[0].result == "INCONCLUSIVE"
    many, names = np.tile(labels, 4), np.tile(systems, (4, 1))
    assert pair_audit(many, many, names, margin=0.1)[0].result == "PASS"
    assert pair_audit(labels, labels, np.full((24, 2), "a"), margin=0.1) == ()
    with pytest.raises(ValueError, match="two a pair"):
        pair_audit(labels, labels, systems[:, 0], margin=0.1)
    with pytest.raises(ValueError, match="margin"):
        pair_audit(labels, labels, systems, margin=0)
