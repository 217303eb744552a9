import asyncio
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from evenhand.judges import (
    ListRank,
    ListScores,
    Repeat,
    Rotate,
    Swap,
    Tournament,
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
class ByPlace:
    """Looks at places only: the first is best."""

    view: ClassVar[str] = "listwise"

    async def __call__(self, case: Case) -> Verdict:
        return Verdict(ORDER, {">".join(map(str, range(len(case.responses)))): 1.0})


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
class ByNumber:
    """The higher number wins; `blind` ones are unread."""

    blind: tuple[int, ...] = ()
    view: ClassVar[str] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        one, other = (int(response.text) for response in case.responses)
        if one in self.blind or other in self.blind:
            return undecided(PAIR, "unread", "cannot tell")
        return Verdict(PAIR, {"A" if one > other else "B" if other > one else "tie": 1.0})


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_rotations_of_a_judge_of_places_give_all_the_same_rank(n):
    verdict = ask(Rotate(ByPlace()), numbers(*range(n)))
    assert verdict.scores == pytest.approx([0.5] * n)
    assert [part.marks["start"] for part in verdict.parts] == list(range(n))
    assert [part.label[0] for part in verdict.parts] == [str(i) for i in range(n)]


def test_rotations_keep_the_order_of_a_judge_of_content():
    verdict = ask(Rotate(ByValue()), numbers(3, 9, 1, 5))
    assert verdict.probs == {"1>3>0>2": pytest.approx(1.0)}
    assert {part.label for part in verdict.parts} == {"1>3>0>2"}


def test_some_rotations_are_spread_evenly():
    starts = [part.marks["start"] for part in ask(Rotate(ByPlace(), 3), numbers(*range(6))).parts]
    assert starts == [0, 2, 4]
    assert len(ask(Rotate(ByPlace(), 9), numbers(1, 2)).parts) == 2
    with pytest.raises(ValueError, match="at least 1"):
        Rotate(ByPlace(), 0)
    with pytest.raises(ValueError, match="needs a listwise judge"):
        Rotate(ByNumber())


def test_an_undecided_rotation_stops_or_is_dropped():
    def answer(request: Request) -> str:
        first = request.messages[-1].text.index("best") < request.messages[-1].text.index("worst")
        return "[[A]] > [[B]]" if first else "no idea"

    judge, case = ListRank(Scripted("half", answer)), Case.of("q", "p", "best", "worst")
    assert ask(Rotate(judge), case).reason.startswith("unread: part 2 of 2")
    assert ask(Rotate(judge, unread="drop"), case).label == "0>1"


def test_parts_of_parts_stand_at_the_places_of_the_case():
    def by_size(request: Request) -> str:
        text = request.messages[-1].text
        places = sorted("ABC", key=lambda name: text.index(f"Response {name}:"))
        at = [int(text.split(f"<response_{name.lower()}>\n")[1].split("\n")[0]) for name in places]
        return "\n".join(f"{name}: [[{value}]]" for name, value in zip(places, at, strict=True))

    verdict = ask(
        Rotate(Repeat(ListScores(Scripted("size", by_size)), 2, pool="mean")), numbers(3, 9, 1)
    )
    assert verdict.label == "1>0>2"
    for rotation in verdict.parts:
        for repetition in rotation.parts:
            assert repetition.label == "1>0>2"
            assert [(p.score, p.marks["item"]) for p in repetition.parts] == [
                (3, 0),
                (9, 1),
                (1, 2),
            ]


def test_published_lists_make_one_call_a_response():
    for name in ("list-rank", "list-scores"):
        for n in (2, 5):
            asked: list[Request] = []
            model = Scripted("counting", lambda request: asked.append(request) or "")  # noqa: B023
            ask(build(find(name), model=model), numbers(*range(n)))
            assert len(asked) == n


def test_the_case_itself_is_never_changed():
    case = numbers(3, 1, 2)
    before = replace(case)
    ask(Rotate(ByValue()), case)
    assert case == before


def test_matches_and_windows_keep_their_places_under_a_rotation():
    case = numbers(3, 9, 1)
    values = [3, 9, 1]
    for judge in (Tournament(Swap(ByNumber())), Window(ByValue(), 2, 1)):
        verdict = ask(Rotate(judge), case)
        assert verdict.label == "1>0>2"
        for part in (part for rotation in verdict.parts for part in rotation.parts):
            one, other = part.marks.get("pair") or part.marks["window"]
            won = {"A": one, "B": other}.get(part.label) if "pair" in part.marks else None
            won = int(part.label[0]) if won is None else won
            assert values[won] == max(values[one], values[other])
