"""Decision models over both wires."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

from evenhand.errors import Misconfigured, ModelError, Rejected, Unavailable
from evenhand.models.systemone import SystemOne
from evenhand.records import Completion, Media, Message, Question, Request
from tests.loopback import Server, error, ok, serve

Wire = Literal["systemone", "decisions"]
CHOICE = Question("Which is better?", ("A", "B", "tie"), ("the first", "", ""))
SCORE = Question("How good?", ("1", "2", "3"), ("bad", "fair", "good"), "score")
MESSAGES = (Message("system", ("Be fair.",)), Message("user", ("one",)), Message("user", ("two",)))


def one(answer: dict[str, Any]) -> Any:
    usage = {"input_tokens": 20, "output_tokens": 0}
    return ok({"model": "jev-1.13.0", "answers": {"answer": answer}, "usage": usage})


def listed(answer: dict[str, Any]) -> Any:
    usage = {"input_tokens": 20, "output_tokens": 0}
    return ok({"model": "gpt-6-luna", "answers": [{"name": "answer", **answer}], "usage": usage})


def talk(
    answer: Any, question: Question | None, wire: Wire = "systemone", parts: Any = None
) -> tuple[Completion, Server]:
    async def run(url: str) -> Completion:
        base = url if wire == "systemone" else f"{url}/v1"
        model = SystemOne("m", wire, base_url=base)
        messages = (Message("user", parts),) if parts else MESSAGES
        try:
            return await model(Request(messages, need="answer", question=question))
        finally:
            await model.aclose()

    with serve(lambda _: answer) as server:
        return asyncio.run(run(server.url)), server


def fails(answer: Any, question: Question | None = CHOICE, **fields: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        talk(answer, question, **fields)
    return caught.value


def test_a_choice_is_asked_over_systemone() -> None:
    answer = {"type": "choice", "choice": "B", "confidence": 0.1,
              "probabilities": {"A": 0.2, "B": 0.6, "tie": 0.0}}  # fmt: skip
    reply, server = talk(one(answer), CHOICE)
    assert server.seen[0].path == "/v1/systemone"
    assert server.posted == [{
        "model": "m",
        "state": "one\n\ntwo",
        "questions": {"answer": {
            "type": "choice", "instructions": "Be fair.\n\nWhich is better?",
            "criteria": {"A": "the first", "B": None, "tie": None},
        }},
    }]  # fmt: skip
    assert reply.answer == pytest.approx({"A": 0.25, "B": 0.75, "tie": 0.0})
    assert (reply.text, reply.served, reply.tokens_in, reply.usd) == ("B", "jev-1.13.0", 20, 0.0)
    assert reply.fallbacks == ()


@pytest.mark.parametrize("legend", [None, {"0": "1: bad", "1": "2: fair", "2": "3: good"}])
def test_levels_map_back_to_labels_by_position(legend: Any) -> None:
    answer = {"type": "score", "score": 1.6, "legend": legend,
              "probabilities": {"0": 0.1, "1": 0.2, "2": 0.7}}  # fmt: skip
    reply, server = talk(one(answer), SCORE)
    criteria = server.posted[0]["questions"]["answer"]["criteria"]
    assert criteria == ["1: bad", "2: fair", "3: good"]
    assert reply.answer == pytest.approx({"1": 0.1, "2": 0.2, "3": 0.7})


def test_a_server_that_answers_levels_by_label_is_understood() -> None:
    reply, _ = talk(one({"probabilities": {"1": 0.1, "2": 0.2, "3": 0.7}}), SCORE)
    assert reply.answer == pytest.approx({"1": 0.1, "2": 0.2, "3": 0.7})


def test_a_choice_is_asked_over_decisions() -> None:
    answer = {"type": "choice", "choice": "A", "confidence": 1, "probabilities": [
        {"value": "A", "probability": 0.9}, {"value": "B", "probability": 0.1},
        {"value": "tie", "probability": 0.0}]}  # fmt: skip
    reply, server = talk(listed(answer), CHOICE, "decisions")
    assert server.seen[0].path == "/v1/decisions"
    assert server.posted == [{
        "model": "m",
        "input": "one\n\ntwo",
        "questions": [{
            "type": "choice", "name": "answer", "instructions": "Be fair.\n\nWhich is better?",
            "choices": [{"value": "A", "description": "the first"}, {"value": "B"},
                        {"value": "tie"}],
        }],
    }]  # fmt: skip
    assert reply.answer == pytest.approx({"A": 0.9, "B": 0.1, "tie": 0.0})


def test_a_score_is_asked_over_decisions() -> None:
    answer = {"type": "score", "score": 1, "probabilities": [
        {"label": "1", "value": 0, "probability": 0.5},
        {"label": "3", "value": 2, "probability": 0.5}]}  # fmt: skip
    reply, server = talk(listed(answer), SCORE, "decisions")
    assert server.posted[0]["questions"][0]["levels"][0] == {"label": "1", "description": "bad"}
    assert reply.answer == pytest.approx({"1": 0.5, "2": 0.0, "3": 0.5})
    assert reply.fallbacks == ("no probability of 2",)


def test_a_refusal_is_no_answer() -> None:
    reply, _ = talk(listed({"type": "refusal"}), CHOICE, "decisions")
    assert (reply.finish, reply.answer) == ("refused", None)


def test_labels_that_were_not_asked_for_are_dropped_and_said() -> None:
    reply, _ = talk(one({"probabilities": {"A": 0.3, "B": 0.3, "tie": 0.0, "C": 0.4}}), CHOICE)
    assert reply.answer == pytest.approx({"A": 0.5, "B": 0.5, "tie": 0.0})
    assert reply.fallbacks == ("dropped C",)


@pytest.mark.parametrize(
    "answer", [one({"choice": "A"}), ok({"answers": {}}), one({"probabilities": {"X": 1.0}})]
)
def test_an_answer_without_probabilities_is_broken(answer: Any) -> None:
    assert isinstance(fails(answer), Unavailable)


def test_a_request_without_question_is_rejected_with_the_judges_that_ask_one() -> None:
    problem = fails(one({}), None)
    assert isinstance(problem, Rejected)
    assert "choice-pair" in str(problem)


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("wire", ["systemone", "decisions"])
def test_a_server_without_the_wire_is_told_what_to_use(status: int, wire: Wire) -> None:
    problem = fails(error(status, "nothing here"), wire=wire)
    assert isinstance(problem, Misconfigured)
    assert "/v1#m" in problem.do
    assert "/v1/v1" not in problem.do


def test_images_go_over_decisions_only() -> None:
    parts = ("look", Media("image", url="https://e.org/a.png"))
    answer = {"type": "choice", "probabilities": [{"value": "A", "probability": 1.0}]}
    _, server = talk(listed(answer), CHOICE, "decisions", parts)
    assert server.posted[0]["input"] == [{"role": "user", "content": [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "https://e.org/a.png"}]}]  # fmt: skip
    assert isinstance(fails(one({}), parts=parts), Rejected)


@pytest.mark.parametrize(
    "body",
    [
        {"detail": {"message": "state exceeds the context length"}},
        {"detail": [{"loc": ["body", "state"], "msg": "input is too long", "type": "value_error"}]},
    ],
)
def test_both_shapes_of_detail_are_read(body: Any) -> None:
    problem = fails((422, {}, body))
    assert isinstance(problem, Rejected)
    assert problem.code == "overflow"
