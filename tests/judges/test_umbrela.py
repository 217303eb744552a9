"""UMBRELA: the relevance of a passage, from 0 to 3."""

import asyncio

import pytest

from evenhand.judges import Umbrela
from evenhand.models.scripted import Scripted
from evenhand.records import Case

CASE = Case.of("q", "how long is life cycle of flea", "Fleas live for 100 days.")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("##final score: 2", "2"),
        ("##final score: 0", "0"),
        ("## Final Score: 3", "3"),
        ("**##final score:** 1", "1"),
        ("##final score: **1**", "1"),
        ("##final_score: 1", "1"),
        ("##final score=3", "3"),
        ("The final score is 2.", "2"),
        ('{"M": 2, "T": 1, "final score": 2}', "2"),
        ('{"M": 2, "T": 1, "O": 2}', "2"),
        ("M: 2\nT: 1\nO: 3", "3"),
        ("3", "3"),
        (" 2.\n", "2"),
        ("##final score: 1\n##final score: 2", "2"),
        ("##final score: 4", None),
        ("##final score: -1", None),
        ("##final score: 1.5", None),
        ("##final score: 0 to 3", None),
        ("##final score: 12", None),
        ("##final score: (level)", None),
        ("M: 2\nT: 1", None),
        ("It is 2 of 3.", None),
        ("no relation", None),
    ],
)
def test_label_follows_final_score_or_is_the_whole_reply(text, label):
    verdict = asyncio.run(Umbrela(Scripted("s", lambda request: text))(CASE))
    assert verdict.label == label
    assert verdict.code == (None if label else "unread")


def test_the_prompt_is_the_query_and_the_response_the_passage():
    seen = []

    def answer(request):
        seen.append(request.messages[0].text)
        return "##final score: 3"

    assert asyncio.run(Umbrela(Scripted("s", answer))(CASE)).score == 3.0
    assert "<prompt>\nhow long is life cycle of flea\n</prompt>" in seen[0]
    assert "<response>\nFleas live for 100 days.\n</response>" in seen[0]
