"""Conditional criteria: the first rung on which two responses differ decides."""

import asyncio
from itertools import product

import pytest

from evenhand.judges import Conditional
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

PAIR = Case.of("q", "When was it built?", "RESPONSE ONE", "RESPONSE TWO", context=("Built 1931.",))
RUNGS = ("right to decline", "every fact", "more complete", "more concise")


def rung(request: Request) -> int:
    return next(i for i, text in enumerate(RUNGS) if text in request.messages[0].text)


def first_shown(request: Request) -> str:
    text = request.messages[1].text
    return "ONE" if "TWO" not in text or 0 <= text.find("ONE") < text.find("TWO") else "TWO"


def scripted(plan: dict, seen: list[Request]) -> Scripted:
    """Replies by content. plan: rung -> {'ONE': 'yes', …}, or the better one's name, or a text."""

    def answer(request: Request) -> str | Completion:
        seen.append(request)
        said = plan[rung(request)]
        if isinstance(said, dict):
            return f"Looked. [[{said[first_shown(request)]}]]"
        if said in ("ONE", "TWO"):
            return "Looked. [[A]]" if said == first_shown(request) else "Looked. [[B]]"
        return said

    return Scripted("s", answer)


def plan_of(valid=("yes", "yes"), faithful=("yes", "yes"), complete="[[C]]", concise="ONE") -> dict:
    both = [dict(zip(("ONE", "TWO"), pair, strict=True)) for pair in (valid, faithful)]
    return {0: both[0], 1: both[1], 2: complete, 3: concise}


def judged(plan: dict, case: Case = PAIR):
    seen: list[Request] = []
    return asyncio.run(Conditional(scripted(plan, seen))(case)), seen


@pytest.mark.parametrize(
    ("one", "two", "complete"), [*product(("yes", "no"), ("yes", "no"), ("ONE", "TWO"))]
)
def test_faithfulness_decides_and_completeness_only_where_it_is_equal(one, two, complete):
    verdict, seen = judged(plan_of(faithful=(one, two), complete=complete))
    by_faith = {("yes", "no"): "A", ("no", "yes"): "B"}.get((one, two))
    assert verdict.label == (by_faith or {"ONE": "A", "TWO": "B"}[complete])
    assert [rung(request) for request in seen] == ([0, 0, 1, 1] if by_faith else [0, 0, 1, 1, 2])


@pytest.mark.parametrize(
    ("plan", "label", "rungs"),
    [
        (plan_of(valid=("no", "yes"), faithful=("yes", "no")), "B", [0, 0]),
        (plan_of(valid=("no", "no"), faithful=("no", "yes")), "B", [0, 0, 1, 1]),
        (plan_of(complete="TWO", concise="ONE"), "B", [0, 0, 1, 1, 2]),
        (plan_of(complete="[[C]]", concise="TWO"), "B", [0, 0, 1, 1, 2, 3]),
    ],
)
def test_a_rung_is_asked_only_where_all_above_it_are_equal(plan, label, rungs):
    verdict, seen = judged(plan)
    assert (verdict.label, [rung(request) for request in seen]) == (label, rungs)


def test_every_rung_is_kept_as_a_part():
    verdict, _ = judged(plan_of(faithful=("no", "no"), complete="[[C]]", concise="TWO"))
    told = [(part.marks["rung"], part.marks.get("response"), part.label) for part in verdict.parts]
    assert told == [
        ("valid", "A", "yes"), ("valid", "B", "yes"), ("faithful", "A", "no"),
        ("faithful", "B", "no"), ("complete", None, "tie"), ("concise", None, "B"),
    ]  # fmt: skip
    assert (verdict.scale.name, verdict.probs, len(verdict.calls)) == ("pair-no-tie", {"B": 1.0}, 0)
    assert all(len(part.calls) == 1 for part in verdict.parts)


def test_one_response_is_in_view_on_the_first_rungs_and_documents_on_all():
    _, seen = judged(plan_of())
    for request in seen:
        text = request.messages[1].text
        assert "<context>\nBuilt 1931.\n</context>" in text
        assert (text.count("RESPONSE") == 1) == (rung(request) < 2)


@pytest.mark.parametrize(
    ("at", "text", "told"),
    [
        (0, "It was.", "valid: no verdict in"),
        (1, "[[maybe]]", "faithful: verdict maybe is not on the scale"),
        (2, "[[D]]", "complete: verdict D is not on the scale"),
        (3, "[[C]]", "concise: verdict tie is not on the scale"),
    ],
)
def test_an_unreadable_rung_stops_the_climb(at, text, told):
    verdict, seen = judged({**plan_of(), at: text})
    assert verdict.code == "unread"
    assert told in verdict.reason
    assert rung(seen[-1]) == at
    assert len(verdict.parts) == len(seen)


def test_right_in_both_orders_or_undecided():
    def published(plan: dict):
        judge = build(find("conditional"), model=scripted(plan, []))
        return asyncio.run(judge(PAIR))

    assert published(plan_of(faithful=("yes", "no"))).label == "A"
    assert published(plan_of(complete="TWO")).label == "B"
    first_seat = published(plan_of(complete="Looked. [[A]]"))
    assert (first_seat.code, first_seat.scores) == ("split", None)
    assert [part.marks["raw"] for part in first_seat.parts] == ["A", "A"]


def test_requests_about_one_response_are_the_same_in_both_orders():
    seen: list[Request] = []
    judge = build(find("conditional"), model=scripted(plan_of(complete="TWO"), seen))
    asyncio.run(judge(PAIR))
    assert (len(seen), len(set(seen))) == (10, 6)
