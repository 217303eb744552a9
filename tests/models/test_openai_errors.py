"""What an error of a chat server means."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from time import perf_counter, time
from typing import Any

import pytest

from evenhand.errors import Misconfigured, Rejected, Unavailable
from evenhand.models.openai import OpenAI
from evenhand.records import Media, Message, Request
from tests.loopback import RESET, chat, error, ok, serve
from tests.models.asking import SCHEMA, fails, user


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "This model's maximum context length is 128000", code="context_length_exceeded"),
        error(400, "request exceeds the available context size", type="exceed_context_size_error"),
        error(500, "too big", type="exceed_context_size_error"),
        (413, {}, "too large"),
        error(400, "The decoder prompt is longer than the maximum model length of 4096"),
        error(429, "Request too large for gpt-4o on tokens per min: Limit 30000, Requested 31000"),
    ],
)  # fmt: skip
def test_too_long_a_request_is_an_overflow(answer: Any) -> None:
    problem = fails(lambda _: answer, user(schema=SCHEMA))
    assert isinstance(problem, Rejected)
    assert problem.code == "overflow"


@pytest.mark.parametrize(
    "answer",
    [
        error(500, "image input is not supported - hint: you may need to provide the mmproj"),
        error(404, "No endpoints found that support image input"),
        error(400, "this model is not multimodal"),
    ],
)
def test_a_model_without_eyes_rejects_images_once(answer: Any) -> None:
    request = Request((Message("user", ("look", Media("image", data=b"\x89PNG"))),))
    problem = fails(lambda _: answer, request)
    assert isinstance(problem, Rejected)
    assert problem.code == "rejected"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_passing_faults_can_be_tried_again(status: int) -> None:
    problem = fails(lambda _: (status, {"Retry-After": "7"}, "<html>busy</html>"))
    assert isinstance(problem, Unavailable)
    assert (problem.status, problem.retry_after) == (status, 7.0)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": formatdate(time() + 3600, usegmt=True)}, 1800, 3601),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25, 0.25),
        ({"Retry-After": "-3"}, 0, 0),
    ],
)
def test_the_wait_that_the_server_asks_for_is_read(
    headers: dict[str, str], low: float, high: float
) -> None:
    problem = fails(lambda _: (429, headers, "{}"))
    assert isinstance(problem, Unavailable)
    assert problem.retry_after is not None
    assert low <= problem.retry_after <= high


def test_an_unreadable_wait_is_none() -> None:
    problem = fails(lambda _: (429, {"Retry-After": "soon"}, "{}"))
    assert isinstance(problem, Unavailable)
    assert problem.retry_after is None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (error(429, "You exceeded your quota", code="insufficient_quota"), "payment"),
        (error(402, "Insufficient credits"), "payment"),
        (error(400, "API key not valid. Please pass a valid API key."), "OPENAI_API_KEY"),
        ((301, {"Location": "https://new.example/v1"}, ""), "https://new.example/v1"),
        ((404, {"Content-Type": "text/html"}, "<!doctype html>"), "usually ends in /v1"),
        (error(405, "Method Not Allowed"), "base URL"),
    ],
)
def test_what_every_request_would_meet_stops_the_run(answer: Any, says: str) -> None:
    problem = fails(lambda _: answer)
    assert isinstance(problem, Misconfigured)
    assert says in str(problem)


def test_an_unknown_model_is_told_with_the_names_that_exist() -> None:
    names = {"data": [{"id": f"model-{i}"} for i in range(20)] + [{"id": "mm"}]}
    problem = fails(
        lambda asked: ok(names) if asked is None else error(404, "The model `m` does not exist")
    )
    assert isinstance(problem, Misconfigured)
    assert "mm" in problem.expected
    assert problem.expected.count("model-") == 7


def test_a_server_without_a_list_of_models_still_gives_the_error() -> None:
    problem = fails(lambda asked: RESET if asked is None else error(404, "model not found"))
    assert isinstance(problem, Misconfigured)


@pytest.mark.parametrize(
    "answer",
    [ok({"choices": []}), ok({}), ok('{"choices": [{"mess'), ok('{"choices": [{"message": 3}]}'),
     ok(b"\xff\xfe"), ok({"error": {"message": "upstream", "code": 502}}), RESET],
)  # fmt: skip
def test_broken_replies_can_be_tried_again(answer: Any) -> None:
    assert isinstance(fails(lambda _: answer), Unavailable)


def test_an_error_with_status_200_counts_by_its_code() -> None:
    problem = fails(lambda _: ok({"error": {"message": "bad request", "code": 400}}))
    assert isinstance(problem, Rejected)


def test_nobody_listening_is_unavailable_with_the_address() -> None:
    async def run() -> None:
        await OpenAI("m", base_url="http://127.0.0.1:9/v1")(user())

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9") as caught:
        asyncio.run(run())
    assert caught.value.status == 0


def test_many_calls_share_one_session_and_its_connections() -> None:
    async def run(url: str) -> None:
        model = OpenAI("m", base_url=url)
        for _ in range(3):
            await asyncio.gather(*(model(user()) for _ in range(20)))
        await model.aclose()

    with serve(lambda _: chat()) as server:
        asyncio.run(run(server.url))
    assert len(server.seen) == 60
    assert server.connections <= 20


def test_a_remote_server_without_a_key_is_told_before_anything_is_sent() -> None:
    start = perf_counter()
    with pytest.raises(Misconfigured, match="EVENHAND_TEST_ABSENT"):
        asyncio.run(
            OpenAI("m", base_url="https://e.invalid", key_env="EVENHAND_TEST_ABSENT")(user())
        )
    assert perf_counter() - start < 1.0
