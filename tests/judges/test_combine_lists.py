import asyncio
import math
import random
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from evenhand.judges import (
    Each,
    ListRank,
    ListScores,
    Pairwise,
    Pointwise,
    Repeat,
    Rotate,
    Seeded,
    Swap,
    Tournament,
    Window,
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


# ---- rotations -------------------------------------------------------------------------------


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
        Rotate(Match())


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


# ---- windows ---------------------------------------------------------------------------------


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


# ---- tournament ------------------------------------------------------------------------------


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


# ---- best of n -------------------------------------------------------------------------------


def test_the_best_of_n_is_as_good_as_the_greatest_of_n_draws():
    """Qualities drawn evenly from 0 to 1: the greatest of n is n / (n + 1) on average."""

    def grade(request: Request) -> str:
        said = request.messages[-1].text.split("<response>\n")[1].split("\n")[0]
        return f"[[{1.0 + 9.0 * float(said):.6f}]]"

    judge = Each(Pointwise(Scripted("exact", grade)), over="responses", pool="rank")
    draw, cases = random.Random(7), 400
    for n in (1, 2, 4):
        total = 0.0
        for i in range(cases):
            qualities = [draw.random() for _ in range(n)]
            case = Case.of(f"{i}", "p", *(f"{quality:.6f}" for quality in qualities))
            total += qualities[int(ask(judge, case).label.split(">")[0])]
        expected = n / (n + 1)
        variance = n / (n + 2) - expected**2
        assert total / cases == pytest.approx(expected, abs=4 * math.sqrt(variance / cases))


def test_published_best_of_n_makes_one_call_a_response():
    asked: list[Request] = []
    model = Scripted("counting", lambda request: asked.append(request) or "[[5]]")
    verdict = ask(build(find("best-of-n"), model=model), numbers(1, 2, 3))
    assert (len(asked), verdict.label) == (3, "0=1=2")


def test_the_case_itself_is_never_changed():
    case = numbers(3, 1, 2)
    before = replace(case)
    for judge in (Rotate(ByValue()), Window(ByValue(), 2, 1), Tournament(Match())):
        ask(judge, case)
    assert case == before
