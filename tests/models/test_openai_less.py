"""What a server cannot do is left out, remembered and said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evenhand.errors import Rejected
from evenhand.models.openai import OpenAI
from evenhand.records import Decode, Message, Request
from tests.loopback import Program, chat, error, serve
from tests.models.asking import SCHEMA, fails, probs, talk, user


def refusing(**refused: tuple[int, str]) -> Program:
    """A server that refuses requests with these parameters."""

    def program(asked: Any) -> Any:
        for name, (status, message) in refused.items():
            if name in asked:
                return error(status, message)
        return chat('{"score": 4}')

    return program


UNSUPPORTED = "Unsupported parameter: '{}' is not supported with this model."
CASES = [
    ("no json_schema", "response_format", "This response_format type is unavailable now",
     {"schema": SCHEMA}),
    ("no logprobs", "logprobs", "Logprobs is not enabled for models/x", {"need": "probs"}),
    ("max_completion_tokens", "max_tokens",
     "Unsupported parameter: 'max_tokens' is not supported with this model. "
     "Use 'max_completion_tokens' instead.", {"decode": Decode(max_tokens=5)}),
    ("no temperature", "temperature", "`temperature` is deprecated for this model.",
     {"decode": Decode(temperature=0.0)}),
    ("no top_p", "top_p", UNSUPPORTED.format("top_p"), {"decode": Decode(top_p=0.5)}),
    ("no seed", "seed", "seed: Extra inputs are not permitted", {"decode": Decode(seed=1)}),
    ("no stop", "stop", UNSUPPORTED.format("stop"), {"decode": Decode(stop=("x",))}),
    ("no n", "n", "'n' is currently not supported", {"n": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "name", "message", "asked"), CASES)
def test_what_the_server_cannot_do_is_left_out_and_remembered(
    said: str, name: str, message: str, asked: dict[str, Any]
) -> None:
    request = user(**asked)
    replies, server = talk(refusing(**{name: (400, message)}), request, request)
    for reply in replies:
        assert said in reply.fallbacks
    assert [name in body for body in server.posted] == [True, False, False]


def test_a_parameter_is_blamed_by_the_param_field_before_the_message() -> None:
    def program(asked: Any) -> Any:
        if "temperature" in asked:
            return error(400, "seed and temperature: unsupported value", param="temperature")
        return chat()

    (reply,), _ = talk(program, user(decode=Decode(temperature=0.0, seed=1)))
    assert reply.fallbacks == ("no temperature",)


def test_a_schema_becomes_a_function_call_and_then_plain_text() -> None:
    program = refusing(
        response_format=(422, "json_schema is not supported"),
        tools=(501, "tools are not supported"),
    )
    (first, second), server = talk(program, user(schema=SCHEMA), user(schema=SCHEMA))
    assert first.fallbacks == second.fallbacks == ("no json_schema", "no function call")
    assert server.posted[1]["tools"][0]["function"]["parameters"] == SCHEMA
    assert len(server.posted) == 4


def test_fewer_alternatives_are_asked_for_before_none() -> None:
    def program(asked: Any) -> Any:
        if asked.get("top_logprobs", 0) > 5:
            return error(
                400, "Requested sample logprobs of 20, which is greater than max allowed: 5"
            )
        return chat("A", logprobs=probs(("A", {"A": -0.1})))

    (reply,), server = talk(program, user(need="probs"))
    assert reply.fallbacks == ("top_logprobs 5",)
    assert reply.tops
    assert len(server.posted) == 2


def test_forbidden_token_probabilities_are_left_out() -> None:
    program = refusing(logprobs=(403, "You are not allowed to request logprobs from this model"))
    (reply,), _ = talk(program, user(need="probs"))
    assert reply.fallbacks == ("no logprobs",)


def test_a_refused_prefill_is_dropped() -> None:
    def program(asked: Any) -> Any:
        if asked["messages"][-1]["role"] == "assistant":
            return error(400, "Assistant response prefill is incompatible with enable_thinking.")
        return chat()

    request = Request((Message("user", ("2 + 2?",)), Message("assistant", ("Score: ",))))
    (reply, _), server = talk(program, request, request)
    assert reply.fallbacks == ("no prefill",)
    assert len(server.posted) == 3


def test_a_bad_value_is_rejected_and_not_left_out() -> None:
    message = "temperature must be between 0 and 2"
    problem = fails(
        lambda _: error(400, message, param="temperature"), user(decode=Decode(temperature=9.0))
    )
    assert isinstance(problem, Rejected)
    assert message in str(problem)


def test_a_validation_error_does_not_blame_what_the_input_says() -> None:
    body = {"detail": [{"loc": ["body", "messages"], "msg": "too odd", "type": "value_error",
                        "input": "unsupported temperature"}]}  # fmt: skip
    problem = fails(lambda _: (422, {}, body), user(decode=Decode(temperature=0.0)))
    assert isinstance(problem, Rejected)
    assert "messages: too odd" in str(problem)


def test_a_request_that_fails_all_the_same_teaches_nothing() -> None:
    asked = []

    def program(body: Any) -> Any:
        asked.append("temperature" in body)
        if len(asked) == 1:
            return error(400, "unsupported temperature, says the text under judgement")
        return error(400, "odd request") if len(asked) == 2 else chat()

    async def run(url: str) -> None:
        model = OpenAI("m", base_url=url)
        with pytest.raises(Rejected):
            await model(user(decode=Decode(temperature=0.0)))
        await model(user(decode=Decode(temperature=0.0)))
        await model.aclose()

    with serve(program) as server:
        asyncio.run(run(server.url))
    assert asked == [True, False, True]
