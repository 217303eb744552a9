"""GreekBarBench: three scores, and their mean."""

import asyncio
from dataclasses import replace

import pytest

from evenhand.judges import GreekBar
from evenhand.models.scripted import Scripted
from evenhand.records import Case

CASE = Case.of(
    "q", "A lent B a tractor. May A have it back?", "Yes.", reference=("Yes, Art. 810.",)
)
GOOD = (
    "Explanation of the facts score: all there.\nFacts score: 8\n"
    "Article 810 is named.\nRules score: 7\n"
    "It ends right.\nAnalysis score: 6"
)


def mark(reply: str, case: Case = CASE):
    seen = []

    def answer(request):
        seen.append(request.messages[-1].text)
        return reply

    return asyncio.run(GreekBar(Scripted("s", answer))(case)), seen


def test_golden_reply_is_the_mean_of_three_labelled_integers():
    verdict, _ = mark(GOOD)
    assert verdict.score == pytest.approx(7.0)
    assert {part.marks["item"]: part.score for part in verdict.parts} == {
        "facts": 8.0,
        "rules": 7.0,
        "analysis": 6.0,
    }
    assert verdict.reason == GOOD
    assert [len(verdict.calls), *(len(part.calls) for part in verdict.parts)] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("Facts score: 8", 8),
        ("**Facts Score:** 8", 8),
        ("**Facts score**: **8**", 8),
        ("facts score = 10", 10),
        ("Facts score: 8/10", 8),
        ("Facts score: 8 out of 10", 8),
        ("Facts score: 8 (good)", 8),
        ("Facts score: 3\nNo.\nFacts score: 8", 8),
        ("Facts score: 8.5", None),
        ("Facts score: 0", None),
        ("Facts score: 11", None),
        ("Facts score: -8", None),
        ("Facts score: 4/5", None),
        ("Facts score: 7-8", None),
        ("Facts score: (number)", None),
        ("Explanation of the facts score: 8", None),
        ("Facts: 8", None),
        ("", None),
    ],
)
def test_each_score_stands_under_its_name_on_a_line_of_its_own(said, score):
    verdict, _ = mark(GOOD.replace("Facts score: 8", said))
    assert verdict.parts[0].score == score
    assert verdict.code == (None if score else "unread")
    assert [part.score for part in verdict.parts[1:]] == [7.0, 6.0]


def test_names_of_the_authors_templates_are_known():
    for name in ("Legislation Score", "Cited Articles Score"):
        assert mark(GOOD.replace("Rules score", name))[0].parts[1].score == 7.0


def test_unreadable_reply_is_undecided():
    verdict, _ = mark("A fair answer.")
    assert (verdict.code, verdict.score, len(verdict.parts)) == ("unread", None, 3)


@pytest.mark.parametrize(
    "notes",
    [
        {"spans": [{"tag": "rules", "text": "Art. 810"}], "facts": "A lent B a tractor."},
        {"spans": {"facts": ["the tractor"], "rules": ["Art. 810"]}},
        {"facts": "the tractor", "rules": ["Art. 810"], "other": "x"},
    ],
)
def test_spans_of_the_reference_are_shown(notes):
    shown = mark(GOOD, replace(CASE, notes=notes))[1][0]
    assert "Art. 810\n</rubric>" in shown
    assert shown.count("A lent B a tractor") == 1


def test_without_spans_they_are_not_spoken_of_and_without_a_reference_nothing_is_asked():
    assert "Passages" not in mark(GOOD)[1][0]
    verdict, seen = mark(GOOD, replace(CASE, reference=()))
    assert (verdict.code, seen) == ("empty", [])
