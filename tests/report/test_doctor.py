from __future__ import annotations

from typing import Any

import pytest

from evenhand import Completion, Request, models
from evenhand.models.scripted import Scripted
from evenhand.report.doctor import Finding, doctor, findings_text
from evenhand.report.terminal import printed
from tests.loopback import chat, error, ok, serve

CHECKS = ["key and address", "label probabilities", "JSON schema", "images", "price"]
TOPS = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": [
    {"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -3.0}]}]}  # fmt: skip


def has_image(asked: Any) -> bool:
    return isinstance(asked["messages"][-1]["content"], list)


def able(asked: Any) -> Any:
    """A server that can do everything."""
    if asked is None:
        return ok({"data": []})
    if "response_format" in asked:
        return chat('{"answer": "A"}')
    if has_image(asked):
        return chat("Red.")
    return chat("A", logprobs=TOPS if asked.get("logprobs") else None)


def examined(program: Any) -> dict[str, Finding]:
    with serve(program) as server:
        findings = doctor(models.find(f"{server.url}/v1#m"))
    assert [finding.check for finding in findings] == CHECKS
    return {finding.check: finding for finding in findings}


def test_a_server_that_can_do_everything_is_ok_and_costs_five_calls_at_most() -> None:
    asked: list[Any] = []

    def program(body: Any) -> Any:
        asked.append(body)
        return able(body)

    found = examined(program)
    assert {finding.result for finding in found.values()} == {"ok"}
    assert "answered as served-1" in found["key and address"].what
    assert found["label probabilities"].what == "top 2 of each token"
    assert len(asked) <= 5
    assert all(body["max_tokens"] <= 64 for body in asked)


def test_a_server_without_token_probabilities_is_told() -> None:
    def program(asked: Any) -> Any:
        if asked and "logprobs" in asked:
            return error(400, "logprobs is not supported", param="logprobs")
        return able(asked)

    found = examined(program)
    assert found["label probabilities"].result == "no"
    assert found["JSON schema"].result == "ok"


@pytest.mark.parametrize("way", ["refuses", "ignores"])
def test_a_server_without_schema_is_told(way: str) -> None:
    def program(asked: Any) -> Any:
        if asked and ("response_format" in asked or "tools" in asked):
            if way == "ignores":
                return chat("Sure! It is A.")
            name = "response_format" if "response_format" in asked else "tools"
            return error(400, f"{name} is not supported", param=name)
        return able(asked)

    found = examined(program)
    assert found["JSON schema"].result == "no"
    assert found["images"].result == "ok"


def test_a_server_that_takes_no_images_is_told() -> None:
    def program(asked: Any) -> Any:
        if asked and has_image(asked):
            return error(500, "image input is not supported - hint: you may need an mmproj")
        return able(asked)

    found = examined(program)
    assert found["images"].result == "no"
    assert "takes no such media" in found["images"].what


def test_a_model_that_does_not_see_the_image_is_told() -> None:
    found = examined(lambda asked: chat("Blue") if asked and has_image(asked) else able(asked))
    assert found["images"].result == "no"
    assert "it said 'Blue'" in found["images"].what


def test_a_wrong_key_is_told_and_never_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENHAND_API_KEY", "sk-very-secret")

    def program(asked: Any) -> Any:
        return error(401, "Incorrect API key provided: sk-very-secret")

    found = examined(program)
    assert found["key and address"].result == "failed"
    assert "EVENHAND_API_KEY" in found["key and address"].what
    assert {found[name].result for name in CHECKS[1:-1]} == {"not tried"}
    printed(findings_text(list(found.values())))
    told = capsys.readouterr().out + str(found)
    assert "secret" not in told
    assert "***" in told


def test_nobody_listening_is_told() -> None:
    with serve(able) as server:
        address = server.url
    reach, *others = doctor(models.find(f"{address}/v1#m"))
    assert reach.result == "failed"
    assert "Cannot reach" in reach.what
    assert "is the server running?" in reach.what
    assert [finding.result for finding in others[:-1]] == ["not tried"] * 3


def test_a_check_that_breaks_leaves_the_others() -> None:
    def program(asked: Any) -> Any:
        return error(500, "oops") if asked and "response_format" in asked else able(asked)

    found = examined(program)
    assert found["JSON schema"].result == "failed"
    assert "oops" in found["JSON schema"].what
    assert found["images"].result == "ok"


def test_a_decision_model_that_writes_no_text_is_reached() -> None:
    def program(asked: Any) -> Any:
        return ok(
            {"answers": {"answer": {"type": "choice", "probabilities": {"A": 0.9, "B": 0.1}}}}
        )

    with serve(program) as server:
        reach, probabilities, schema, *_ = doctor(models.find(f"systemone:{server.url}#m"))
    assert reach.result == "ok"
    assert probabilities.what == "typed answers with probabilities"
    assert schema.result == "no"


def test_what_a_model_says_is_shown_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request) -> Completion:
        return Completion("\x1b[2J", served="m\x1b[2J", usd=0.0)

    printed(findings_text(doctor(Scripted("m", answer))))
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "result"), [("openai/gpt-4.1", "ok"), ("openai/nobody-knows-it", "no")]
)
def test_the_price_is_told_without_a_key(
    monkeypatch: pytest.MonkeyPatch, name: str, result: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    findings = doctor(models.find(name))
    assert "OPENAI_API_KEY is not set" in findings[0].what
    assert (findings[-1].check, findings[-1].result) == ("price", result)
