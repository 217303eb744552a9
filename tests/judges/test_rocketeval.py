import asyncio
import math

import pytest

from evenhand.errors import Misuse
from evenhand.judges import RocketEval
from evenhand.judges.build import build, edited, find
from evenhand.judges.rocketeval import questions
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

CASE = Case.of("q", "2 + 2?", "It is four.", reference=("4",))
CHECKLIST = "Here is the list.\n\n## Checklist\n1. Is it four?\n2. Is it short?\n3. Is it polite?\n"


def probable(yes: float, no: float, **more: float) -> Completion:
    top = {"Yes": yes, "no": no, **more}
    tops = {token: math.log(p) for token, p in top.items() if p}
    return Completion("Yes", (tops,), finish="length")


class Asked:
    """A writer and a small model, and what they were asked; answers go by the question's word."""

    def __init__(self, checklist: str | Completion = CHECKLIST, **answers: Completion | str):
        self.written: list[Request] = []
        self.items: list[Request] = []
        self.checklist, self.answers = checklist, answers

    def write(self, request: Request) -> str | Completion:
        self.written.append(request)
        return self.checklist

    def answer(self, request: Request) -> str | Completion:
        self.items.append(request)
        text = "".join(m.text for m in request.messages)
        return next(
            reply for word, reply in self.answers.items() if word in text.split("<material")[1]
        )

    def judge(self, **settings) -> RocketEval:
        small, large = Scripted("small", self.answer), Scripted("large", self.write)
        return RocketEval(small, large, **settings)


def ask(judge: RocketEval, case: Case = CASE):
    return asyncio.run(judge(case))


ANSWERS = {"four": probable(0.9, 0.1), "short": probable(0.2, 0.6), "polite": probable(0.5, 0.5)}


def test_the_score_is_one_and_nine_times_the_mean_chance_of_a_yes():
    verdict = ask(Asked(**ANSWERS).judge())
    assert verdict.score == pytest.approx(1 + 9 * (0.9 + 0.25 + 0.5) / 3)
    assert [part.score for part in verdict.parts] == pytest.approx([0.9, 0.25, 0.5])
    assert verdict.parts[0].marks["item"] == "Is it four?"
    assert (verdict.scale.span, verdict.marks["questions"], verdict.marks["unread"]) == (
        (1, 10),
        3,
        0,
    )


@pytest.mark.parametrize(("reply", "score"), [("Yes", 10.0), ("No", 1.0)])
def test_golden_replies_without_probabilities_are_sure(reply, score):
    assert ask(Asked(four=reply, short=reply, polite=reply).judge()).score == score


def test_of_several_spellings_the_likeliest_counts_and_not_their_sum():
    both = probable(0.4, 0.2, **{" yes": 0.2, "YES": 0.1})
    verdict = ask(Asked("1. Is it four?", four=both).judge())
    assert verdict.score == pytest.approx(1 + 9 * 0.4 / 0.6)


def test_learned_weights_count_by_their_share():
    verdict = ask(Asked(**ANSWERS).judge(weights=(2.0, 1.0, 0.0)))
    assert verdict.score == pytest.approx(1 + 9 * (2 * 0.9 + 0.25) / 3)
    with pytest.raises(Misuse, match="3 questions, and there are 2 weights"):
        ask(Asked(**ANSWERS).judge(weights=(1.0, 1.0)))


def test_neither_yes_nor_no_is_left_out_and_counted_not_a_half():
    neither = Completion("Well", ({"Well": -0.1, "Perhaps": -2.0},))
    asked = {**ANSWERS, "polite": neither}
    verdict = ask(Asked(**asked).judge())
    assert verdict.score == pytest.approx(1 + 9 * (0.9 + 0.25) / 2)
    assert (verdict.marks["unread"], verdict.parts[2].code) == (1, "unread")
    assert ask(Asked(**asked).judge(unread="stop")).code == "unread"
    assert ask(Asked(**asked).judge(unread="no")).score == pytest.approx(1 + 9 * (0.9 + 0.25) / 3)
    nothing = ask(Asked(four=neither, short=neither, polite=neither).judge())
    assert (nothing.code, nothing.score, nothing.scale.span) == ("unread", None, (1, 10))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CHECKLIST, ["Is it four?", "Is it short?", "Is it polite?"]),
        ("1. A?\n2. Be kind.\n3. B?", ["A?", "B?"]),
        ("1. Draft?\n# Plan\n1. Older?\n## Checklist\n1. A?", ["A?"]),
        ("1) A?\n 2)  **B?**\n10. C?", ["A?", "B?", "C?"]),
        ("A?\n- B?\n* C?", []),
        ("1. Is it? Surely.\n", []),
        ("", []),
    ],
)
def test_items_are_numbered_questions_below_the_last_heading(text, found):
    assert questions(text) == found


def test_a_checklist_without_questions_is_undecided_and_asks_nothing_more():
    asked = Asked("1. Be kind.\n2. Be brief.")
    verdict = ask(asked.judge())
    assert (verdict.code, asked.items, len(verdict.calls)) == ("unread", [], 1)
    assert ask(Asked(Completion("1. Is", finish="length")).judge()).code == "cut"


def test_every_question_is_asked_by_itself():
    asked = Asked(**ANSWERS)
    ask(asked.judge())
    words = ["four?", "short?", "polite?"]
    for request, own in zip(asked.items, words, strict=True):
        assert [word for word in words if word in "".join(m.text for m in request.messages)] == [
            own
        ]
        assert (request.need, request.decode.max_tokens) == ("answer", 1)
    alone = ask(Asked("1. Is it short?", **ANSWERS).judge()).parts[0]
    assert alone.score == pytest.approx(0.25)


def test_the_checklist_does_not_depend_on_the_response():
    asked = Asked(**ANSWERS)
    for response in ("It is four.", "22, says SYSTEM."):
        ask(asked.judge(), Case.of(response, "2 + 2?", response, reference=("4",)))
    assert asked.written[0] == asked.written[1]
    assert "<reference>\n4\n</reference>" in asked.written[0].messages[-1].text
    assert asked.items[0] != asked.items[3]


def test_reasoning_of_the_writer_is_no_checklist():
    asked = Asked("<think>1. Is it five?</think>1. Is it four?", **ANSWERS)
    assert [part.marks["item"] for part in ask(asked.judge()).parts] == ["Is it four?"]


@pytest.mark.parametrize("n", [1, 3])
def test_calls_are_one_a_question_and_one_for_the_checklist(n):
    asked = Asked("\n".join(f"{i}. Is it four ({i})?" for i in range(1, n + 1)), **ANSWERS)
    verdict = ask(asked.judge())
    assert (len(asked.items), len(asked.written), len(verdict.calls)) == (n, 1, 1)


def test_weights_are_a_setting_of_the_command():
    form = edited(find("rocketeval"), sets=["weights=[2, 1, 0]"])
    judge = build(form, model=Scripted("one", lambda request: "x"))
    assert judge.weights == (2.0, 1.0, 0.0)
