"""Ids differ, or it is said; rows about one prompt are one cluster."""

import json

import pytest

from evenhand.data import Bad, open_data
from evenhand.errors import DataError
from evenhand.records import Case


def written(folder, rows):
    path = folder / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("ids", [["a", "b", "a"], [1, 2, "1"]])
def test_an_id_that_repeats_names_both_rows(tmp_path, ids):
    rows = [{"id": i, "prompt": "p", "response": "r"} for i in ids]
    path = written(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        open_data(path, on_bad=lambda bad: None)
    error = caught.value
    assert (error.row, error.field) == (3, "id")
    assert error.happened == f"the id '{ids[0]}' of row 1 stands here again"
    assert "--map id=" in error.do


def test_a_mapped_id_that_repeats_is_an_error_and_a_joined_one_is_not(tmp_path):
    rows = [{"set": s, "idx": i, "prompt": "p"} for s in "ab" for i in (0, 1)]
    path = written(tmp_path, rows)
    with pytest.raises(DataError, match=r"x\.jsonl:3 field .id.: the id .0. of row 1"):
        open_data(path, columns={"id": "idx"})
    found = open_data(path, columns={"id": "set+idx"})
    assert [row.case.id for row in found] == ["a/0", "a/1", "b/0", "b/1"]


def test_a_known_name_that_repeats_becomes_the_cluster(tmp_path):
    rows = [{"question_id": i // 2, "prompt": "p", "response": "r"} for i in range(4)]
    opened = open_data(written(tmp_path, rows))
    assert [row.case.id for row in opened] == [f"x.jsonl:{i}" for i in (1, 2, 3, 4)]
    assert [row.cluster for row in opened] == ["0", "0", "1", "1"]
    assert opened.notices == (
        "column 'question_id' repeats (rows 1 and 2): ids are file and row number",
    )
    assert (opened.taken.get("id"), opened.taken["cluster"]) == (None, "question_id")


def test_a_prompt_id_beside_an_id_is_the_cluster():
    rows = [{"id": i, "prompt_id": "p", "prompt": "p", "response": "r"} for i in range(2)]
    opened = open_data(rows)
    assert [(row.case.id, row.cluster) for row in opened] == [("0", "p"), ("1", "p")]


def test_a_known_name_that_some_rows_lack_is_given_up():
    rows = [{"uid": 1, "prompt": "p"}, {"prompt": "q"}]
    opened = open_data(rows)
    assert [row.case.id for row in opened] == ["rows:1", "rows:2"]
    assert "is missing in some rows" in opened.notices[0]


def test_a_missing_id_is_a_bad_row():
    rows = [{"id": 1, "prompt": "p"}, {"id": None, "prompt": "q"}, {"prompt": "r"}]
    with pytest.raises(DataError) as caught:
        open_data(rows)
    assert (caught.value.row, caught.value.field) == (2, "id")
    bad: list[Bad] = []
    assert len(list(open_data(rows, on_bad=bad.append))) == 1
    assert [one.found for one in bad] == ["nothing (null)", "column 'id' is missing"]


def test_repeated_cases_are_an_error():
    with pytest.raises(DataError, match="the id 'c' of row 1"):
        open_data([Case.of("c", "p", "r"), Case.of("c", "p", "s")])
