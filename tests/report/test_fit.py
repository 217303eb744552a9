"""Labels of a run teach the same numbers that the judge is then changed by."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import evenhand
from evenhand.errors import Misuse, Undecidable
from evenhand.fits import Fit, made_from
from evenhand.identity import plain
from evenhand.judges import Calibrated, Quantified
from evenhand.models.scripted import Scripted
from evenhand.records import PAIR, PAIR_5, YES_NO, Case, Completion, Scale, Verdict, View, ints
from evenhand.report.fit import fitted, refuse_overlap
from evenhand.report.people import LabelFiles, people
from evenhand.trust.calibrate import calibrate
from tests.commands import write_rows
from tests.report.made import case, rating

HALF = {"map": "temperature", "a": 0.5, "b": 0.5, "c": 0.0, "of": "mode"}


@dataclass(frozen=True, slots=True)
class Told:
    """Says what the prompt says: 'A=0.7 B=0.3'."""

    scale: Scale = PAIR
    view: View = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        words = dict(word.split("=", 1) for word in case.prompt[0].text.split("|")[1].split())
        return Verdict(self.scale, {label: float(p) for label, p in words.items()})


@dataclass(frozen=True, slots=True)
class Talks:
    """Its chance is one half; its text gives the winner away."""

    model: Any
    view: ClassVar[View] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        from evenhand.records import Message, Request

        words = (Message("user", (case.prompt[0].text,)),)
        reply: Completion = await self.model(Request(words))
        return Verdict(PAIR, {"A": 0.5, "B": 0.5}, calls=(reply,))


def told(
    folder: Path, said: Sequence[str], *, scale: Scale = PAIR, view: View = "pairwise"
) -> Path:
    texts = ("x", "y") if view == "pairwise" else ("x",)
    cases = [Case.of(f"q{i}", f"ask |{one}", *texts) for i, one in enumerate(said)]
    return evenhand.judge(cases, Told(scale, view), None, out=folder / "run").folder


def labels(folder: Path, said: Sequence[Any], *, rater: str = "ann") -> LabelFiles:
    rows = [{"id": f"q{i}", "rater": rater, "label": one} for i, one in enumerate(said)]
    return LabelFiles([Path(write_rows(str(folder / f"{rater}.jsonl"), rows))])


def test_a_label_right_is_the_event_of_a_judge_of_several_labels(tmp_path: Path) -> None:
    rng = random.Random(1)
    said, truths, p, y = [], [], [], []
    for _ in range(60):
        share = rng.choice([0.5, 0.7, 0.9])
        said.append(f"3={share} 4={round(1 - share, 3)}")
        right = rng.random() < 0.6
        truths.append("3.0" if right else "4")  # as tables write it
        p.append(share)
        y.append(right)
    run = told(tmp_path, said, scale=ints("points", 1, 5), view="pointwise")
    made = fitted(run, labels(tmp_path, truths), "calibrate")
    alone = calibrate(p, y, clusters=[f"q{i}" for i in range(60)])
    assert made.fit.data == alone.fit_data("mode")
    assert made.gain == alone.gain


def test_the_label_that_a_calibrated_judge_mends_is_the_one_that_was_fitted(
    tmp_path: Path,
) -> None:
    """Of equal chances the first counts, although the summary calls them a tie."""
    said = ["A=0.5 B=0.5"] * 20 + ["B=0.9 A=0.1"] * 20
    truths = ["A"] * 15 + ["tie"] * 5 + ["B"] * 10 + ["A"] * 10
    made = fitted(told(tmp_path, said), labels(tmp_path, truths), "calibrate")
    y = [True] * 15 + [False] * 5 + [True] * 10 + [False] * 10
    alone = calibrate([0.5] * 20 + [0.9] * 20, y, clusters=[f"q{i}" for i in range(40)])
    assert made.fit.data == alone.fit_data("mode")
    Calibrated(Told(), made.fit)


def test_five_labels_of_a_pair_are_right_when_the_winner_is(tmp_path: Path) -> None:
    said = ["A>>B=0.8 B>A=0.2", "B>A=0.6 A>B=0.4"] * 15
    truths = ["A", "A"] * 10 + ["B", "B"] * 5
    run = told(tmp_path, said, scale=PAIR_5)
    made = fitted(run, labels(tmp_path, truths), "calibrate")
    y = [True, False] * 10 + [False, True] * 5
    alone = calibrate([0.8, 0.6] * 15, y, clusters=[f"q{i}" for i in range(30)])
    assert made.fit.data == alone.fit_data("mode")


def test_the_winner_that_a_text_gives_away_is_learnt_and_applied(tmp_path: Path) -> None:
    rng = random.Random(2)
    wins = [rng.random() < 0.5 for _ in range(100)]

    def say(request: Any) -> str:
        return "the first is clearer" if "one" in request.messages[0].text else "second, better"

    judge = Talks(Scripted("talks", say))
    cases = [Case.of(f"q{i}", "one" if a else "two", "x", "y") for i, a in enumerate(wins)]
    run = evenhand.judge(cases, judge, None, out=tmp_path / "run").folder
    truths = ["A" if a == (rng.random() < 0.9) else "B" for a in wins]
    made = fitted(run, labels(tmp_path, truths), "quantitative")
    assert made.chosen.startswith("BTL, full")
    assert made.gain.low is not None
    assert made.gain.low > 0.1
    new = [Case.of("n1", "one", "x", "y"), Case.of("n2", "two", "x", "y")]
    again = evenhand.judge(new, Quantified(judge, made.fit), None, out=tmp_path / "new")
    assert [row["label"] for row in again.table()] == ["A", "B"]


def test_a_rating_shifted_by_people_is_shifted_back_without_the_text(tmp_path: Path) -> None:
    rng = random.Random(3)
    cases = [case(f"q{i}", str(rng.randint(2, 9))) for i in range(60)]
    model = Scripted("rates", rating)
    run = evenhand.judge(cases, "mt-bench-single", model, out=tmp_path / "run").folder
    truths = [float(one.responses[0].text) - 1 + rng.gauss(0, 0.3) for one in cases]
    made = fitted(run, labels(tmp_path, truths), "quantitative")
    assert made.chosen.startswith("LS, affine")
    assert made.gain.estimate == pytest.approx(1.0, abs=0.3)
    data = made.fit.data
    assert data["weights"][0][0] == pytest.approx(1.0, abs=0.05)
    assert data["intercept"][0] == pytest.approx(-1.0, abs=0.3)
    assert data["span"][1] in (10.0, max(truths))


def noted(folder: Path, *, n: int = 90) -> tuple[Path, LabelFiles]:
    """The judge always says 5, and writes a number that people's ratings follow by a rule."""

    def say(request: Any) -> str:
        number = re.search(r"note (\d+)", request.messages[-1].text)
        return f"See note {number[1] if number else 0}. Rating: [[5]]"

    rng = random.Random(6)
    numbers = rng.sample(range(1000, 9999), n)
    cases = [Case.of(f"q{i}", f"note {number}", "x") for i, number in enumerate(numbers)]
    run = evenhand.judge(cases, "mt-bench-single", Scripted("n", say), out=folder / "run").folder
    truths = [round(1 + number * 37 % 101 * 0.09, 2) for number in numbers]
    return run, labels(folder, truths)


RULE = """
import re

def embed(texts):
    found = (re.search(r"note (\\d+)", text) for text in texts)
    return [[int(one[1]) * 37 % 101 if one else 0.0, 1.0] for one in found]
"""


def test_an_embedder_of_ones_own_recovers_what_hashed_words_cannot(tmp_path: Path) -> None:
    run, files = noted(tmp_path)
    (tmp_path / "e.py").write_text(RULE, encoding="utf-8")
    name = f"{tmp_path / 'e.py'}:embed"
    bare = fitted(run, files, "quantitative")
    made = fitted(run, files, "quantitative", embedder=name)
    assert bare.chosen == "LS, affine: people's labels from its score alone"
    assert bare.fit.data["hashed"] == 0
    assert (
        made.chosen == f"LS, full: people's labels from its score and its text, embedded by {name}"
    )
    assert made.gain.low is not None
    assert made.gain.low > 2
    assert made.losses["full"].estimate < 0.01 < bare.losses["full"].estimate
    assert made.fit.data["embedder"]["size"] == 2
    with pytest.raises(Misuse, match="no other kind embeds the judge's text"):
        fitted(run, files, "calibrate", embedder=name)


def test_an_embedder_that_gains_nothing_is_not_kept_and_not_needed(tmp_path: Path) -> None:
    run, files = noted(tmp_path)
    path = tmp_path / "e.py"
    path.write_text("def embed(texts):\n    return [[float(len(t) % 3)] for t in texts]\n")
    made = fitted(run, files, "quantitative", embedder=f"{path}:embed")
    assert made.chosen == "LS, affine: people's labels from its score alone"
    assert made.why.startswith(f"the text, embedded by {path}:embed, does not lower")
    assert made.fit.data["hashed"] == 0
    path.unlink()
    Quantified(Told(YES_NO, "pointwise"), made.fit)


# ---- labels that a plan drew -----------------------------------------------------------------

ALIKE = "labels were drawn with unequal chances: the fit weighs all alike"


@pytest.mark.parametrize("kind", ["calibrate", "quantitative"])
def test_labels_drawn_with_unequal_chances_are_said_to_weigh_alike(
    tmp_path: Path, kind: str
) -> None:
    rng = random.Random(7)
    said = ["yes=0.9 no=0.1", "no=0.7 yes=0.3"] * 20
    truths = [rng.choice(["yes", "no"]) for _ in said]
    run = told(tmp_path, said, scale=YES_NO, view="pointwise")

    def notices(*chances: float) -> tuple[str, ...]:
        rows = [
            {"id": f"q{i}", "rater": "ann", "label": one, "probability": chances[i % len(chances)]}
            for i, one in enumerate(truths)
        ]
        files = LabelFiles([Path(write_rows(str(tmp_path / "drawn.jsonl"), rows))])
        return fitted(run, files, kind).warnings

    assert ALIKE in notices(0.2, 0.9)
    assert ALIKE not in notices(0.5)
    assert ALIKE not in fitted(run, labels(tmp_path, truths), kind).warnings


def test_a_gain_that_is_not_shown_is_warned_of(tmp_path: Path) -> None:
    rng = random.Random(4)
    truths = [rng.choice("AB") for _ in range(40)]
    said = ["A=0.55 B=0.45", "B=0.55 A=0.45"] * 20
    made = fitted(told(tmp_path, said), labels(tmp_path, truths), "calibrate")
    assert made.gain.low is not None
    assert made.gain.low <= 0
    assert any("not shown" in one for one in made.warnings)


def test_a_judge_that_is_always_right_is_not_calibrated(tmp_path: Path) -> None:
    said, truths = ["A=0.8 B=0.2", "B=0.8 A=0.2"] * 10, ["A", "B"] * 10
    with pytest.raises(Undecidable, match="the judge's label is right in all 20 cases"):
        fitted(told(tmp_path, said), labels(tmp_path, truths), "calibrate")


def test_one_rating_each_teaches_no_checklist(tmp_path: Path) -> None:
    def say(request: Any) -> str | Completion:
        if request.question is None:
            return "1. Is it short?\n"
        return Completion("", answer={"yes": 0.5, "no": 0.5})

    cases = [Case.of(f"q{i}", f"ask {i}", "x") for i in range(4)]
    run = evenhand.judge(cases, "rocketeval", Scripted("m", say), out=tmp_path / "run").folder
    with pytest.raises(Undecidable, match="no checklist's ratings teach"):
        fitted(run, labels(tmp_path, [2, 5, 7, 9]), "rocketeval")
    with pytest.raises(Misuse, match="the label 11 is no rating"):
        fitted(run, labels(tmp_path, [2, 5, 7, 11]), "rocketeval")


# ---- several raters, and the cases of a fit --------------------------------------------------


def test_raters_give_a_majority_and_a_mean(tmp_path: Path) -> None:
    run = told(tmp_path, ["3=1.0", "4=1.0"], scale=ints("points", 1, 5), view="pointwise")
    files = [
        *labels(tmp_path, [1, 2], rater="a").files,
        *labels(tmp_path, [1, 3], rater="b").files,
        *labels(tmp_path, [4, ""], rater="c").files,
    ]
    found = people(run, LabelFiles(files))
    assert [row.majority for row in found.rows] == ["1", None]
    assert [found.mean(row) for row in found.rows] == [2.0, 2.5]
    assert found.raters == ("a", "b", "c")


def test_reporting_on_the_cases_of_a_fit_is_refused() -> None:
    fit = Fit("calibrate", HALF, made_from("labels", ["q1", "q2"]))
    manifest = {"judge": {"plain": plain(Calibrated(Told(), fit))}}
    with pytest.raises(Misuse, match="1 of the 2 labelled cases"):
        refuse_overlap(manifest, ["q2", "q3"])
    refuse_overlap(manifest, ["q3", "q4"])
    refuse_overlap({"judge": {"plain": plain(Told())}}, ["q1"])


def test_undecided_cases_are_left_out_and_counted(tmp_path: Path) -> None:
    rng = random.Random(5)
    said = ["yes=0.9 no=0.1"] * 20 + ["no=0.7 yes=0.3"] * 20 + [""] * 3
    truths = [rng.choice(["yes", "no"]) for _ in said]
    run = told(tmp_path, said, scale=YES_NO, view="pointwise")
    made = fitted(run, labels(tmp_path, truths), "calibrate")
    assert made.left_out == {"undecided": 3}
    assert made.gain.n == 40
    assert made.fit.made_from["n"] == 40
    p = np.array([0.9] * 20 + [0.3] * 20)
    y = np.array([one == "yes" for one in truths[:40]])
    assert made.losses["as it is"].estimate == pytest.approx(
        -np.mean(np.where(y, np.log(p), np.log(1 - p)))
    )
    assert math.isfinite(made.gain.estimate)
