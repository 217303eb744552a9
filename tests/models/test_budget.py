from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.errors import BudgetSpent, Misconfigured, Unavailable
from evenhand.models.budget import Budgeted, Purse, prompt_tokens
from evenhand.models.prices import price
from evenhand.records import Completion, Decode, Media, Message, Request

ASK = Request((Message("user", ("ask",)),), Decode(max_tokens=10))
UNITS = ("usd", "tokens", "calls")


@dataclass(frozen=True)
class Metered:
    """Uses a share of what it may, after some turns of the loop; a share of None fails."""

    shares: tuple[tuple[float, int] | None, ...]
    name: str = "gpt-4.1"
    spent: list[Completion] = field(default_factory=list, compare=False)
    asked: list[int] = field(default_factory=list, compare=False)

    async def __call__(self, request: Request, /) -> Completion:
        self.asked.append(request.draw)
        plan = self.shares[request.draw % len(self.shares)]
        for _ in range(plan[1] if plan else 2):
            await asyncio.sleep(0)
        if plan is None:
            raise Unavailable("gone")
        out = round(plan[0] * (request.decode.max_tokens or 0) * request.n)
        used = round(plan[0] * prompt_tokens(request))
        reply = Completion("x", tokens_in=used, tokens_out=out, usd=price(self.name, used, out))
        self.spent.append(reply)
        return reply

    def total(self, unit: str) -> float:
        if unit == "calls":
            return len(self.spent)
        if unit == "usd":
            return sum(reply.usd or 0.0 for reply in self.spent)
        return sum((reply.tokens_in or 0) + (reply.tokens_out or 0) for reply in self.spent)


def asked(model: Budgeted, requests: list[Request]) -> list[Completion | BaseException]:
    async def ask() -> list[Completion | BaseException]:
        calls = asyncio.gather(*(model(request) for request in requests), return_exceptions=True)
        return await asyncio.wait_for(calls, 5)

    return asyncio.run(ask())


@settings(max_examples=150, deadline=None)
@given(
    unit=st.sampled_from(UNITS),
    most=st.floats(0, 3),
    shares=st.lists(
        st.none() | st.tuples(st.floats(0, 1), st.integers(0, 6)), min_size=1, max_size=8
    ),
    requests=st.lists(
        st.builds(
            lambda text, out, n: Request((Message("user", (text,)),), Decode(max_tokens=out), n=n),
            st.text(max_size=60),
            st.integers(1, 300),
            st.integers(1, 3),
        ),
        max_size=25,
    ),
)
def test_spent_never_exceeds_the_budget(
    unit: str, most: float, shares: list[tuple[float, int] | None], requests: list[Request]
) -> None:
    scale = {"usd": 0.005, "tokens": 500.0, "calls": 5.0}[unit]
    model = Metered(tuple(shares))
    purse = Purse(unit, most * scale, 0.0)  # type: ignore[arg-type]
    replies = asked(Budgeted(model, purse), [replace(r, draw=i) for i, r in enumerate(requests)])
    assert model.total(unit) <= most * scale * (1 + 1e-9)
    assert purse.spent == pytest.approx(model.total(unit))
    assert purse.reserved == purse.flying == 0
    assert all(isinstance(reply, Completion | BudgetSpent | Unavailable) for reply in replies)


def test_the_run_stops_before_the_call_that_would_exceed() -> None:
    model = Metered(((1.0, 0),))
    budgeted = Budgeted(model, Purse("calls", 3, 0))
    replies = asked(budgeted, [replace(ASK, draw=i) for i in range(5)])
    assert len(model.asked) == 3
    assert sum(isinstance(reply, BudgetSpent) for reply in replies) == 2
    assert "3" in str(replies[-1])


def test_calls_in_flight_are_waited_for_before_stopping() -> None:
    """Each may cost 27 tokens and costs 3: one at a time they all fit in 40."""
    model = Metered(((0.1, 3),))
    assert prompt_tokens(ASK) + 10 == 27
    replies = asked(
        Budgeted(model, Purse("tokens", 40, 0)), [replace(ASK, draw=i) for i in range(5)]
    )
    assert all(isinstance(reply, Completion) for reply in replies)
    assert model.total("tokens") == 15


def test_a_failed_call_gives_its_reservation_back() -> None:
    model = Metered((None, (1.0, 0)))
    replies = asked(Budgeted(model, Purse("calls", 1, 0)), [ASK, replace(ASK, draw=1)])
    assert [type(reply) for reply in replies] == [Unavailable, Completion]


def test_a_cancelled_call_gives_its_reservation_back() -> None:
    purse = Purse("calls", 1, 0)
    budgeted = Budgeted(Metered(((1.0, 5),)), purse)

    async def scene() -> Completion:
        first = asyncio.create_task(budgeted(ASK))
        await asyncio.sleep(0)
        second = asyncio.create_task(budgeted(replace(ASK, draw=1)))
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.wait_for(second, 5)

    assert asyncio.run(scene()).text == "x"
    assert purse.spent == 1


def test_what_an_earlier_invocation_spent_counts() -> None:
    (reply,) = asked(Budgeted(Metered(((1.0, 0),)), Purse("calls", 3, 3)), [ASK])
    assert isinstance(reply, BudgetSpent)


def test_a_budget_in_usd_needs_a_known_price() -> None:
    model = Metered(((1.0, 0),), name="nobody/knows-this")
    (reply,) = asked(Budgeted(model, Purse("usd", 1, 0)), [ASK])
    assert isinstance(reply, Misconfigured)
    assert "nobody/knows-this" in str(reply)
    assert not model.asked


def test_a_budget_in_tokens_needs_no_price() -> None:
    model = Metered(((1.0, 0),), name="nobody/knows-this")
    (reply,) = asked(Budgeted(model, Purse("tokens", 100, 0)), [ASK])
    assert isinstance(reply, Completion)


@dataclass(frozen=True)
class Silent:
    """Does not say what it used."""

    name: str = "silent"

    async def __call__(self, request: Request, /) -> Completion:
        return Completion("x")


def test_a_reply_without_counts_is_taken_for_what_was_reserved() -> None:
    purse = Purse("tokens", 100, 0)
    asked(Budgeted(Silent(), purse), [ASK])
    assert purse.spent == 27


def test_without_max_tokens_the_longest_reply_so_far_is_the_measure() -> None:
    purse = Purse("tokens", 1e9, 0)
    free = replace(ASK, decode=Decode())
    purse.settle(0.0, ASK, Completion("x", tokens_in=5, tokens_out=5000))
    need = asyncio.run(purse.reserve("m", free))
    assert need == prompt_tokens(free) + 10_000


def test_a_picture_counts_as_tokens() -> None:
    picture = Media("image", data=b"\x89PNG")
    both = Request((Message("user", ("ask", picture)),))
    assert prompt_tokens(both) == prompt_tokens(ASK) + 1500


def test_the_budget_is_no_part_of_the_identity() -> None:
    purses = Purse("calls", 1, 0), Purse("tokens", 2, 0)
    one, two = (Budgeted(Silent(), purse) for purse in purses)
    assert one == two
