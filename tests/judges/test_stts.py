import asyncio

import pytest

from evenhand.judges.build import build, edited, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def judged(answer, *sets: str, order: str | None = None):
    form = edited(find("stts"), sets=sets, order=order)
    return asyncio.run(build(form, model=Scripted("thinking", answer))(PAIR))


def rounds(request: Request) -> int:
    """How often the model was made to think on before this request."""
    return (
        request.messages[-1].text.count("Wait") if request.messages[-1].role == "assistant" else 0
    )


@pytest.mark.parametrize("times", [0, 1, 2, 4])
def test_so_many_continuations_happen_and_only_the_last_verdict_counts(times):
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        verdict = "B" if rounds(request) == times else "A"
        opening = "" if rounds(request) else "<think>"
        return f"{opening}Perhaps [[C]]?</think>\nThe verdict: [[{verdict}]]"

    verdict = judged(answer, f"model.times={times}", order="given")
    assert (verdict.label, len(seen)) == ("B", 1 + times)
    assert [rounds(request) for request in seen] == list(range(times + 1))
    assert verdict.calls[0].text.count("</think>") == 1


def test_golden_reply_in_both_orders():
    def answer(request: Request) -> str:
        shown = request.messages[-1 - (request.messages[-1].role == "assistant")].text
        right = "A" if shown.index("four") < shown.index("five") else "B"
        return f"Hm, [[C]]…</think> It adds up. [[{right}]]"

    verdict = judged(answer)
    assert verdict.label == "A"
    assert [part.marks["raw"] for part in verdict.parts] == ["A", "B"]


def test_a_verdict_that_stands_only_in_the_reasoning_is_undecided():
    assert judged(lambda request: "<think>It must be [[A]].</think> I cannot say.").code == "unread"
    assert judged(lambda request: "<think>It must be [[A]].").code == "empty"


def test_the_token_budget_is_that_of_one_reply():
    seen: list[Request] = []

    def answer(request: Request) -> Completion:
        seen.append(request)
        spent = request.decode.max_tokens < 60
        finish = "length" if spent else "stop"
        return Completion("so…</think> [[A]]", tokens_out=50, finish=finish)

    verdict = judged(answer, "decode.max_tokens=100", order="given")
    assert [request.decode.max_tokens for request in seen] == [100, 50]
    assert verdict.code == "cut"


def test_its_page_says_that_it_is_reconstructed():
    from evenhand.judges import PUBLISHED

    assert PUBLISHED["stts"].status == "reconstructed"
    assert "not known" in PUBLISHED["stts"].departs
