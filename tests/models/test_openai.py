"""Chat completions: what is sent, and how the reply is read."""

from __future__ import annotations

import base64
import json
from time import process_time
from typing import Any

import pytest

from evenhand.errors import Rejected
from evenhand.records import Decode, Media, Message, Question, Request
from tests.loopback import chat, error, ok
from tests.models.asking import SCHEMA, fails, probs, talk, user

# ---- sent ------------------------------------------------------------------------------------


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    _, server = talk(lambda _: chat(), user())
    assert server.posted == [{"model": "m", "messages": [{"role": "user", "content": "2 + 2?"}]}]
    assert server.seen[0].path == "/v1/chat/completions"


def test_every_setting_that_was_asked_for_is_sent() -> None:
    decode = Decode(temperature=0.0, top_p=0.5, max_tokens=9, stop=("\n",), seed=0)
    request = user(decode=decode, need="probs", n=2, schema=SCHEMA)
    _, server = talk(lambda _: chat(), request, extra_body={"top_k": 4, "seed": 7})
    body = server.posted[0]
    assert {k: v for k, v in body.items() if k not in {"model", "messages", "response_format"}} == {
        "temperature": 0.0, "top_p": 0.5, "max_tokens": 9, "stop": ["\n"], "seed": 7, "n": 2,
        "logprobs": True, "top_logprobs": 20, "top_k": 4,
    }  # fmt: skip
    form = {"name": "answer", "strict": True, "schema": SCHEMA}
    assert body["response_format"] == {"type": "json_schema", "json_schema": form}


def test_a_typed_question_asks_a_chat_model_for_token_probabilities() -> None:
    request = user(need="answer", question=Question("Which?", ("A", "B")))
    _, server = talk(lambda _: chat(), request)
    assert server.posted[0]["top_logprobs"] == 20


def test_images_and_sounds_become_parts(tmp_path: Any) -> None:
    picture = tmp_path / "a.bin"
    picture.write_bytes(b"\x89PNG....")
    parts = (
        "look", Media("image", path=str(picture)), Media("image", url="https://e.org/x.png"),
        Media("audio", data=b"ID3..."),
    )  # fmt: skip
    _, server = talk(lambda _: chat(), Request((Message("user", parts),)))
    png = base64.b64encode(b"\x89PNG....").decode()
    assert server.posted[0]["messages"][0]["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}},
        {"type": "image_url", "image_url": {"url": "https://e.org/x.png"}},
        {"type": "input_audio", "input_audio": {"data": "SUQzLi4u", "format": "mp3"}},
    ]


def test_a_missing_image_is_rejected_by_its_path() -> None:
    request = Request((Message("user", ("look", Media("image", path="/no/such.png"))),))
    problem = fails(lambda _: chat(), request)
    assert isinstance(problem, Rejected)
    assert "/no/such.png" in str(problem)


def test_a_prefill_is_sent_as_the_last_message() -> None:
    request = Request((Message("user", ("2 + 2?",)), Message("assistant", ("Score: ",))))
    _, server = talk(lambda _: chat(), request)
    assert server.posted[0]["messages"][-1] == {"role": "assistant", "content": "Score: "}


# ---- read ------------------------------------------------------------------------------------


def test_a_reply_is_read_with_tokens_price_and_served_name() -> None:
    (reply,), _ = talk(lambda _: chat("four"), user())
    assert (reply.text, reply.finish, reply.served) == ("four", "stop", "served-1")
    assert (reply.tokens_in, reply.tokens_out, reply.usd) == (11, 3, 0.0)
    assert reply.seconds > 0


def test_token_alternatives_are_read() -> None:
    given = probs(("A", {"A": -0.1, "B": -2.5}), (".", {".": 0.0}))
    (reply,), _ = talk(lambda _: chat("A.", logprobs=given), user(need="probs"))
    assert reply.tops == ({"A": -0.1, "B": -2.5}, {".": 0.0})
    assert reply.fallbacks == ()


def test_of_two_tokens_that_read_the_same_the_likelier_stays() -> None:
    token = {"token": "A", "logprob": -0.1, "top_logprobs": [
        {"token": "A", "logprob": -0.1}, {"token": "A", "logprob": -9.0}]}  # fmt: skip
    (reply,), _ = talk(lambda _: chat("A", logprobs={"content": [token]}), user(need="probs"))
    assert reply.tops == ({"A": -0.1},)


def test_missing_token_probabilities_are_said() -> None:
    (reply,), _ = talk(lambda _: chat("A"), user(need="probs"))
    assert reply.fallbacks == ("no logprobs",)


def test_lone_surrogates_in_a_reply_become_escapes() -> None:
    body = json.dumps(chat("bad \ud800 half")[2])
    assert "\\ud800" in body
    (reply,), _ = talk(lambda _: ok(body), user())
    assert reply.text == "bad \\ud800 half"


def test_all_samples_are_kept() -> None:
    choices = [{"message": {"content": text}, "finish_reason": "stop"} for text in "ab"]
    (reply,), _ = talk(lambda _: ok({"choices": choices}), user(n=2))
    assert (reply.text, reply.samples) == ("a", ("a", "b"))


@pytest.mark.parametrize(
    ("answer", "text", "finish"),
    [
        (chat("cu", finish_reason="length"), "cu", "length"),
        (chat(None, message={"refusal": "I won't"}), "I won't", "refused"),
        (chat("", finish_reason="content_filter"), "", "refused"),
        (chat(None, message={"reasoning_content": "hm"}, finish_reason="length"), "", "length"),
        (chat(None, message={"content": [{"type": "text", "text": "a"}, {"text": "b"}]}),
         "ab", "stop"),
        (chat(None, message={"tool_calls": [{"function": {"arguments": '{"score": 4}'}}]}),
         '{"score": 4}', "stop"),
        (chat(None, message={"tool_calls": [{"function": {"arguments": {"score": 4}}}]}),
         '{"score":4}', "stop"),
        (error(400, "filtered", code="content_filter"), "filtered", "refused"),
        (error(403, "Your input was flagged by moderation"),
         "Your input was flagged by moderation", "refused"),
    ],
)  # fmt: skip
def test_unusual_replies_are_read_for_what_they_are(answer: Any, text: str, finish: str) -> None:
    (reply,), _ = talk(lambda _: answer, user())
    assert (reply.text, reply.finish) == (text, finish)


def test_reading_many_token_alternatives_is_cheap() -> None:
    from evenhand.models.openai import _decoder, _tops

    tops = {f"token {i}": -0.5 * i for i in range(20)}
    body = json.dumps(chat("x", logprobs=probs(*[("token 0", tops)] * 70))[2]).encode()
    best = 1.0
    for _ in range(20):
        start = process_time()
        _tops((_decoder.decode(body).choices or [])[0])
        best = min(best, process_time() - start)
    assert best < 0.001  # 0.2 ms on a quiet machine; json.loads alone takes 1.7
