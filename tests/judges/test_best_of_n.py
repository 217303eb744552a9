import asyncio
import math
import random

import pytest

from evenhand.judges import (
    Each,
    Pointwise,
)
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Request, Verdict


def ask(judge, case: Case) -> Verdict:
    return asyncio.run(judge(case))


def numbers(*values: int) -> Case:
    """Responses that are numbers: the higher the better."""
    return Case.of("q", "Say a high number.", *map(str, values))


def test_the_best_of_n_is_as_good_as_the_greatest_of_n_draws():
    """Qualities drawn evenly from 0 to 1: the greatest of n is n / (n + 1) on average."""

    def grade(request: Request) -> str:
        said = request.messages[-1].text.split("<response>\n")[1].split("\n")[0]
        return f"[[{1.0 + 9.0 * float(said):.6f}]]"

    judge = Each(Pointwise(Scripted("exact", grade)), over="responses", pool="rank")
    draw, cases = random.Random(7), 400
    for n in (1, 2, 4):
        total = 0.0
        for i in range(cases):
            qualities = [draw.random() for _ in range(n)]
            case = Case.of(f"{i}", "p", *(f"{quality:.6f}" for quality in qualities))
            total += qualities[int(ask(judge, case).label.split(">")[0])]
        expected = n / (n + 1)
        variance = n / (n + 2) - expected**2
        assert total / cases == pytest.approx(expected, abs=4 * math.sqrt(variance / cases))


def test_published_best_of_n_makes_one_call_a_response():
    asked: list[Request] = []
    model = Scripted("counting", lambda request: asked.append(request) or "[[5]]")
    verdict = ask(build(find("best-of-n"), model=model), numbers(1, 2, 3))
    assert (len(asked), verdict.label) == (3, "0=1=2")
