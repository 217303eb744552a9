"""What a run would ask and cost, before anything is paid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from evenhand.data import Row, fit
from evenhand.errors import Rejected
from evenhand.identity import identity, is_model, with_models
from evenhand.manifest import Job
from evenhand.models.budget import prompt_tokens
from evenhand.models.keys import request_bytes
from evenhand.models.prices import is_loopback, price
from evenhand.records import Completion, Request, admitted
from evenhand.report.terminal import indented, listed, shown

TRIED = 20
ASSUMED_REPLY = 300  # tokens of a written explanation, where the judge sets no smaller limit


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Figures for all cases, from the first `tried` of them.

    Attributes:
        cases: None when the data cannot be counted beforehand; totals are then of those tried.
        usd: None when the price of a model is not known.
        requests: The first two requests, as they would be sent.
    """

    cases: int | None
    tried: int
    calls: float
    tokens_in: float
    tokens_out: float
    usd: float | None
    requests: tuple[Request, ...]

    def json(self) -> dict[str, Any]:
        shown = [[{"role": m.role, "text": m.text} for m in r.messages] for r in self.requests]
        return {
            "dry_run": True,
            "cases": self.cases,
            "tried": self.tried,
            "calls": round(self.calls),
            "tokens": {"in": round(self.tokens_in), "out": round(self.tokens_out)},
            "usd": self.usd,
            "prompts": shown,
        }


@dataclass(slots=True)
class _Call:
    """Attributes: cases that asked for it; one that several share does not grow with them."""

    model: _Listener
    request: Request
    cases: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Seen:
    case: str = ""
    calls: dict[tuple[str, bytes], _Call] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Listener:
    """Answers with something that lets a judge go on, and notes what it was asked, once each."""

    name: str
    key: str
    free: bool
    seen: _Seen = field(compare=False, repr=False)

    async def __call__(self, request: Request) -> Completion:
        try:
            body = request_bytes(request)
        except Rejected as error:  # a picture that is not there
            return Completion(str(error), finish="rejected")
        call = self.seen.calls.setdefault((self.key, body), _Call(self, request))
        call.cases.add(self.seen.case)
        question = request.question
        labels = question.labels if question else tuple("12345")
        answer = {label: 1 / len(labels) for label in labels}
        tops = ({label: math.log(p) for label, p in answer.items()},)
        return Completion("dry run", tops, answer if request.need == "answer" else None)


def _heard(model: Any, seen: _Seen) -> Any:
    """The model itself replaced, and wrappers that ask several times kept, as a run does."""
    inner = getattr(model, "model", None)
    if is_model(inner):
        return replace(model, model=_heard(inner, seen))
    return _Listener(model.name, identity(model), is_free(model), seen)


def foresee(job: Job) -> Foreseen:
    """Asks the judge about the first cases with a model that costs nothing."""
    seen = _Seen()
    judge = with_models(job.judge, lambda model: _heard(model, seen))
    first = list(islice(_rows(job), min(TRIED, job.options.limit or TRIED)))

    async def ask() -> None:
        for row in first:
            seen.case = row.case.id
            await judge(admitted(row.case))

    asyncio.run(ask())
    cases = _cases(job)
    calls, grow = list(seen.calls.values()), (cases or len(first)) / max(len(first), 1)
    times = [1.0 if len(call.cases) > 1 else grow for call in calls]
    counted = list(zip(calls, times, strict=True))
    return Foreseen(
        cases,
        len(first),
        sum(times),
        sum(n * _in(call.request) for call, n in counted),
        sum(n * _out(call.request) for call, n in counted),
        _usd(counted),
        tuple(call.request for call in calls[:2]),
    )


def _rows(job: Job) -> Iterator[Row]:
    table = job.table
    return fit(table, job.judge.view, pairs=job.options.pairs, on_bad=table.on_bad)


def _cases(job: Job) -> int | None:
    """Exact for files: rows are read once without judging them."""
    if job.table.count is None:
        return None
    rows = _rows(job)
    return sum(1 for _ in islice(rows, job.options.limit))


def _out(request: Request) -> int:
    return min(request.decode.max_tokens or ASSUMED_REPLY, ASSUMED_REPLY) * request.n


def _in(request: Request) -> int:
    # 4.5 bytes a token is usual for English; 0.22 tokens a byte.
    return prompt_tokens(request, 0.22)


def _usd(counted: Sequence[tuple[_Call, float]]) -> float | None:
    paid = [(call, n) for call, n in counted if not call.model.free]
    prices = [(price(c.model.name, _in(c.request), _out(c.request)), n) for c, n in paid]
    known = [n * usd for usd, n in prices if usd is not None]
    return sum(known) if len(known) == len(prices) else None


def is_free(model: Any) -> bool:
    """Whether it runs on this machine, as servers here, local models and recordings do."""
    here = type(model).__name__ in ("LlamaCpp", "Replay", "Scripted")
    return here or is_loopback(getattr(model, "base_url", None) or "")


def foreseen_text(seen: Foreseen) -> RenderableType:
    parts: list[RenderableType] = []
    for number, request in enumerate(seen.requests, 1):
        parts.append(shown(f"=== prompt {number}", "bold"))
        for message in request.messages:
            parts += [shown(f"--- {message.role}", "dim"), indented(message.text)]
        parts.append(Text())
    whole = seen.cases if seen.cases is not None else f"unknown, the first {seen.tried}"
    usd = "price unknown" if seen.usd is None else f"about {seen.usd:.4f} USD"
    tokens = f"about {seen.tokens_in:.0f} in, {seen.tokens_out:.0f} out (assumed)"
    rows = {"cases": str(whole), "calls": f"about {seen.calls:.0f}", "tokens": tokens, "cost": usd}
    return Group(*parts, listed(rows.items()), shown("nothing was asked or written", "dim"))
