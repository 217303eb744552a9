"""A small HTTP server on 127.0.0.1, in a thread of its own, that answers as a test says.

    with serve(lambda asked: ok({"choices": []})) as server:
        ...  # server.url, server.seen

The function gets the JSON that was posted (None for GET) and returns `(status, headers, body)`,
`HANG` (never answers) or `RESET` (closes the connection). The body is bytes, text, or anything
that JSON can hold.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HANG, RESET = object(), object()
Answer = Any
Program = Callable[[Any], Answer]


@dataclass
class Sent:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw) if self.raw else None


@dataclass
class Server:
    program: Program
    port: int = 0
    connections: int = 0
    seen: list[Sent] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def posted(self) -> list[Any]:
        return [sent.json for sent in self.seen if sent.method == "POST"]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (sent := await _read(reader)) is not None:
                self.seen.append(sent)
                answer = self.program(sent.json)
                if answer is HANG:
                    await reader.read()
                    break
                if answer is RESET:
                    writer.transport.abort()
                    break
                writer.write(_bytes(*answer))
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Sent | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    return Sent(method, path, headers, raw)


def _bytes(status: int, headers: dict[str, str], body: Any) -> bytes:
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    named = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status} Test", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def serve(program: Program) -> Iterator[Server]:
    server, loop = Server(program), asyncio.new_event_loop()
    ready, done = threading.Event(), asyncio.Event()

    async def run() -> None:
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, limit=1 << 24)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await done.wait()
        listening.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def work() -> None:
        loop.run_until_complete(run())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)


# ---- replies of the wires --------------------------------------------------------------------


def ok(body: Any) -> Answer:
    return 200, {}, body


def chat(text: str | None = "fine", **choice: Any) -> Answer:
    """A chat completion with one choice."""
    message = {"role": "assistant", "content": text, **choice.pop("message", {})}
    first = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return ok({"id": "1", "model": "served-1", "choices": [first], "usage": usage})


def error(status: int, message: str, **fields: Any) -> Answer:
    """An error as OpenAI writes it."""
    return status, {}, {"error": {"message": message, "type": None, "param": None, **fields}}
