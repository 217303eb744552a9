import asyncio
import math
import random
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from evenhand.judges import (
    ListRank,
    Window,
)
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.pools import ORDER
from evenhand.readers import undecided
from evenhand.records import PAIR, Case, Request, Verdict


def ask(judge, case: Case) -> Verdict:
    return asyncio.run(judge(case))


def numbers(*values: int) -> Case:
    """Responses that are numbers: the higher the better."""
    return Case.of("q", "Say a high number.", *map(str, values))


@dataclass(frozen=True, slots=True)
class ByValue:
    """Looks at the numbers only."""

    seen: tuple[list[int], ...] = ()
    view: ClassVar[str] = "listwise"

    async def __call__(self, case: Case) -> Verdict:
        values = [int(response.text) for response in case.responses]
        for log in self.seen:
            log.append(len(values))
        best = sorted(range(len(values)), key=lambda i: -values[i])
        return Verdict(ORDER, {">".join(map(str, best)): 1.0})


@dataclass(frozen=True, slots=True)
class Match:
    """The higher number wins; `blind` ones are unread."""

    blind: tuple[int, ...] = ()
    view: ClassVar[str] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        one, other = (int(response.text) for response in case.responses)
        if one in self.blind or other in self.blind:
            return undecided(PAIR, "unread", "cannot tell")
        return Verdict(PAIR, {"A" if one > other else "B" if other > one else "tie": 1.0})


@pytest.mark.parametrize(("n", "size", "step"), [(5, 3, 1), (23, 6, 3), (40, 20, 10), (41, 20, 10)])
def test_windows_bring_the_best_to_the_front(n, size, step):
    seen: list[int] = []
    values = random.Random(n).sample(range(1000), n)
    verdict = ask(Window(ByValue((seen,)), size, step), numbers(*values))
    order = [values[int(i)] for i in verdict.label.split(">")]
    best = sorted(values, reverse=True)
    assert sorted(order) == sorted(values)
    assert order[: size - step] == best[: size - step]  # what an overlap can carry
    assert seen == [size] * (1 + math.ceil((n - size) / step))


def test_windows_begin_at_the_end_and_the_last_one_at_the_front():
    verdict = ask(Window(ByValue(), 4, 3), numbers(*range(9)))
    assert [part.marks["window"] for part in verdict.parts] == [
        [5, 6, 7, 8],
        [2, 3, 4, 8],
        [0, 1, 8, 4],
    ]
    assert [part.label for part in verdict.parts] == ["8>7>6>5", "8>4>3>2", "8>4>1>0"]
    assert verdict.label == "8>4>1>0>3>2>7>6>5"


def test_a_list_that_fits_is_judged_as_it_is():
    assert ask(Window(ByValue(), 4, 2), numbers(1, 3, 2, 4)).label == "3>1>2>0"
    assert ask(Window(ByValue(), 4, 2), numbers(1, 3, 2, 4)).parts == ()


def test_an_unreadable_window_leaves_the_whole_undecided():
    model = Scripted("silent", lambda request: "no order")
    verdict = ask(Window(ListRank(model), 3, 2), numbers(*range(6)))
    assert verdict.reason.startswith("unread: window 1 of 3: ")
    assert (len(verdict.parts), verdict.scale) == (1, ORDER)


def test_windows_must_overlap():
    for size, step in ((4, 4), (4, 0)):
        with pytest.raises(ValueError, match="between 0 and size"):
            Window(ByValue(), size, step)
    with pytest.raises(ValueError, match="listwise"):
        Window(Match())


def test_published_window_calls_are_one_and_one_for_every_ten_above_twenty():
    for n in (20, 21, 30, 31, 65):
        asked: list[Request] = []

        def answer(request: Request, asked: list[Request] = asked) -> str:
            asked.append(request)
            shown = request.messages[-1].text.count("Response ")
            return " > ".join(f"[[{name}]]" for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:shown])

        ask(build(find("list-window"), model=Scripted("counting", answer)), numbers(*range(n)))
        assert len(asked) == 1 + math.ceil(max(n - 20, 0) / 10)


def test_the_case_itself_is_never_changed():
    case = numbers(3, 1, 2)
    before = replace(case)
    ask(Window(ByValue(), 2, 1), case)
    assert case == before
