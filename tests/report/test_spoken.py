from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from evenhand import Completion
from evenhand.judges.choice import Choice, ChoicePair
from evenhand.judges.combine import Repeat, Swap
from evenhand.judges.pairwise import Pairwise
from evenhand.judges.personalised import Personalised
from evenhand.models.scripted import Scripted
from evenhand.records import PAIR, Case, Verdict, ints
from evenhand.report.spoken import evidence_of
from tests.report.made import better, case
from tests.report.made import said as texts


def said(judge: Any, *cases: Case) -> list[Verdict]:
    return [asyncio.run(judge(one)) for one in cases]


def answering(**probs: float) -> Scripted:
    return Scripted("m", lambda request: Completion("", answer=probs))


def test_probabilities_of_a_verdict_are_those_of_its_label() -> None:
    model = Scripted("m", lambda request: Completion("", answer={"4": 0.7, "2": 0.3}))
    seen = evidence_of(said(Choice(model), case("q", "x")), ints("quality", 1, 5))
    assert seen.kind == "grades"
    assert seen.sources["probabilities"].tolist() == [0.7]
    assert (seen.said[0], seen.judged[0]) == (4.0, pytest.approx(3.4))


def by_place(request: Any) -> Completion:
    """0.8 for the larger number where it is shown first, 0.6 where it is second."""
    first = float(texts(request, "response_a")) > float(texts(request, "response_b"))
    return Completion("", answer={"A": 0.8, "B": 0.2} if first else {"A": 0.4, "B": 0.6})


def test_probabilities_of_both_orders_are_meant_for_the_winner() -> None:
    judge = Swap(ChoicePair(Scripted("m", by_place)), pool="mean")
    seen = evidence_of(said(judge, case("q", "9", "2"), case("r", "2", "9")), PAIR)
    assert seen.said.tolist() == [1.0, 0.0]
    assert seen.sources["probabilities"].tolist() == pytest.approx([0.7, 0.7])
    assert seen.same.tolist() == [1.0, 1.0]


def test_an_even_pair_is_a_tie_that_no_order_gave_a_chance() -> None:
    judge = Swap(ChoicePair(answering(A=0.8, B=0.2)), pool="mean")
    seen = evidence_of(said(judge, case("q", "x", "y")), PAIR)
    assert (seen.said.tolist(), seen.first.tolist()) == ([0.5], [1.0])
    assert seen.sources["probabilities"].tolist() == [0.0]


def test_a_judge_read_from_text_has_no_probabilities() -> None:
    seen = evidence_of(said(Swap(Pairwise(Scripted("m", better))), case("q", "9", "2")), PAIR)
    assert set(seen.sources) == set()
    assert seen.same.tolist() == [1.0]


def test_repeats_that_agree_with_the_whole_are_a_source() -> None:
    replies = iter(["[[A]]", "[[A]]", "[[B]]"])
    judge = Repeat(Pairwise(Scripted("m", lambda request: next(replies))), times=3)
    seen = evidence_of(said(judge, case("q", "x", "y")), PAIR)
    assert seen.sources["repeats"].tolist() == pytest.approx([2 / 3])
    assert "probabilities" not in seen.sources


def test_a_certainty_in_words_is_a_source() -> None:
    judge = Personalised(Scripted("m", lambda request: "A]] [[80]]"))
    seen = evidence_of(said(judge, case("q", "x", "y", notes={"persona": "a cook"})), PAIR)
    assert seen.sources["stated"].tolist() == [0.8]


def test_an_undecided_verdict_is_not_sure_of_anything() -> None:
    model = Scripted("m", lambda request: "no idea")
    made = said(Choice(model), case("q", "x")) + said(
        Choice(answering(**{"4": 0.7, "2": 0.3})), case("r", "x")
    )
    seen = evidence_of(made, ints("quality", 1, 5))
    assert math.isnan(seen.sources["probabilities"][0])
    assert math.isnan(seen.said[0])
