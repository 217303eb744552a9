"""The Messages wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evenhand.errors import Misconfigured, ModelError, Rejected, Unavailable
from evenhand.models.anthropic import Anthropic
from evenhand.records import Completion, Decode, Media, Message, Request
from tests.loopback import Program, Server, ok, serve

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}


def said(*blocks: dict[str, Any], **fields: Any) -> Any:
    usage = {"input_tokens": 10, "output_tokens": 4, "cache_read_input_tokens": 2}
    body = {"type": "message", "model": "claude-x", "content": list(blocks), "usage": usage}
    return ok({**body, "stop_reason": "end_turn", **fields})


def text(words: str = "fine", **fields: Any) -> Any:
    return said({"type": "text", "text": words}, **fields)


def error(status: int, message: str, kind: str = "invalid_request_error") -> Any:
    return status, {}, {"type": "error", "error": {"type": kind, "message": message}}


def user(words: str = "2 + 2?", **fields: Any) -> Request:
    return Request((Message("user", (words,)),), **fields)


def talk(program: Program, *requests: Request, **fields: Any) -> tuple[list[Completion], Server]:
    async def run(url: str) -> list[Completion]:
        model = Anthropic("m", base_url=url, **fields)
        try:
            return [await model(request) for request in requests]
        finally:
            await model.aclose()

    with serve(program) as server:
        return asyncio.run(run(server.url)), server


def fails(answer: Any, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        talk(lambda _: answer, request or user())
    return caught.value


def test_the_required_limit_is_sent_and_said() -> None:
    (reply,), server = talk(lambda _: text(), user())
    sent = server.seen[0]
    assert sent.path == "/v1/messages"
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert sent.json == {
        "model": "m",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "2 + 2?"}]}],
    }
    assert reply.fallbacks == ("max_tokens 4096",)
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("fine", 12, 4)
    assert (reply.served, reply.usd) == ("claude-x", 0.0)


def test_settings_are_sent_and_what_the_wire_lacks_is_said() -> None:
    decode = Decode(temperature=0.0, top_p=0.9, max_tokens=7, stop=("x",), seed=1)
    (reply,), server = talk(lambda _: text(), user(decode=decode, n=2, need="probs"))
    body = server.posted[0]
    assert (body["temperature"], body["top_p"], body["stop_sequences"]) == (0.0, 0.9, ["x"])
    assert body["max_tokens"] == 7
    assert reply.fallbacks == ("no seed", "no n", "no logprobs")
    assert reply.samples == ("fine",)


def test_system_messages_are_joined_and_turns_of_one_role_merged() -> None:
    messages = (
        Message("system", ("Be fair.",)), Message("system", ("Be brief.",)),
        Message("user", ("a",)), Message("user", ("b",)), Message("assistant", ("Score: \n",)),
    )  # fmt: skip
    _, server = talk(lambda _: text(), Request(messages))
    body = server.posted[0]
    assert body["system"] == "Be fair.\n\nBe brief."
    assert [m["role"] for m in body["messages"]] == ["user", "assistant"]
    assert [block["text"] for block in body["messages"][0]["content"]] == ["a", "b"]
    assert body["messages"][1]["content"] == [{"type": "text", "text": "Score:"}]


def test_an_empty_prefill_is_not_sent() -> None:
    messages = (Message("user", ("a",)), Message("assistant", (" \n",)))
    _, server = talk(lambda _: text(), Request(messages))
    assert [m["role"] for m in server.posted[0]["messages"]] == ["user"]


def test_a_refused_prefill_is_dropped_and_remembered() -> None:
    def program(asked: Any) -> Any:
        if asked["messages"][-1]["role"] == "assistant":
            return error(
                400,
                "This model does not support assistant message prefill. "
                "The conversation must end with a user message.",
            )
        return text()

    request = Request((Message("user", ("a",)), Message("assistant", ("Score:",))))
    replies, server = talk(program, request, request)
    assert [reply.fallbacks for reply in replies] == [("no prefill", "max_tokens 4096")] * 2
    assert len(server.posted) == 3


def test_a_schema_is_a_forced_tool_whose_input_is_the_text() -> None:
    block = {"type": "tool_use", "id": "1", "name": "answer", "input": {"score": 4}}
    (reply,), server = talk(
        lambda _: said({"type": "text", "text": "So:"}, block, stop_reason="tool_use"),
        user(schema=SCHEMA),
    )
    assert server.posted[0]["tools"][0]["input_schema"] == SCHEMA
    assert server.posted[0]["tool_choice"] == {"type": "tool", "name": "answer"}
    assert (reply.text, reply.finish) == ('{"score": 4}', "stop")


def test_a_refused_tool_becomes_plain_text() -> None:
    def program(asked: Any) -> Any:
        if "tools" in asked:
            return error(400, "Thinking may not be enabled when tool_choice forces tool use.")
        return text()

    (reply,), _ = talk(program, user(schema=SCHEMA))
    assert "no function call" in reply.fallbacks


@pytest.mark.parametrize(
    ("message", "left", "gone"),
    [
        (
            "`temperature` and `top_p` cannot both be specified for this model.",
            "temperature",
            "top_p",
        ),
        ("`temperature` is deprecated for this model.", "top_p", "temperature"),
    ],
)
def test_unsupported_settings_are_left_out(message: str, left: str, gone: str) -> None:
    (reply,), server = talk(
        lambda asked: error(400, message) if gone in asked else text(),
        user(decode=Decode(temperature=0.0, top_p=0.9, max_tokens=5)),
    )
    assert reply.fallbacks == (f"no {gone}",)
    assert left in server.posted[1]


def test_images_go_as_base64_or_address() -> None:
    parts = (
        Media("image", data=b"\xff\xd8\xff"),
        Media("image", url="https://e.org/a.png"),
        "look",
    )
    _, server = talk(lambda _: text(), Request((Message("user", parts),)))
    assert server.posted[0]["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
        {"type": "image", "source": {"type": "url", "url": "https://e.org/a.png"}},
        {"type": "text", "text": "look"},
    ]


def test_sound_is_rejected() -> None:
    problem = fails(text(), Request((Message("user", (Media("audio", data=b"ID3"),)),)))
    assert isinstance(problem, Rejected)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_tokens", "length"), ("refusal", "refused"), ("stop_sequence", "stop")],
)
def test_why_it_stopped_is_kept(reason: str, finish: str) -> None:
    (reply,), _ = talk(lambda _: text(stop_reason=reason), user())
    assert reply.finish == finish


def test_thinking_is_not_part_of_the_text() -> None:
    blocks = ({"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"})
    (reply,), _ = talk(lambda _: said(*blocks), user())
    assert reply.text == "4"


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (error(529, "Overloaded", "overloaded_error"), Unavailable, "529"),
        (error(429, "slow down", "rate_limit_error"), Unavailable, "429"),
        (error(404, "model: m", "not_found_error"), Misconfigured, "no model 'm'"),
        (error(400, "Your credit balance is too low"), Misconfigured, "payment"),
        (error(401, "invalid x-api-key", "authentication_error"), Misconfigured,
         "ANTHROPIC_API_KEY"),
        (error(400, "messages: text content blocks must be non-empty"), Rejected, "non-empty"),
        (ok({"type": "message"}), Unavailable, "broken reply"),
    ],
)  # fmt: skip
def test_errors_mean_what_they_mean(answer: Any, kind: type, says: str) -> None:
    problem = fails(answer)
    assert type(problem) is kind
    assert says in str(problem)


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "prompt is too long: 210000 tokens > 200000 maximum"),
        error(400, "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000"),
        error(413, "Request exceeds the maximum size", "request_too_large"),
    ],
)
def test_too_long_a_request_is_an_overflow(answer: Any) -> None:
    problem = fails(answer)
    assert isinstance(problem, Rejected)
    assert problem.code == "overflow"
