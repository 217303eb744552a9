"""Anthropic's Messages wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenhand.errors import Rejected
from evenhand.models.faults import UNSUPPORTED, Answer, Fault, Place
from evenhand.models.http import Draft, Live, ask, broken, decode, refusal
from evenhand.models.media import encoded, has_media
from evenhand.records import Completion, Finish, Media, Message, Part, Request

_MAX_TOKENS = 4096  # the wire requires a number; this is sent when none was asked for
_PREFILL = re.compile(r"pre-?fill|end with a user message|final position", re.IGNORECASE)
# Fallback, parameter, how a message speaks of it; the least important first.
_STEPS = (
    ("no function call", "tools", r"\btools?\b|tool_choice|input_schema"),
    ("no stop", "stop_sequences", r"\bstop_sequences\b"),
    ("no top_p", "top_p", r"\btop_p\b"),
    ("no temperature", "temperature", r"\btemperature\b"),
)
_FINISH: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class _Block(msgspec.Struct):
    type: str = "text"
    text: str | None = None
    input: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Reply(msgspec.Struct):
    content: list[_Block] | None = None
    model: str = ""
    stop_reason: str | None = None
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Reply)


@dataclass(frozen=True, slots=True)
class Anthropic:
    """A Claude model. It gives no token probabilities; `Completion.fallbacks` says so."""

    name: str
    extra_body: Mapping[str, Any] = field(default_factory=dict, hash=False)
    base_url: str = field(default="https://api.anthropic.com", compare=False)
    key_env: str = field(default="ANTHROPIC_API_KEY", compare=False)
    timeout: float = field(default=120.0, compare=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    live: Live = field(default_factory=Live, init=False, compare=False, repr=False)

    async def __call__(self, request: Request, /) -> Completion:
        def draft(without: set[str]) -> Draft:
            return _draft(self, request, without)

        place = Place(
            self.base_url.rstrip("/").removesuffix("/v1"),
            self.key_env,
            self.timeout,
            {"anthropic-version": "2023-06-01", **self.extra_headers},
            key_header="x-api-key",
            names="/v1/models",
        )
        answer, sent = await ask(
            self.live, place, "/v1/messages", model=self.name, draft=draft, lesser=self._lesser
        )
        if answer.status != 200:
            return refusal(answer, sent, self.name)
        reply = decode(answer, place, decoder=_decoder, kind=_Reply)
        if reply.content is None:
            raise broken(place, "broken reply: no content in it")
        return self._completion(reply, request, answer, sent=sent)

    async def aclose(self) -> None:
        await self.live.aclose()

    def _lesser(self, problem: Fault, sent: Draft) -> str | None:
        """The wire names no parameter apart; its message decides."""
        messages = sent.body["messages"]
        if messages and messages[-1]["role"] == "assistant" and _PREFILL.search(problem.message):
            return "no prefill"
        for step, name, pattern in _STEPS:
            if name not in sent.body or name in self.extra_body:
                continue
            if not re.search(pattern, problem.message, re.IGNORECASE):
                continue
            if name == "tools" or UNSUPPORTED.search(problem.message):
                return step
        return None

    def _completion(
        self, reply: _Reply, request: Request, answer: Answer, *, sent: Draft
    ) -> Completion:
        text = _text(reply.content or (), tool="tools" in sent.body)
        tokens_in, tokens_out = _tokens(reply.usage or _Usage())
        return Completion(
            text=text,
            samples=(text,) if request.n > 1 else (),
            finish=_FINISH.get(reply.stop_reason or "", "stop"),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd=self.live.usd(tokens_in, tokens_out),
            seconds=answer.seconds,
            served=reply.model or self.name,
            fallbacks=sent.without,
        )


def _text(blocks: Iterable[_Block], *, tool: bool) -> str:
    if tool:
        for block in blocks:
            if block.type == "tool_use":
                return bytes(block.input).decode("utf-8", "backslashreplace")
    return "".join(block.text or "" for block in blocks if block.type == "text")


def _tokens(usage: _Usage) -> tuple[int | None, int | None]:
    if usage.input_tokens is None:
        return None, usage.output_tokens
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return usage.input_tokens + cached, usage.output_tokens


# ---- request ---------------------------------------------------------------------------------


def _draft(model: Anthropic, request: Request, without: set[str]) -> Draft:
    said: list[str] = []
    messages = _turns(request.messages)
    if messages and messages[-1]["role"] == "assistant":
        messages = _prefilled(messages, without, said)
    body: dict[str, Any] = {"model": model.name, "messages": messages}
    if system := "\n\n".join(m.text for m in request.messages if m.role == "system"):
        body["system"] = system
    body |= _settings(request, without, said)
    if request.schema is not None and "no function call" in without:
        said.append("no function call")
    elif request.schema is not None:
        body["tools"] = [
            {
                "name": "answer",
                "description": "Gives the answer.",
                "input_schema": dict(request.schema),
            }
        ]
        body["tool_choice"] = {"type": "tool", "name": "answer"}
    body |= model.extra_body
    return Draft(body, tuple(said), has_media(request.messages))


def _settings(request: Request, without: set[str], said: list[str]) -> dict[str, Any]:
    wanted = request.decode
    if wanted.max_tokens is None:
        said.append(f"max_tokens {_MAX_TOKENS}")
    sent: dict[str, Any] = {"max_tokens": wanted.max_tokens or _MAX_TOKENS}
    asked = {
        "temperature": wanted.temperature,
        "top_p": wanted.top_p,
        "stop_sequences": wanted.stop or None,
    }
    for name, value in asked.items():
        step = "no stop" if name == "stop_sequences" else f"no {name}"
        if value is not None and step in without:
            said.append(step)
        elif value is not None:
            sent[name] = value
    absent = {
        "no seed": wanted.seed is not None,
        "no n": request.n > 1,
        "no logprobs": request.need != "text",
    }
    said += [step for step, asked_for in absent.items() if asked_for]
    return sent


def _turns(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """User and assistant in turn, as the wire wants them; empty texts, which it refuses, left."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = [_block(part) for part in message.parts if part != ""]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _prefilled(
    messages: list[dict[str, Any]], without: set[str], said: list[str]
) -> list[dict[str, Any]]:
    """The beginning of the reply without white space at its end, which the server refuses."""
    if "no prefill" in without:
        said.append("no prefill")
        return messages[:-1]
    text = "".join(block.get("text", "") for block in messages[-1]["content"]).rstrip()
    if not text:
        return messages[:-1]
    return [*messages[:-1], {"role": "assistant", "content": [{"type": "text", "text": text}]}]


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part.kind != "image":
        raise Rejected(
            f"The Messages wire takes no {part.kind}",
            expected="texts and images",
            do="use a model behind another wire for such cases",
        )
    return {"type": "image", "source": _source(part)}


def _source(media: Media) -> dict[str, str]:
    if media.url is not None:
        return {"type": "url", "url": media.url}
    kind, data = encoded(media)
    return {"type": "base64", "media_type": kind, "data": data}
