"""MT-Bench pairwise: guided by a reference where the case has one."""

import asyncio
from dataclasses import replace

from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def test_a_reference_makes_the_other_prompt_and_both_orders_see_it():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return "[[A]]"

    judge = build(find("mt-bench-pair"), model=Scripted("s", answer))
    asyncio.run(judge(PAIR))
    asyncio.run(judge(replace(PAIR, reference=("FOUR",))))
    bare, guided = seen[:2], seen[2:]
    assert [request.messages[0] for request in bare] == [r.messages[0] for r in guided]
    for request in bare:
        assert "reference" not in request.messages[1].text
    for request in guided:
        shown = request.messages[1].text
        assert "Compare each response with it first" in shown
        assert "<reference>\nFOUR\n</reference>" in shown
    first = [r.messages[1].text.index("It is four.") for r in guided]
    other = [r.messages[1].text.index("It is five.") for r in guided]
    assert [a < b for a, b in zip(first, other, strict=True)] == [True, False]
