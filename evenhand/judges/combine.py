"""Judges made of judges: both orders, panels, repetitions, items, cascades, made material.

A combinator sets what made each part different (order, rater, draw, item) and pools the parts; the
raw verdicts stay in `parts`. Parts run at the same time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, Literal, TypeVar

from evenhand.families import family
from evenhand.identity import models_in
from evenhand.pools import ORDER, PoolName, pool
from evenhand.prompts import Prompt
from evenhand.readers import spoken, undecided, unreadable
from evenhand.records import Case, Completion, Decode, Judge, Model, Scale, Verdict, View

T = TypeVar("T")
NO_SCALE = Scale("none")
"""Of a verdict that never reached the judge that has the scale."""


def scale_of(judge: Any) -> Scale:
    """The scale that a judge, or the first judge inside it, is known to have."""
    if judge.view == "listwise":
        return ORDER
    found = getattr(judge, "scale", None) or getattr(judge, "answers", None)
    if isinstance(found, Scale):
        return found
    for name in ("judge", "judges", "first"):
        if inner := getattr(judge, name, None):
            return scale_of(inner[0] if isinstance(inner, tuple) else inner)
    return NO_SCALE


def countable(judge: Judge, how: str) -> None:
    """Raises: ValueError when a vote is to be counted on a number line, before anything is paid."""
    if how == "vote" and scale_of(judge).span:
        name = scale_of(judge).name
        raise ValueError(f"votes cannot be counted on the number line {name}: use pool='mean'")


def known_texts(case: Case, note: str) -> list[str]:
    """The texts that the case has under that note; what is no text is left out."""
    found = case.notes.get(note)
    listed = [found] if isinstance(found, str) else list(found or ())
    return [text for text in listed if isinstance(text, str) and text.strip()]


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Waits for every call, so that what was paid is kept, then raises the first exception."""
    done = []
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


# ---- order -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Swap:
    """Ask in both orders, and pool.

    Attributes:
        pool: 'agree': the common label, else a tie; 'mean' of the distributions; 'net' vote;
            'both_battles': the mean, and two battles in a ranking.
        unread: What an undecided order means: 'stop', 'drop' or a label.
    """

    judge: Judge
    pool: Literal["agree", "mean", "net", "both_battles"] = "agree"
    unread: str = "stop"

    def __post_init__(self) -> None:
        needs(self.judge, "pairwise", "Swap")

    @property
    def view(self) -> View:
        return "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        turned = _turned(case)
        both = await together([self.judge(case), self.judge(turned)])
        parts = [_ordered(both[0], swapped=False), _ordered(both[1], swapped=True)]
        return pool(self.pool, parts, unread=self.unread)


@dataclass(frozen=True, slots=True)
class Seeded:
    """Ask in one order per case, drawn from the seed and the case's id."""

    judge: Judge
    seed: int = 0

    def __post_init__(self) -> None:
        needs(self.judge, "pairwise", "Seeded")

    @property
    def view(self) -> View:
        return "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        drawn = hashlib.sha256(f"{self.seed}\0{case.id}".encode("utf-8", "backslashreplace"))
        swapped = bool(drawn.digest()[0] & 1)
        return _ordered(await self.judge(_turned(case) if swapped else case), swapped=swapped)


def needs(judge: Judge, view: View, what: str) -> None:
    """Raises: ValueError when the judge has another view."""
    if judge.view != view:
        name = type(judge).__name__
        raise ValueError(f"{what} needs a {view} judge, and {name} is {judge.view}")


def _turned(case: Case) -> Case:
    if len(case.responses) != 2:
        raise ValueError(f"case {case.id!r} has {len(case.responses)} responses, a pair has 2")
    return case.only(1, 0)


def _ordered(verdict: Verdict, *, swapped: bool) -> Verdict:
    """The verdict in the case's own order; `raw` is the label as it was read."""
    marks = {"order": "swapped" if swapped else "given"}
    marks |= {"raw": verdict.label} if verdict.label is not None else {}
    return (_swapped_back(verdict) if swapped else verdict).marked(**marks)


def _swapped_back(verdict: Verdict) -> Verdict:
    probs = {verdict.scale.swapped(label): p for label, p in verdict.probs.items()}
    parts = tuple(_swapped_back(part) for part in verdict.parts)
    return replace(verdict, probs=probs, parts=parts)


# ---- several verdicts on one case ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """Several judges, one verdict.

    Paper: Verga et al. 2024, "Replacing Judges with Juries: Evaluating LLM Generations with a
        Panel of Diverse Models". arXiv:2404.18796. The paper votes on answers that are right or
        wrong and averages ratings; which of the two is a setting here.

    Attributes:
        families: 'disjoint' refuses members with models of one family, whose errors are alike.
    """

    judges: tuple[Judge, ...]
    pool: PoolName = "vote"
    unread: str = "stop"
    families: Literal["any", "disjoint"] = "any"

    def __post_init__(self) -> None:
        if len({judge.view for judge in self.judges}) != 1:
            raise ValueError("a panel needs judges, and all with the same view")
        countable(self.judges[0], self.pool)
        if self.families == "disjoint":
            _disjoint(self.judges)

    @property
    def view(self) -> View:
        return self.judges[0].view

    async def __call__(self, case: Case) -> Verdict:
        parts = await together([judge(case) for judge in self.judges])
        raters = _raters(self.judges)
        signed = [replace(part, rater=name) for part, name in zip(parts, raters, strict=True)]
        return pool(self.pool, signed, unread=self.unread)


def _disjoint(judges: tuple[Judge, ...]) -> None:
    """Raises: ValueError when two members have a model, or a family of models, in common."""
    names = [{model.name for model in models_in(judge)} for judge in judges]
    for one, other in combinations(names, 2):
        for a, b in product(sorted(one), sorted(other)):
            if a == b or (family(a) is not None and family(a) == family(b)):
                kind = f"of the family {family(a)}" if a != b else "the same model"
                raise ValueError(f"{a} and {b} are {kind}; to allow it: --set families=any")


def _raters(judges: tuple[Judge, ...]) -> list[str]:
    """Model names and class; members that would share a name are numbered."""
    names: list[str] = []
    for judge in judges:
        models = "+".join(dict.fromkeys(model.name for model in models_in(judge)))
        name = f"{models}/{type(judge).__name__}" if models else type(judge).__name__
        count = sum(other.partition("#")[0] == name for other in names)
        names.append(f"{name}#{count + 1}" if count else name)
    return names


@dataclass(frozen=True, slots=True)
class Repeat:
    """Ask one judge several times; only a judge that samples answers differently.

    Repetition i of a case with draw d has the draw `d * times + i`, so nested repetitions never
    share one.

    Attributes:
        times: At most 10,000: re-asking adds multiples of that.
    """

    judge: Judge
    times: int = 3
    pool: PoolName = "vote"
    unread: str = "stop"

    def __post_init__(self) -> None:
        if not 1 <= self.times <= 10_000:
            raise ValueError(f"times is {self.times}, and must be between 1 and 10000")
        countable(self.judge, self.pool)

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        draws = [case.draw * self.times + i for i in range(self.times)]
        parts = await together([self.judge(replace(case, draw=draw)) for draw in draws])
        marked = [part.marked(draw=draw) for part, draw in zip(parts, draws, strict=True)]
        return pool(self.pool, marked, unread=self.unread)


@dataclass(frozen=True, slots=True)
class Each:
    """Ask once per response, step, criterion or other item of the case.

    Over 'responses', a pointwise judge sees one response at a time and the verdict is their order
    (pool 'rank'). Over anything else, the items are `case.notes[over]`, the first response's steps
    ('steps') or the rubric's entries ('rubric', 'criteria'), and the judge's prompt finds each in
    `case.notes.item`.
    """

    judge: Judge
    over: str
    pool: PoolName = "mean"
    unread: str = "stop"

    def __post_init__(self) -> None:
        if (self.over == "responses") != (self.pool == "rank"):
            raise ValueError("responses are pooled by 'rank', and only responses are")
        if self.over == "responses" and self.judge.view != "pointwise":
            raise ValueError(f"one response at a time needs a pointwise judge: {self.judge.view}")

    @property
    def view(self) -> View:
        return "listwise" if self.over == "responses" else self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        items, cases = self._split(case)
        if not items:
            scale = ORDER if self.over == "responses" else NO_SCALE
            return undecided(scale, "empty", f"the case has no {self.over}")
        parts = await together([self.judge(one) for one in cases])
        marked = [part.marked(item=item) for part, item in zip(parts, items, strict=True)]
        return pool(self.pool, marked, unread=self.unread)

    def _split(self, case: Case) -> tuple[list[Any], list[Case]]:
        if self.over == "responses":
            indices = list(range(len(case.responses)))
            return list(indices), [case.only(i) for i in indices]
        items = _items(case, self.over)
        return items, [case.having(item=item) for item in items]


def _items(case: Case, over: str) -> list[Any]:
    found: Any = case.notes.get(over)
    if found is None and over == "steps" and case.responses:
        found = case.responses[0].steps
    if found is None and over in ("rubric", "criteria"):
        found = case.rubric
    if isinstance(found, Mapping):
        return [f"{name}: {text}" for name, text in found.items()]
    if isinstance(found, str):
        return [found] if found.strip() else []
    return list(found or ())


@dataclass(frozen=True, slots=True)
class Cascade:
    """Ask a cheap judge first, and the second only where the first is unsure or undecided.

    Attributes:
        threshold: Least probability of the first judge's label at which it decides alone. A judge
            read from text is always certain; give it probabilities or several voices first.
    """

    first: Judge
    then: Judge
    threshold: float = 0.8

    def __post_init__(self) -> None:
        if self.first.view != self.then.view:
            raise ValueError(f"first is {self.first.view} and then is {self.then.view}")

    @property
    def view(self) -> View:
        return self.first.view

    async def __call__(self, case: Case) -> Verdict:
        first = (await self.first(case)).marked(stage="first")
        confidence = max(first.probs.values(), default=0.0)
        if confidence >= self.threshold and first.decided:
            whole = Verdict(first.scale, first.probs, parts=(first,))
            return whole.marked(confidence=round(confidence, 6))
        then = (await self.then(case)).marked(stage="then")
        code, _, why = then.reason.partition(":")
        reason = "" if then.decided else f"{code}: part 2 of 2: {why.strip()}"
        whole = Verdict(then.scale, then.probs, reason, parts=(first, then))
        return whole.marked(confidence=round(confidence, 6))


# ---- material made before judging ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a model writes about the case: a plan, a checklist, a critique."""

    model: Model
    prompt: Prompt
    decode: Decode = Decode(temperature=0.0, max_tokens=2048)

    async def __call__(self, case: Case) -> Completion:
        return await self.model(self.prompt(case=case, decode=self.decode))


@dataclass(frozen=True, slots=True)
class Derived:
    """Judge with a text made beforehand, which the prompt finds in `case.notes`.

    The text is as untrusted as a response: show it through `fence`. A text that was cut, refused
    or empty leaves the verdict undecided with that code. The note 'reference' is the case's
    reference, in the place of any that it had.
    """

    judge: Judge
    note: str
    by: Written

    @property
    def view(self) -> View:
        return self.judge.view

    async def __call__(self, case: Case) -> Verdict:
        made = await self.by(case)
        if stopped := unreadable(made, scale_of(self.judge)):
            return stopped
        text = spoken(made.text).strip()
        known = replace(case, reference=(text,)) if self.note == "reference" else None
        verdict = await self.judge(known or case.having(**{self.note: text}))
        return replace(verdict, calls=(made, *verdict.calls))
