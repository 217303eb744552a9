"""What a run would ask and cost, before anything is paid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from evenhand.data import Row, fit
from evenhand.door import Job
from evenhand.identity import models_in, with_models
from evenhand.models.budget import prompt_tokens
from evenhand.models.prices import price
from evenhand.records import Completion, Request, admitted

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
class _Seen:
    requests: list[tuple[str, Request]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Listener:
    """Answers with something that lets a judge go on, and notes what it was asked."""

    name: str
    seen: _Seen = field(compare=False, repr=False)

    async def __call__(self, request: Request) -> Completion:
        self.seen.requests.append((self.name, request))
        question = request.question
        labels = question.labels if question else tuple("12345")
        answer = {label: 1 / len(labels) for label in labels}
        tops = ({label: math.log(p) for label, p in answer.items()},)
        return Completion("dry run", tops, answer if request.need == "answer" else None)


def foresee(job: Job) -> Foreseen:
    """Asks the judge about the first cases with a model that costs nothing."""
    seen = _Seen()
    bare = models_in(job.judge)
    listening = with_models(job.judge, lambda m: _Listener(m.name, seen)) if bare else job.judge
    rows = _rows(job)
    first = list(islice(rows, min(TRIED, job.options.limit or TRIED)))

    async def ask() -> None:
        for row in first:
            await listening(admitted(row.case))

    asyncio.run(ask())
    cases = _cases(job)
    grow = (cases or len(first)) / max(len(first), 1)
    return Foreseen(cases, len(first), grow * len(seen.requests), *_tokens(seen, grow),
        _usd(seen, grow), tuple(request for _, request in seen.requests[:2]))  # fmt: skip


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


def _tokens(seen: _Seen, grow: float) -> tuple[float, float]:
    # 4.5 bytes a token is usual for English; 0.22 tokens a byte.
    inn = sum(prompt_tokens(request, 0.22) for _, request in seen.requests)
    return grow * inn, grow * sum(_out(request) for _, request in seen.requests)


def _usd(seen: _Seen, grow: float) -> float | None:
    prices = [price(name, prompt_tokens(r, 0.22), _out(r)) for name, r in seen.requests]
    known = [p for p in prices if p is not None]
    return grow * sum(known) if len(known) == len(prices) else None
