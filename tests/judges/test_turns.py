"""One verdict a turn of a conversation."""

import asyncio
import json
from pathlib import Path
from statistics import fmean

import pytest

from evenhand.judges import ByTurn, Pairwise, Pointwise
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Message, Response

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/mtbench_gpt4_single"


def said(*turns: str) -> tuple[Message, ...]:
    pairs = (turn.partition(": ") for turn in turns)
    return tuple(Message(role, (text,)) for role, _, text in pairs)


IN_STEPS = Case(
    "q",
    said("user: 2 + 2?", "user: And twice that?"),
    (Response(("Four.\n\nEight.",), system="S", steps=("Four.", "Eight.")),),
)
IN_PROMPT = Case(
    "q",
    said("user: 2 + 2?", "assistant: Four.", "user: And twice that?"),
    (Response(("Eight.",), system="S"),),
)


def rate(case: Case, reply=lambda request: "Rating: [[7]]"):
    seen: list[str] = []

    def answer(request):
        seen.append(request.messages[-1].text)
        return reply(request)

    return asyncio.run(ByTurn(Pointwise(Scripted("s", answer)))(case)), seen


def by_answer(request) -> str:
    return "Rating: [[9]]" if "<response>\nFour." in request.messages[-1].text else "Rating: [[4]]"


@pytest.mark.parametrize("case", [IN_STEPS, IN_PROMPT], ids=["steps", "prompt"])
def test_every_answer_is_rated_with_what_was_said_before_it(case):
    verdict, seen = rate(case, by_answer)
    assert [(part.marks["turn"], part.score) for part in verdict.parts] == [(1, 9.0), (2, 4.0)]
    assert verdict.score == 6.5
    assert "<prompt>\n2 + 2?\n</prompt>" in seen[0]
    assert "<response>\nFour.\n</response>" in seen[0]
    assert "Eight" not in seen[0]
    talk = "[user]\n2 + 2?\n\n[assistant]\nFour.\n\n[user]\nAnd twice that?"
    assert f"<prompt>\n{talk}\n</prompt>" in seen[1]
    assert "<response>\nEight.\n</response>" in seen[1]


def test_both_ways_to_write_a_conversation_ask_the_same():
    assert rate(IN_STEPS)[1] == rate(IN_PROMPT)[1]


def test_the_last_answer_may_be_missing_from_the_steps():
    case = Case("q", IN_STEPS.prompt, (Response(("Eight.",), steps=("Four.",)),))
    assert rate(case)[1] == rate(IN_STEPS)[1]


@pytest.mark.parametrize(
    "case",
    [
        Case.of("q", "2 + 2?", "Four."),
        Case("q", said("user: 2 + 2?"), (Response(("Four.",), steps=("I add.", "Four.")),)),
        Case("q", said("system: Be brief.", "user: 2 + 2?"), (Response(("Four.",)),)),
        Case("q", said("user: 2 + 2?", "user: Well?"), (Response(("Four.",)),)),
    ],
    ids=["plain", "steps of an agent", "system message", "two user messages"],
)
def test_a_single_answer_is_one_turn(case):
    verdict, seen = rate(case)
    assert [part.marks["turn"] for part in verdict.parts] == [1]
    assert verdict.score == 7.0
    assert len(seen) == 1


def test_a_turn_that_cannot_be_read_leaves_the_whole_undecided():
    verdict, _ = rate(IN_STEPS, lambda request: by_answer(request).replace("[[4]]", "four"))
    assert (verdict.code, verdict.score) == ("unread", None)
    assert [part.score for part in verdict.parts] == [9.0, None]


def test_two_responses_have_no_common_history():
    with pytest.raises(ValueError, match="pointwise"):
        ByTurn(Pairwise(Scripted("s", lambda request: "[[A]]")))


@pytest.mark.skipif(not RECORDED.is_dir(), reason="needs ../shared/data/mtbench_gpt4_single")
def test_recorded_ratings_of_gpt_4_give_the_means_of_both_turns():
    replies, asked = {}, {}
    for row in rows("gpt4_single_claude3.jsonl"):
        replies[row["question_id"], row["model"], row["turn"]] = row["judgment"]
    for row in rows("question.jsonl"):
        asked[row["question_id"]] = row["turns"]

    def answer(request):
        shown = request.messages[-1].text.rpartition("<response>\n")[2]
        number, model, turn = shown.split("\n")[0].split("/")
        return replies[int(number), model, int(turn)]

    for model, means in {
        "claude-3-5-sonnet-20240620": (9.24, 9.18),
        "claude-3-opus-20240229": (9.04, 8.31),
    }.items():
        found: dict[int, list[float]] = {1: [], 2: []}
        for number, turns in asked.items():
            steps = (f"{number}/{model}/1", f"{number}/{model}/2")
            prompt = tuple(Message("user", (turn,)) for turn in turns)
            case = Case(str(number), prompt, (Response(steps[-1:], steps=steps),))
            verdict = asyncio.run(ByTurn(Pointwise(Scripted("gpt-4", answer)))(case))
            for part in verdict.parts:
                found[part.marks["turn"]].append(part.score)
        assert [len(scores) for scores in found.values()] == [80, 80]
        assert [round(fmean(scores), 2) for scores in found.values()] == list(means)


def rows(name: str) -> list[dict]:
    text = (RECORDED / name).read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]
