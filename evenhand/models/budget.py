"""A budget over every call of a run: in USD, tokens or calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from evenhand.errors import BudgetSpent, Misconfigured
from evenhand.models.prices import price
from evenhand.records import Completion, Media, Model, Request


def prompt_tokens(request: Request, per_byte: float = 0.4) -> int:
    """An upper estimate: 2.5 bytes a token (English has 4.5, Chinese 3); 1,500 a picture."""
    size = pictures = 0
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Media):
                pictures += 1
            else:
                size += len(part) if part.isascii() else len(part.encode())
    return int(size * per_byte) + 1500 * pictures + 16


class Purse:
    """What may be spent, in one unit, by all calls of a run together.

    Args:
        unit: 'usd', 'tokens' (in and out together) or 'calls'.
        spent: What the run had already used when it was started again.
    """

    def __init__(self, unit: Literal["usd", "tokens", "calls"], most: float, spent: float) -> None:
        self.unit, self.most, self.spent = unit, most, spent
        self.reserved, self.flying = 0.0, 0
        self.largest_reply, self.per_byte = 1024, 0.4
        self.waiting: list[asyncio.Future[None]] = []

    async def reserve(self, model: str, request: Request) -> float:
        """Waits while calls in flight may still leave enough; raises when they cannot."""
        need = self._need(model, request)
        while self.spent + self.reserved + need > self.most:
            if self.spent + need > self.most or not self.flying:
                raise BudgetSpent(
                    f"the next call may cost {need:.4g} {self.unit}; {self.spent:.4g} of "
                    f"{self.most:.4g} {self.unit} are spent",
                    do="everything so far is saved; run the same command with a larger --budget",
                )
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
        self.reserved += need
        self.flying += 1
        return need

    def _need(self, model: str, request: Request) -> float:
        if self.unit == "calls":
            return 1.0
        out = request.decode.max_tokens or 2 * self.largest_reply
        return self._cost(model, prompt_tokens(request, self.per_byte), out * request.n)

    def _cost(self, model: str, tokens_in: int, tokens_out: int) -> float:
        if self.unit == "tokens":
            return float(tokens_in + tokens_out)
        usd = price(model, tokens_in, tokens_out)
        if usd is None:
            raise Misconfigured(
                f"the price of {model} is not known, so a budget in USD cannot hold",
                expected="its price in USD per million tokens in prices.toml",
                do="add it there (see docs/models.md), or give the budget in tokens or calls",
            )
        return usd

    def settle(self, need: float, request: Request, reply: Completion | None) -> None:
        self.flying -= 1
        self.reserved = self.reserved - need if self.flying else 0.0
        if reply is not None:
            self.spent += self._paid(need, request, reply)
        waiting, self.waiting = self.waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _paid(self, need: float, request: Request, reply: Completion) -> float:
        if reply.tokens_in is not None:
            estimate = prompt_tokens(request, 1.0)
            self.per_byte = max(self.per_byte, min(reply.tokens_in / estimate, 1.0))
        self.largest_reply = max(self.largest_reply, reply.tokens_out or 0)
        if self.unit == "calls":
            return 1.0
        if self.unit == "usd":
            return reply.usd if reply.usd is not None else need
        if reply.tokens_in is None or reply.tokens_out is None:
            return need
        return float(reply.tokens_in + reply.tokens_out)


@dataclass(frozen=True, slots=True)
class Budgeted:
    """Stops before the call that would exceed the budget.

    Attributes:
        free: The model stands on this machine and costs no USD.
    """

    model: Model
    purse: Purse = field(compare=False, repr=False)
    free: bool = field(default=False, compare=False)
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request) -> Completion:
        need = await self.purse.reserve("local/" if self.free else self.name, request)
        reply = None
        try:
            reply = await self.model(request)
        finally:
            self.purse.settle(need, request, reply)
        return reply
