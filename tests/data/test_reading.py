"""What adapters share: columns checked, values read, cases and recorded verdicts made."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evenhand.data.bench import Card, File, Files, Metric
from evenhand.data.reading import (
    apart,
    case_row,
    dialogues,
    in_orders,
    number,
    one_of,
    read,
    read_many,
    said,
    sided,
    text,
    whole,
)
from evenhand.data.rows import Bad, Wrong
from evenhand.errors import DataError
from evenhand.records import PAIR, YES_NO, Response, ints, line

CARD = Card(
    "mine", "x", "github.com/me/it", "abc", "none", "none", None, Metric("rows"), (File("a*"),)
)


def files(tmp_path: Path, *rows: Any, name: str = "a.jsonl") -> Files:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Files(CARD, {"a*": (path,)})


def test_rows_that_are_refused_become_bad_rows_with_their_place(tmp_path: Path) -> None:
    held = files(tmp_path, {"n": 1}, {"n": "x"}, [1], {"n": 3})
    found = list(read(held, "a*", lambda raw, at: (at, number(raw, "n")), columns=("n",)))
    assert found[0] == (1, 1.0)
    assert found[3] == (4, 3.0)
    bad = found[1]
    assert isinstance(bad, Bad)
    assert (bad.row, bad.field, bad.found) == (2, "n", "text: 'x'")
    assert bad.expected == "a number, as in github.com/me/it at abc"
    assert isinstance(found[2], Bad)


def test_a_refused_row_gives_none_of_its_parts(tmp_path: Path) -> None:
    held = files(tmp_path, {"n": [1, 2]}, {"n": [1, "x"]})

    def each(raw: Any, _at: int) -> Any:
        for one in raw["n"]:
            yield number({"n": one}, "n")

    found = list(read_many(held, "a*", each))
    assert found[:2] == [1.0, 2.0]
    assert len(found) == 3


def test_a_missing_column_stops_with_file_row_column_and_revision(tmp_path: Path) -> None:
    held = files(tmp_path, {"nn": 1})
    with pytest.raises(DataError) as error:
        list(read(held, "a*", lambda raw, at: raw, columns=("n",)))
    assert (error.value.file, error.value.row, error.value.field) == (
        str(tmp_path / "a.jsonl"), 1, "n"
    )  # fmt: skip
    assert "near: nn" in str(error.value)
    assert "github.com/me/it at abc: n" in error.value.expected


def test_an_ending_that_is_not_known_is_refused(tmp_path: Path) -> None:
    held = files(tmp_path, {"n": 1}, name="a.txt")
    with pytest.raises(DataError, match=r"the ending of a\.txt is not known"):
        list(read(held, "a*", lambda raw, at: raw))


def test_files_come_one_by_one_with_their_paths(tmp_path: Path) -> None:
    one, two = files(tmp_path, {"n": 1}), files(tmp_path, {"n": 2}, name="a2.jsonl")
    both = Files(CARD, {"a*": one.paths["a*"] + two.paths["a*"]})
    found = [(path.name, list(read(part, "a*", lambda raw, at: raw["n"])))
             for path, part in apart(both, "a*")]  # fmt: skip
    assert found == [("a.jsonl", [1]), ("a2.jsonl", [2])]


def test_one_value_is_read_packed_or_not_and_refused_when_broken(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    with gzip.open(tmp_path / "a.json.gz", "wt") as handle:
        handle.write("[2]")
    (tmp_path / "b.json").write_text("{")
    assert whole(tmp_path / "a.json") == {"a": 1}
    assert whole(tmp_path / "a.json.gz") == [2]
    with pytest.raises(DataError, match="the file is not JSON"):
        whole(tmp_path / "b.json")


@pytest.mark.parametrize(("value", "found"), [("x", "x"), (3, "3"), (3.0, "3"), (True, "true")])
def test_texts_may_be_numbers(value: Any, found: str) -> None:
    assert text({"a": value}, "a") == found


@pytest.mark.parametrize("value", [None, "", [], {}, float("nan")])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(Wrong):
        text({"a": value}, "a")


def test_an_empty_answer_is_an_answer_where_that_is_said() -> None:
    assert text({"a": ""}, "a", empty=True) == ""
    with pytest.raises(Wrong):
        text({"a": None}, "a", empty=True)


@pytest.mark.parametrize("value", [None, "x", True, []])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(Wrong):
        number({"a": value}, "a")


def test_numbers_may_be_written_as_text() -> None:
    assert number({"a": " 2.5"}, "a") == 2.5


def test_a_value_without_a_meaning_is_refused_with_those_that_have_one() -> None:
    assert one_of({"a": 1}, "a", {1: "A"}) == "A"
    for value in (2, [1], None):
        with pytest.raises(Wrong) as error:
            one_of({"a": value}, "a", {1: "A", 3: "B"})
        assert error.value.expected == "one of 1, 3"


# ---- cases ---------------------------------------------------------------------------------------


def test_a_case_is_its_own_cluster_unless_it_shares_one() -> None:
    row = case_row("q", "why?", ("a", Response(("b",), "s")), label="A", at=3, group="g")
    assert (row.cluster, row.label, row.row, row.case.group) == ("q", "A", 3, "g")
    assert [one.system for one in row.case.responses] == [None, "s"]
    assert case_row("q", "why?", ("a",), label=None, at=1, cluster="p").cluster == "p"


def test_lone_surrogates_become_visible_escapes() -> None:
    assert case_row("q", "\ud800", ("a",), label=None, at=1).case.prompt[0].text == "\\ud800"


def test_as_many_systems_as_responses_are_due() -> None:
    with pytest.raises(ValueError, match="zip"):
        case_row("q", "why?", ("a", "b"), label=None, at=1, systems=("s",))


def test_sides_are_drawn_from_the_id_and_the_label_follows() -> None:
    found = [sided(f"id {n}", "better", "worse") for n in range(400)]
    assert all(("better", "worse")["AB".index(label)] or True for _, label in found)
    assert all(both["AB".index(label)] == "better" for both, label in found)
    first = sum(label == "A" for _, label in found)
    assert 160 < first < 240  # half of 400, give or take four standard deviations
    assert sided("same", 1, 2) == sided("same", 1, 2)


def test_two_dialogues_share_their_question() -> None:
    one = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    two = [one[0], {"role": "assistant", "content": "b"}, {"role": "user", "content": "more"}]
    assert dialogues({"x": one, "y": two}, "x", "y") == ("q", ["a", "Assistant: b\n\nUser: more"])
    with pytest.raises(Wrong) as error:
        dialogues({"x": one, "y": one[:1]}, "x", "y")
    assert error.value.field == "y"


# ---- verdicts ------------------------------------------------------------------------------------


def test_a_recorded_label_is_sure_and_signed() -> None:
    found = said("q", "judge", "A")
    assert (found.case, found.rater, found.probs) == ("q", "judge", {"A": 1.0})
    assert said("q", "j", 4.0, scale=ints("1-5", 1, 5)).label == "4"
    assert said("q", "j", 0.25, scale=line("0-1", 0, 1)).score == 0.25


def test_what_is_not_on_the_scale_is_undecided_and_never_a_tie() -> None:
    found = said("q", "j", "C")
    assert (found.code, found.label, found.reason) == ("unread", None, "unread: C is not on pair")
    assert said("q", "j", None, why="refused").code == "refused"
    assert said("q", "j", 7.0, scale=ints("1-5", 1, 5)).code == "unread"
    assert said("q", "j", "maybe", scale=YES_NO).code == "unread"


def test_orders_are_pooled_and_kept() -> None:
    found = in_orders(said("q", "j", "A"), said("q", "j", "B"))
    assert found.label == "tie"
    assert [part.marks["order"] for part in found.parts] == ["given", "swapped"]
    assert (found.case, found.rater) == ("q", "j")
    mean = in_orders(said("q", "j", "A"), said("q", "j", "B"), "mean")
    assert mean.scale == PAIR
    assert mean.score == 0.5
    assert not in_orders(said("q", "j", "A"), said("q", "j", None)).decided
