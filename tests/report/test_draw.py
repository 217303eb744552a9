"""Cases to label next: drawn by the judge's doubt, hidden from raters, read back with labels."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import evenhand as library
from evenhand import Case, Misuse, Verdict
from evenhand.data.raters import read_labels
from evenhand.records import YES_NO
from evenhand.report.labels import Choice, write_sheets
from evenhand.trust.sampling import active_mean
from tests.commands import Command, pairs, write_model, write_rows
from tests.commands import evenhand as evenhand  # a fixture

N = 120


@dataclass(frozen=True, slots=True)
class Doubting:
    """Its prompt says how likely a yes is; 'none' leaves it undecided."""

    view: ClassVar = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        said = case.prompt[0].text.split()[-1]
        yes = None if said == "none" else float(said)
        return Verdict(YES_NO, {} if yes is None else {"yes": yes, "no": 1 - yes}, "unread")


def run_of(folder: Path, chances: list[str]) -> Path:
    rows = [{"id": f"q{i}", "prompt": f"ask {i}: {p}", "response": "x"}
            for i, p in enumerate(chances)]  # fmt: skip
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return library.judge(data, Doubting(), None, out=folder / "run").folder


def plan_of(folder: Path) -> dict[str, float]:
    with (folder / "plan.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: float(row["probability"]) for row in csv.DictReader(file)}


def fill(file: Path, truth: dict[str, bool]) -> None:
    """As a person does, who sees the number of the case in its prompt."""
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row["label"] = "yes" if truth["q" + row["prompt"].split()[1].rstrip(":")] else "no"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_labels_of_a_plan_come_back_with_its_probabilities(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    yes = rng.random(N).round(3)
    run = run_of(tmp_path, [f"{p}" for p in yes[:-6]] + ["none"] * 6)
    truth = {f"q{i}": bool(rng.random() < p) for i, p in enumerate(yes)}
    made = write_sheets(run, raters=2, choice=Choice(label_budget=40))
    assert (made.cases, made.of, made.plan) == (40, N, "plan.csv")
    folder = run / "labels"
    plan = plan_of(folder)
    assert len(plan) == 40
    for rater in ("rater1", "rater2"):
        fill(folder / f"{rater}.csv", truth)
        labels = read_labels(folder / f"{rater}.csv")
        assert labels.chances == plan
        assert {row.case for row in labels.rows} == set(plan)
        assert all(row.label == ("yes" if truth[row.case] else "no") for row in labels.rows)
    # Chances follow the doubt: a share of the budget is even, the rest goes with 1 - max(p).
    doubt = {f"q{i}": 1 - max(p, 1 - p) for i, p in enumerate(yes[:-6])}
    known = sorted((doubt[case], chance) for case, chance in plan.items() if case in doubt)
    assert [chance for _, chance in known] == sorted(chance for _, chance in known)
    slopes = np.polyfit(*zip(*known, strict=True), 1)
    assert np.allclose(np.polyval(slopes, [d for d, _ in known]), [c for _, c in known])
    assert all(plan[case] >= known[-1][1] - 1e-12 for case in plan if case not in doubt)


def test_the_mean_of_labels_that_plans_drew_is_unbiased(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    yes = rng.choice([0.02, 0.5, 0.9], N)
    run = run_of(tmp_path, [f"{p}" for p in yes])
    truth = {f"q{i}": bool(rng.random() < p) for i, p in enumerate(yes)}
    means = []
    for seed in range(25):
        folder = tmp_path / f"plan{seed}"
        write_sheets(run, folder, raters=1, seed=seed, choice=Choice(label_budget=30))
        fill(folder / "rater1.csv", truth)
        found = read_labels(folder / "rater1.csv")
        said = {row.case: float(row.label == "yes") for row in found.rows}
        ids = [f"q{i}" for i in range(N)]
        labels = [said.get(case, np.nan) for case in ids]
        chances = [found.chances.get(case, np.nan) for case in ids]
        means.append(active_mean(labels, yes, chances, span=(0, 1)).interval.estimate)
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) - np.mean(list(truth.values()))) < 3 * error
    assert len(set(means)) > 20


def test_no_sheet_tells_the_judges_doubt(tmp_path: Path) -> None:
    run = run_of(tmp_path, ["0.5", "0.99", "0.7", "0.61"] * 5)
    write_sheets(run, raters=1, choice=Choice(label_budget=10))
    for name in ("rater1.csv", "rater1.html"):
        text = (run / "labels" / name).read_text(encoding="utf-8")
        assert "probability" not in text
        assert not any(repr(chance) in text for chance in plan_of(run / "labels").values())


def test_a_seed_gives_the_same_plan_and_another_seed_another(tmp_path: Path) -> None:
    run = run_of(tmp_path, [f"{0.5 + i / 100}" for i in range(40)])
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_sheets(run, tmp_path / name, seed=seed, choice=Choice(label_budget=8))
    plans = [plan_of(tmp_path / name) for name in "abc"]
    assert plans[0] == plans[1]
    assert set(plans[0]) != set(plans[2])


def test_a_judge_without_doubt_makes_all_cases_equally_likely(tmp_path: Path) -> None:
    run = run_of(tmp_path, ["1.0"] * 20)
    made = write_sheets(run, choice=Choice(label_budget=5))
    assert "equally sure" in made.notices[0]
    assert set(plan_of(run / "labels").values()) == {0.25}
    whole = write_sheets(run, tmp_path / "all", choice=Choice(label_budget=99))
    assert whole.cases == 20
    assert "covers all 20 cases" in whole.notices[1]


def test_a_sample_has_no_plan(tmp_path: Path) -> None:
    run = run_of(tmp_path, ["0.8"] * 6)
    made = write_sheets(run, raters=1, choice=Choice(sample=3))
    assert made.plan is None
    assert not (run / "labels/plan.csv").exists()
    fill(run / "labels/rater1.csv", {f"q{i}": True for i in range(6)})
    assert read_labels(run / "labels/rater1.csv").chances == {}


def test_the_command_draws_and_the_ways_exclude_each_other(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(9)), write_model("'[[A]]'")
    words = ["judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r"]
    assert evenhand(*words).code == 0
    ended = evenhand("label", "r", "--label-budget", 4)
    assert ended.code == 0, ended.err
    assert "4 of 9 cases on each sheet" in ended.out
    assert "plan.csv and key.json keep the chance" in ended.out
    made = evenhand("label", "r", "--label-budget", 4, "--to", "x", "--json").json
    assert made["plan"] == "plan.csv"
    ended = evenhand("label", "r", "--label-budget", 4, "--sample", 3, "--to", "y")
    assert ended.code == 2
    assert "--sample and --label-budget exclude each other" in ended.err
    assert evenhand("label", "r", "--label-budget", 0).code == 2


def test_a_run_without_a_verdict_has_nothing_to_draw_from(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(1)), write_model("ModelError('gone')")
    evenhand("judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r")
    assert evenhand("label", "r", "--label-budget", 1).code == 2


def test_sheets_are_never_written_over_a_plan(tmp_path: Path) -> None:
    run = run_of(tmp_path, ["0.8"] * 6)
    (tmp_path / "x").mkdir()
    (tmp_path / "x/plan.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(Misuse, match=r"holds plan\.csv already"):
        write_sheets(run, tmp_path / "x", choice=Choice(label_budget=2))
