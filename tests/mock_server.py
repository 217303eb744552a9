"""A fast mock of an OpenAI-compatible server, with faults on purpose, that counts what it did.

Listens on 127.0.0.1 only: `python tests/mock_server.py --port 0` prints the port it took. One
process, hand-written HTTP/1.1 with keep-alive, so that it is never what a client waits for.

The reply follows the request: an instance of its JSON schema (or of its tool's parameters), else
a text by a word in the model's name: pair ([[A]], [[B]] or [[C]]), stars ([[1]] to [[10]]), …
The item is the first ITEM-<number> in the request, and its score is `score_of(number)`.

    GET  /stats       counters; distinct items asked, answered well, answered more than once
    POST /reset?k=v   zeroes the counters and sets any of the fields of `Settings`

A fault is drawn per request from a seeded generator, or with `sticky` per item.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import signal
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl

import msgspec

ITEM = re.compile(rb"ITEM-(\d+)")
LENGTH = re.compile(rb"\r\ncontent-length:[ ]*(\d+)", re.I)
TOKENS = re.compile(r"\d+|\s*\w+|[^\w\s]+|\s+")
RATIONALE = (
    "The response addresses the question directly and is mostly correct, but it leaves out one "
    "relevant condition and does not support its second claim with evidence, so it earns a "
    "middling mark."
)
FAULTS = ("429", "500", "malformed", "badjson", "truncated", "hang", "reset")
COUNTERS = ("requests", "ok", *FAULTS, "conns", "no_item", "peak_inflight", "bytes_in")
encode = msgspec.json.encode


def score_of(item: int) -> int:
    return (item * 7919 + 13) % 10 + 1


@dataclass
class Settings:
    """Probabilities of faults (p…), latency in ms, Retry-After in seconds."""

    latency_ms: float = 0.0
    p429: float = 0.0
    p500: float = 0.0
    pmalformed: float = 0.0
    pbadjson: float = 0.0
    ptruncated: float = 0.0
    phang: float = 0.0
    preset: float = 0.0
    retry_after: float = 1.0
    seed: int = 1
    sticky: int = 0


@dataclass
class State:
    settings: Settings = field(default_factory=Settings)
    count: dict[str, int] = field(default_factory=dict)
    asked: dict[int, int] = field(default_factory=dict)
    good: dict[int, int] = field(default_factory=dict)
    edges: list[tuple[float, str]] = field(default_factory=list)
    rng: random.Random = field(default_factory=random.Random)
    in_flight: int = 0

    def reset(self, given: dict[str, str]) -> None:
        kinds = {f.name: type(f.default) for f in fields(Settings)}
        for name, value in given.items():
            setattr(self.settings, name, kinds[name](float(value)))
        self.rng = random.Random(self.settings.seed)
        self.count = dict.fromkeys(COUNTERS, 0)
        self.asked, self.good, self.in_flight, self.edges = {}, {}, 0, []
        total = 0.0
        for name in FAULTS:
            total += getattr(self.settings, f"p{name}")
            self.edges.append((total, name))

    def fault(self, item: int) -> str:
        if not self.edges[-1][0]:
            return "ok"
        if self.settings.sticky:
            x = zlib.crc32(b"%d-%d" % (item, self.settings.seed)) / 2**32
        else:
            x = self.rng.random()
        return next((name for edge, name in self.edges if x < edge), "ok")

    def stats(self) -> dict[str, int]:
        return {
            **self.count,
            "items_asked": len(self.asked),
            "items_good": len(self.good),
            "items_asked_twice": sum(n > 1 for n in self.asked.values()),
            "items_good_twice": sum(n > 1 for n in self.good.values()),
            "good_total": sum(self.good.values()),
        }


# ---- replies ---------------------------------------------------------------------------------


def instance(schema: dict[str, Any], score: int, defs: dict[str, Any], name: str = "") -> Any:
    """A small instance of a JSON schema."""
    if "$ref" in schema:
        return instance(defs[schema["$ref"].rsplit("/", 1)[-1]], score, defs, name)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            real = [one for one in schema[union] if one.get("type") != "null"]
            return instance((real or schema[union])[0], score, defs, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][score % len(schema["enum"])]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        return {key: instance(value, score, defs, key) for key, value in properties.items()}
    if kind == "array":
        item = schema.get("items", {})
        return [instance(item, score, defs, name)] * max(1, schema.get("minItems", 1))
    return scalar(kind, schema, score)


def scalar(kind: str | None, schema: dict[str, Any], score: int) -> Any:
    low, high = schema.get("minimum", 0), schema.get("maximum", 10)
    if kind == "integer":
        return min(max(score, low), high)
    if kind == "number":
        return float(min(max(score if high > 1 else score / 10, low), high))
    if kind == "boolean":
        return score >= 5
    return None if kind == "null" else RATIONALE


def plain(model: str, score: int) -> str:
    if "grade" in model:
        return f"{RATIONALE}\n\nGRADE: {'C' if score >= 5 else 'I'}"
    if "prom" in model:
        return f"Feedback: {RATIONALE} [RESULT] {(score + 1) // 2}"
    if "pair" in model:
        return f"{RATIONALE}\n\n[[{'ABC'[score % 3]}]]"
    if "stars" in model:
        return f"{RATIONALE}\n\nRating: [[{score}]]"
    if "alpaca" in model:
        return "m" if score % 2 else "M"
    return f'{{"reason": "{RATIONALE}", "score": {score}}}'


def logprobs(text: str, top: int) -> dict[str, Any]:
    content = []
    for token in TOKENS.findall(text):
        others = [str(x) for x in range(1, 11) if str(x) != token] if token.isdigit() else []
        others += [f"_{i}" for i in range(top)]
        tops = [
            {"token": other, "logprob": -0.105 - 2.3 * i, "bytes": list(other.encode())}
            for i, other in enumerate([token, *others][:top])
        ]
        content.append({"token": token, "logprob": -0.105, "top_logprobs": tops})
    return {"content": content, "refusal": None}


def body_for(raw: bytes, item: int, kind: str) -> bytes:
    asked = msgspec.json.decode(raw)
    score, model, tool, schema = score_of(item), asked.get("model", "mock"), None, None
    form = asked.get("response_format") or {}
    if form.get("type") == "json_schema":
        schema = form["json_schema"].get("schema")
    if asked.get("tools"):
        tool, schema = (asked["tools"][0]["function"].get(key) for key in ("name", "parameters"))
    if schema is not None:
        text = encode(instance(schema, score, schema.get("$defs") or {})).decode()
    else:
        text = plain(model, score)
    finish = "tool_calls" if tool else "stop"
    if kind == "malformed":
        text, tool, finish = "I would rather not give a verdict {score: maybe", None, "stop"
    elif kind == "truncated":
        text, finish = text[: len(text) // 3], "length"
    said: dict[str, Any] = {"role": "assistant", "content": None if tool else text}
    if tool:
        call = {"name": tool, "arguments": text}
        said["tool_calls"] = [{"id": f"call_{item}", "type": "function", "function": call}]
    tops = int(asked.get("top_logprobs") or 0)
    choice = {
        "message": said,
        "finish_reason": finish,
        "logprobs": logprobs(text, tops) if asked.get("logprobs") else None,
    }
    tokens = {"prompt_tokens": len(raw) // 4, "completion_tokens": len(text) // 4}
    tokens["total_tokens"] = sum(tokens.values())
    whole = {
        "id": f"chatcmpl-{item}",
        "object": "chat.completion",
        "created": 1767225600,
        "model": model,
        "choices": [{**choice, "index": i} for i in range(int(asked.get("n") or 1))],
        "usage": tokens,
        "system_fingerprint": "fp_mock",
    }
    body = encode(whole)
    return body[: len(body) // 2] if kind == "badjson" else body


# ---- HTTP ------------------------------------------------------------------------------------


def http(status: str, body: bytes, extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n{extra}\r\n".encode() + body


def error(status: str, message: str, extra: str = "") -> bytes:
    return http(status, encode({"error": {"message": message, "type": "mock"}}), extra)


class Connection(asyncio.Protocol):
    def __init__(self, state: State) -> None:
        self.state, self.waiting = state, b""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.loop = transport, asyncio.get_running_loop()
        self.state.count["conns"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Requests have a Content-Length or no body; several may stand in one packet."""
        held = self.waiting + data
        while (head := held.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(held, 0, head + 2)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(held) < end:
                break
            self.handle(held[:head], held[head + 4 : end])
            held = held[end:]
        self.waiting = held

    def send(self, answer: bytes) -> None:
        if self.transport is not None:
            self.transport.write(answer)

    def later(self, answer: bytes) -> None:
        self.state.in_flight -= 1
        self.send(answer)

    def handle(self, head: bytes, body: bytes) -> None:
        if not body or head.startswith((b"GET ", b"POST /reset")):
            self.send(self.control(head.split(b" ", 2)[1].decode()))
            return
        state = self.state
        count = state.count
        count["requests"] += 1
        count["bytes_in"] += len(body)
        found = ITEM.search(body)
        item = int(found[1]) if found else -1
        count["no_item"] += found is None
        if found:
            state.asked[item] = state.asked.get(item, 0) + 1
        kind = state.fault(item)
        count[kind] += 1
        if kind == "429":
            wait = f"retry-after: {state.settings.retry_after:g}\r\n"
            self.send(error("429 Too Many Requests", "Rate limit reached", wait))
        elif kind == "500":
            self.send(error("500 Internal Server Error", "mock failure"))
        elif kind == "reset":
            self.transport.abort()
        elif kind != "hang":
            self.answer(item, kind, http("200 OK", body_for(body, item, kind)))

    def answer(self, item: int, kind: str, answer: bytes) -> None:
        state = self.state
        if kind == "ok" and item >= 0:
            state.good[item] = state.good.get(item, 0) + 1
        state.in_flight += 1
        state.count["peak_inflight"] = max(state.count["peak_inflight"], state.in_flight)
        if state.settings.latency_ms:
            self.loop.call_later(state.settings.latency_ms / 1000, self.later, answer)
        else:
            self.later(answer)

    def control(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        if path == "/reset":
            try:
                self.state.reset(dict(parse_qsl(query)))
            except (KeyError, ValueError) as wrong:
                return error("400 Bad Request", repr(wrong))
            return http("200 OK", b'{"ok":true}')
        if path == "/stats":
            return http("200 OK", encode(self.state.stats()))
        if path.endswith("/models"):
            return http("200 OK", b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
        return error("404 Not Found", "no such path")


async def serve(port: int, given: dict[str, str]) -> None:
    state = State()
    state.reset(given)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", port, backlog=4096)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=8900)
    for setting in fields(Settings):
        parser.add_argument("--" + setting.name.replace("_", "-"), default=str(setting.default))
    given = vars(parser.parse_args())
    runner().run(serve(given.pop("port"), given))


def runner() -> asyncio.Runner:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    return asyncio.Runner(loop_factory=factory)


if __name__ == "__main__":
    main()
