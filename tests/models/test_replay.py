"""Recorded calls are found by what was asked, and by nothing else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evenhand.errors import DataError, Misuse, ModelError
from evenhand.identity import identity, plain
from evenhand.models.keys import recorded_bytes, request_bytes
from evenhand.models.replay import Replay
from evenhand.records import Completion, Decode, Media, Message, Question, Request


def user(text: str, **fields: Any) -> Request:
    return Request((Message("system", ("Be fair.",)), Message("user", (text,))), **fields)


def write(path: Path, calls: list[tuple[str, Request, Completion]]) -> str:
    lines = [
        {
            "model": {"is": "OpenAI", "name": name, "extra_body": {}},
            "request": json.loads(request_bytes(request)),
            "completion": msgspec.to_builtins(completion),
        }
        for name, request, completion in calls
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return str(path)


def ask(model: Replay, request: Request) -> Completion:
    return asyncio.run(model(request))


def test_a_recorded_call_is_played_without_price_and_time(tmp_path: Path) -> None:
    told = Completion("vier — ja", tops=({"4": -0.1},), usd=0.5, seconds=2.0, tokens_in=7, key="k")
    path = write(tmp_path / "r.jsonl", [("m", user("2 + 2?"), told), ("m", user("3?"), told)])
    model = Replay(path)
    assert model.name == "m"
    reply = ask(model, user("2 + 2?"))
    assert reply == replace(told, usd=0.0, seconds=0.0, key="")
    assert reply.tops == ({"4": -0.1},)


REQUESTS = [
    user("2 + 2?"),
    user("2 + 2?", draw=1),
    user("2 + 2?", decode=Decode(temperature=0.0, stop=("x",))),
    user("2 + 2?", need="answer", question=Question("Which?", ("A", "B"))),
    user("2 + 2?", schema={"b": {"d": 1, "c": 2}, "a": 1}),
    user("2 + 2?", n=3),
    Request((Message("user", ("look", Media("image", data=b"abc", mime="image/png"))),)),
    Request((Message("user", ("look", Media("image", data=b"abd", mime="image/png"))),)),
    Request((Message("user", ("look", Media("image", url="https://e.org/a.png"))),)),
]


def test_requests_that_differ_anywhere_are_different_calls(tmp_path: Path) -> None:
    calls = [("m", request, Completion(str(i))) for i, request in enumerate(REQUESTS)]
    model = Replay(write(tmp_path / "r.jsonl", calls))
    assert [ask(model, request).text for request in REQUESTS] == [str(i) for i in range(9)]


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_plain_form_has_the_same_bytes_as_the_request(request_: Request) -> None:
    assert recorded_bytes(json.loads(request_bytes(request_))) == request_bytes(request_)
    assert recorded_bytes(json.loads(json.dumps(plain(request_)))) == request_bytes(request_)


def test_a_file_and_its_bytes_are_the_same_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"abc")
    by_path = Request((Message("user", (Media("image", path=str(tmp_path / "a.png")),)),))
    by_bytes = Request((Message("user", (Media("image", data=b"abc"),)),))
    assert request_bytes(by_path) == request_bytes(by_bytes)


def test_the_order_of_a_schema_does_not_count() -> None:
    one, other = user("x", schema={"a": 1, "b": 2}), user("x", schema={"b": 2, "a": 1})
    assert request_bytes(one) == request_bytes(other)


def test_an_unrecorded_request_shows_the_nearest_prompt(tmp_path: Path) -> None:
    texts = [f"Is {i} a prime number? Think step by step." for i in range(300)]
    model = Replay(write(tmp_path / "r.jsonl", [("m", user(t), Completion("no")) for t in texts]))
    with pytest.raises(ModelError) as caught:
        ask(model, user("Is 7 a prime number? Think, step by step."))
    assert not caught.value.retryable
    assert "a prime number? Think step by step." in caught.value.expected


def test_an_unrecorded_draw_is_told_from_another_prompt(tmp_path: Path) -> None:
    model = Replay(write(tmp_path / "r.jsonl", [("m", user("2 + 2?"), Completion("4"))]))
    with pytest.raises(ModelError, match="same last message"):
        ask(model, user("2 + 2?", draw=5))


def test_of_several_models_one_must_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [("a", user("x"), Completion("1")),
                                        ("b", user("x"), Completion("2"))])  # fmt: skip
    with pytest.raises(Misuse, match=r"a, b[\s\S]*#a"):
        Replay(path)
    assert ask(Replay(path, "b"), user("x")).text == "2"
    with pytest.raises(Misuse, match="no model 'c'"):
        Replay(path, "c")


def test_the_recording_counts_and_its_place_does_not(tmp_path: Path) -> None:
    calls = [("m", user("x"), Completion("1"))]
    here, there = write(tmp_path / "a.jsonl", calls), write(tmp_path / "b.jsonl", calls)
    other = write(tmp_path / "c.jsonl", [("m", user("x"), Completion("2"))])
    assert identity(Replay(here)) == identity(Replay(there)) != identity(Replay(other))


def test_a_line_that_is_no_call_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [("m", user("x"), Completion("1"))])
    with open(path, "a", encoding="utf-8") as file:
        file.write('{"model": {"name": "m"}}\n')
    with pytest.raises(DataError, match=r"r\.jsonl:2"):
        Replay(path)


def test_a_missing_recording_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="export"):
        Replay(str(tmp_path / "none.jsonl"))
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(Misuse, match="no recorded call"):
        Replay(str(tmp_path / "empty.jsonl"))
