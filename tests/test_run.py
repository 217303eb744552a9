from __future__ import annotations

import asyncio
import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import evenhand
from evenhand.door import Run
from evenhand.errors import BudgetSpent, DataError, Misconfigured, Misuse, ModelError
from evenhand.judges import Pointwise, Repeat, Swap
from evenhand.judges.pairwise import Pairwise
from evenhand.models.scripted import Scripted
from evenhand.readers import last_label
from evenhand.records import (
    YES_NO,
    Case,
    Completion,
    Message,
    Model,
    Request,
    Verdict,
    View,
)
from evenhand.run import Options

Answer = Callable[[Request], str | Completion | Exception]
JUDGE = "mt-bench-single"


@dataclass
class Talk:
    """A script and what it was asked."""

    answer: Answer = lambda request: "Rating: [[7]]"
    asked: list[Request] = field(default_factory=list)

    @property
    def model(self) -> Scripted:
        def say(request: Request) -> str | Completion | Exception:
            self.asked.append(request)
            return self.answer(request)

        return Scripted("talk", say)


def cases(n: int) -> list[Case]:
    return [Case.of(f"c{i}", f"ITEM-{i} why?", f"because {i}") for i in range(n)]


def item(request: Request) -> int:
    return int(request.messages[-1].text.partition("ITEM-")[2].split()[0])


def counts(run: Run) -> tuple[int, int, int]:
    held = run.manifest["counts"]
    return held["decided"], held["undecided"], held["failed"]


def last(run: Run) -> dict[str, Any]:
    return dict(run.manifest["invocations"][-1])


def three_ways(request: Request) -> str | Exception:
    """A rating, no rating, no answer."""
    kinds = ("Rating: [[3]]", "I would rather not say.", ModelError("nothing came"))
    return kinds[item(request) % 3]


# ---- what a run holds ------------------------------------------------------------------------


def test_decided_undecided_and_failed_are_counted_apart(tmp_path: Path) -> None:
    run = evenhand.judge(cases(9), JUDGE, Talk(three_ways).model, out=tmp_path)
    assert counts(run) == (3, 3, 3)
    assert run.manifest["counts"]["undecided_by"] == {"unread": 3}
    rows = run.table()
    assert [row["id"] for row in rows] == [f"c{i}" for i in range(9)]
    assert [row["state"] for row in rows[:3]] == ["decided", "undecided", "failed"]
    assert [row["score"] for row in rows[:3]] == [3.0, None, None]
    assert rows[2]["reason"] == "nothing came"


def test_an_undecided_case_is_never_a_number(tmp_path: Path) -> None:
    talk = Talk(lambda request: "No verdict.")
    for row in evenhand.judge(cases(3), JUDGE, talk.model, out=tmp_path).table():
        assert (row["label"], row["score"], row["scores"], row["probs"]) == (None,) * 4


def test_a_run_without_a_folder_gets_one(tmp_path: Path) -> None:
    run = evenhand.judge(cases(1), JUDGE, Talk().model)
    assert (run.folder / "run.json").exists()


def test_a_table_becomes_a_frame_of_pandas_and_of_polars(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    run = evenhand.judge(cases(6), JUDGE, Talk(three_ways).model, out=tmp_path)
    one, other = run.to_pandas(), run.to_polars()
    assert list(one.columns) == list(other.columns) == list(run.table()[0])
    assert list(one["state"]) == other["state"].to_list()
    assert other["score"].to_list() == [3.0, None, None] * 2


def test_the_manifest_says_what_was_done_with_what(tmp_path: Path) -> None:
    talk = Talk()
    run = evenhand.judge(cases(2), JUDGE, talk.model, out=tmp_path, in_flight=3)
    held = run.manifest
    assert held["judge"]["name"] == JUDGE
    assert held["models"][0]["name"] == "talk"
    assert held["data"]["rows"] == 2
    assert held["invocations"][0]["options"]["in_flight"] == 3
    assert held["served"] == ["talk"]
    assert (last(run)["calls"], last(run)["stopped"]) == (2, None)


def test_a_verdict_names_the_calls_it_rests_on(tmp_path: Path) -> None:
    run = evenhand.judge(cases(1), Repeat(Pointwise(Talk().model), 3, pool="mean"), out=tmp_path)
    (row,) = run.rows()
    assert row.verdict is not None
    parts = [call.key for part in row.verdict.parts for call in part.calls]
    assert len(set(parts)) == 3
    assert set(row.keys) == set(parts)


# ---- going on --------------------------------------------------------------------------------


def test_the_same_command_again_makes_no_call(tmp_path: Path) -> None:
    talk = Talk()
    evenhand.judge(cases(50), JUDGE, talk.model, out=tmp_path)
    run = evenhand.judge(cases(50), JUDGE, talk.model, out=tmp_path)
    assert len(talk.asked) == 50
    assert (last(run)["skipped"], last(run)["calls"]) == (50, 0)
    assert counts(run) == (50, 0, 0)


def test_a_larger_limit_goes_on_where_a_smaller_one_ended(tmp_path: Path) -> None:
    talk = Talk()
    assert counts(evenhand.judge(cases(30), JUDGE, talk.model, out=tmp_path, limit=7)) == (7, 0, 0)
    run = evenhand.judge(cases(30), JUDGE, talk.model, out=tmp_path, limit=20)
    assert counts(run) == (20, 0, 0)
    assert len(talk.asked) == 20
    assert [row["id"] for row in run.table()] == [f"c{i}" for i in range(20)]


def test_failed_cases_are_tried_again_and_undecided_ones_are_not(tmp_path: Path) -> None:
    evenhand.judge(cases(9), JUDGE, Talk(three_ways).model, out=tmp_path)
    talk = Talk()
    run = evenhand.judge(cases(9), JUDGE, talk.model, out=tmp_path)
    assert sorted(map(item, talk.asked)) == [2, 5, 8]
    assert counts(run) == (6, 3, 0)


def test_equal_requests_of_different_cases_are_paid_once(tmp_path: Path) -> None:
    talk = Talk()
    same = [Case.of(f"c{i}", "ITEM-0 why?", "because") for i in range(20)]
    run = evenhand.judge(same, JUDGE, talk.model, out=tmp_path)
    assert len(talk.asked) == 1
    assert (last(run)["calls"], last(run)["cached"]) == (1, 19)


def test_a_cache_file_serves_other_runs_which_keep_the_evidence(tmp_path: Path) -> None:
    talk, cache = Talk(), str(tmp_path / "cache.sqlite")
    evenhand.judge(cases(5), JUDGE, talk.model, out=tmp_path / "one", cache=cache)
    two = evenhand.judge(cases(5), JUDGE, talk.model, out=tmp_path / "two", cache=cache)
    assert len(talk.asked) == 5
    assert (last(two)["calls"], last(two)["cached"]) == (0, 5)
    assert two.manifest["counts"]["calls"] == 0
    with_evidence = evenhand.door.Store(two.folder, read=True)
    assert with_evidence.db.execute("select count(*) from calls").fetchone() == (5,)
    with_evidence.close()


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (Pointwise(Scripted("someone else", str)), "model.name"),
        (
            Pointwise(Talk().model, decode=replace(Pointwise(Talk().model).decode, temperature=1)),
            "decode.temperature",
        ),
    ],
)
def test_another_judge_is_refused_and_the_field_named(
    tmp_path: Path, other: Pointwise, field: str
) -> None:
    evenhand.judge(cases(2), Pointwise(Talk().model), out=tmp_path)
    with pytest.raises(Misuse, match=field):
        evenhand.judge(cases(2), other, out=tmp_path)


def test_other_data_are_refused_and_the_field_named(tmp_path: Path) -> None:
    evenhand.judge(cases(2), JUDGE, Talk().model, out=tmp_path)
    with pytest.raises(Misuse, match="sha256"):
        evenhand.judge(cases(3), JUDGE, Talk().model, out=tmp_path)
    with pytest.raises(Misuse, match="--pairs"):
        evenhand.judge(cases(2), JUDGE, Talk().model, out=tmp_path, pairs="baseline:x")


def test_a_judge_that_holds_its_model_is_not_given_another(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="Pointwise"):
        evenhand.judge(cases(2), Pointwise(Talk().model), Talk().model, out=tmp_path)


def test_cases_from_a_generator_can_be_gone_on_with(tmp_path: Path) -> None:
    def some() -> Iterator[Case]:
        yield from cases(600)

    talk = Talk()
    evenhand.judge(some(), JUDGE, talk.model, out=tmp_path, limit=300)
    assert counts(evenhand.judge(some(), JUDGE, talk.model, out=tmp_path)) == (600, 0, 0)
    assert len(talk.asked) == 600


# ---- reading again, asking again -------------------------------------------------------------


def test_reasking_takes_new_draws_and_counts_them(tmp_path: Path) -> None:
    talk = Talk(lambda request: "Rating: [[4]]" if request.draw >= 20_000 else "hm")
    run = evenhand.judge(cases(4), JUDGE, talk.model, out=tmp_path, reask=2)
    assert counts(run) == (4, 0, 0)
    assert last(run)["reasked"] == 8
    assert sorted({request.draw for request in talk.asked}) == [0, 10_000, 20_000]
    assert [(row.asked, len(row.keys)) for row in run.rows()] == [(3, 3)] * 4


def test_reasking_ends_after_so_many_tries(tmp_path: Path) -> None:
    talk = Talk(lambda request: "hm")
    run = evenhand.judge(cases(2), JUDGE, talk.model, out=tmp_path, reask=2)
    assert counts(run) == (0, 2, 0)
    assert len(talk.asked) == 6


def test_a_refusal_is_not_asked_again(tmp_path: Path) -> None:
    talk = Talk(lambda request: Completion("I cannot help.", finish="refused"))
    run = evenhand.judge(cases(1), JUDGE, talk.model, out=tmp_path, reask=5)
    assert len(talk.asked) == 1
    assert run.table()[0]["code"] == "refused"


def test_retry_undecided_asks_only_those_with_a_new_draw(tmp_path: Path) -> None:
    evenhand.judge(cases(9), JUDGE, Talk(three_ways).model, out=tmp_path)
    evenhand.judge(cases(9), JUDGE, Talk().model, out=tmp_path)  # the failed ones
    talk = Talk()
    run = evenhand.judge(cases(9), JUDGE, talk.model, out=tmp_path, retry_undecided=True)
    assert sorted((item(r), r.draw) for r in talk.asked) == [(i, 10_000) for i in (1, 4, 7)]
    assert counts(run) == (9, 0, 0)


def test_a_retry_that_fails_is_taken_up_at_the_same_draw(tmp_path: Path) -> None:
    for answer in (lambda _: "hm", lambda _: ModelError("gone"), lambda _: "Rating: [[2]]"):
        talk = Talk(answer)
        run = evenhand.judge(cases(1), JUDGE, talk.model, out=tmp_path, retry_undecided=True)
    assert [request.draw for request in talk.asked] == [10_000]
    assert counts(run) == (1, 0, 0)


def mended(number: int, pattern: str) -> Any:
    """The same judge at another version, with another reader."""

    @dataclass(frozen=True, slots=True)
    class Mine:
        model: Model
        view: ClassVar[View] = "pointwise"
        version: ClassVar[int] = number

        async def __call__(self, case: Case, /) -> Verdict:
            asked = Request(
                (Message("user", (f"{case.prompt[0].text} yes or no?",)),), draw=case.draw
            )
            return last_label(await self.model(asked), YES_NO, pattern)

    return Mine


def test_a_mended_reader_reads_stored_replies_and_makes_no_call(tmp_path: Path) -> None:
    talk = Talk(lambda request: "yes" if item(request) % 2 else "answer=no")
    old, new = mended(1, r"^(yes|no)$"), mended(2, r"(yes|no)$")
    run = evenhand.judge(cases(6), old(talk.model), out=tmp_path)
    assert counts(run) == (3, 3, 0)
    with pytest.raises(Misuse, match="--reread"):
        evenhand.judge(cases(6), new(talk.model), out=tmp_path)
    run = evenhand.judge(cases(6), new(talk.model), out=tmp_path, reread=True)
    assert counts(run) == (6, 0, 0)
    assert len(talk.asked) == 6
    judged = run.manifest["judge"]
    assert judged["identity"] != judged["earlier"][0]["identity"]


def test_reading_again_goes_through_every_attempt_that_was_made(tmp_path: Path) -> None:
    talk = Talk(lambda request: "yes" if request.draw else "neither")
    Mine = mended(1, r"(yes|no)$")  # noqa: N806
    evenhand.judge(cases(3), Mine(talk.model), out=tmp_path, reask=1)
    run = evenhand.judge(cases(3), Mine(talk.model), out=tmp_path, reread=True)
    assert counts(run) == (3, 0, 0)
    assert len(talk.asked) == 6


def test_reading_again_leaves_a_verdict_whose_reply_is_not_stored(tmp_path: Path) -> None:
    talk = Talk()
    run = evenhand.judge(cases(3), JUDGE, talk.model, out=tmp_path)
    store = evenhand.door.Store(run.folder)
    store.db.execute("delete from calls where id = 2")
    store.close()
    run = evenhand.judge(cases(3), JUDGE, talk.model, out=tmp_path, reread=True)
    assert counts(run) == (3, 0, 0)
    assert last(run)["skipped"] == 1
    assert len(talk.asked) == 3


# ---- bad data --------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [1, 300])
def test_an_id_that_comes_twice_is_refused(tmp_path: Path, apart: int) -> None:
    def some() -> Iterator[Case]:
        yield from cases(apart)
        yield Case.of("c0", "again", "same id")

    with pytest.raises(DataError, match="'c0' is already on row 1") as caught:
        evenhand.judge(some(), JUDGE, Talk().model, out=tmp_path)
    assert caught.value.row == apart + 1
    assert caught.value.saved == str(tmp_path)


def test_what_came_before_a_bad_row_is_saved(tmp_path: Path) -> None:
    rows: list[Any] = [*cases(400), 7]
    with pytest.raises(DataError) as caught:
        evenhand.judge((row for row in rows), JUDGE, Talk().model, out=tmp_path)
    assert caught.value.row == 401
    assert counts(Run(tmp_path))[0] >= 256


def test_lone_surrogates_are_judged_escaped_and_marked(tmp_path: Path) -> None:
    broken = Case.of(
        "id\ud800", "ITEM-1 half \ud83d of a pair", "an \udc00 answer", group="g\ud800"
    )
    talk = Talk(lambda request: "Rating: [[6]] \ud800")
    for _ in range(2):
        run = evenhand.judge([broken, *cases(1)], JUDGE, talk.model, out=tmp_path)
    first, second = run.rows()
    assert len(talk.asked) == 2
    assert "half \\ud83d of" in talk.asked[0].messages[-1].text
    assert (first.case, first.group) == ("id\\ud800", "g\\ud800")
    assert first.verdict is not None
    assert first.verdict.score == 6
    assert "surrogates" in first.verdict.marks
    assert second.verdict is not None
    assert "surrogates" not in second.verdict.marks


# ---- judges and models that misbehave --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Poison:
    """Decides by rule, and does `what` on item 3."""

    what: str
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case, /) -> Verdict:
        sound = Verdict(YES_NO, {"yes": 1.0})
        if case.id != "c3" or self.what == "nothing":
            return sound
        bad: dict[str, Any] = {
            "none": None,
            "nan": replace(sound, probs={"yes": math.nan}),
            "sum": replace(sound, probs={"yes": 0.5}),
            "label": replace(sound, probs={"maybe": 1.0}),
            "marks": sound.marked(thing=object()),
            "key": replace(sound, probs={None: 1.0}),
            "scale": replace(sound, scale=replace(YES_NO, labels={"yes": 5.0, "no": 0.0})),
        }
        if self.what in bad:
            return bad[self.what]  # type: ignore[no-any-return]
        raise ZeroDivisionError("oh")


@pytest.mark.parametrize("what", ["raise", "none", "nan", "sum", "label", "marks", "key", "scale"])
def test_a_poison_judge_is_one_failed_row(tmp_path: Path, what: str) -> None:
    run = evenhand.judge(cases(20), Poison(what), out=tmp_path)
    assert counts(run) == (19, 0, 1)
    (failed,) = (row for row in run.rows() if row.verdict is None)
    assert failed.case == "c3"
    assert failed.error
    again = evenhand.judge(cases(20), Poison(what), out=tmp_path)
    assert (last(again)["skipped"], counts(again)) == (19, (19, 0, 1))


def test_text_that_no_file_can_hold_is_escaped_in_a_reason(tmp_path: Path) -> None:
    @dataclass(frozen=True, slots=True)
    class Odd:
        view: ClassVar[View] = "pointwise"

        async def __call__(self, case: Case, /) -> Verdict:
            return Verdict(YES_NO, {"yes": 1.0}, "half \ud800")

    (row,) = evenhand.judge(cases(1), Odd(), out=tmp_path).rows()
    assert row.verdict is not None
    assert row.verdict.reason == "half \\ud800"


def test_eight_failures_in_a_row_stop_with_everything_saved(tmp_path: Path) -> None:
    talk = Talk(lambda request: "Rating: [[5]]" if item(request) < 10 else ModelError("gone"))
    with pytest.raises(ModelError, match=r"8 cases in a row failed.*gone") as caught:
        evenhand.judge(cases(100), JUDGE, talk.model, out=tmp_path, in_flight=1)
    assert caught.value.saved == str(tmp_path)
    assert counts(Run(tmp_path)) == (10, 0, 8)
    assert "gone" in last(Run(tmp_path))["stopped"]
    assert counts(evenhand.judge(cases(100), JUDGE, Talk().model, out=tmp_path)) == (100, 0, 0)


def test_a_wrong_key_stops_at_once(tmp_path: Path) -> None:
    talk = Talk(lambda request: Misconfigured("the key is refused"))
    with pytest.raises(Misconfigured) as caught:
        evenhand.judge(cases(100), JUDGE, talk.model, out=tmp_path)
    assert caught.value.saved == str(tmp_path)
    assert counts(Run(tmp_path)) == (0, 0, 0)


def test_a_rejected_request_is_undecided_and_asked_again_by_nobody_in_this_run(
    tmp_path: Path,
) -> None:
    talk = Talk(lambda request: evenhand.door.models.wrap.Rejected("too long", code="overflow"))
    run = evenhand.judge(cases(2), JUDGE, talk.model, out=tmp_path, reask=3)
    assert len(talk.asked) == 2
    assert [row["code"] for row in run.table()] == ["overflow"] * 2


def test_a_spent_budget_stops_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    talk = Talk()
    with pytest.raises(BudgetSpent, match="larger --budget") as caught:
        evenhand.judge(cases(30), JUDGE, talk.model, out=tmp_path, budget=("calls", 12))
    assert caught.value.saved == str(tmp_path)
    assert counts(Run(tmp_path)) == (12, 0, 0)
    with pytest.raises(BudgetSpent):
        evenhand.judge(cases(30), JUDGE, talk.model, out=tmp_path, budget=("calls", 12))
    run = evenhand.judge(cases(30), JUDGE, talk.model, out=tmp_path, budget=("calls", 30))
    assert counts(run) == (30, 0, 0)
    assert len(talk.asked) == 30


# ---- one engine, many doors ------------------------------------------------------------------


def test_it_runs_inside_a_notebook_whose_loop_is_running(tmp_path: Path) -> None:
    async def cell() -> Run:
        return evenhand.judge(cases(20), JUDGE, Talk().model, out=tmp_path)

    assert counts(asyncio.run(cell())) == (20, 0, 0)


def test_errors_come_out_of_a_notebook_too(tmp_path: Path) -> None:
    async def cell() -> Run:
        return evenhand.judge(
            cases(20), JUDGE, Talk().model, out=tmp_path, budget=("calls", 3)
        )  # fmt: skip

    with pytest.raises(BudgetSpent):
        asyncio.run(cell())


@dataclass(frozen=True)
class Busy:
    """Counts how many are inside at once; remembers that it was closed."""

    name: str = "busy"
    seen: list[int] = field(default_factory=lambda: [0, 0, 0], compare=False)

    async def __call__(self, request: Request, /) -> Completion:
        self.seen[0] += 1
        self.seen[1] = max(self.seen[:2])
        await asyncio.sleep(0.001)
        self.seen[0] -= 1
        return Completion("[[A]]")

    async def aclose(self) -> None:
        self.seen[2] += 1


def test_in_flight_counts_calls_to_a_model_and_models_are_closed(tmp_path: Path) -> None:
    pairs = [Case.of(f"c{i}", f"ITEM-{i}", "a", "b") for i in range(40)]
    model = Busy()
    evenhand.judge(pairs, Swap(Pairwise(model)), out=tmp_path, in_flight=5)
    assert model.seen == [0, 5, 1]


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[int] = []
    model = Busy()
    pairs = [Case.of(f"c{i}", f"ITEM-{i}", "a", "b") for i in range(150)]
    evenhand.judge(pairs, Pairwise(model), out=tmp_path, in_flight=1,
        watch=lambda tally: seen.append(tally.done))  # fmt: skip
    assert seen
    assert seen == sorted(seen)


def test_a_watcher_that_fails_ends_the_run_loudly(tmp_path: Path) -> None:
    def watch(tally: object) -> None:
        raise KeyError("broken bar")

    pairs = [Case.of(f"c{i}", f"ITEM-{i}", "a", "b") for i in range(150)]
    with pytest.raises(KeyError):
        evenhand.judge(pairs, Pairwise(Busy()), out=tmp_path, in_flight=1, watch=watch)


@dataclass(frozen=True, slots=True)
class Holder:
    """A model from outside whose field `model` is a text; Options.timeout replaces `timeout`."""

    model: str
    timeout: float = field(default=60.0, compare=False)
    timeouts: list[float] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return self.model

    async def __call__(self, request: Request, /) -> Completion:
        self.timeouts.append(self.timeout)
        return Completion("Rating: [[5]]")


def test_a_timeout_reaches_the_model(tmp_path: Path) -> None:
    model = Holder("weights")
    evenhand.judge(cases(1), JUDGE, model, out=tmp_path, timeout=3.5)
    assert model.timeouts == [3.5]


def test_an_unknown_option_is_a_mistake_in_code() -> None:
    with pytest.raises(TypeError):
        evenhand.judge(cases(1), JUDGE, Talk().model, paralel=3)
    assert Options().in_flight == 64


INTERRUPTED = """
import asyncio, json, sys
from dataclasses import dataclass
import evenhand

@dataclass(frozen=True)
class Slow:
    name: str = "slow"
    async def __call__(self, request):
        await asyncio.sleep(0.02)
        if not asked:
            print("asked", flush=True)
        asked.append(1)
        return evenhand.Completion("Rating: [[5]]")

asked = []
cases = [evenhand.Case.of(f"c{i}", f"q{i}", "a") for i in range(300)]
try:
    run = evenhand.judge(cases, "mt-bench-single", Slow(), out=sys.argv[1], in_flight=10)
finally:
    print(len(asked), flush=True)
"""


def test_control_c_saves_and_the_same_command_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(tmp_path / "run")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in error
    first = int(out)
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    assert held["invocations"][0]["stopped"] == "KeyboardInterrupt"
    assert 0 < held["counts"]["decided"] < 300
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    run = Run(tmp_path / "run")
    assert counts(run) == (300, 0, 0)
    assert first + int(done.stdout.split()[-1]) <= 300 + 10


def test_a_folder_that_cannot_be_made_is_misuse(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Misuse, match="cannot be made"):
        evenhand.judge(cases(1), JUDGE, Talk().model, out=tmp_path / "file")


def test_a_pair_that_is_exactly_even_is_a_tie_in_tables_not_its_first_label(tmp_path: Path) -> None:
    always_first = Scripted("first", lambda request: "A")
    form = {"is": "Swap", "pool": "mean", "judge": {"is": "ChoicePair"}}
    run = evenhand.judge([Case.of("q", "p", "x", "y")], form, always_first, out=tmp_path)
    assert run.table()[0]["label"] == "tie"
    assert run.table()[0]["scores"] == [0.5, 0.5]
