"""Auto-J: a rating after a critique, a decision after the key factors."""

import asyncio

import pytest

from evenhand.judges import AutoJ, AutoJPair, Swap
from evenhand.models.scripted import Scripted
from evenhand.records import Case

ONE = Case.of("q", "Capital of France?", "Paris.")
TWO = Case.of("q", "Capital of France?", "Paris.", "Lyon.")


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("It lacks detail.\n\nRating: [[6]] ", 6),
        ("Rating: [[6.5]]", 6.5),
        ("Overall rating: [[10]].", 10),
        ("Rating: [[3]] would be harsh. Rating: [[8]]", 8),
        ("Rating: [[7]], see [[2]]", 7),
        ("[[7]]", 7),
        ("Rating: [[11]]", None),
        ("Rating: [[0]]", None),
        ("Rating: [6]", None),
        ("Rating: 6", None),
        ("Rating: [[number]]", None),
        ("It lacks detail.", None),
    ],
)
def test_rating_is_what_follows_the_last_rating_marker(text, score):
    verdict = asyncio.run(AutoJ(Scripted("s", lambda request: text))(ONE))
    assert verdict.score == score
    assert verdict.code == (None if score else "unread")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Response 1 is right. So the final decision is Response 1.", "A"),
        ("The final decision is response 2 ", "B"),
        ("The final decision is Tie.", "tie"),
        ("the final decision is TIE", "tie"),
        ("The final decision is: **Response 2**", "B"),
        ("Final decision: Response 1", "A"),
        ("The final decision is Response 2, since Response 1 names no city.", "B"),
        ("The final decision is Response 1. No: the final decision is Response 2.", "B"),
        ("The final decision is Response 1. The final decision is hard.", None),
        ("The final decision is that Response 1 wins", None),
        ("The final decision is Response 12", None),
        ("The final decision is Response 3", None),
        ("The final decision is tied up", None),
        ("The final decision is", None),
        ("Response 1", None),
        ('"The final decision is Response 1" or "The final decision is Tie"', None),
    ],
)
def test_decision_is_the_beginning_of_what_follows_the_last_phrase(text, label):
    verdict = asyncio.run(AutoJPair(Scripted("s", lambda request: text))(TWO))
    assert verdict.label == label
    assert verdict.code == (None if label else "unread")


def both(*labels: int):
    """The swapped judge on a pair, with the recorded label of each order (0 first, 1 second)."""
    said = [("Response 1", "Response 2", "Tie")[label] for label in labels]

    def answer(request):
        first = request.messages[0].text.index("Paris.") < request.messages[0].text.index("Lyon.")
        return f"The final decision is {said[not first]}."

    return asyncio.run(Swap(AutoJPair(Scripted("s", answer)), pool="agree")(TWO))


def test_only_orders_that_agree_decide():
    assert [both(0, 1).label, both(1, 0).label, both(2, 2).label] == ["A", "B", "tie"]
    assert [both(0, 0).label, both(1, 1).label, both(2, 0).label] == ["tie", "tie", "tie"]
    # What "right in both" counts: the labels of the parts, in the case's own order.
    assert [part.label for part in both(0, 0).parts] == ["A", "B"]
    assert [part.label for part in both(0, 1).parts] == ["A", "A"]
