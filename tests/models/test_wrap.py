from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import pytest

from evenhand.continued import Continued
from evenhand.errors import Misconfigured, ModelError, Rejected, Unavailable
from evenhand.identity import identity
from evenhand.models.scripted import Scripted
from evenhand.models.wrap import (
    USED,
    Cached,
    Gate,
    Limited,
    Medium,
    Retried,
    Stored,
)
from evenhand.records import Completion, Media, Message, Model, Request

ASK = Request((Message("user", ("ask",)),))


@dataclass(frozen=True)
class Slow:
    """Takes a few turns of the loop; answers with what the plan says for this call."""

    plan: Sequence[Exception | str]
    name: str = "slow"
    turns: int = 3
    calls: list[Request] = field(default_factory=list, compare=False)
    running: Counter[str] = field(default_factory=Counter, compare=False)

    async def __call__(self, request: Request, /) -> Completion:
        step = self.plan[min(len(self.calls), len(self.plan) - 1)]
        self.calls.append(request)
        self.running["now"] += 1
        self.running["most"] = max(self.running["most"], self.running["now"])
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
        finally:
            self.running["now"] -= 1
        if isinstance(step, Exception):
            raise step
        return Completion(step, tokens_in=10, tokens_out=2, usd=0.5, served=self.name)


@dataclass
class Kept:
    """A book in memory."""

    calls: dict[str, Completion] = field(default_factory=dict)
    media: list[Medium] = field(default_factory=list)

    def call(self, key: str) -> Completion | None:
        return self.calls.get(key)

    def keep(
        self, model: Model, body: bytes, reply: Completion, *, media: Sequence[Medium] = ()
    ) -> None:
        self.calls[reply.key] = reply
        self.media += media


def asked(model: Model, *requests: Request) -> list[Completion | BaseException]:
    async def ask() -> list[Completion | BaseException]:
        calls = (model(request) for request in requests)
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(ask())


def timed(work: Callable[[], Awaitable[object]]) -> tuple[object, float]:
    """What came of it, exceptions included, and seconds."""

    async def run() -> object:
        try:
            return await work()
        except ModelError as error:
            return error

    started = time.monotonic()
    return asyncio.run(run()), time.monotonic() - started


# ---- Cached ----------------------------------------------------------------------------------


def test_equal_requests_in_flight_go_out_once() -> None:
    model = Slow(["yes"])
    cached = Cached(model, Kept())
    replies = asked(cached, *[ASK] * 20)
    assert len(model.calls) == 1
    assert [reply.text for reply in replies if isinstance(reply, Completion)] == ["yes"] * 20
    assert (cached.desk.made, cached.desk.cached) == (1, 19)
    assert not cached.desk.flying


def test_another_draw_or_setting_is_another_call() -> None:
    model = Slow(["yes"])
    warm = replace(ASK, decode=replace(ASK.decode, temperature=1.0))
    asked(Cached(model, Kept()), ASK, replace(ASK, draw=1), warm)
    assert len(model.calls) == 3


def test_a_failure_is_not_kept_and_followers_ask_again() -> None:
    model, book = Slow([Unavailable("busy"), "yes"]), Kept()
    first, second, third = asked(Cached(model, book), ASK, ASK, ASK)
    assert isinstance(first, Unavailable)
    assert isinstance(second, Completion)
    assert isinstance(third, Completion)
    assert len(model.calls) == 2
    assert [reply.text for reply in book.calls.values()] == ["yes"]


def test_a_cancelled_call_leaves_its_followers_to_ask_again() -> None:
    model = Slow(["yes"], turns=5)
    cached = Cached(model, Kept())

    async def ask() -> Completion:
        first = asyncio.create_task(cached(ASK))
        second = asyncio.create_task(cached(ASK))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(ask()).text == "yes"
    assert len(model.calls) == 2


def test_a_kept_answer_is_not_asked_for_again() -> None:
    model, book = Slow(["yes"]), Kept()
    (first,) = asked(Cached(model, book), ASK)
    again = Cached(model, book)
    (second,) = asked(again, ASK)
    assert first == second
    assert len(model.calls) == 1
    assert again.desk.cached == 1


def test_the_completion_carries_its_key_and_so_does_the_case() -> None:
    book = Kept()

    async def ask() -> tuple[Completion, list[str]]:
        used: list[str] = []
        USED.set(used)
        return await Cached(Slow(["yes"]), book)(ASK), used

    reply, used = asyncio.run(ask())
    assert used == [reply.key] == list(book.calls)


def test_the_same_model_wrapped_or_not_has_the_same_keys() -> None:
    one, other = Cached(Slow(["a"]), Kept()), Cached(Slow(["a"], name="other"), Kept())
    assert one.key(b"x") == Cached(Retried(Limited(Slow(["a"]))), Kept()).key(b"x")
    assert one.key(b"x") != other.key(b"x")
    assert one.key(b"x") != Cached(Continued(Slow(["a"])), Kept()).key(b"x")


@pytest.mark.parametrize("code", ["rejected", "overflow"])
def test_a_rejection_becomes_a_completion_that_says_why(code: str) -> None:
    model = Slow([Rejected("it is too long", code=code)])
    (reply,) = asked(Cached(model, Kept()), ASK)
    assert isinstance(reply, Completion)
    assert (reply.finish, reply.text, reply.usd) == (code, "it is too long", 0.0)


def test_a_picture_that_is_not_there_is_a_rejection(tmp_path: object) -> None:
    picture = Media("image", path=f"{tmp_path}/none.png")
    model = Slow(["yes"])
    (reply,) = asked(Cached(model, Kept()), Request((Message("user", (picture,)),)))
    assert isinstance(reply, Completion)
    assert reply.finish == "rejected"
    assert "none.png" in reply.text
    assert not model.calls


def test_media_of_a_request_are_kept_with_their_hash() -> None:
    book = Kept()
    picture = Media("image", data=b"\x89PNG...")
    asked(Cached(Slow(["yes"]), book), Request((Message("user", ("see", picture)),)))
    ((digest, kind, data),) = book.media
    assert len(digest) == 64
    assert (kind, data) == ("image/png", b"\x89PNG...")


def test_lone_surrogates_of_a_reply_are_kept_as_escapes() -> None:
    (reply,) = asked(Cached(Slow(["half \ud800"]), Kept()), ASK)
    assert isinstance(reply, Completion)
    assert reply.text == "half \\ud800"


def test_nothing_of_a_reply_is_lost_on_the_way() -> None:
    whole = Completion(
        "x", ({"a": -1.0},), {"yes": 1.0}, ("x", "y"), "length", 1, 2, 0.5, 3.0, "s", ("no n",)
    )
    assert all(getattr(whole, f.name) != f.default for f in fields(whole) if f.name != "key")
    cached = Cached(Scripted("m", lambda request: whole), Kept())
    (reply,) = asked(cached, ASK)
    assert isinstance(reply, Completion)
    assert reply == replace(whole, key=reply.key)


def test_tokens_and_money_are_counted_once_a_call() -> None:
    cached = Cached(Slow(["yes"]), Kept())
    asked(cached, ASK, ASK, replace(ASK, draw=1))
    desk = cached.desk
    assert (desk.made, desk.cached, desk.tokens_in, desk.tokens_out) == (2, 1, 20, 4)
    assert (desk.usd, desk.unpriced, desk.served) == (1.0, 0, {"slow"})


def test_stored_asks_nobody() -> None:
    (reply,) = asked(Stored(Slow(["yes"])), ASK)
    assert isinstance(reply, ModelError)


# ---- Retried ---------------------------------------------------------------------------------


def test_retry_after_is_honoured() -> None:
    model = Slow([Unavailable("busy", status=429, retry_after=0.06), "yes"])
    reply, seconds = timed(lambda: Retried(model)(ASK))
    assert isinstance(reply, Completion)
    assert 0.06 <= seconds < 0.06 + 0.25 + 0.2


def test_without_retry_after_the_wait_begins_at_a_quarter_second() -> None:
    model = Slow([Unavailable("oops", status=500), "yes"])
    _, seconds = timed(lambda: Retried(model)(ASK))
    assert 0.12 <= seconds < 0.375 + 0.2


def test_tries_are_bounded_and_counted() -> None:
    model = Slow([Unavailable("oops", status=500, retry_after=0.0)])
    retried = Retried(model, tries=2)
    error, _ = timed(lambda: retried(ASK))
    assert isinstance(error, Unavailable)
    assert len(model.calls) == retried.state.failed == 2


def test_refusals_do_not_count_as_tries() -> None:
    busy: list[Exception | str] = [Unavailable("busy", status=429, retry_after=0.0)] * 4
    model = Slow([*busy, "yes"])
    retried = Retried(model, tries=1)
    replies, _ = timed(lambda: retried(ASK))
    assert isinstance(replies, Completion)
    assert retried.state.failed == 4


def test_a_call_gives_up_when_its_patience_ends() -> None:
    model = Slow([Unavailable("busy", status=429, retry_after=20.0)])
    error, seconds = timed(lambda: Retried(model, patience=1.0)(ASK))
    assert isinstance(error, Unavailable)
    assert seconds < 1.0


@pytest.mark.parametrize("error", [Rejected("no"), Misconfigured("wrong key"), ModelError("odd")])
def test_what_trying_again_cannot_help_is_not_tried_again(error: Exception) -> None:
    model = Slow([error])
    assert asked(Retried(model), ASK) == [error]
    assert len(model.calls) == 1


def test_a_server_that_never_answered_stops_the_run_after_the_grace() -> None:
    model = Slow([Unavailable("nobody listens")])

    async def many() -> object:
        retried = Retried(model, grace=3.2)
        calls = (retried(replace(ASK, draw=i)) for i in range(20))
        return (await asyncio.gather(*calls, return_exceptions=True))[0]

    error, seconds = timed(many)
    assert isinstance(error, Misconfigured)
    assert seconds < 3.2


def test_a_server_that_answered_once_is_tried_to_the_end() -> None:
    model = Slow([Unavailable("oops", status=503, retry_after=0.0), Unavailable("gone")])
    error, _ = timed(lambda: Retried(model, tries=2, grace=0.0)(ASK))
    assert isinstance(error, Unavailable)


# ---- Limited ---------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 3, 8])
def test_never_more_in_flight_than_allowed(most: int) -> None:
    model = Slow(["yes"])
    replies = asked(Limited(model, Gate(most)), *[replace(ASK, draw=i) for i in range(30)])
    assert all(isinstance(reply, Completion) for reply in replies)
    assert model.running["most"] == most


def test_never_more_in_flight_while_calls_fail_and_are_cancelled() -> None:
    model = Slow([Unavailable("busy", status=429), "yes", ValueError("boom"), "yes"])
    limited = Limited(model, Gate(4))

    async def ask() -> None:
        tasks = [asyncio.create_task(limited(replace(ASK, draw=i))) for i in range(40)]
        for i, task in enumerate(tasks):
            await asyncio.sleep(0)
            if i % 5 == 0:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(asyncio.wait_for(ask(), 5))
    assert model.running["most"] <= 4
    assert limited.gate.active == 0


def test_a_waiter_cancelled_as_it_is_let_in_does_not_lose_the_slot() -> None:
    gate = Gate(1)

    async def scene() -> None:
        await gate.enter(0)
        first, second = (asyncio.create_task(gate.enter(0)) for _ in range(2))
        await asyncio.sleep(0)
        gate.leave()
        first.cancel()
        await asyncio.wait_for(second, 1)

    asyncio.run(scene())
    assert gate.active == 1


def test_slots_are_cut_by_429_and_grow_back() -> None:
    gate = Gate(10)
    refused = Limited(Slow([Unavailable("busy", status=429)]), gate)
    asked(refused, *[replace(ASK, draw=i) for i in range(10)])
    assert gate.limit == 7.0  # one cut for a burst
    model = Slow(["yes"])
    asked(Limited(model, gate), *[replace(ASK, draw=i) for i in range(30)])
    assert gate.limit == 10.0
    assert 7 <= model.running["most"] <= 10


def test_the_last_slot_is_never_cut() -> None:
    gate = Gate(1)
    gate.refused()
    assert gate.limit == 1.0


def test_other_failures_cut_nothing() -> None:
    gate = Gate(10)
    asked(Limited(Slow([Unavailable("oops", status=500)]), gate), ASK)
    assert gate.limit == 10.0


@pytest.mark.parametrize(("rpm", "tpm"), [(1200, 0), (0, 1200 * 17), (6000, 1200 * 17)])
def test_requests_and_tokens_are_spread_over_the_minute(rpm: float, tpm: float) -> None:
    """'ask' counts as 17 tokens, so each pace allows 20 a second: six take five gaps of 50 ms."""
    limited = Limited(Slow(["yes"]), Gate(10, rpm, tpm))

    async def six() -> None:
        await asyncio.gather(*(limited(replace(ASK, draw=i)) for i in range(6)))

    _, seconds = timed(six)
    assert 0.25 <= seconds < 0.5


# ---- identity --------------------------------------------------------------------------------


def test_wrappers_that_change_no_answer_are_not_identity() -> None:
    model = Slow(["a"])
    assert identity(Retried(Limited(model))) == identity(model)
    assert identity(Cached(model, Kept())) == identity(model)
