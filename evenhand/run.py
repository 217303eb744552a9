"""Cases through a judge into a run folder: a pool of workers, models wrapped, resumed at will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

from evenhand.data import Row, fit
from evenhand.errors import BudgetSpent, DataError, Error, Misconfigured, Misuse, ModelError
from evenhand.identity import is_model, models_in, with_models
from evenhand.models.budget import Budgeted, Purse
from evenhand.models.prices import is_loopback
from evenhand.models.wrap import USED, Cached, Desk, Gate, Limited, Retried, Stored, Tries
from evenhand.records import Case, Closing, Judge, Verdict, admitted, escape
from evenhand.store import Signed, Store

# A re-asked or retried case draws from here on; `Repeat` stays below it.
STRIDE = 10_000
REASKED = ("unread", "empty", "cut")
FAILURES_IN_A_ROW = 8
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is made; none of it is identity.

    Attributes:
        limit: Cases at most; None for all.
        in_flight: Calls to one model at a time.
        reask: Further tries for an unreadable reply.
        timeout: Seconds a request may take; None for the model's own.
        budget: ('usd' | 'tokens' | 'calls', amount) over the whole run, resumed parts included.
        rpm, tpm: Requests and tokens a minute to one model; 0 for no limit.
        cache: A file of calls shared between runs.
        watch: Called about every 50 ms with what was counted so far.
    """

    limit: int | None = None
    pairs: str = "all"
    in_flight: int = 64
    reask: int = 0
    timeout: float | None = None
    budget: tuple[str, float] | None = None
    rpm: float = 0
    tpm: float = 0
    cache: str | None = None
    retry_undecided: bool = False
    reread: bool = False
    durable: bool = False
    watch: Callable[[Tally], None] | None = None


@dataclass(slots=True)
class Tally:
    """What one invocation did so far; `skipped` cases had their verdict already."""

    total: int | None = None
    skipped: int = 0
    decided: int = 0
    undecided: int = 0
    failed: int = 0
    reasked: int = 0
    desks: tuple[Desk, ...] = ()
    tries: tuple[Tries, ...] = ()

    @property
    def done(self) -> int:
        return self.decided + self.undecided + self.failed

    def spent(self) -> dict[str, Any]:
        """Calls, tokens and USD; usd is None when the price of any call is not known."""
        desks = self.desks
        unpriced = sum(desk.unpriced for desk in desks)
        return {
            "calls": sum(desk.made for desk in desks),
            "retries": sum(tries.failed for tries in self.tries),
            "cached": sum(desk.cached for desk in desks),
            "tokens": {
                "in": sum(desk.tokens_in for desk in desks),
                "out": sum(desk.tokens_out for desk in desks),
            },
            "usd": None if unpriced else sum(desk.usd for desk in desks),
        }


# ---- models, dressed -------------------------------------------------------------------------


def dressed(judge: Judge, store: Store, options: Options, *, tally: Tally) -> Judge:
    """The judge with every bare model wrapped, one wrapping a model identity."""
    purse = _purse(store, options)
    made: dict[str, Cached] = {}

    def wrap(model: Any) -> Any:
        inner = getattr(model, "model", None)
        if is_model(inner):
            return replace(model, model=wrap(inner))
        if options.timeout and any(f.name == "timeout" for f in fields(model)):
            model = replace(model, timeout=options.timeout)
        cached = Cached(Stored(model) if options.reread else model, store)
        key = cached.key(b"")
        if key not in made:
            if not options.reread:
                gate = Gate(options.in_flight, options.rpm, options.tpm)
                paid: Any = Retried(Limited(model, gate))
                tally.tries += (paid.state,)
                cached = replace(cached, model=_priced(paid, model, purse))
            made[key] = cached
            tally.desks += (cached.desk,)
        return made[key]

    return with_models(judge, wrap)


def _priced(paid: Any, model: Any, purse: Purse | None) -> Any:
    if purse is None:
        return paid
    free = is_loopback(getattr(model, "base_url", None) or "")
    return Budgeted(paid, purse, free)


def _purse(store: Store, options: Options) -> Purse | None:
    if options.budget is None:
        return None
    unit, most = options.budget
    column = {"usd": "usd", "tokens": "tokens_in + tokens_out", "calls": "1"}[unit]
    paid = f"select coalesce(sum({column}), 0) from calls where shared=0"
    spent = store.db.execute(paid).fetchone()[0]
    return Purse(unit, most, float(spent))  # type: ignore[arg-type]


# ---- the engine ------------------------------------------------------------------------------


class Engine:
    """One invocation of a run. `stopped` is the error that ended it early, None otherwise."""

    def __init__(self, judge: Judge, rows: Iterable[Row], store: Store, options: Options) -> None:
        self.tally = Tally()
        self.judge = dressed(judge, store, options, tally=self.tally)
        self.rows, self.store, self.options = rows, store, options
        self.rater = " ".join(dict.fromkeys(model.name for model in models_in(judge)))
        self.stopped: Error | None = None
        self.flying: dict[str, int] = {}
        self.bad_luck = 0

    async def run(self) -> None:
        todo = self._todo()
        workers = [
            asyncio.create_task(self._work(todo)) for _ in range(max(1, self.options.in_flight))
        ]
        pulse = asyncio.create_task(self._pulse())
        try:
            await self._all(workers, pulse)
        finally:
            for task in (*workers, pulse):
                task.cancel()
            await asyncio.gather(*workers, pulse, return_exceptions=True)
            for model in {id(model): model for model in models_in(self.judge)}.values():
                await _close(model)
            self.store.flush()
        if self.stopped is not None:
            raise self.stopped

    async def _all(self, workers: list[asyncio.Task[None]], pulse: asyncio.Task[None]) -> None:
        """Waits for the workers; a model that cannot answer ends the others at once."""
        waiting = {*workers, pulse}
        while waiting != {pulse} and not isinstance(self.stopped, ModelError):
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.store.flush()
            if self.options.watch:
                self.options.watch(self.tally)

    async def _work(self, todo: Iterator[tuple[Row, range]]) -> None:
        try:
            for count, (row, attempts) in enumerate(todo):
                await self._one(row, attempts)
                if self.stopped is not None:
                    return
                if not count % 32:  # a scripted model never waits: let the pulse beat
                    await asyncio.sleep(0)
        except Error as error:  # a bad row: what is in flight still ends
            self.stopped = self.stopped or error

    def _todo(self) -> Iterator[tuple[Row, range]]:
        """Rows that still need a verdict, each with the attempts that may be made."""
        on_bad = getattr(self.rows, "on_bad", None)
        rows = fit(self.rows, self.judge.view, pairs=self.options.pairs, on_bad=on_bad)
        rows = map(_named, islice(rows, self.options.limit))
        while block := list(islice(rows, BLOCK)):
            self.store.flush()
            known = self.store.known([row.case.id for row in block])
            for row in block:
                attempts = self._attempts(row, known.get(row.case.id))
                known[row.case.id] = (row.row, "seen", 0)
                if attempts:
                    self.flying[row.case.id] = row.row
                    yield row, attempts

    def _attempts(self, row: Row, known: tuple[int, str, int] | None) -> range:
        flying = self.flying.get(row.case.id)
        at, state, asked = known or (row.row, "", 0)
        # Cases that are made of one row have ids of their own.
        if flying is not None or at != row.row or state == "seen":
            raise DataError(
                f"id {row.case.id!r} is already on row {at if flying is None else flying}",
                expected="one id a case",
                do="make the ids differ, or join columns: --map id=a+b",
                file=row.file,
                row=row.row,
                field="id",
            )
        if self.options.reread:
            if state in ("decided", "undecided"):
                return range(asked)
        elif state in ("", "failed") or (state == "undecided" and self.options.retry_undecided):
            return range(asked, asked + self.options.reask + 1)
        self.tally.skipped += 1
        return range(0)

    async def _one(self, row: Row, attempts: range) -> None:
        used: list[str] = []
        USED.set(used)
        started = time.perf_counter()
        verdict, asked, error = None, attempts.start, ""
        try:
            verdict, asked = await self._decide(row.case, attempts)
        except (Misconfigured, BudgetSpent) as stop:
            self.stopped = self.stopped or stop
            return
        except Error as failure:
            if isinstance(failure, Misuse) and not self.tally.done:
                self.stopped = self.stopped or failure
                return
            error = str(failure)
        except Exception as failure:  # a judge from outside may raise anything
            error = f"{type(failure).__name__}: {failure}"
        finally:
            self.flying.pop(row.case.id, None)
        if verdict is None and self.options.reread:
            self.tally.skipped += 1  # without its stored reply a verdict stays as it is
            return
        keys = tuple(dict.fromkeys(used))
        self._sign(_signed(row, verdict, keys, asked, time.perf_counter() - started, error))

    async def _decide(self, case: Case, attempts: range) -> tuple[Verdict, int]:
        sound = admitted(case)
        verdict, attempt = None, attempts.start
        for attempt in attempts:
            self.tally.reasked += verdict is not None
            drawn = replace(sound, draw=sound.draw + attempt * STRIDE) if attempt else sound
            verdict = _fit_to_store(await self.judge(drawn))
            if verdict.probs or verdict.code not in REASKED:
                break
        assert verdict is not None
        if sound is not case:
            verdict = verdict.marked(surrogates="lone surrogates were escaped")
        v = verdict  # `replace` would take twice as long
        signed = Verdict(v.scale, v.probs, v.reason, v.parts, v.marks, v.calls, case.id, self.rater)
        return signed, attempt + 1

    def _sign(self, signed: Signed) -> None:
        try:
            self.store.sign(signed)
        except (TypeError, ValueError) as unfit:  # what a judge from outside put into its verdict
            if self.options.reread:
                raise Misuse(
                    f"a verdict read again cannot be stored: {unfit}", do="mend the judge"
                ) from unfit
            error = f"the verdict cannot be stored: {escape(str(unfit))}"
            signed = replace(signed, verdict=None, error=error)
            self.store.sign(signed)
        if signed.verdict is None:
            self.tally.failed += 1
            self._unlucky(signed.error)
            return
        self.bad_luck = 0
        if signed.verdict.probs:
            self.tally.decided += 1
        else:
            self.tally.undecided += 1

    def _unlucky(self, error: str) -> None:
        self.bad_luck += 1
        if self.bad_luck >= FAILURES_IN_A_ROW and self.stopped is None:
            self.stopped = ModelError(
                f"{FAILURES_IN_A_ROW} cases in a row failed, the last with: {error}",
                do="everything so far is saved; mend the cause and run the same command again",
            )


def _named(row: Row) -> Row:
    """With an id that can be stored."""
    name = escape(row.case.id)
    return row if name == row.case.id else replace(row, case=replace(row.case, id=name))


def _fit_to_store(verdict: Verdict) -> Verdict:
    """Raises: ValueError when what a judge returned is no distribution on its scale."""
    probs, scale = verdict.probs, verdict.scale
    if probs and not 0.999 < sum(probs.values()) < 1.001:
        raise ValueError(f"the probabilities {dict(probs)} do not sum to 1")
    for label in probs:
        if not scale.orders and not scale.has(label):
            raise ValueError(f"label {label!r} is not on the scale {scale.name}")
    return verdict


def _signed(
    row: Row, verdict: Verdict | None, keys: tuple[str, ...], asked: int, seconds: float, error: str
) -> Signed:
    case = row.case
    return Signed(
        case.id,
        row.row,
        escape(row.cluster),
        tuple(escape(r.system) if r.system else None for r in case.responses),
        escape(case.group) if case.group else None,
        escape(row.label) if row.label is not None else None,
        verdict,
        keys,
        asked,
        seconds,
        escape(error),
    )


async def _close(model: Any) -> None:
    if isinstance(model, Closing):
        await model.aclose()
    elif (inner := getattr(model, "model", None)) is not None:
        await _close(inner)
