"""Decision models: typed questions in, probabilities out, no text written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from evenhand.errors import Rejected
from evenhand.models.faults import Answer, Fault, Place
from evenhand.models.http import Draft, Live, ask, broken, decode, refusal
from evenhand.models.media import as_url, has_media
from evenhand.records import Completion, Message, Part, Question, Request


class _Wire(NamedTuple):
    address: str
    key_env: str
    path: str
    names: str


_WIRES = {
    "systemone": _Wire(
        "https://api.typesafe.ai", "TYPESAFE_API_KEY", "/v1/systemone", "/v1/models"
    ),
    "decisions": _Wire("https://api.openai.com/v1", "OPENAI_API_KEY", "/decisions", "/models"),
}


class _Answer(msgspec.Struct):
    type: str = ""
    probabilities: dict[str, float] | list[Any] | None = None
    legend: dict[str, Any] | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Reply(msgspec.Struct):
    answers: dict[str, _Answer] | list[_Answer] | None = None
    model: str | None = None
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Reply)


@dataclass(frozen=True, slots=True)
class SystemOne:
    """A decision model behind one of the two wires in use.

    Attributes:
        wire: 'systemone' (TypeSafe and the servers compatible with it, POST /v1/systemone) or
            'decisions' (OpenAI, POST /decisions).
        base_url, key_env: None means the vendor's own.
    """

    name: str
    wire: Literal["systemone", "decisions"] = "systemone"
    base_url: str | None = field(default=None, compare=False)
    key_env: str | None = field(default=None, compare=False)
    timeout: float = field(default=120.0, compare=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    live: Live = field(default_factory=Live, init=False, compare=False, repr=False)

    async def __call__(self, request: Request, /) -> Completion:
        question = _question(request, self.name)
        wire = _WIRES[self.wire]
        body = {"model": self.name, **_BODIES[self.wire](request, question)}
        sent = Draft(body, media=has_media(request.messages))
        place = self._place(wire)
        answer, _ = await ask(
            self.live, place, wire.path, model=self.name, draft=lambda _: sent, lesser=_nothing
        )
        if answer.status != 200:
            return refusal(answer, sent, self.name)
        reply = decode(answer, place, decoder=_decoder, kind=_Reply)
        return self._completion(reply, question, answer, place=place)

    async def aclose(self) -> None:
        await self.live.aclose()

    def _place(self, wire: _Wire) -> Place:
        address = (wire.address if self.base_url is None else self.base_url).rstrip("/")
        if self.wire == "systemone":
            address = address.removesuffix("/v1")
        key_env = wire.key_env if self.key_env is None else self.key_env
        instead = f"for an ordinary chat server use {address.removesuffix('/v1')}/v1#{self.name}"
        return Place(
            address,
            key_env,
            self.timeout,
            self.extra_headers,
            names=wire.names,
            instead=instead,
        )

    def _completion(
        self, reply: _Reply, question: Question, answer: Answer, *, place: Place
    ) -> Completion:
        found = reply.answers or []
        first = next(iter(found.values() if isinstance(found, dict) else found), None)
        if first is None:
            raise broken(place, "broken reply: no answer in it")
        usage = reply.usage or _Usage()
        refused = first.type == "refusal"
        probs, fallbacks = ({}, []) if refused else _probabilities(first, question)
        if not refused and not probs:
            raise broken(place, "broken reply: no probabilities of the labels asked for")
        return Completion(
            text="" if refused else max(probs, key=lambda label: probs[label]),
            answer=None if refused else probs,
            finish="refused" if refused else "stop",
            tokens_in=usage.input_tokens,
            tokens_out=usage.output_tokens,
            usd=self.live.usd(usage.input_tokens, usage.output_tokens),
            seconds=answer.seconds,
            served=reply.model or self.name,
            fallbacks=tuple(fallbacks),
        )


def _nothing(_problem: Fault, _sent: Draft) -> None:
    """A decision has nothing that could be left out."""


def _question(request: Request, name: str) -> Question:
    if request.question is None:
        raise Rejected(
            f"{name} is a decision model: it answers typed questions and writes no text",
            expected="a request with a question",
            do="use a judge that asks one (choice, choice-pair), or a model that writes text",
        )
    return request.question


# ---- request ---------------------------------------------------------------------------------


def _instructions(request: Request, question: Question) -> str:
    system = [message.text for message in request.messages if message.role == "system"]
    return "\n\n".join([*system, question.text])


def _users(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.role == "user"]


def _described(question: Question) -> dict[str, str]:
    described = question.descriptions or ("",) * len(question.labels)
    return dict(zip(question.labels, described, strict=True))


def _level(label: str, description: str) -> str:
    return f"{label}: {description}" if description else label


def _systemone(request: Request, question: Question) -> dict[str, Any]:
    if has_media(request.messages):
        raise Rejected(
            "The System One wire takes no images",
            expected="texts",
            do="use a model behind the Decisions wire (decisions/NAME) for such cases",
        )
    levels = _described(question)
    asked: dict[str, Any] = {
        "type": question.kind,
        "instructions": _instructions(request, question),
    }
    if question.kind == "score":
        asked["criteria"] = [_level(*item) for item in levels.items()]
    else:
        asked["criteria"] = {label: text or None for label, text in levels.items()}
    state = "\n\n".join(message.text for message in _users(request.messages))
    return {"state": state, "questions": {"answer": asked}}


def _decisions(request: Request, question: Question) -> dict[str, Any]:
    named = "label" if question.kind == "score" else "value"
    options = [
        {named: label, "description": text} if text else {named: label}
        for label, text in _described(question).items()
    ]
    asked = {
        "type": question.kind,
        "name": "answer",
        "instructions": _instructions(request, question),
        "levels" if question.kind == "score" else "choices": options,
    }
    return {"input": _input(_users(request.messages)), "questions": [asked]}


def _input(messages: list[Message]) -> str | list[dict[str, Any]]:
    if not has_media(messages):
        return "\n\n".join(message.text for message in messages)
    return [{"role": "user", "content": [_piece(p) for m in messages for p in m.parts]}]


def _piece(part: Part) -> dict[str, str]:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if part.kind != "image":
        raise Rejected(f"The Decisions wire takes no {part.kind}", expected="texts and images")
    return {"type": "input_image", "image_url": as_url(part)}


_BODIES = {"systemone": _systemone, "decisions": _decisions}


# ---- reply -----------------------------------------------------------------------------------


def _probabilities(answer: _Answer, question: Question) -> tuple[dict[str, float], list[str]]:
    """Label -> probability, recomputed to sum to 1, and what was missing. Empty: none at all."""
    given = _by_label(answer, question)
    kept = {label: max(0.0, given.get(label, 0.0)) for label in question.labels}
    said = [f"no probability of {label}" for label in question.labels if label not in given]
    said += [f"dropped {label}" for label in given if label not in kept]
    total = sum(kept.values())
    return ({label: p / total for label, p in kept.items()}, said) if total > 0 else ({}, said)


def _by_label(answer: _Answer, question: Question) -> dict[str, float]:
    found = answer.probabilities
    if not found:
        return {}
    if isinstance(found, dict):
        if question.kind == "choice":
            return found
        return {_level_label(key, answer, question): p for key, p in found.items()}
    if all(isinstance(item, dict) for item in found):
        return {str(item.get("label", item.get("value"))): _number(item) for item in found}
    return {label: _float(p) for label, p in zip(question.labels, found, strict=False)}


def _level_label(key: str, answer: _Answer, question: Question) -> str:
    """Levels come back by position ("0" is the lowest); the legend proves it where there is one.

    Labels such as 1 to 5 look like positions, so a server that answers by label is told by a key
    that is no position.
    """
    levels = [_level(*item) for item in _described(question).items()]
    if answer.legend and answer.legend.get(key) in levels:
        return question.labels[levels.index(answer.legend[key])]
    keys = answer.probabilities or {}
    positions = {str(i) for i in range(len(question.labels))}
    if all(k in positions for k in keys):
        return question.labels[int(key)]
    return key


def _number(item: dict[str, Any]) -> float:
    return _float(item.get("probability"))


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
