import asyncio
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from evenhand.judges import (
    Pairwise,
    Seeded,
    Swap,
    Tournament,
)
from evenhand.judges.build import build, find
from evenhand.models.scripted import Scripted
from evenhand.pools import ORDER
from evenhand.readers import undecided
from evenhand.records import PAIR, PAIR_NO_TIE, Case, Request, Verdict


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
class Match:
    """The higher number wins; `blind` ones are unread."""

    blind: tuple[int, ...] = ()
    view: ClassVar[str] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        one, other = (int(response.text) for response in case.responses)
        if one in self.blind or other in self.blind:
            return undecided(PAIR, "unread", "cannot tell")
        return Verdict(PAIR, {"A" if one > other else "B" if other > one else "tie": 1.0})


def test_every_two_meet_once_and_equal_shares_share_a_place():
    verdict = ask(Tournament(Match()), numbers(5, 9, 5, 1))
    assert verdict.label == "1>0=2>3"
    assert [part.marks["pair"] for part in verdict.parts] == [
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 2],
        [1, 3],
        [2, 3],
    ]


def test_an_undecided_match_stops_or_is_left_out():
    case = numbers(5, 9, 7, 1)
    verdict = ask(Tournament(Match(blind=(7,))), case)
    assert verdict.reason == "unread: match [0, 2]: cannot tell"
    # The blind response met nobody: it has no place even when its matches are left out.
    assert ask(Tournament(Match(blind=(7,)), unread="drop"), case).code == "unread"

    @dataclass(frozen=True, slots=True)
    class OneLost:
        view: ClassVar[str] = "pairwise"

        async def __call__(self, case: Case) -> Verdict:
            if [response.text for response in case.responses] == ["5", "7"]:
                return undecided(PAIR, "cut", "cut")
            return await Match()(case)

    assert ask(Tournament(OneLost(), unread="drop"), case).label == "1>0=2>3"
    assert ask(Tournament(OneLost()), case).code == "cut"


def test_a_judge_of_places_ranks_nobody_when_every_match_is_swapped():
    judge = Tournament(Swap(Pairwise(Scripted("first", lambda request: "[[A]]"))))
    assert ask(judge, numbers(1, 2, 3)).label == "0=1=2"


def test_a_seeded_order_is_drawn_for_every_match():
    judge = Tournament(Seeded(Match()))
    verdict = ask(judge, numbers(*range(12)))
    assert {part.marks["order"] for part in verdict.parts} == {"given", "swapped"}
    assert verdict.label.split(">")[0] == "11"
    with pytest.raises(ValueError, match="needs a pairwise judge"):
        Tournament(ByPlace())


def test_published_tournament_calls_are_n_times_n_less_one():
    for n in (2, 3, 6):
        asked: list[Request] = []
        model = Scripted("counting", lambda request: asked.append(request) or "[[A]]")  # noqa: B023
        ask(build(find("tournament"), model=model), numbers(*range(n)))
        assert len(asked) == n * (n - 1)


def test_probabilities_of_a_match_are_shares_of_a_point():
    @dataclass(frozen=True, slots=True)
    class Unsure:
        view: ClassVar[str] = "pairwise"

        async def __call__(self, case: Case) -> Verdict:
            return Verdict(PAIR_NO_TIE, {"A": 0.6, "B": 0.4})

    assert ask(Tournament(Unsure()), numbers(1, 2, 3)).label == "0>1>2"


def test_the_case_itself_is_never_changed():
    case = numbers(3, 1, 2)
    before = replace(case)
    ask(Tournament(Match()), case)
    assert case == before
