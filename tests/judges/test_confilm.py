"""ConfiLM: confidence of the writers, in words."""

import asyncio
import math

import pytest

from evenhand.judges import ConfiLM, Swap
from evenhand.judges.confilm import in_words
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request, Response


def pair(one=0.95, other=0.1) -> Case:
    responses = (
        Response(("Teddy Riner.",), notes={"confidence": one}),
        Response(("Nobody.",), notes={"confidence": other}),
    )
    return Case("q", Case.of("", "Who lit the cauldron?").prompt, responses)


def ask(reply, case: Case):
    return asyncio.run(ConfiLM(Scripted("s", lambda request: reply))(case))


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0, "very unsure"), (0.19, "very unsure"), (0.2, "unsure"), (0.5, "neither sure nor unsure"),
     (0.6, "sure"), (0.8, "very sure"), (1, "very sure"), ("0.7", "sure"), (-0.1, ""), (1.1, ""),
     (math.nan, ""), ("high", ""), (None, "")],
)  # fmt: skip
def test_confidence_is_told_in_fifths(confidence, words):
    assert in_words(Response(("x",), notes={"confidence": confidence})) == words


def test_confidence_stands_beside_its_response_in_both_orders():
    seen: list[str] = []

    def answer(request: Request) -> str:
        seen.append(request.messages[1].text)
        return "A"

    asyncio.run(Swap(ConfiLM(Scripted("s", answer)))(pair()))
    riner = "whose writer was very sure:\n<response_{}>\nTeddy Riner."
    nobody = "whose writer was very unsure:\n<response_{}>\nNobody."
    assert riner.format("a") in seen[0]
    assert nobody.format("b") in seen[0]
    assert nobody.format("a") in seen[1]
    assert riner.format("b") in seen[1]


def test_the_verdict_keeps_its_distribution():
    top = {"A": math.log(0.5), " C": math.log(0.2), "tie": math.log(0.05), "B": math.log(0.25)}
    verdict = ask(Completion("A", (top,), finish="length"), pair())
    assert verdict.probs == pytest.approx({"A": 0.5, "tie": 0.25, "B": 0.25})
    assert verdict.score == pytest.approx(0.625)
    probs = sorted(verdict.probs.values())
    assert probs[-1] - probs[-2] == pytest.approx(0.25)
    assert -sum(p * math.log2(p) for p in probs) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("text", "label"),
    [("A", "A"), (" B.", "B"), ("C", "tie"), ("tie", "tie"), ("D", None), ("A is better", None)],
)
def test_without_probabilities_the_letter_counts(text, label):
    verdict = ask(text, pair())
    assert verdict.label == label
    assert label or verdict.code == "unread"


def test_a_response_without_confidence_is_undecided_and_nobody_is_asked():
    case = Case.of("q", "Who?", "one", "other")
    verdict = ask(ZeroDivisionError("asked"), case)
    assert verdict.code == "empty"
    assert "confidence" in verdict.reason
