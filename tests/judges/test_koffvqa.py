"""KOFFVQA: points by written criteria, for Korean answers."""

import asyncio
from dataclasses import replace

import pytest

from evenhand.errors import DataError
from evenhand.judges import Koffvqa
from evenhand.models.scripted import Scripted
from evenhand.records import Case

RUBRIC = [
    {"criterion": "고양이라고 말한다.", "points": 6},
    {"criterion": "검은색이라고 말한다.", "points": 4},
]
LISTED = Case.of("q", "사진 속 동물은?", "검은 고양이입니다.", rubric=RUBRIC)
WRITTEN = replace(LISTED, rubric="- 고양이라고 말한다: 6점\n- 검은색이라고 말한다: 4점")


def grade(reply: str, case: Case = WRITTEN, language="ko"):
    seen = []

    def answer(request):
        seen.append(request.messages[-1].text)
        return reply

    return asyncio.run(Koffvqa(Scripted("s", answer), language)(case)), seen


def their_rule(reply: str) -> int:
    """The authors' reading: the last digits of the reply, 0 when they are over 10 or missing."""
    digits = "".join(c if c.isdigit() else " " for c in reply).split()
    return int(digits[-1]) if digits and int(digits[-1]) <= 10 else 0


@pytest.mark.parametrize(
    ("reply", "points", "theirs"),
    [
        ("둘 다 맞다.\n최종 점수: 10점 만점에 7점", 7, 7),
        ("최종 점수: 10점 만점에 10점.", 10, 10),
        ("최종 점수: 10점 만점에 0점", 0, 0),
        ("**최종 점수: 10점 만점에 7점**\n", 7, 7),
        ("최종 점수: 7점 (10점 만점)", 7, 10),
        ("총점: 7점", 7, 7),
        ("It is a cat.\nTotal: 7 out of 10", 7, 10),
        ("Total: 7/10", 7, 10),
        ("Total: 6 points", 6, 6),
        ("Final score: 7.5", 7.5, 5),
        ("Right.\n7", 7, 7),
        ("Total: 3\nNo, more.\nTotal: 8", 8, 8),
        ("최종 점수: 10점 만점에 12점", None, 0),
        ("Total: 11", None, 0),
        ("Total: -1", None, 1),
        ("Total: 4/5", None, 5),
        ("Total: 7\nThere are 2 cats.", None, 2),
        ("It shows 3 cats", None, 3),
        ("Total: (points) out of 10", None, 10),
        ("맞는 답이다.", None, 0),
    ],
)
def test_total_is_the_marked_number_of_the_last_line(reply, points, theirs):
    verdict, _ = grade(reply)
    assert verdict.score == points
    assert verdict.code == (None if points is not None else "unread")
    assert their_rule(reply) == theirs


@pytest.mark.parametrize(
    ("reply", "points"),
    [
        ("Criterion 1: 6\nCriterion 2: 4\nTotal: 10 out of 10", 10),
        ("Criterion 1: 6\nCriterion 2: 0\nTotal: 10 out of 10", 6),
        ("**Criterion 1:** 0 points\n**Criterion 2:** 4 points", 4),
        ("기준 1: 6점\n기준 2: 4점\n최종 점수: 10점 만점에 9점", 10),
        ("Criterion 1: 0\nSecond thoughts.\nCriterion 1: 6\nCriterion 2: 0/4\nTotal: 0", 6),
        ("Both are met.\nTotal: 10 out of 10", 10),
        ("Criterion 1: 3\nCriterion 2: 4\nTotal: 7", None),
        ("Criterion 1: 6\nTotal: 6", None),
        ("Criterion 1: 6\nCriterion 2: -4\nTotal: 2", None),
    ],
)
def test_points_of_the_criteria_are_added_up_and_the_told_total_is_ignored(reply, points):
    verdict, seen = grade(reply, LISTED)
    assert verdict.score == points
    assert verdict.code == (None if points is not None else "unread")
    assert "1. 고양이라고 말한다. (6 points)" in seen[0]
    assert len(verdict.calls) == 1


def test_points_of_criteria_in_words_are_added_up_too():
    verdict, _ = grade("Criterion 1: 6\nCriterion 2: 3\nTotal: 10")
    assert [part.score for part in verdict.parts] == [6.0, 3.0]
    assert verdict.score == 9.0
    assert grade("Criterion 1: 6\nCriterion 2: 5\nTotal: 10")[0].code == "unread"


@pytest.mark.parametrize(
    ("response", "asked"),
    [
        ("검은 고양이입니다.", True),
        ("네", True),
        ("이 제품은 Samsung Galaxy S24 입니다.", True),
        ("3", True),
        ("3,500 / 12:30!", True),
        ("", True),
        ("It is a black cat.", False),
        ("A", False),
        ("これは黒い猫です。", False),
        ("这是一只黑猫。", False),
        ("It is a black cat sitting on a chair (고양이).", False),
    ],
)
def test_only_korean_is_graded_unless_there_is_nothing_but_digits_and_signs(response, asked):
    case = Case.of("q", "사진 속 동물은?", response, rubric=RUBRIC)
    verdict, seen = grade("Total: 7", case)
    assert bool(seen) == asked
    assert verdict.score == (7.0 if asked else 0.0)
    assert (verdict.marks.get("gate"), len(verdict.calls)) == (
        (None, 1) if asked else ("language", 0)
    )
    assert grade("Total: 7", case, None)[0].score == 7.0


def test_without_a_rubric_nothing_is_asked_and_points_must_sum_to_ten():
    verdict, seen = grade("Total: 7", replace(LISTED, rubric=None))
    assert (verdict.code, seen) == ("empty", [])
    with pytest.raises(DataError, match="12"):
        grade("Total: 7", replace(LISTED, rubric=[{"criterion": "x", "points": 12}]))
    assert grade("Total: 7", replace(LISTED, rubric=["x", "y"]))[0].score == 7.0
