"""One connection per model and event loop, one way to post, one way to fail."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import msgspec

from evenhand.errors import Misconfigured, ModelError, Unavailable
from evenhand.models import faults
from evenhand.models.faults import Answer, Fault, Place
from evenhand.models.prices import is_loopback, rate
from evenhand.models.settings import setting
from evenhand.records import Completion, escape

T = TypeVar("T")


class _Named(msgspec.Struct):
    id: str


class _Names(msgspec.Struct):
    data: list[_Named] = []


@dataclass(frozen=True, slots=True)
class Draft:
    """One request as it will be sent.

    Attributes:
        without: What was left out or put differently, in the words of `Completion.fallbacks`.
        media: Whether images, sounds or films are in it.
    """

    body: dict[str, Any]
    without: tuple[str, ...] = ()
    media: bool = False


@dataclass(slots=True, eq=False)
class Live:
    """What a model holds while it is used. It is not identity.

    Attributes:
        learnt: What the server was found unable to do; later requests do without it.
        rate: USD per million tokens in and out; None when the price is not known.
        secret: The key, so that it can be struck from messages.
    """

    learnt: set[str] = field(default_factory=set)
    rate: tuple[float, float] | None = None
    secret: str = ""
    session: aiohttp.ClientSession | None = None
    loop: asyncio.AbstractEventLoop | None = None
    holding: AsyncGenerator[None, None] | None = None

    async def ready(self, place: Place, model: str) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self.session is not None and self.loop is loop and not self.session.closed:
            return self.session
        self.secret = _key(place)
        self.rate = (0.0, 0.0) if is_loopback(place.address) else rate(model)
        self.session, self.loop = _session(place, self.secret), loop
        # An event loop closes its generators before it ends, and with this one the session: a
        # model that was never closed leaves no open socket behind.
        self.holding = _hold(self.session)
        await anext(self.holding)
        return self.session

    async def aclose(self) -> None:
        if self.holding is not None and self.loop is asyncio.get_running_loop():
            await self.holding.aclose()
        self.session = self.holding = self.loop = None

    def usd(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        if self.rate == (0.0, 0.0):
            return 0.0
        if self.rate is None or tokens_in is None or tokens_out is None:
            return None
        return (self.rate[0] * tokens_in + self.rate[1] * tokens_out) / 1e6

    def clean(self, error: ModelError) -> ModelError:
        """The same error without the key, which some servers repeat."""
        if self.secret:
            error.happened = error.happened.replace(self.secret, "***")
            error.args = (error.happened,)
        return error


async def _hold(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()


def _session(place: Place, key: str) -> aiohttp.ClientSession:
    headers = {"Content-Type": "application/json", "User-Agent": "evenhand", **place.headers}
    if key:
        bearer = place.key_header == "Authorization"
        headers[place.key_header] = f"Bearer {key}" if bearer else key
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=place.timeout),
        headers=headers,
    )


def _key(place: Place) -> str:
    key = setting(place.key_env) if place.key_env else ""
    if place.key_env and not key and not is_loopback(place.address):
        raise Misconfigured(
            f"{place.key_env} is not set",
            expected=f"the key for {place.address}",
            do=f"export {place.key_env}=..., or write {place.key_env}=... to .env",
        )
    return key or ""


async def ask(
    live: Live,
    place: Place,
    path: str,
    *,
    model: str,
    draft: Callable[[set[str]], Draft],
    lesser: Callable[[Fault, Draft], str | None],
) -> tuple[Answer, Draft]:
    """Post, and post again with less for as long as the server says what it cannot do.

    Args:
        draft: The request without what the set names.
        lesser: What to leave out after this fault; None when that would not help.

    Returns:
        The answer (status 200, or a refusal by content policy) and the request it answers.
    """
    tried: set[str] = set()
    while True:
        sent = draft(live.learnt | tried)
        answer = await _post(live, place, path, model=model, body=encode(sent.body))
        if answer.status == 200 and not answer.html:
            # Only what led to an answer is learnt: one odd request must not cripple the rest.
            live.learnt |= tried
            return answer, sent
        problem = faults.fault(answer)
        if faults.refused(answer, problem):
            return answer, sent
        step = lesser(problem, sent) if faults.negotiable(answer, problem) else None
        if step is None or step in tried:
            raise await failure(live, place, answer, model=model, media=sent.media)
        tried.add(step)


async def failure(
    live: Live, place: Place, answer: Answer, *, model: str, media: bool = False
) -> ModelError:
    problem = faults.fault(answer)
    names = await _names(live, place) if faults.unknown_model(answer, problem) else ()
    error = faults.failure(answer, problem, place, model=model, media=media, names=names)
    return live.clean(error)


async def _post(live: Live, place: Place, path: str, *, model: str, body: bytes) -> Answer:
    session = await live.ready(place, model)
    start = time.perf_counter()
    try:
        # aiohttp warns of bytes over 1 MiB; a stream of them it sends without a word.
        data = io.BytesIO(body) if len(body) > 1 << 20 else body
        async with session.post(place.address + path, data=data, allow_redirects=False) as reply:
            text = await reply.read()
            return Answer(reply.status, reply.headers, text, time.perf_counter() - start)
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise live.clean(_broken(error, place)) from error


def _broken(error: Exception, place: Place) -> ModelError:
    if isinstance(error, TimeoutError):
        return Unavailable(
            f"{place.address} did not answer within {place.timeout:g} s",
            do="wait longer with --timeout, or have fewer calls in flight",
        )
    if isinstance(error, aiohttp.InvalidURL):
        return Misconfigured(
            f"{place.address} is not an address", expected="http://HOST:PORT/v1 or https://…"
        )
    if isinstance(error, aiohttp.ClientSSLError):
        return Misconfigured(
            f"No safe connection to {place.address}: {error}",
            do="check http against https, and the server's certificate",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or error
        return Unavailable(f"Cannot reach {place.address}: {reason}", do="is the server running?")
    return Unavailable(f"The connection to {place.address} broke: {error or type(error).__name__}")


async def _names(live: Live, place: Place) -> list[str]:
    try:
        session = await live.ready(place, "")
        limit = aiohttp.ClientTimeout(total=min(10.0, place.timeout))
        async with session.get(place.address + place.names, timeout=limit) as reply:
            return [n.id for n in msgspec.json.decode(await reply.read(), type=_Names).data]
    except (aiohttp.ClientError, OSError, msgspec.DecodeError):
        return []


def encode(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return msgspec.json.encode(clean(body))


def clean(value: Any) -> Any:
    """The same plain value with every lone surrogate as a visible escape."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def decode(answer: Answer, place: Place, *, decoder: msgspec.json.Decoder[T], kind: type[T]) -> T:
    """A typed reply.

    Raises:
        Unavailable: The body is not JSON of this shape: a broken envelope, worth another try.
    """
    try:
        return decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:  # slow and forgiving: lone surrogates, NaN, bytes that are no UTF-8
        text = answer.body.decode("utf-8", "backslashreplace")
        return msgspec.convert(clean(json.loads(text)), kind, strict=False)
    except (ValueError, msgspec.ValidationError, RecursionError) as error:
        raise broken(place, f"broken reply: {error}") from error


def broken(place: Place, what: str) -> Unavailable:
    return Unavailable(f"{place.address} sent a {what}", status=200)


def refusal(answer: Answer, sent: Draft, model: str) -> Completion:
    """A content policy stopped the request before the model saw it."""
    return Completion(
        text=faults.fault(answer).message,
        finish="refused",
        usd=0.0,
        seconds=answer.seconds,
        served=model,
        fallbacks=sent.without,
    )
