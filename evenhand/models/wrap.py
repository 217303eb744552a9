"""Models around a model: cache, budget, retries, limits.

The run puts `Cached(Budgeted(Retried(Limited(model))))` in the place of every model of a judge.
The four change no answer (`transparent`), so they are not identity. `evenhand.continued` holds one
that does, and is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from evenhand.errors import Misconfigured, ModelError, Rejected, Unavailable
from evenhand.identity import plain
from evenhand.models.budget import prompt_tokens
from evenhand.models.keys import request_bytes
from evenhand.models.media import content, has_media, mime
from evenhand.records import Completion, Finish, Media, Model, Request, escape

# Keys of the calls made for the case that is being judged; set by the run.
USED: ContextVar[list[str] | None] = ContextVar("USED", default=None)


# ---- Limited ---------------------------------------------------------------------------------


class Gate:
    """The slots of one model: fewer when its server says 429, one more after each good round.

    A cut comes at most once a second, since a burst of 429 is one event.
    """

    def __init__(self, most: int, requests_a_minute: float = 0, tokens_a_minute: float = 0) -> None:
        self.most, self.limit, self.active = most, float(most), 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.pace = (requests_a_minute, tokens_a_minute)
        self.free_at = [0.0, 0.0]
        self.cut_at = 0.0

    async def enter(self, tokens: int) -> None:
        while self.active >= self.limit:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()  # it may just have been given the slot that another waits for
                raise
        self.active += 1
        if any(self.pace):
            try:
                await self._pace(tokens)
            except BaseException:
                self.leave()
                raise

    async def _pace(self, tokens: int) -> None:
        """Spreads requests and tokens evenly over the minute."""
        now = time.monotonic()
        start = max(now, *self.free_at)
        for i, (rate, used) in enumerate(zip(self.pace, (1, tokens), strict=True)):
            if rate:
                self.free_at[i] = start + 60.0 * used / rate
        if start > now:
            await asyncio.sleep(start - now)

    def leave(self) -> None:
        self.active -= 1
        self._wake()

    def _wake(self) -> None:
        free = int(self.limit) - self.active
        while free > 0 and self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def answered(self) -> None:
        if self.limit < self.most:
            self.limit = min(self.most, self.limit + 1.0 / self.limit)

    def refused(self) -> None:
        now = time.monotonic()
        if now - self.cut_at > 1.0:
            self.cut_at, self.limit = now, max(1.0, self.limit * 0.7)


@dataclass(frozen=True, slots=True)
class Limited:
    """At most so many requests in flight, and so many requests and tokens a minute."""

    model: Model
    gate: Gate = field(default_factory=lambda: Gate(64), compare=False, repr=False)
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        gate = self.gate
        await gate.enter(prompt_tokens(request) if gate.pace[1] else 0)
        try:
            reply = await self.model(request)
        except Unavailable as error:
            if error.status == 429:
                gate.refused()
            raise
        finally:
            gate.leave()
        gate.answered()
        return reply


# ---- Retried ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Tries:
    """Live state. `failed` counts requests without an answer; they are paid by nobody."""

    failed: int = 0
    alive: bool = False
    first_failure: float = 0.0


@dataclass(frozen=True, slots=True)
class Retried:
    """Tries again what may work later: `tries` failures in all, any number of 429 in between.

    A wait is the server's Retry-After, else 0.25 s doubled each time up to 30 s, with jitter. A
    call gives up after `patience` seconds. A server that was never reached is given `grace`
    seconds, then the run is told to stop.
    """

    model: Model
    tries: int = field(default=8, compare=False)
    patience: float = field(default=900.0, compare=False)
    grace: float = field(default=8.0, compare=False)
    state: Tries = field(default_factory=Tries, compare=False, repr=False)
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        started, faults, refusals = time.monotonic(), 0, 0
        while True:
            try:
                reply = await self.model(request)
            except Unavailable as error:
                self.state.failed += 1
                if error.status == 429:
                    refusals += 1
                else:
                    faults += 1
                wait = _wait(error, refusals + faults)
                self._give_up(error, faults, time.monotonic() - started + wait)
                await asyncio.sleep(wait)
            else:
                self.state.alive = True
                return reply

    def _give_up(self, error: Unavailable, faults: int, spent: float) -> None:
        state = self.state
        if error.status or state.alive:
            state.alive = True
        elif not state.first_failure:
            state.first_failure = time.monotonic()
        elif state.failed > 3 and time.monotonic() - state.first_failure > self.grace - 3.0:
            raise Misconfigured(
                f"no answer from {self.name} in {self.grace:g} s: {error.happened}",
                expected="a server that listens at that address",
                do="start it, or check the address: evenhand doctor MODEL",
            ) from error
        if faults >= self.tries or spent > self.patience:
            raise error


def _wait(error: Unavailable, failures: int) -> float:
    grown = min(30.0, 0.25 * 2.0 ** min(failures - 1, 8))
    if error.retry_after is not None:
        return min(error.retry_after, 300.0) + random.random() * min(grown, 1.0)
    return min(grown, 2.5 if not error.status else 30.0) * (0.5 + random.random())


# ---- Cached ----------------------------------------------------------------------------------


Medium = tuple[str, str, bytes]  # sha256, mime type, content


class Book(Protocol):
    """Where calls are kept: the store of a run."""

    def call(self, key: str) -> Completion | None: ...

    def keep(
        self, model: Model, body: bytes, reply: Completion, *, media: Sequence[Medium] = ()
    ) -> None:
        """Keeps an answer under its key; a rejection is evidence, which `call` never returns."""


@dataclass(slots=True)
class Desk:
    """Live state of one `Cached`: its model's hash, calls in flight, and what was counted."""

    prefix: bytes = b""
    flying: dict[str, asyncio.Future[Completion | None]] = field(default_factory=dict)
    made: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    unpriced: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    served: set[str] = field(default_factory=set)

    def count(self, reply: Completion) -> None:
        self.made += 1
        self.tokens_in += reply.tokens_in or 0
        self.tokens_out += reply.tokens_out or 0
        if reply.usd is None:
            self.unpriced += 1
        else:
            self.usd += reply.usd
        if reply.fallbacks:
            self.fallbacks.update(reply.fallbacks)
        if reply.served not in self.served:
            self.served.add(reply.served)


@dataclass(frozen=True, slots=True)
class Cached:
    """A call is paid once: what the book holds is not asked again, equal requests go out once.

    A rejected request becomes a completion that says so, which readers turn into an undecided
    verdict; no other failure is an answer.
    """

    model: Model
    book: Book = field(compare=False, repr=False)
    desk: Desk = field(default_factory=Desk, compare=False, repr=False)
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        desk = self.desk
        try:
            body = request_bytes(request)
        except Rejected as error:  # a picture that is not there
            return _rejection(error)
        key = self.key(body)
        used = USED.get()
        if used is not None:
            used.append(key)
        while (flying := desk.flying.get(key)) is not None:
            if (reply := await asyncio.shield(flying)) is not None:
                desk.cached += 1
                return reply
        if (known := self.book.call(key)) is not None:
            desk.cached += 1
            return known
        return await self._ask(key, body, request)

    def key(self, body: bytes) -> str:
        desk = self.desk
        if not desk.prefix:
            form = json.dumps(plain(self.model), sort_keys=True, default=str)
            desk.prefix = hashlib.sha256(form.encode()).digest()
        return hashlib.sha256(desk.prefix + body).hexdigest()[:32]

    async def _ask(self, key: str, body: bytes, request: Request) -> Completion:
        desk, reply = self.desk, None
        flying = desk.flying[key] = asyncio.get_running_loop().create_future()
        try:
            try:
                reply = await self.model(request)
            except Rejected as error:
                reply = _rejection(error)
            reply = _keyed(reply, key)
            desk.count(reply)
            self.book.keep(self.model, body, reply, media=_media_in(request))
        finally:
            del desk.flying[key]
            if not flying.done():
                flying.set_result(reply)
        return reply


def _keyed(r: Completion, key: str) -> Completion:
    """The same with its key, and text that can be stored; `replace` would take twice as long."""
    return Completion(escape(r.text), r.tops, r.answer, r.samples, r.finish, r.tokens_in,
        r.tokens_out, r.usd, r.seconds, r.served, r.fallbacks, key)  # fmt: skip


def _rejection(error: Rejected) -> Completion:
    finish: Finish = "overflow" if error.code == "overflow" else "rejected"
    return Completion(str(error), finish=finish, tokens_in=0, tokens_out=0, usd=0.0)


def _media_in(request: Request) -> tuple[Medium, ...]:
    if not has_media(request.messages):
        return ()
    parts = (part for message in request.messages for part in message.parts)
    local = [part for part in parts if isinstance(part, Media) and part.url is None]
    held = [(part, content(part)) for part in local]
    return tuple((hashlib.sha256(data).hexdigest(), mime(part, data), data) for part, data in held)


@dataclass(frozen=True, slots=True)
class Stored:
    """Asks nobody: for reading stored replies again."""

    model: Model
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        raise ModelError("this request has no stored reply", do="run without --reread")
