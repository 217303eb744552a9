"""PandaLM: the verdict is the first line."""

import asyncio

import pytest

from evenhand.judges import PandaLM
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Decode, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def ask(reply, case: Case = PAIR):
    return asyncio.run(PandaLM(Scripted("s", lambda request: reply))(case))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1\nResponse 1 is right.\nFour.", "A"),
        ("2\nResponse 2 is right.", "B"),
        ("Tie\nBoth are.", "tie"),
        ("tie", "tie"),
        ("\n\n 2 \n\n### Reason: it is.\n\n### Reference: 4", "B"),
        ("**1**\nSo.", "A"),
        ("1.\nSo.", "A"),
        ("1\n2\nSo.", "A"),
    ],
)
def test_first_line_is_the_verdict(text, label):
    assert ask(text).label == label


@pytest.mark.parametrize(
    "text",
    ["3\nSo.", "0", "A\nSo.", "Response 1 is better.\n1", "1 or 2", "-1", "1.5\nSo.", "12", "one"],
)
def test_anything_else_is_undecided_where_the_source_counts_a_tie(text):
    first = text.strip().split("\n")[0].lower()
    sources = {"1": "A", "2": "B"}.get(first, "tie")
    verdict = ask(text)
    assert sources == "tie"
    assert (verdict.code, verdict.label) == ("unread", None)


def test_published_protocol_asks_once_in_the_order_given():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return "1"

    judge = build(find("pandalm"), model=Scripted("s", answer))
    assert isinstance(judge, PandaLM)
    assert asyncio.run(judge(PAIR)).label == "A"
    assert len(seen) == 1
    shown = seen[0].messages[1].text
    assert shown.index("It is four.") < shown.index("It is five.")
    assert "a reference answer" in shown
    assert seen[0].decode == Decode(temperature=0.0, max_tokens=512)
