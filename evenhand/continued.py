"""A model that asks a model to go on. It changes the answer, so it is identity."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from evenhand.records import Completion, Message, Model, Request


@dataclass(frozen=True, slots=True)
class Continued:
    """Asks a reply that was cut, or lacks what it must hold, to go on.

    Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
        BenchBuilder Pipeline", arXiv:2406.11939: one further turn when no label was given. With
        `past`: Muennighoff et al. 2025, "s1: Simple test-time scaling", arXiv:2501.19393: where
        the reasoning ends, its end is taken away and the model reasons on.

    Attributes:
        say: The further user message; with `past`, the beginning of what the model goes on with.
        unless: A regular expression; a reply in which it is found is finished. "" asks only
            replies that were cut, and with `past` every reply that was not.
        times: At most so often.
        past: Where it occurs in the reply, the rest is taken away, and the model goes on inside
            that same reply (a prefill, which the server must allow). All rounds together keep to
            the request's `max_tokens`.
    """

    model: Model
    say: str = "Please go on, and finish your answer."
    unless: str = ""
    times: int = 1
    past: str = ""

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        reply = await self.model(request)
        for _ in range(self.times):
            start = reply.text.partition(self.past)[0].rstrip() + self.say if self.past else None
            further = self._further(request, reply, start) if self._unfinished(reply) else None
            if further is None:
                break
            reply = _joined(reply, await self.model(further), start)
        return reply

    def _unfinished(self, reply: Completion) -> bool:
        if reply.finish not in ("stop", "length"):
            return False
        if self.unless and re.search(self.unless, reply.text):
            return False
        if self.past:
            return reply.finish == "stop" and bool(reply.text.strip())
        return bool(self.unless) or reply.finish == "length"

    def _further(self, request: Request, reply: Completion, start: str | None) -> Request | None:
        if start is not None:
            return _within(request, start, reply.tokens_out or 0)
        turns = (Message("assistant", (reply.text,)), Message("user", (self.say,)))
        return replace(request, messages=request.messages + turns)


def _within(request: Request, start: str, spent: int) -> Request | None:
    """The request that begins the reply so; None when its tokens are spent."""
    messages, decode = request.messages, request.decode
    if decode.max_tokens is not None:
        left = decode.max_tokens - spent
        if left < 1:
            return None
        decode = replace(decode, max_tokens=left)
    begun: tuple[Message, ...] = ()
    if messages and messages[-1].role == "assistant":
        messages, begun = messages[:-1], messages[-1:]
    parts = (*(part for message in begun for part in message.parts), start)
    return replace(request, messages=(*messages, Message("assistant", parts)), decode=decode)


def _joined(first: Completion, more: Completion, start: str | None) -> Completion:
    def both(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + b

    def whole(a: int | None, b: int | None) -> int | None:
        return None if a is None or b is None else a + b

    return replace(
        more,
        text=f"{first.text}\n{more.text}" if start is None else start + more.text,
        tokens_in=whole(first.tokens_in, more.tokens_in),
        tokens_out=whole(first.tokens_out, more.tokens_out),
        usd=both(first.usd, more.usd),
        seconds=first.seconds + more.seconds,
        fallbacks=tuple(dict.fromkeys(first.fallbacks + more.fallbacks)),
    )
