"""The certificate from arrays: how often it errs, and that little data decides nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import Misuse
from evenhand.intervals import Interval
from evenhand.report.certificate import Certificate, Claim, Gate, Measure, Policy, certify
from evenhand.report.evidence import Evidence, questions

POLICY = Policy.read()
PASSED_AT_MOST, PASSED_AT_LEAST = 0.05, 0.8


def people_and_judge(
    seed: int,
    *,
    n: int = 300,
    right: float = 0.97,
    people: float = 0.9,
    undecided: float = 0.0,
    first: float = 0.5,
    consistent: float = 0.95,
    raters: float = 3,
) -> Evidence:
    """Two systems in pairs; people and judge see the truth with these probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n).astype(float)
    seen = np.where(rng.random((n, int(raters))) < people, truth[:, None], 1 - truth[:, None])
    judged = np.where(rng.random(n) < right, truth, 1 - truth)
    judged[rng.random(n) < undecided] = np.nan
    same = (rng.random(n) < consistent).astype(float)
    slots = (rng.random((n, 2)) < first).mean(axis=1)
    return Evidence(
        judged, judged, seen, np.zeros(seen.shape, dtype=np.int8), np.arange(n),
        np.tile(["new", "old"], (n, 1)), "pairs", (0.0, 0.5, 1.0), (0.0, 1.0), same, slots,
    )  # fmt: skip


def settled(seen: Evidence, claim: Claim = "replace") -> Certificate:
    return certify(claim, questions(seen, claim, POLICY), POLICY)


def passing(runs: int, seeds: int, **how: float) -> float:
    found = [settled(people_and_judge(seeds + i, **how)).result for i in range(runs)]  # type: ignore[arg-type]
    return found.count("PASS") / runs


# Each breaks one gate beyond its margin and leaves the others whole.
BROKEN: dict[str, dict[str, float]] = {
    "coverage": {"undecided": 0.12, "raters": 2},
    "position": {"first": 0.62, "raters": 2},
    "consistency": {"consistent": 0.57, "raters": 2},
    "alt_test": {"right": 0.78, "people": 0.97, "n": 200},
}


@pytest.mark.parametrize("gate", BROKEN)
def test_a_judge_that_breaks_one_gate_beyond_its_margin_hardly_ever_passes(gate: str) -> None:
    assert passing(60, 1000, **{"n": 150, **BROKEN[gate]}) <= PASSED_AT_MOST


def test_a_good_judge_at_the_planned_number_of_labels_mostly_passes() -> None:
    assert passing(60, 5000) >= PASSED_AT_LEAST


def graded(seed: int, *, n: int = 300, off: float = 0.0, noise: float = 0.4) -> Evidence:
    """Two systems on a line from 1 to 5; the judge is `off` too kind to the first."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1.5, 4.0, n)
    seen = truth[:, None] + rng.normal(0, 0.3, (n, 2))
    new = np.arange(n) % 2 == 0
    judged = np.clip(truth + rng.normal(0, noise, n) + off * new, 1, 5)
    none = np.full(n, np.nan)
    return Evidence(
        judged, judged, np.clip(seen, 1, 5), np.zeros(seen.shape, dtype=np.int8), np.arange(n),
        np.where(new, "new", "old"), "line", (), (1.0, 5.0), none, none,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "how"), [("transport", {"off": 0.7}), ("agreement", {"noise": 1.7})]
)
def test_a_level_is_hardly_ever_passed_with_one_gate_broken(gate: str, how: Any) -> None:
    found = [settled(graded(i, **how), "level") for i in range(60)]
    wrong = {one.name for run in found for one in run.gates if one.result == "FAIL"}
    assert gate in wrong
    assert wrong <= {gate, "ceiling"}  # a judge that errs is also further from people than they are
    assert [run.result for run in found].count("PASS") <= 60 * PASSED_AT_MOST


def test_a_level_by_a_good_judge_mostly_passes() -> None:
    found = [settled(graded(i), "level").result for i in range(60)]
    assert found.count("PASS") >= 60 * PASSED_AT_LEAST


@pytest.mark.parametrize("claim", ["replace", "level", "compare"])
def test_too_little_data_is_inconclusive_never_pass(claim: Claim) -> None:
    for n in (3, 12, 19):
        found = settled(people_and_judge(n, n=n, right=1.0, people=1.0), claim)
        assert found.result == "INCONCLUSIVE"
        assert all(gate.result != "PASS" for gate in found.gates)


def test_a_coin_fails_the_agreement_gate() -> None:
    found = settled(people_and_judge(1, right=0.5), "level")
    gates = {gate.name: gate.result for gate in found.gates}
    assert found.result == gates["agreement"] == "FAIL"


def test_a_difference_of_two_systems_is_settled_or_says_what_it_could_have_seen() -> None:
    even = settled(people_and_judge(3, n=60), "compare")
    gate = next(gate for gate in even.gates if gate.name == "difference")
    assert gate.result == "INCONCLUSIVE"
    assert gate.mde is not None
    assert f"{gate.mde:.2f}" in gate.reason
    assert gate.needed is not None
    assert gate.needed > 60
    seen = people_and_judge(3)
    up = np.arange(300) < 190
    labels, judged = np.where(up[:, None], 1.0, seen.labels), np.where(up, 1.0, seen.judged)
    seen = replace(seen, labels=labels, judged=judged, said=judged)
    found = settled(seen, "compare")
    assert next(g for g in found.gates if g.name == "difference").result == "PASS"


# ---- several systems, several raters -------------------------------------------------------------


def few_wrong(n: int, wrong: int, systems: list[tuple[str, str]]) -> Evidence:
    """Three people of one mind, and a judge that gives the first response that many wins less."""
    truth = (np.arange(n) % 3 > 0).astype(float)
    judged = truth.copy()
    ours = np.array([names[0] == "a" for names in systems])
    judged[np.flatnonzero(ours & (truth == 1))[:wrong]] = 0.0
    none, why = np.full(n, np.nan), np.zeros((n, 3), dtype=np.int8)
    return Evidence(
        judged, judged, np.tile(truth[:, None], 3), why, np.arange(n), np.array(systems), "pairs",
        (0.0, 0.5, 1.0), (0.0, 1.0), none, none,
    )  # fmt: skip


def alone(seen: Evidence, claim: Claim, gate: str) -> str:
    found = certify(claim, {gate: questions(seen, claim, POLICY)[gate]}, POLICY)
    return next(one.result for one in found.gates if one.name == gate)


def test_the_worst_of_three_systems_fails_only_at_a_level_for_three() -> None:
    systems = [("a", "b"), ("a", "c"), ("b", "c")] * 80
    # 'a' misses 26 of 160 wins: beyond 0.1 at level 0.95, not at 1 - 0.05 / 3
    assert alone(few_wrong(240, 26, systems), "level", "transport") == "INCONCLUSIVE"
    assert alone(few_wrong(240, 34, systems), "level", "transport") == "FAIL"


def test_the_annotator_test_fails_only_at_a_level_for_all_raters() -> None:
    systems = [("a", "b")] * 160
    # 35 of 160 errors: beyond 0.15 at level 0.95, not at 1 - 0.05 / 3
    assert alone(few_wrong(160, 35, systems), "replace", "alt_test") == "INCONCLUSIVE"
    assert alone(few_wrong(160, 46, systems), "replace", "alt_test") == "FAIL"


# ---- rules ---------------------------------------------------------------------------------------


def measure(low: float, high: float, clusters: int = 100, **more: object) -> Measure:
    made = Interval((low + high) / 2, low, high, 0.95, "given", clusters, clusters)
    return Measure(lambda level: made, 0.4, "it", **more)  # type: ignore[arg-type]


def gate_of(asked: Measure | Gate | str) -> Gate:
    return next(g for g in certify("replace", {"agreement": asked}, POLICY).gates)


def test_an_interval_beyond_the_bar_decides_and_one_across_it_does_not() -> None:
    assert gate_of(measure(0.4, 0.6)).result == "PASS"
    assert gate_of(measure(0.1, 0.39)).result == "FAIL"
    across = gate_of(measure(0.35, 0.6))
    assert across.result == "INCONCLUSIVE"
    assert across.needed is not None


def test_a_pass_and_what_is_shown_rest_on_the_95_percent_interval() -> None:
    def at(level: float) -> Interval:
        return Interval(0.6, 0.41 if level < 0.95 else 0.39, 0.8, level, "given", 100, 100)

    found = gate_of(Measure(at, 0.4, "it"))
    assert (found.result, found.low) == ("INCONCLUSIVE", 0.39)


def test_no_difference_is_only_said_inside_the_margin() -> None:
    assert gate_of(measure(-0.3, 0.3, kind="within")).result == "PASS"
    assert gate_of(measure(-0.5, 0.3, kind="within")).result == "INCONCLUSIVE"
    assert gate_of(measure(0.41, 0.6, kind="within")).result == "FAIL"


def test_gates_that_did_not_run_are_left_out_unless_the_policy_requires_them() -> None:
    asked = {"agreement": measure(0.5, 0.7)}
    lacking = certify("replace", asked, POLICY)
    assert (lacking.result, lacking.lacking) == ("INCONCLUSIVE", ("alt_test",))
    free = replace(POLICY, required={"replace": ()})
    assert certify("replace", asked, free).result == "PASS"
    assert certify("replace", {}, free).result == "INCONCLUSIVE"


def test_a_policy_file_changes_thresholds_and_its_hash_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('agreement = 0.6\n[required]\nreplace = ["coverage"]\n')
    mine = Policy.read(file)
    assert (mine.agreement, mine.coverage) == (0.6, POLICY.coverage)
    assert mine.required["replace"] == ("coverage",)
    assert mine.required["level"] == POLICY.required["level"]
    assert mine.sha256 != POLICY.sha256


@pytest.mark.parametrize(
    "text",
    ["kappa = 1", "agreement = 'high'", "position = 0", "agreement = true", "= 3", "required = 3",
     "[required]\nreplace = ['taste']", "[required]\nmore = []", "agreement = nan",
     "coverage = inf", "least_clusters = 2.5", "[required]\nreplace = ['difference']"],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(Misuse):
        Policy.read(file)
