"""A weighted rubric: one call a criterion, points earned over points possible."""

import asyncio
import math
from dataclasses import replace

import pytest

from evenhand.errors import DataError
from evenhand.judges import Rubric
from evenhand.judges.rubrics import Criterion
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion

HEALTH = [
    {"criterion": "Tells the user to call for help", "points": 7, "tags": ["axis:accuracy"]},
    {"criterion": "Names a dose", "points": 3, "tags": ["axis:completeness"]},
    {"criterion": "Is wordy", "points": -4, "tags": ["axis:communication"]},
]
CASE = Case.of("q", "I fainted.", "Call for help.", rubric=HEALTH)


def check(case: Case = CASE, said=(), **fields):
    """Each criterion gets the reply of the first word of it that stands in `said`."""
    seen = []

    def answer(request):
        text = request.messages[-1].text
        seen.append(text)
        criterion = text.rpartition("<rubric>\n")[2]
        return next((reply for word, reply in said if word in criterion), "So: [[not met]]")

    return asyncio.run(Rubric(Scripted("s", answer), **fields)(case)), seen


MET = "So: [[met]]"


@pytest.mark.parametrize(
    ("met", "share"),
    [
        (["Tells", "Names"], 1.0),
        (["Tells"], 0.7),
        (["Names"], 0.3),
        ([], 0.0),
        (["Tells", "Names", "wordy"], 0.6),
        (["wordy"], 0.0),
    ],
)
def test_share_is_earned_over_positive_points_clipped(met, share):
    verdict, seen = check(said=[(word, MET) for word in met])
    assert verdict.score == pytest.approx(share)
    assert len(seen) == 3
    earned = sum(one["points"] for one in HEALTH if any(word in one["criterion"] for word in met))
    assert verdict.marks["share"] == pytest.approx(earned / 10)
    assert verdict.marks["possible"] == 10


def test_parts_keep_criterion_points_and_tags():
    verdict, _ = check(said=[("Tells", MET)])
    assert [part.label for part in verdict.parts] == ["met", "not met", "not met"]
    assert [dict(part.marks) for part in verdict.parts] == HEALTH
    assert verdict.calls == ()
    assert [len(part.calls) for part in verdict.parts] == [1, 1, 1]


def test_the_judge_sees_one_criterion_and_no_points():
    _, seen = check()
    assert [sum(one["criterion"] in text for one in HEALTH) for text in seen] == [1, 1, 1]
    assert not any("7" in text or "points" in text for text in seen)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[[met]]", "met"),
        ("[[not met]]", "not met"),
        ("**[[Not met]]**", "not met"),
        ("[[ MET ]]", "met"),
        ("[[not met]]. On reflection [[met]]", "met"),
        ('```json\n{"explanation": "x", "criteria_met": true}\n```', "met"),
        ('{"criteria_met": false}', "not met"),
        ("[[met]], [[not met]], [[cannot assess]]", None),
        ("[[yes]]", None),
        ("[[partly met]]", None),
        ("met", None),
        ("", None),
    ],
)
def test_one_of_two_verdicts_is_read(text, label):
    verdict, _ = check(replace(CASE, rubric="It is short."), [("short", text)])
    assert verdict.parts[0].label == label
    assert verdict.code == (None if label else ("unread" if text else "empty"))


def test_cannot_assess_is_undecided_and_stops_or_is_dropped():
    said = [("Tells", MET), ("Names", "No way to know. [[cannot assess]]")]
    verdict, _ = check(said=said)
    assert (verdict.code, verdict.score, len(verdict.parts)) == ("refused", None, 3)
    assert verdict.reason.startswith("refused: part 2 of 3: the judge cannot assess it")
    dropped, _ = check(said=said, unread="drop")
    assert dropped.score == 1.0  # 7 of 7: its 3 points are in neither sum
    assert (dropped.marks["possible"], dropped.marks["unread"]) == (7, 1)


def test_nothing_left_is_undecided():
    unknown = [(word, "[[cannot assess]]") for word in ("Tells", "Names")]
    verdict, _ = check(said=unknown, unread="drop")
    assert (verdict.code, verdict.score) == ("refused", None)


@pytest.mark.parametrize("rubric", [None, "", [], [{"criterion": "Is wordy", "points": -4}]])
def test_without_points_to_earn_nothing_is_asked(rubric):
    verdict, seen = check(replace(CASE, rubric=rubric))
    assert (verdict.code, seen) == ("empty", [])


def test_the_cases_rubric_wins_over_the_judges_own():
    own = (Criterion("Is short", 2.0),)
    assert len(check(criteria=own)[1]) == 3
    verdict, seen = check(replace(CASE, rubric=None), [("Is short", MET)], criteria=own)
    assert (verdict.score, len(seen)) == (1.0, 1)


def test_a_broken_rubric_fails_the_case():
    with pytest.raises(DataError, match="criterion 2"):
        check(replace(CASE, rubric=["Is short", {"points": 3}]))


def test_criteria_are_asked_at_the_same_time():
    running, most = 0, 0

    class Counting:
        name = "counting"

        async def __call__(self, request):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return Completion(MET)

    assert asyncio.run(Rubric(Counting())(CASE)).decided
    assert most == 3


def test_planted_truth_is_found_again():
    """Weights that are powers of two: the share tells exactly which criteria are met."""
    rubric = [{"requirement": f"sign {i};", "weight": 2**i} for i in range(5)]
    for number in (0, 1, 6, 21, 31):
        met = [(f"sign {i};", MET) for i in range(5) if number >> i & 1]
        verdict, _ = check(replace(CASE, rubric=rubric), met)
        assert math.isclose(verdict.score * 31, number, abs_tol=1e-9)
