"""GLIDER: a score on the rubric's own scale, and the words that decided it."""

import asyncio
from dataclasses import replace

import pytest

from evenhand.judges import Glider
from evenhand.models.scripted import Scripted
from evenhand.records import Case

RUBRIC = "Is the answer polite?\n0: rude\n1: neither\n2: polite"
CASE = Case.of("q", "Help me.", "Of course!\nI am  glad to help.", rubric=RUBRIC)


def grade(reply: str, case: Case = CASE):
    return asyncio.run(Glider(Scripted("s", lambda request: reply))(case))


def blocks(highlight: str = '["glad"]', score: str = "2") -> str:
    return (
        f"<reasoning>\n- It offers help.\n</reasoning>\n<highlight>\n{highlight}\n</highlight>\n"
        f"<score>\n{score}\n</score>"
    )


def test_golden_reply_gives_score_spans_and_reasons():
    verdict = grade(blocks('["Of course!", "glad to help", "never said"]'))
    assert (verdict.label, verdict.score, list(verdict.scale.labels)) == ("2", 2.0, ["0", "1", "2"])
    assert "It offers help." in verdict.reason
    assert verdict.marks["spans"] == [
        {"start": 0, "end": 10, "text": "Of course!", "where": "response"},
        {"start": 17, "end": 29, "text": "glad to help", "where": "response"},
    ]
    assert verdict.marks["unresolved"] == ["never said"]


def test_spans_are_offsets_of_the_text_itself():
    case = replace(CASE, context=("One doc.", "Be kind."), reference=("Gladly.",))
    verdict = grade(blocks('["I am glad", "Help me", "Be  kind", "Gladly."]'), case)
    texts = {"response": case.responses[0].text, "prompt[0]": "Help me."}
    texts |= {"context[1]": "Be kind.", "reference[0]": "Gladly."}
    assert [span["where"] for span in verdict.marks["spans"]] == list(texts)
    for span in verdict.marks["spans"]:
        assert texts[span["where"]][span["start"] : span["end"]] == span["text"]
    # White space may differ; case and letters may not.
    assert verdict.marks["spans"][0]["text"] == "I am  glad"
    assert grade(blocks('["GLAD"]')).marks["unresolved"] == ["GLAD"]


@pytest.mark.parametrize(
    ("highlight", "phrases"),
    [
        ('["Of course!", "glad"]', 2),
        ("['Of course!', 'glad']", 2),
        ("- Of course!\n- glad", 2),
        ("* \"Of course!\"\n* 'glad'", 2),
        ("Of course!", 1),
        ('"glad"', 1),
        ("[]", 0),
        ("", 0),
    ],
)
def test_highlights_are_read_as_a_list_however_it_is_written(highlight, phrases):
    verdict = grade(blocks(highlight))
    assert (len(verdict.marks["spans"]), verdict.marks["unresolved"]) == (phrases, [])


@pytest.mark.parametrize(
    "reply",
    [
        "The answer is polite: 2",
        blocks().replace("<score>", ""),
        blocks().replace("</score>", ""),
        blocks().replace("<highlight>", ""),
        blocks().replace("</reasoning>", ""),
        blocks(score="3"),
        blocks(score="-1"),
        blocks(score="1.5"),
        blocks(score="polite"),
        blocks(score="1 or 2"),
        "<score>2</score>",
    ],
)
def test_a_missing_block_or_a_score_off_the_rubric_is_undecided(reply):
    verdict = grade(reply)
    assert (verdict.code, verdict.score, len(verdict.calls)) == ("unread", None, 1)


def test_the_last_score_counts():
    assert grade(blocks(score="0") + blocks(score="1")).score == 1.0


def test_a_rubric_without_scores_uses_the_judges_scale():
    verdict = grade(blocks(score="5"), replace(CASE, rubric="Is it polite?"))
    assert list(verdict.scale.labels) == ["1", "2", "3", "4", "5"]
    assert verdict.score == 5.0


def test_without_a_rubric_nothing_is_asked():
    verdict = grade(blocks(), replace(CASE, rubric=None))
    assert (verdict.code, verdict.calls) == ("empty", ())
