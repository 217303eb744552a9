"""Chat completions, the wire that OpenAI and most other servers speak."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenhand.errors import ModelError
from evenhand.models.faults import UNSUPPORTED, Answer, Fault, Place
from evenhand.models.http import Draft, Live, ask, broken, decode, failure, refusal
from evenhand.models.media import as_url, encoded, has_media
from evenhand.records import Completion, Finish, Media, Message, Part, Request

_TOPS = 20  # alternatives per token; the most that OpenAI gives
_FEWER = 5
_NUMBER = re.compile(
    r"maximum|max allowed|at most|less than|greater than|between|exceed|range|limit", re.IGNORECASE
)
_PREFILL = re.compile(
    r"pre-?fill|end with a user message|last (?:role|message)|final position"
    r"|continue_final_message",
    re.IGNORECASE,
)
# What can be left out: fallback, parameter, how a message speaks of it. The first that fits is
# left out, so the least important stand first. None: being spoken of is enough; otherwise the
# message must also say that the parameter is not supported (a bad value is the caller's).
_STEPS = (
    ("no json_schema", "response_format", r"response_format|json_schema|structured.?output|schema"),
    ("no function call", "tools", r"\btools?\b|tool_choice|function.?call"),
    ("max_completion_tokens", "max_tokens", r"\bmax_tokens\b"),
    (
        "no n",
        "n",
        r"['\"`]n['\"`]|\bn (?:must|should|>|=|greater)|multiple (?:choices|completions)",
    ),
    ("no seed", "seed", r"\bseed\b"),
    ("no stop", "stop", r"\bstop\b"),
    ("no top_p", "top_p", r"\btop_p\b"),
    ("no temperature", "temperature", r"\btemperature\b"),
)
_BY_MENTION = {"response_format", "tools"}
_LENGTH = {"length", "max_tokens"}


class _Top(msgspec.Struct, gc=False):
    token: str = ""
    logprob: float = -9999.0


class _Token(msgspec.Struct, gc=False):
    token: str = ""
    logprob: float = -9999.0
    top_logprobs: list[_Top] | None = None


class _Logprobs(msgspec.Struct):
    content: list[_Token] | None = None


class _Piece(msgspec.Struct):
    text: str | None = None


class _Function(msgspec.Struct):
    arguments: Any = ""


class _Call(msgspec.Struct):
    function: _Function | None = None


class _Said(msgspec.Struct):
    content: str | list[_Piece] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Reply(msgspec.Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Reply)


@dataclass(frozen=True, slots=True)
class OpenAI:
    """A chat model behind `{base_url}/chat/completions`.

    Nothing is sent that was not asked for. What the server cannot do is left out, remembered, and
    named in `Completion.fallbacks`.

    Attributes:
        key_env: The variable with the key, read at the first call; "" where none is needed.
        extra_body: Sent with every request; stands above everything else.
    """

    name: str
    extra_body: Mapping[str, Any] = field(default_factory=dict, hash=False)
    base_url: str = field(default="https://api.openai.com/v1", compare=False)
    key_env: str = field(default="OPENAI_API_KEY", compare=False)
    timeout: float = field(default=120.0, compare=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    live: Live = field(default_factory=Live, init=False, compare=False, repr=False)

    async def __call__(self, request: Request, /) -> Completion:
        def draft(without: set[str]) -> Draft:
            return _draft(self, request, without)

        place = Place(self.base_url.rstrip("/"), self.key_env, self.timeout, self.extra_headers)
        answer, sent = await ask(
            self.live, place, "/chat/completions", model=self.name, draft=draft, lesser=self._lesser
        )
        if answer.status != 200:
            return refusal(answer, sent, self.name)
        reply = decode(answer, place, decoder=_decoder, kind=_Reply)
        if not reply.choices:
            raise await self._empty(reply, answer, place)
        return self._completion(reply, request, answer, sent=sent)

    async def aclose(self) -> None:
        await self.live.aclose()

    def _lesser(self, problem: Fault, sent: Draft) -> str | None:
        body = {key: sent.body[key] for key in sent.body if key not in self.extra_body}
        return _lesser(problem, body)

    async def _empty(self, reply: _Reply, answer: Answer, place: Place) -> ModelError:
        """Routers send errors with status 200; without one the envelope is broken."""
        if not isinstance(reply.error, dict):
            return broken(place, "broken reply: no choices in it")
        code = reply.error.get("code")
        status = code if isinstance(code, int) and code >= 400 else 502
        known = Answer(status, answer.headers, answer.body, answer.seconds)
        return await failure(self.live, place, known, model=self.name)

    def _completion(
        self, reply: _Reply, request: Request, answer: Answer, *, sent: Draft
    ) -> Completion:
        choices = reply.choices or []
        texts = tuple(_own_text(choice, request, answer) for choice in choices)
        first, usage = choices[0], reply.usage or _Usage()
        tops = _tops(first)
        without = sent.without
        if request.need != "text" and not tops and "no logprobs" not in without:
            without = (*without, "no logprobs")
        return Completion(
            text=texts[0],
            tops=tops,
            samples=texts if request.n > 1 else (),
            finish=_finish(first),
            tokens_in=usage.prompt_tokens,
            tokens_out=usage.completion_tokens,
            usd=self.live.usd(usage.prompt_tokens, usage.completion_tokens),
            seconds=answer.seconds,
            served=reply.model or self.name,
            fallbacks=without,
        )


# ---- request ---------------------------------------------------------------------------------


def _draft(model: OpenAI, request: Request, without: set[str]) -> Draft:
    said: list[str] = []
    messages = request.messages
    if "no prefill" in without and messages and messages[-1].role == "assistant":
        messages = messages[:-1]
        said.append("no prefill")
    body: dict[str, Any] = {"model": model.name, "messages": [_message(m) for m in messages]}
    body |= _settings(request, without, said)
    if request.schema is not None:
        body |= _schema(request.schema, without, said)
    if request.need != "text":
        body |= _logprobs(without, said)
    body |= model.extra_body
    return Draft(body, tuple(said), has_media(messages))


def _settings(request: Request, without: set[str], said: list[str]) -> dict[str, Any]:
    wanted = request.decode
    asked = {
        "temperature": wanted.temperature,
        "top_p": wanted.top_p,
        "max_tokens": wanted.max_tokens,
        "stop": wanted.stop or None,
        "seed": wanted.seed,
        "n": request.n if request.n > 1 else None,
    }
    sent = {}
    for name, value in asked.items():
        if value is None:
            continue
        if f"no {name}" in without:
            said.append(f"no {name}")
        elif name == "max_tokens" and "max_completion_tokens" in without:
            said.append("max_completion_tokens")
            sent["max_completion_tokens"] = value
        else:
            sent[name] = value
    return sent


def _schema(schema: Mapping[str, Any], without: set[str], said: list[str]) -> dict[str, Any]:
    schema = dict(schema)
    if "no json_schema" not in without:
        form = {"name": "answer", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": form}}
    said.append("no json_schema")
    if "no function call" not in without:
        tool = {"name": "answer", "description": "Gives the answer.", "parameters": schema}
        choice = {"type": "function", "function": {"name": "answer"}}
        return {"tools": [{"type": "function", "function": tool}], "tool_choice": choice}
    said.append("no function call")
    return {}


def _logprobs(without: set[str], said: list[str]) -> dict[str, Any]:
    if "no logprobs" in without:
        said.append("no logprobs")
        return {}
    if "top_logprobs 5" in without:
        said.append("top_logprobs 5")
        return {"logprobs": True, "top_logprobs": _FEWER}
    return {"logprobs": True, "top_logprobs": _TOPS}


def _message(message: Message) -> dict[str, Any]:
    parts = message.parts
    if len(parts) == 1 and isinstance(parts[0], str):
        return {"role": message.role, "content": parts[0]}
    if all(isinstance(part, str) for part in parts):
        return {"role": message.role, "content": message.text}
    return {"role": message.role, "content": [_part(part) for part in parts]}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part.kind == "audio" and part.url is None:
        return {"type": "input_audio", "input_audio": _audio(part)}
    name = f"{part.kind}_url"  # image_url is everyone's; audio_url and video_url are vLLM's
    return {"type": name, name: {"url": as_url(part)}}


def _audio(part: Media) -> dict[str, str]:
    kind, data = encoded(part)
    form = kind.partition("/")[2]
    return {"data": data, "format": "mp3" if form == "mpeg" else form}


# ---- what the server cannot do ---------------------------------------------------------------


def _lesser(problem: Fault, body: Mapping[str, Any]) -> str | None:
    """What to leave out. Only parameters that were sent are considered."""
    root = re.split(r"[.\[]", problem.param)[0]
    if "logprobs" in body and _speaks(
        root, {"logprobs", "top_logprobs"}, problem, pattern="logprobs"
    ):
        few = body.get("top_logprobs", 0) <= _FEWER or UNSUPPORTED.search(problem.words)
        return "top_logprobs 5" if not few and _NUMBER.search(problem.words) else "no logprobs"
    for step, name, pattern in _STEPS:
        names = {name, "tool_choice"} if name == "tools" else {name}
        if name not in body or not _speaks(root, names, problem, pattern=pattern):
            continue
        if name in _BY_MENTION or UNSUPPORTED.search(problem.words):
            return step
    messages = body.get("messages")
    if messages and messages[-1]["role"] == "assistant":
        return "no prefill" if _PREFILL.search(problem.words) else None
    return None


def _speaks(root: str, names: set[str], problem: Fault, *, pattern: str) -> bool:
    """The parameter that the server blames decides; without one, its message does."""
    if root and root != "messages":
        return root in names
    return bool(re.search(pattern, problem.message, re.IGNORECASE))


# ---- reply -----------------------------------------------------------------------------------


def _text(choice: _Choice) -> str:
    said = choice.message or _Said()
    if said.refusal:
        return said.refusal
    if isinstance(said.content, list):
        return "".join(piece.text or "" for piece in said.content)
    if not said.content and said.tool_calls and (call := said.tool_calls[0].function):
        given = call.arguments
        return given if isinstance(given, str) else msgspec.json.encode(given).decode()
    return said.content or ""


def _own_text(choice: _Choice, request: Request, answer: Answer) -> str:
    """The text without the prefill, which llama.cpp's server repeats."""
    last = request.messages[-1] if request.messages else None
    if last is None or last.role != "assistant" or answer.headers.get("Server") != "llama.cpp":
        return _text(choice)
    return _text(choice).removeprefix(last.text)


def _finish(choice: _Choice) -> Finish:
    if choice.finish_reason in _LENGTH:
        return "length"
    refused = choice.message is not None and choice.message.refusal
    return "refused" if refused or choice.finish_reason == "content_filter" else "stop"


def _tops(choice: _Choice) -> tuple[dict[str, float], ...]:
    if choice.logprobs is None or not choice.logprobs.content:
        return ()
    return tuple([_candidates(token) for token in choice.logprobs.content])


def _candidates(token: _Token) -> dict[str, float]:
    tops = token.top_logprobs or ()
    found = {top.token: top.logprob for top in tops}
    if len(found) != len(tops):  # tokens of different bytes can read the same: the larger stays
        found = {top.token: top.logprob for top in sorted(tops, key=lambda top: top.logprob)}
    if token.token not in found:
        found[token.token] = token.logprob
    return found
