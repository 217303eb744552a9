import asyncio

import pytest

from evenhand.judges import ListScores
from evenhand.models.scripted import Scripted
from evenhand.records import Case, ints

THREE = Case.of("q", "2 + 2?", "Four.", "It is 4.", "22")


def judged(reply: str, **settings):
    return asyncio.run(ListScores(Scripted("said", lambda request: reply), **settings)(THREE))


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("A: [[7]]\nB: [[9]]\nC: [[2]]", "1>0>2"),
        ("A: [[7]]\nB: [[7.0]]\nC: [[2.5]]", "0=1>2"),
        ("**A**: [[3]]\n- B: [[4]]\n3) C: [[5]]\nC: [[1]]", "1>0>2"),
        ("Response A: [[3]]\nResponse B: [[4]]\nResponse C: [[5]]", "2>1>0"),
        ("A: [[1]]\nB: [[2]]\nC: [[3]]\nNo:\nA: [[9]]\nB: [[2]]\nC: [[3]]", "0>2>1"),
    ],
)
def test_scores_make_an_order_and_equal_ones_share_a_place(reply, label):
    assert judged(reply).label == label


def test_golden_reply():
    verdict = judged("Both A and B are right.\n\nA: [[8]]\nB: [[8]]\nC: [[1]]")
    assert verdict.scores == pytest.approx((0.75, 0.75, 0.0))
    assert [(part.score, part.marks["item"]) for part in verdict.parts] == [(8, 0), (8, 1), (1, 2)]
    assert (len(verdict.calls), [part.calls for part in verdict.parts]) == (1, [()] * 3)


@pytest.mark.parametrize(
    "reply", ["A: [[7]]\nB: [[9]]", "A: [[7]]\nB: [[9]]\nC: [[0]]", "A: 7\nB: 9\nC: 2", "fine"]
)
def test_a_score_that_is_missing_or_off_the_scale_leaves_the_whole_undecided(reply):
    verdict = judged(reply)
    assert (verdict.code, verdict.scores, verdict.scale.name) == ("unread", None, "order")


def test_the_scale_is_a_setting_that_the_prompt_shows():
    seen = []

    def answer(request):
        seen.append(request.messages[-1].text)
        return "A: [[3]]\nB: [[2]]\nC: [[1]]"

    judge = ListScores(Scripted("few", answer), rating=ints("three", 1, 3))
    assert asyncio.run(judge(THREE)).label == "0>1>2"
    assert "from 1 to 3 and 3 is best" in seen[0]
