"""Asking an OpenAI model that stands before a programmed server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evenhand.errors import ModelError
from evenhand.models.openai import OpenAI
from evenhand.records import Completion, Message, Request
from tests.loopback import Program, Server, serve

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}


def user(text: str = "2 + 2?", **fields: Any) -> Request:
    return Request((Message("user", (text,)),), **fields)


def talk(program: Program, *requests: Request, **fields: Any) -> tuple[list[Completion], Server]:
    """The answers to these requests in turn, from one model object, and what the server saw."""

    async def run(url: str) -> list[Completion]:
        model = OpenAI("m", base_url=f"{url}/v1", **fields)
        try:
            return [await model(request) for request in requests]
        finally:
            await model.aclose()

    with serve(program) as server:
        return asyncio.run(run(server.url)), server


def fails(program: Program, request: Request | None = None, **fields: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        talk(program, request or user(), **fields)
    return caught.value


def probs(*tokens: tuple[str, dict[str, float]]) -> dict[str, Any]:
    listed = [
        {"token": token, "logprob": max(tops.values()), "bytes": [65],
         "top_logprobs": [{"token": t, "logprob": p, "bytes": None} for t, p in tops.items()]}
        for token, tops in tokens
    ]  # fmt: skip
    return {"content": listed, "refusal": None}
