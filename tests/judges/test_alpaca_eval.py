"""AlpacaEval: two outputs, one token, and only the case of a letter between them."""

import asyncio
import math

import pytest

from evenhand.judges import AlpacaEval, Seeded
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

PAIR = Case.of("q", "Name a prime.", "Seven.", "Eight.")


def tops(**mass: float) -> Completion:
    return Completion("m", ({token: math.log(p) for token, p in mass.items()},), finish="length")


def ask(reply, case: Case = PAIR):
    return asyncio.run(AlpacaEval(Scripted("s", lambda request: reply))(case))


def test_probability_is_shared_between_small_m_and_capital_m():
    verdict = ask(tops(m=0.6, M=0.2, The=0.1))
    assert verdict.probs == pytest.approx({"A": 0.75, "B": 0.25})
    assert verdict.marks["mass"] == pytest.approx(0.8)


def test_an_absent_letter_has_probability_zero_and_two_absent_ones_are_undecided():
    assert ask(tops(M=0.5, The=0.5)).probs == {"A": 0.0, "B": 1.0}
    lost = ask(tops(The=0.5, Output=0.5))
    assert (lost.code, lost.scores) == ("unread", None)


@pytest.mark.parametrize(
    ("text", "label"),
    [("m", "A"), ("M", "B"), (" M.", "B"), ("Output m", None), ("both", None), ("mM", None)],
)
def test_without_probabilities_the_letter_of_the_reply_counts(text, label):
    verdict = ask(text)
    assert verdict.label == label
    assert label or verdict.code == "unread"


def test_one_token_is_asked_for_with_its_alternatives():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return "m"

    asyncio.run(AlpacaEval(Scripted("s", answer))(PAIR))
    request = seen[0]
    assert (request.need, request.decode.max_tokens, request.decode.temperature) == ("probs", 1, 1)
    shown = request.messages[1].text
    assert "Output m:\n<response>\nSeven." in shown
    assert "Output M:\n<response>\nEight." in shown


def test_published_protocol_draws_one_order_for_each_case():
    judge = build(find("alpaca-eval"), model=Scripted("s", lambda request: tops(m=0.9, M=0.1)))
    assert isinstance(judge, Seeded)
    cases = [Case.of(f"q{i}", "p", "one", "other") for i in range(200)]
    verdicts = [asyncio.run(judge(case)) for case in cases]
    swapped = sum(verdict.marks["order"] == "swapped" for verdict in verdicts)
    assert 70 < swapped < 130
    shares = {verdict.marks["order"]: round(verdict.score, 6) for verdict in verdicts}
    assert shares == {"given": 0.9, "swapped": 0.1}
    assert [v.score for v in verdicts] == [asyncio.run(judge(case)).score for case in cases]
