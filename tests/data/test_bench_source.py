"""'bench:NAME@DIR' as data: the cases of a public benchmark for any judge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenhand.data import open_data
from evenhand.data.rows import Bad
from evenhand.errors import DataError, Misuse
from tests import benches_by_hand as made
from tests.commands import Command, evenhand

__all__ = ["evenhand"]
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
JUDGES = Path(__file__).parents[1] / "judges_by_hand.py"


def test_cases_come_with_gold_group_and_cluster(tmp_path: Path) -> None:
    table = open_data(f"bench:judgebench@{made.judgebench(tmp_path, 6)}")
    rows = list(table)
    assert (table.name, table.count, len(rows)) == ("judgebench", 6, 6)
    assert [row.label for row in rows] == ["A", "B", "B"] * 2
    assert rows[0].case.group == "math"
    assert table.path == f"bench:judgebench@{tmp_path}"
    assert rows == list(table)  # read anew


def test_the_hash_is_that_of_the_files(tmp_path: Path) -> None:
    folder = made.judgebench(tmp_path, 6)
    before = open_data(f"bench:judgebench@{folder}").sha256
    path = folder / "judgebench/pairs_mine.jsonl"
    path.write_text(path.read_text().replace("question 1", "question one"))
    assert open_data(f"bench:judgebench@{folder}").sha256 != before


def test_a_file_may_be_named_too(tmp_path: Path) -> None:
    folder = made.judgebench(tmp_path, 6)
    assert open_data(f"bench:judgebench@{folder}/judgebench/pairs_mine.jsonl").count == 6


def test_a_changed_file_is_a_notice(tmp_path: Path) -> None:
    table = open_data(f"bench:llmbar@{made.llmbar(tmp_path)}")
    assert table.notices == ("datasets.jsonl.gz is not the known file: its hash differs",)


def test_a_bad_row_stops_or_is_handed_over(tmp_path: Path) -> None:
    folder = made.judgebench(tmp_path, 6)
    path = folder / "judgebench/pairs_mine.jsonl"
    path.write_text(path.read_text().replace('"B>A"', '"C"', 1))
    with pytest.raises(DataError) as error:
        list(open_data(f"bench:judgebench@{folder}"))
    assert (error.value.row, error.value.field) == (2, "label")
    bad: list[Bad] = []
    assert len(list(open_data(f"bench:judgebench@{folder}", on_bad=bad.append))) == 5
    assert [one.row for one in bad] == [2]


@pytest.mark.parametrize(
    ("named", "told"),
    [("bench:judgebnch@.", "near: judgebench"), ("bench:judgebench@nowhere", "pairs_")],
)
def test_what_is_not_there_is_refused(named: str, told: str) -> None:
    with pytest.raises(Misuse) as error:
        open_data(named)
    assert told in str(error.value)


def test_a_judge_judges_a_benchmark(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data", 12)
    words = ("judge", "bench:judgebench@data", "--out", "run", "--judge", f"{JUDGES}:Knows")
    ended = evenhand(*words, "--json")
    assert ended.code == 0
    assert ended.json["cases"] == 12
    assert ended.json["agreement"]["strict"]["estimate"] == 1.0
    again = evenhand(*words, "--json")
    assert again.json["cases"] == 12
    prefer = evenhand("export", "run", "--to", "p.jsonl", "--preferences", "--json")
    assert prefer.json["rows"] == 12  # the texts are read again from the benchmark
    first = json.loads((tmp_path / "p.jsonl").read_text().splitlines()[0])
    assert first["chosen"] == "right"


def test_a_run_refuses_a_benchmark_whose_files_changed(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data", 12)
    words = ("judge", "bench:judgebench@data", "--out", "run", "--judge", f"{JUDGES}:Knows")
    evenhand(*words)
    path = tmp_path / "data/judgebench/pairs_mine.jsonl"
    path.write_text(path.read_text().replace("question 1", "question one"))
    ended = evenhand(*words, "--json")
    assert ended.code == 2
    assert "was made from other data" in ended.error["message"]


def test_a_judge_of_one_response_sees_both_of_a_pair(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data", 6)
    ended = evenhand("judge", "bench:judgebench@data", "--out", "run", "--judge", "exact", "--json")
    assert ended.json["cases"] == 12
    assert ended.json["undecided_by"] == {"empty": 12}  # no reference, so nothing to equal


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not there")
def test_evalbiasbench_is_judged_as_it_is(evenhand: Command) -> None:
    ended = evenhand(
        "judge", f"bench:evalbiasbench@{SHARED}", "--judge", f"{JUDGES}:First", "--out", "run",
        "--json",
    )  # fmt: skip
    assert ended.code == 0
    assert ended.json["cases"] == ended.json["decided"] == 80
