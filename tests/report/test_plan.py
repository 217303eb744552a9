"""A plan is made from what a pilot shows, and the same whichever response stood first."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

import evenhand
from evenhand import Case, Verdict
from evenhand.errors import Misuse
from evenhand.intervals import Interval
from evenhand.models.scripted import Scripted
from evenhand.records import Scale, View
from evenhand.report.card import judge_card
from evenhand.report.people import LabelFiles
from evenhand.report.plan import OF_DRAWN, OF_TWO, planned
from evenhand.trust.power import pilot
from tests.commands import write_rows
from tests.report.made import better, case, rating

FIVE = Scale("1, 2, 3, 4, 5", {str(one): float(one) for one in range(1, 6)})


def labels(folder: Path, rows: list[dict[str, Any]]) -> LabelFiles:
    return LabelFiles([Path(write_rows(str(folder / "people.jsonl"), rows))])


def pair_run(folder: Path, *, turned: bool) -> tuple[Path, LabelFiles]:
    """The judge is right about 3 of 4 pairs; every other pair may be the other way round."""
    rng, cases, rows = random.Random(1), [], []
    for i in range(60):
        new = rng.random() < 0.6
        label = new if rng.random() < 0.75 else not new
        texts, names = ["2", "1"] if new else ["1", "2"], ["new", "old"]
        if turned and i % 2:
            texts.reverse()
            names.reverse()
        cases.append(case(f"q{i}", *texts, systems=names))
        rows.append({"id": f"q{i}", "rater": "ann", "label": "new" if label else "old"})
    model = Scripted("better", better)
    run = evenhand.judge(cases, {"is": "Pairwise"}, model, out=folder / "run").folder
    return run, labels(folder, rows)


@pytest.mark.parametrize("claim", ["level", "compare"])
def test_the_order_of_the_responses_does_not_change_a_plan(tmp_path: Path, claim: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = planned(claim, *pair_run(tmp_path / "one", turned=False))
    two = planned(claim, *pair_run(tmp_path / "two", turned=True))
    assert one.plan == two.plan
    assert one.known["correlation"] > 0.2
    assert one.fewer is not None
    assert one.alone is not None
    assert one.fewer.n_labels is not None
    assert one.fewer.n_labels < one.alone


def two_systems(folder: Path, names: tuple[str, ...]) -> tuple[Path, LabelFiles, list[Any]]:
    rng, cases, rows, seen = random.Random(2), [], [], []
    for i in range(40):
        said = [rng.randint(2, 9) for _ in names]
        cases.append(case(f"q{i}", *map(str, said), systems=names))
        people = [min(10, max(1, one + rng.randint(-1, 1))) for one in said]
        rows += [
            {"id": f"q{i}/{name}", "rater": "ann", "label": p}
            for name, p in zip(names, people, strict=True)
        ]
        seen.append((people[0] - people[1], said[0] - said[1]))
    model = Scripted("rates", rating)
    run = evenhand.judge(cases, "mt-bench-single", model, out=folder / "run").folder
    return run, labels(folder, rows), seen


def test_two_systems_are_compared_by_their_differences_on_one_prompt(tmp_path: Path) -> None:
    run, files, seen = two_systems(tmp_path, ("new", "old"))
    made = planned("compare", run, files)
    alone = pilot(*zip(*seen, strict=True))
    assert made.known["correlation"] == pytest.approx(alone.correlation)
    assert made.known["sd"] == pytest.approx(alone.sd)
    assert made.plan.effect == pytest.approx(0.45)  # 5 % of 1 to 10


def test_of_three_systems_two_must_be_chosen(tmp_path: Path) -> None:
    run, files, _ = two_systems(tmp_path, ("a", "b", "c"))
    with pytest.raises(Misuse, match="3 systems: a, b, c"):
        planned("compare", run, files)


def test_three_raters_of_a_pilot_plan_the_replacement(tmp_path: Path) -> None:
    rng, cases, rows = random.Random(3), [], []
    for i in range(60):
        first = rng.random() < 0.5
        cases.append(case(f"q{i}", *("21" if first else "12")))
        for rater in ("ann", "ben", "cat"):
            right = rng.random() < 0.8
            rows.append({"id": f"q{i}", "rater": rater, "label": "A" if right == first else "B"})
    model = Scripted("better", better)
    run = evenhand.judge(cases, {"is": "Pairwise"}, model, out=tmp_path / "run").folder
    made = planned("replace", run, labels(tmp_path, rows))
    assert made.plan.n_labels is not None
    assert made.plan.n_labels <= 100  # it is always right
    strict = planned("replace", run, labels(tmp_path, rows), effect=0.01)
    assert strict.plan.n_labels is not None
    assert strict.plan.n_labels >= made.plan.n_labels


@pytest.mark.parametrize("claim", ["level", "compare", "replace"])
def test_a_pilot_drawn_with_unequal_chances_is_said_to_be_of_the_drawn_cases(
    tmp_path: Path, claim: str
) -> None:
    run, _ = pair_run(tmp_path, turned=False)
    rng = random.Random(4)
    said = [(f"q{i}", rater, rng.choice("AAB")) for i in range(60) for rater in ("ann", "ben")]

    def warnings(*chances: float) -> tuple[str, ...]:
        rows = [
            {"id": case, "rater": rater, "label": label, "probability": chances[len(case) - 2]}
            for case, rater, label in said
        ]
        return planned(claim, run, labels(tmp_path, rows)).warnings

    assert OF_DRAWN in warnings(0.2, 0.9)
    assert OF_DRAWN not in warnings(0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Grader:
    """Says the true grade."""

    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        return Verdict(FIVE, {case.responses[0].text: 1.0})


def test_the_replacement_by_grades_is_planned_as_the_card_tests_it(tmp_path: Path) -> None:
    rng, cases, rows = random.Random(5), [], []
    for i in range(60):
        grade = rng.randint(2, 4)
        cases.append(case(f"q{i}", str(grade)))
        for rater in ("ann", "ben", "cat"):
            near = grade + rng.choice((-1, 0, 1))
            rows.append({"id": f"q{i}", "rater": rater, "label": near})
    judge = evenhand.judge(cases, Grader(), None, out=tmp_path / "run")
    files = labels(tmp_path, rows)
    card = judge_card(judge.folder, files.files)
    assert not isinstance(card.alt, str)
    assert card.alt.passed
    # Nearest of all by distance, which is what counts for grades; no winner by equal labels.
    known = planned("replace", judge.folder, files, effect=card.alt.epsilon).reach[50]
    assert isinstance(known, Interval)
    assert known.estimate > 0.9


@pytest.mark.parametrize("names", [(), ("a", "b", "c")])
def test_pairs_of_other_than_two_systems_have_no_difference_to_plan(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    rng, cases, rows = random.Random(6), [], []
    for i in range(40):
        two = rng.sample(names, 2) if names else ()
        cases.append(case(f"q{i}", *rng.sample("123", 2), systems=two))
        rows.append({"id": f"q{i}", "rater": "ann", "label": "AB"[i % 2]})
    run = evenhand.judge(cases, {"is": "Pairwise"}, Scripted("b", better), out=tmp_path / "run")
    with pytest.raises(Misuse, match=f"{len(names)} systems"):
        planned("compare", run.folder, labels(tmp_path, rows))
    assert planned("level", run.folder, labels(tmp_path, rows)).plan.effect == 0.05


def test_a_difference_of_single_answers_counts_two_labels_a_prompt(tmp_path: Path) -> None:
    (tmp_path / "single").mkdir()
    run, files, _ = two_systems(tmp_path / "single", ("new", "old"))
    assert OF_TWO in planned("compare", run, files).warnings
    assert OF_TWO not in planned("level", run, files).warnings
    assert OF_TWO not in planned("compare", *pair_run(tmp_path, turned=False)).warnings


def test_a_smaller_effect_needs_more_labels() -> None:
    wide, narrow = planned("level", effect=0.1), planned("level", effect=0.02)
    assert wide.plan.n_labels is not None
    assert narrow.plan.n_labels is not None
    assert wide.plan.n_labels * 20 < narrow.plan.n_labels


def test_labels_that_are_all_alike_plan_nothing(tmp_path: Path) -> None:
    run, files = pair_run(tmp_path, turned=False)
    rows = [{"id": f"q{i}", "rater": "ann", "label": "tie"} for i in range(60)]
    with pytest.raises(Misuse, match="not all the same"):
        planned("level", run, labels(tmp_path, rows))
    three = [{"id": f"q{i}", "rater": "ann", "label": "AB"[i % 2]} for i in range(3)]
    with pytest.raises(Misuse, match="4 labels"):
        planned("level", run, labels(tmp_path, three))
    assert files.files
