import asyncio

import pytest

from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.", reference=("five, as given",))


def judged(answer, name: str = "own-reference", case: Case = PAIR):
    seen: list[Request] = []

    def noting(request: Request):
        seen.append(request)
        return answer(request)

    verdict = asyncio.run(build(find(name), model=Scripted("noting", noting))(case))
    return verdict, seen


def by_reference(request: Request) -> str:
    text = request.messages[-1].text
    if "Response A" not in text:
        return "<think>5?</think>It is four."
    known = text.split("<reference>\n")[1].split("\n")[0]
    return "[[A]]" if known in text.split("Response A:")[1].split("Response B:")[0] else "[[B]]"


def test_golden_reply_judges_by_the_answer_written_first():
    verdict, seen = judged(by_reference)
    assert (verdict.label, [part.marks["raw"] for part in verdict.parts]) == ("A", ["A", "B"])
    assert len(seen) == 3
    assert "four" not in seen[0].messages[-1].text
    assert verdict.calls[0].text.endswith("It is four.")


def test_a_reference_of_the_case_is_not_shown():
    _, seen = judged(by_reference)
    assert not any("as given" in request.messages[-1].text for request in seen)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Completion("It is", finish="length"), "cut"),
        (Completion("", finish="stop"), "empty"),
        (Completion("<think>4</think>"), "empty"),
        (Completion("no", finish="refused"), "refused"),
    ],
)
def test_an_answer_that_never_came_whole_leaves_the_case_undecided(reply, code):
    verdict, seen = judged(lambda request: reply)
    assert (verdict.code, verdict.scale.name, len(seen)) == (code, "pair", 1)


def test_an_unreadable_verdict_is_undecided_not_a_tie():
    verdict, _ = judged(lambda request: "It is four.")
    assert (verdict.code, verdict.label) == ("unread", None)


def test_the_answer_is_the_same_request_for_every_pair_of_a_prompt():
    one = judged(by_reference)[1][0]
    other = judged(by_reference, case=Case.of("r", "2 + 2?", "It is four.", "Six."))[1][0]
    assert one == other
