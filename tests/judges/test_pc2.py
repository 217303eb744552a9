import asyncio

import pytest

from evenhand.judges import PC2
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

CASE = Case.of(
    "q", "2 + 2?", "It is four.", notes={"auxiliary": ["4", "Two and two make four.", "5"]}
)
CRITERIA = (
    "They differ in truth.\n\n[[60]] Right: says four\n[[30]] Plain: one sentence\n[[10]] Kind"
)
MARKS = "1. right [[3]]\n2. plain [[2]]\n3. curt [[1]]"
SCORES = "1. As right. [[2]]\n2. Plain: [[3]]\n3. curt [[1]]"


class Asked:
    def __init__(self, scores: str | Completion = SCORES, criteria=CRITERIA, marks=MARKS):
        self.replies = {"weighted": criteria, "marks": marks, "scores": scores}
        self.seen: list[Request] = []

    def answer(self, request: Request) -> str | Completion:
        self.seen.append(request)
        text = request.messages[-1].text
        if "three to nine criteria" in text:
            return self.replies["weighted"]
        return self.replies["marks" if "The answer to mark" in text else "scores"]

    def judged(self, case: Case = CASE):
        model = Scripted("all", self.answer)
        return asyncio.run(PC2(model, model)(case))


def test_golden_replies_make_the_weighted_mean_of_the_parts():
    asked = Asked()
    verdict = asked.judged()
    assert verdict.score == pytest.approx((60 * 2 + 30 * 3 + 10 * 1) / 100)
    assert [part.score for part in verdict.parts] == [2, 3, 1]
    assert verdict.parts[0].marks == {"item": "Right: says four", "weight": 60}
    assert (verdict.scale.span, len(verdict.calls), len(asked.seen)) == ((1, 3), 3, 3)
    assert "weights_sum" not in verdict.marks


@pytest.mark.parametrize(
    "told",
    [
        "Weighted Score: [[300]]",
        "Total: 300",
        "Weighted Score: 3.0 out of 3",
        "**Weighted Score**: [[3]]",
    ],
)
def test_a_total_that_the_judge_reports_itself_is_not_looked_at(told):
    honest = Asked().judged().score
    assert Asked(f"{SCORES}\n{told}").judged().score == honest
    assert Asked(f"{told}\n{SCORES}").judged().score == honest
    assert Asked(told).judged().code == "unread"


def test_weights_that_do_not_sum_to_a_hundred_count_by_their_share():
    verdict = Asked(criteria="[[2]] Right\n[[1]] Plain\n[[1]] Kind").judged()
    assert verdict.score == pytest.approx((2 * 2 + 3 + 1) / 4)
    assert verdict.marks["weights_sum"] == 4


@pytest.mark.parametrize(
    "scores",
    [
        "1. [[2]]\n2. [[3]]",
        "1. [[2]]\n2. [[3]]\n3. [[4]]",
        "1. [[2]]\n2. [[3]]\n3. [[1.5]]",
        "all fine",
    ],
)
def test_a_score_that_is_missing_or_off_the_scale_leaves_the_whole_undecided(scores):
    verdict = Asked(scores).judged()
    assert (verdict.code, verdict.score, verdict.scale.span) == ("unread", None, (1, 3))


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        ("Right, plain and kind.", "unread"),
        ("[[0]] Right\n[[0]] Plain", "unread"),
        ("[[weight]] name: what a good answer does", "unread"),
        (Completion("[[60]] Ri", finish="length"), "cut"),
    ],
)
def test_without_criteria_nothing_is_scored(criteria, code):
    asked = Asked(criteria=criteria)
    verdict = asked.judged()
    assert (verdict.code, len(asked.seen), len(verdict.calls)) == (code, 1, 1)


def test_marks_that_never_came_whole_leave_the_case_undecided():
    verdict = Asked(marks=Completion("1. ri", finish="length")).judged()
    assert (verdict.code, len(verdict.calls)) == ("cut", 2)


@pytest.mark.parametrize(
    "known", [{}, {"auxiliary": ["4"]}, {"auxiliary": "4"}, {"auxiliary": ["4", {"system": "X"}]}]
)
def test_fewer_than_two_answers_to_compare_is_undecided(known):
    asked = Asked()
    verdict = asked.judged(Case.of("q", "2 + 2?", "It is four.", notes=known))
    assert (verdict.code, asked.seen) == ("empty", [])
    assert "2 are compared at least" in verdict.reason


def test_what_is_made_beforehand_does_not_depend_on_the_response():
    one, other = Asked(), Asked()
    one.judged()
    other.judged(Case.of("r", "2 + 2?", "22", notes=CASE.notes))
    assert one.seen[:2] == other.seen[:2]
    assert one.seen[2] != other.seen[2]


def test_the_scorer_sees_the_baseline_with_its_marks_and_the_writer_may_be_another():
    asked = Asked()
    writer, scorer = [], []

    def noting(log):
        return Scripted("n", lambda request: log.append(request) or asked.answer(request))

    asyncio.run(PC2(noting(scorer), noting(writer))(CASE))
    assert (len(writer), len(scorer)) == (2, 1)
    text = scorer[0].messages[-1].text
    assert "<response_baseline>\n4\n</response_baseline>" in text
    assert f"<material>\n{MARKS}\n</material>" in text
    assert "Two and two make four" not in text
