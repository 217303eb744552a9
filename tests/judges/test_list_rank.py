import asyncio
from itertools import permutations

import pytest

from evenhand.judges import ListRank
from evenhand.judges.list_rank import letters
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

FOUR = Case.of("q", "2 + 2?", "Four.", "It is 4.", "22", "No idea.")


def judged(reply: str | Completion, case: Case = FOUR):
    return asyncio.run(ListRank(Scripted("said", lambda request: reply))(case))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_every_permutation_is_read(order):
    verdict = judged(" > ".join(f"[[{'ABCD'[i]}]]" for i in order))
    assert verdict.label == ">".join(map(str, order))
    assert [verdict.scores[i] for i in order] == pytest.approx([1, 2 / 3, 1 / 3, 0])


def test_golden_reply():
    verdict = judged("B is right and plain, A too, C is wrong.\n\n[[B]] > [[A]] >[[D]]> [[C]]\n")
    assert (verdict.label, verdict.scale.orders, len(verdict.calls)) == ("1>0>3>2", True, 1)


def test_the_last_order_counts_and_reasoning_does_not():
    first, last = "[[A]] > [[B]] > [[C]] > [[D]]", "[[D]] > [[C]] > [[B]] > [[A]]"
    assert judged(f"{first}\nOn reflection: {last}").label == "3>2>1>0"
    assert judged(f"<think>{last}</think>{first}").label == "0>1>2>3"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("[[A]] > [[B]] > [[C]]", "leaves out D"),
        ("[[A]] > [[B]] > [[C]] > [[C]]", "leaves out D"),
        ("[[A]] > [[B]] > [[C]] > [[D]] > [[A]]", "names A too often"),
        ("[[A]] > [[B]] > [[C]] > [[D]] > [[E]]", "names E too often"),
        ("[[A]] = [[B]] > [[C]] > [[D]]", "leaves out A"),
        ("[[A]], [[B]], [[C]], [[D]]", "leaves out A, B, C, D"),
        ("A > B > C > D", "leaves out A, B, C, D"),
        ("I cannot say.", "leaves out A, B, C, D"),
    ],
)
def test_what_is_no_permutation_is_undecided(reply, why):
    verdict = judged(reply)
    assert (verdict.code, verdict.scores) == ("unread", None)
    assert why in verdict.reason


def test_every_response_is_shown_under_its_letter_even_beyond_z():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return " > ".join(f"[[{name}]]" for name in reversed(letters(30)))

    case = Case.of("q", "Count.", *(f"number {i}" for i in range(30)))
    verdict = asyncio.run(ListRank(Scripted("many", answer))(case))
    assert verdict.label == ">".join(str(i) for i in reversed(range(30)))
    text = seen[0].messages[-1].text
    assert "Response AD:\n<response_ad>\nnumber 29\n</response_ad>" in text


def test_letters_go_on_for_ever():
    assert letters(0) == ()
    assert letters(703)[-2:] == ("ZZ", "AAA")
    assert len(set(letters(2000))) == 2000
