"""Scripted answers with what its function returns."""

from __future__ import annotations

import asyncio

import pytest

from evenhand.errors import Unavailable
from evenhand.identity import identity
from evenhand.models.scripted import Scripted
from evenhand.records import Completion, Message, Request

ASKED = Request((Message("user", ("2 + 2?",)),))


def test_a_text_becomes_a_completion() -> None:
    reply = asyncio.run(Scripted("s", lambda request: request.messages[0].text)(ASKED))
    assert (reply.text, reply.finish, reply.usd, reply.served) == ("2 + 2?", "stop", 0.0, "s")


def test_a_completion_passes_as_it_is() -> None:
    given = Completion(text="4", tops=({"4": -0.1},), finish="length")
    assert asyncio.run(Scripted("s", lambda _: given)(ASKED)) is given


def test_an_exception_is_raised() -> None:
    with pytest.raises(Unavailable, match="busy"):
        asyncio.run(Scripted("s", lambda _: Unavailable("busy"))(ASKED))


def test_the_function_is_not_identity() -> None:
    assert identity(Scripted("s", lambda _: "a")) == identity(Scripted("s", lambda _: "b"))
    assert identity(Scripted("s", lambda _: "a")) != identity(Scripted("t", lambda _: "a"))
