"""Probabilities of labelled cases, in label files and in keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenhand.data.raters import Labels, merged, read_labels
from evenhand.errors import DataError, Misuse


def read(folder: Path, name: str, *lines: str, **more: dict[str, str]) -> Labels:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_labels(file, **more)


HEAD = "id,rater,label,probability"


def test_a_column_of_probabilities_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", HEAD, "q1,a,1,0.25", "q1,b,0,0.25", "q2,a,,", "q3,a,1,1")
    assert found.chances == {"q1": 0.25, "q3": 1.0}
    wide = read(tmp_path, "b.csv", "id,anna,ben,probability", "q1,1,0,0.5",
                columns={"rater": "anna+ben"})  # fmt: skip
    assert wide.chances == {"q1": 0.5}
    named = read(tmp_path, "c.csv", "id,label,pi", "q1,1,0.5", columns={"probability": "pi"})
    assert named.chances == {"q1": 0.5}
    assert read(tmp_path, "d.csv", "id,label", "q1,1").chances == {}
    assert read(tmp_path, "e.csv", "id,label,probability", "q1,1,").chances == {}


@pytest.mark.parametrize(
    ("lines", "row", "told"),
    [
        (["q1,a,1,0.5", "q2,a,1,0"], 2, "'0' is no probability"),
        (["q1,a,1,1.5"], 1, "'1.5' is no probability"),
        (["q1,a,1,high"], 1, "'high' is no probability"),
        (["q1,a,1,nan"], 1, "'nan' is no probability"),
        (["q1,a,1,0.5", "q1,b,1,0.4"], 2, "has the probability 0.4, and 0.5 before"),
        (["q1,a,1,0.5", "q2,a,1,"], 2, "'q2' has a label and no probability"),
    ],
)
def test_probabilities_that_cannot_be_used_are_refused_with_the_row(
    tmp_path: Path, lines: list[str], row: int, told: str
) -> None:
    with pytest.raises(DataError, match=told) as raised:
        read(tmp_path, "a.csv", HEAD, *lines)
    assert (raised.value.row, raised.value.field) == (row, "probability")
    assert raised.value.file.endswith("a.csv")


def test_files_of_one_plan_become_one(tmp_path: Path) -> None:
    one = read(tmp_path, "a.csv", HEAD, "q1,a,1,0.5", "q2,a,1,0.25")
    two = read(tmp_path, "b.csv", HEAD, "q2,b,0,0.25")
    bare = read(tmp_path, "c.csv", "id,rater,label", "q1,judge,1")
    found = merged({"a.csv": one, "b.csv": two, "c.csv": bare})
    assert found.chances == {"q1": 0.5, "q2": 0.25}
    assert (
        merged({"c.csv": bare, "d.csv": read(tmp_path, "d.csv", "id,label", "q9,1")}).chances == {}
    )


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["id,rater,label,probability", "q1,b,1,0.5", "q2,b,0,0.3"], "0.3, and 0.25 in a.csv"),
        (["id,rater,label,probability", "q1,b,1,0.5", "q7,b,0,0.3"], "not in the plan of a.csv"),
        (["id,rater,label", "q1,b,1", "q7,b,0"], "'q7' has a label and no probability"),
    ],
)
def test_files_of_different_plans_do_not_mix(tmp_path: Path, lines: list[str], told: str) -> None:
    one = read(tmp_path, "a.csv", HEAD, "q1,a,1,0.5", "q2,a,1,0.25", "q3,a,1,0.25")
    two = read(tmp_path, "b.csv", *lines)
    for files in ({"a.csv": one, "b.csv": two}, {"b.csv": two, "a.csv": one}):
        with pytest.raises(DataError, match=told) as raised:
            merged(files)
        assert (raised.value.file, raised.value.row) == ("b.csv", 2)


def test_a_rater_that_comes_twice_is_named_with_the_row(tmp_path: Path) -> None:
    one = read(tmp_path, "a.csv", HEAD, "q1,a,1,0.5")
    two = read(tmp_path, "b.csv", HEAD, "q2,a,1,0.5", "q1,a,1,0.5")
    with pytest.raises(DataError, match=r"in a\.csv already") as raised:
        merged({"a.csv": one, "b.csv": two})
    assert raised.value.row == 2


@pytest.mark.parametrize("chances", [{"q9": 0.5}, {"q1": 0.0}, {"q1": "x"}, [1]])
def test_a_key_with_probabilities_that_cannot_be_is_refused(
    tmp_path: Path, chances: object
) -> None:
    key = {"pairs": False, "words": {"1": "1"}, "span": None, "chances": chances,
           "items": {"i1": {"case": "q1", "rater": "a"}}}  # fmt: skip
    (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
    with pytest.raises(DataError, match="not a key of labelling sheets"):
        read(tmp_path, "s.csv", "item,rater,label", "i1,a,1")
    key["chances"] = {"q1": 0.125}
    (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
    assert read(tmp_path, "s.csv", "item,rater,label", "i1,a,1").chances == {"q1": 0.125}


def test_two_columns_hold_no_probability(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="a probability stands in one column"):
        read(tmp_path, "a.csv", "id,label,p,q", "q1,1,1,1", columns={"probability": "p+q"})
