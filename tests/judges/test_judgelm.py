"""JudgeLM: two scores on the first line."""

import asyncio
from dataclasses import replace

import pytest

from evenhand.judges import JudgeLM, Swap
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Decode, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def ask(reply, case: Case = PAIR):
    return asyncio.run(JudgeLM(Scripted("s", lambda request: reply))(case))


def sources_scores(text: str) -> tuple[float, float]:
    """As the authors' code reads: first line, commas to spaces, two pieces; else both -1."""
    pieces = text.split("\n")[0].replace(",", " ").split(" ")
    return (float(pieces[0]), float(pieces[1])) if len(pieces) == 2 else (-1.0, -1.0)


@pytest.mark.parametrize(
    ("text", "label", "scores"),
    [
        ("8 6\nThe first names the result, the second is wrong.", "A", (8, 6)),
        ("6 8\nNo.", "B", (6, 8)),
        ("7 7\nEqual.", "tie", (7, 7)),
        ("8.5 8\nA little.", "A", (8.5, 8)),
        ("9,10\nSo.", "B", (9, 10)),
        ("9, 10\nSo.", "B", (9, 10)),
        ("\n 10 1 \nSo.", "A", (10, 1)),
        ("10\t9", "A", (10, 9)),
        ("8 6\r\nWindows.", "A", (8, 6)),
        ("<think>3 9\nhm</think>8 6\nSo.", "A", (8, 6)),
    ],
)
def test_sign_of_the_gap_decides_and_both_scores_are_kept(text, label, scores):
    verdict = ask(text)
    assert (verdict.label, verdict.marks["scores"]) == (label, scores)
    assert verdict.reason == text


@pytest.mark.parametrize(
    "text",
    [
        "8\nOnly one.",
        "8 6 7\nThree.",
        "Scores: 8 6",
        "The first is better.\n8 6",
        "8/10 6/10\nOut of ten.",
        "0 5\nOff the scale.",
        "11 5\nOff the scale.",
        "8 -6\nOff the scale.",
        "eight six",
    ],
)
def test_a_first_line_that_is_not_two_scores_is_undecided_not_a_tie(text):
    verdict = ask(text)
    assert (verdict.code, verdict.scores) == ("unread", None)


def test_the_source_makes_a_tie_of_what_it_cannot_read():
    text = "The first is better.\n8 6"
    one, other = sources_scores(text)
    assert one == other == -1
    assert ask(text).code == "unread"
    # It cannot read a comma with a space after it either; ours can.
    assert sources_scores("9, 10\nSo.") == (-1, -1)
    assert ask("9, 10\nSo.").label == "B"


def test_the_source_drops_the_last_character_where_no_stop_string_stands():
    text = "8 10"
    cut = text[: text.find("###")]  # find gives -1
    assert (cut, sources_scores(cut)) == ("8 1", (8, 1))
    assert ask(text).label == "B"


def test_a_cut_reply_is_undecided():
    assert ask(Completion("8 6\nThe first", finish="length")).code == "cut"


def test_two_responses_that_trade_places_trade_their_scores():
    def by_content(request: Request) -> str:
        text = request.messages[1].text
        return "9 4\nSo." if text.index("four.") < text.index("five.") else "4 9\nSo."

    judge = JudgeLM(Scripted("s", by_content))
    plain, turned = (asyncio.run(judge(case)) for case in (PAIR, PAIR.only(1, 0)))
    assert (plain.label, turned.label) == ("A", "B")
    assert plain.marks["scores"] == turned.marks["scores"][::-1]
    assert asyncio.run(Swap(judge)(PAIR)).label == "A"


def test_defaults_are_the_published_ones_and_a_reference_is_shown():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return "8 6"

    judge = JudgeLM(Scripted("s", answer))
    asyncio.run(judge(replace(PAIR, reference=("FOUR",))))
    assert judge.decode == Decode(temperature=0.2, max_tokens=2048)
    assert "<reference>\nFOUR\n</reference>" in seen[0].messages[1].text
