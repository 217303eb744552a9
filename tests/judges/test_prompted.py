"""The prompted judges, one by one: what they show and what they read."""

import asyncio
import math

import pytest

from evenhand.judges import ArenaHard, Choice, ChoicePair, GEval, Pairwise, Pointwise
from evenhand.models.scripted import Scripted
from evenhand.records import YES_NO, Case, Completion, Message, Request, Response, ints

ONE = Case.of("q", "2 + 2?", "It is four.")
TWO = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def ask(judge, case):
    return asyncio.run(judge(case))


def noting(seen: list[Request], reply):
    def answer(request: Request):
        seen.append(request)
        return reply(request) if callable(reply) else reply

    return Scripted("noting", answer)


# ---- MT-Bench --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Good. Rating: [[7]]", 7),
        ("[[7.5]]", 7.5),
        ("Rating: [[7.5]]. No, that is too much: [[3]]", 3),
        ("Rating: [7]", 7),
        ("**Rating:** [7]", 7),
        ("[7]", 7),
        ("My rating is [7].", 7),
        ("Fine.\n[7]", 7),
        ("Score: [6] and finally [[8]]", 8),
        ("[[8]] as in [1]", 8),
        ("As shown in [1], it is right.", None),
        ("See [1] and [2]", None),
        ("Rating: [[0]]", None),
        ("Rating: [[number]]", None),
        ("Rating: 7", None),
        ("Rating: [[7/10]]", None),
        ("[[11]] or Rating: [7]", None),
        ("seven", None),
    ],
)
def test_rating_is_the_last_double_bracket_else_a_marked_single_one(text, score):
    verdict = ask(Pointwise(Scripted("s", lambda request: text)), ONE)
    assert verdict.score == score
    assert score is not None or verdict.code == "unread"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[[A]]", "A"),
        ("[[C]]", "tie"),
        ("[[ B ]]", "B"),
        ("[[tie]]", "tie"),
        ("[[a]]", None),
        ("[[D]]", None),
        ("A", None),
    ],
)
def test_pair_verdict_is_a_letter_in_double_brackets(text, label):
    assert ask(Pairwise(Scripted("s", lambda request: text)), TWO).label == label


def test_what_is_known_about_a_case_is_shown_and_nothing_else():
    known = {"reference": ("REFERENCE",), "context": ("CONTEXT",), "rubric": ["RUBRIC"]}
    for cls, case in ((Pointwise, ONE), (Pairwise, TWO)):
        bare, full = [], []
        ask(cls(noting(bare, "x")), case)
        whole = Case.of("q", "2 + 2?", *(r.text for r in case.responses), **known)
        ask(cls(noting(full, "x")), whole)
        for tag in ("reference", "context", "rubric"):
            assert f"<{tag}>" not in bare[0].messages[1].text
            assert f"<{tag}>\n{tag.upper()}\n</{tag}>" in full[0].messages[1].text


def test_a_conversation_of_several_turns_is_shown_whole():
    seen: list[Request] = []
    turns = [("user", "hello"), ("assistant", "hi"), ("user", "2 + 2?")]
    talk = tuple(Message(role, (text,)) for role, text in turns)
    ask(Pointwise(noting(seen, "x")), Case("q", talk, (Response(("4",)),)))
    shown = seen[0].messages[1].text
    assert all(f"[{role}]\n{text}" in shown for role, text in turns)
    assert "last turn" in seen[0].messages[0].text


# ---- Arena-Hard ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[[A>>B]]", "A>>B"),
        ("[[A=B]]", "A=B"),
        ("[[B>A]]", "B>A"),
        ("[[b>>a]]", "B>>A"),
        ("[[A<B]]", "B>A"),
        ("[[A<<B]]", "B>>A"),
        ("[[B<A]]", "A>B"),
        ("[[B<<A]]", "A>>B"),
        ("[[B=A]]", "A=B"),
        ("[A>B]", "A>B"),
        ("First [[A>B]]. After all: [[B>A]]", "B>A"),
        ("[[A>B]] and see [B>A]", "A>B"),
        ("[[A]]", None),
        ("[[A>B>A]]", None),
        ("A>B", None),
        ("[[A>B]], [[B>A]]", None),
        ("[[A>>B]], [[A>B]], [[A=B]], [[B>A]] or [[B>>A]]", None),
    ],
)
def test_five_labels_with_mirrored_spellings(text, label):
    verdict = ask(ArenaHard(Scripted("s", lambda request: text)), TWO)
    assert verdict.label == label
    assert label or verdict.code == "unread"


# ---- G-Eval ----------------------------------------------------------------------------------


def score_tops(**mass: float) -> Completion:
    top = {token: math.log(p) for token, p in mass.items()}
    return Completion("4", (top,), finish="stop")


def test_score_is_the_expectation_over_score_tokens():
    reply = score_tops(**{"4": 0.5, "5": 0.25, "The": 0.25})
    verdict = ask(GEval(Scripted("s", lambda request: reply), steps="1. Look."), ONE)
    assert verdict.score == pytest.approx(13 / 3)
    assert (verdict.marks["mass"], len(verdict.calls)) == (0.75, 1)


def test_steps_are_written_from_the_criterion_alone():
    seen: list[Request] = []
    judge = GEval(noting(seen, lambda r: score_tops(**{"4": 1.0}) if r.need == "probs" else "1. L"))
    verdict = ask(judge, ONE)
    ask(judge, Case.of("other", "Why?", "Because.", draw=3))
    assert len(verdict.calls) == 2
    assert seen[0] == seen[2]
    assert "four" not in repr(seen[0])
    assert "1. L" in seen[1].messages[1].text
    assert seen[1].need == "probs"


def test_steps_that_were_cut_leave_it_undecided():
    verdict = ask(GEval(Scripted("s", lambda r: Completion("1. L", finish="length"))), ONE)
    assert (verdict.code, len(verdict.calls)) == ("cut", 1)


def sampling(per_call: int, texts: list[str], seen: list[Request]):
    """A model without token probabilities that gives `per_call` samples at a time."""
    left = iter(texts)

    def answer(request: Request) -> Completion:
        if request.need == "probs":
            return Completion("4")
        got = [next(left) for _ in range(min(per_call, request.n))]
        return Completion(got[0], samples=tuple(got) if request.n > 1 else ())

    return noting(seen, answer)


@pytest.mark.parametrize(("per_call", "calls"), [(20, 2), (8, 14), (1, 21)])
def test_without_probabilities_twenty_samples_are_drawn_and_bad_ones_counted(per_call, calls):
    seen: list[Request] = []
    texts = ["4"] * 12 + ["Score: 2"] * 6 + ["hm", "9"]
    verdict = ask(GEval(sampling(per_call, texts, seen), steps="1. Look."), ONE)
    assert verdict.score == pytest.approx((12 * 4 + 6 * 2) / 18)
    assert (verdict.marks["samples"], verdict.marks["unread"]) == (20, 2)
    assert len(seen) == len(verdict.calls) == calls
    assert len(verdict.parts) == 20
    assert {request.decode.temperature for request in seen[1:]} == {1.0}
    assert len(set(seen)) == len(seen)


def test_unreadable_samples_may_stop_or_count_when_told():
    texts = ["4"] * 19 + ["hm"]
    for unread, expected in (("stop", None), ("1", (19 * 4 + 1) / 20)):
        judge = GEval(sampling(20, texts, []), steps="1. Look.", unread=unread)
        assert ask(judge, ONE).score == (expected and pytest.approx(expected))
    lost = ask(GEval(sampling(20, ["hm"] * 20, []), steps="1. Look."), ONE)
    assert (lost.code, lost.marks["unread"]) == ("unread", 20)


@pytest.mark.parametrize(
    ("text", "score"),
    [("4", 4), ("4/5", 4), (" 4.", 4), ("Score: 4", 4), ("- Coherence: **3**", 3),
     ("Score (1-5): 2", 2), ("4.0", 4), ("4.5", None), ("6", None), ("-4", None),
     ("Score: -4", None), ("four", None), ("Between 3 and 4", None)],
)  # fmt: skip
def test_sampled_score_is_the_blank_of_the_form(text, score):
    judge = GEval(sampling(1, [text], []), steps="1. Look.", samples=1)
    assert ask(judge, ONE).score == score


# ---- choice ----------------------------------------------------------------------------------


def test_choice_asks_for_a_typed_answer_in_one_token():
    seen: list[Request] = []
    ask(Choice(noting(seen, "4")), ONE)
    request = seen[0]
    assert (request.need, request.decode.max_tokens, request.decode.temperature) == ("answer", 1, 0)
    assert request.question is not None
    assert (request.question.labels, request.question.kind) == (("1", "2", "3", "4", "5"), "score")
    assert request.messages[-1] == Message("assistant", ("Answer: (",))
    instructions = request.messages[0].text.replace("2 + 2?", "").replace("It is four.", "")
    assert len(instructions.split()) < 80


def test_choice_of_pairs_shows_both_and_has_no_tie():
    seen: list[Request] = []
    verdict = ask(ChoicePair(noting(seen, "B")), TWO)
    assert (verdict.label, seen[0].question.kind) == ("B", "choice")
    assert "Response B:\n<response_b>\nIt is five." in seen[0].messages[0].text


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        (Completion("", answer={"yes": 0.25, "no": 0.75}, finish="stop"), 0.25),
        (Completion("x", ({"Yes": math.log(0.2), " no": math.log(0.2)},), finish="length"), 0.5),
        (Completion(" Yes", finish="length"), 1.0),
        (Completion("no."), 0.0),
        (Completion("Yes and no"), None),
        (Completion("", answer={"maybe": 1.0}), None),
    ],
)
def test_choice_reads_an_answer_else_probabilities_else_text(reply, score):
    judge = Choice(Scripted("s", lambda request: reply), "Is it right?", YES_NO)
    assert ask(judge, ONE).score == (score if score is None else pytest.approx(score))


def test_descriptions_stand_beside_their_labels():
    seen: list[Request] = []
    judge = Choice(noting(seen, "1"), scale=ints("s", 1, 2), descriptions=("poor", "good"))
    ask(judge, ONE)
    assert "1: poor\n2: good\nReply with one of: 1, 2." in seen[0].messages[0].text
