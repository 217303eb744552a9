"""`evenhand import`: what was recorded elsewhere is shown, trusted, ranked and exported at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Command, evenhand
from tests.data import foreign_files as made

__all__ = ["evenhand"]


def test_without_arguments_the_formats_are_listed(evenhand: Command) -> None:
    ended = evenhand("import")
    assert ended.code == 0
    for name in ("alpacaeval", "lmsys", "inspect", "verdicts", "judgebench"):
        assert name in ended.out


def test_the_list_is_one_json_value(evenhand: Command) -> None:
    rows = {(row["format"], row["kind"]): row for row in evenhand("import", "--json").json}
    assert rows["alpacaeval", "format"]["status"] == "verified"
    assert rows["lmsys", "format"]["status"] == "unverified"
    assert ("judgebench", "benchmark") in rows


def test_an_import_is_shown_trusted_ranked_and_exported(evenhand: Command, tmp_path: Path) -> None:
    rows = [
        {"id": f"{system}/{n}", "prompt_id": n, "judge": "j", "system": system,
         "score": (n + at) % 5 / 4, "human_label": (n + at) % 5 / 4, "response": f"{system} {n}"}
        for at, system in enumerate(("s1", "s2")) for n in range(40)
    ]  # fmt: skip
    made.lines(tmp_path / "v.jsonl", rows)
    ended = evenhand("import", "verdicts", "v.jsonl", "--out", "run")
    assert ended.code == 0
    assert "evenhand trust run --labels run/labels.csv" in ended.out
    shown = evenhand("show", "run", "--json").json
    assert (shown["cases"], shown["judge"]["name"]) == (80, "imported: j")
    assert set(shown["scores"]) == {"s1", "s2"}
    trust = evenhand("trust", "run", "--labels", "run/labels.csv", "--claim", "level", "--json")
    assert trust.code in (0, 3)
    assert trust.json["claim"] == "level"
    board = evenhand("rank", "run", "--json")
    assert {row["system"] for row in board.json["board"]} == {"s1", "s2"}
    exported = evenhand("export", "run", "--to", "v.csv", "--json").json
    assert exported == {"run": "run", "to": "v.csv", "rows": 80}
    assert evenhand("show", "run", "--case", "s1/0").code == 0


def test_two_imported_judges_are_compared(evenhand: Command, tmp_path: Path) -> None:
    made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    runs = evenhand("import", "verdicts", "v.jsonl", "--out", "o", "--json").json["runs"]
    assert [run["judge"] for run in runs] == ["j1", "j2"]
    ended = evenhand("compare", *(run["run"] for run in runs), "--json")
    assert ended.code == 0
    assert ended.json


def test_unreadable_rows_and_unverified_formats_are_said(evenhand: Command, tmp_path: Path) -> None:
    made.lines(tmp_path / "b.jsonl", made.BATTLES, "{broken")
    ended = evenhand("import", "lmsys", "b.jsonl", "--out", "run")
    assert "1 rows could not be used: run/rejected.jsonl" in ended.out
    assert "! unverified" in ended.out


def test_alpacaeval_goes_out_and_in(evenhand: Command, tmp_path: Path) -> None:
    made.value(tmp_path / "annotations.json", made.ALPACA)
    assert evenhand("import", "alpacaeval", "annotations.json").code == 0
    ended = evenhand(
        "export", "runs/alpacaeval-annotations", "--to", "b.json", "--as", "alpacaeval"
    )
    assert ended.out == "4 rows written to b.json\n"
    assert json.loads((tmp_path / "b.json").read_text()) == made.ALPACA


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import", "alpacaevl", "a.json"), "near: alpaca-eval"),
        (("import", "alpacaeval"), "no file of 'alpacaeval' is given"),
        (("import", "alpacaeval", "gone.json"), "there is no file"),
        (("import", "evalbiasbench", "."), "evalbiasbench"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    evenhand: Command, words: tuple[str, ...], told: str
) -> None:
    ended = evenhand(*words, "--json")
    assert ended.code == 2
    assert told in ended.error["message"]


def test_a_renamed_column_stops_with_file_row_and_column(evenhand: Command, tmp_path: Path) -> None:
    made.lines(tmp_path / "a.jsonl", [{**made.ALPACA[0], "preference": 1}])
    text = (tmp_path / "a.jsonl").read_text().replace('"preference"', '"preferences"')
    (tmp_path / "a.jsonl").write_text(text)
    error = evenhand("import", "alpacaeval", "a.jsonl", "--out", "run", "--json").error
    assert error["kind"] == "DataError"
    assert "a.jsonl:1 field 'preference'" in error["message"]


def test_other_files_into_the_same_folder_are_refused(evenhand: Command, tmp_path: Path) -> None:
    made.value(tmp_path / "a.json", made.ALPACA)
    made.value(tmp_path / "b.json", made.ALPACA[:2])
    evenhand("import", "alpacaeval", "a.json", "--out", "run")
    again = evenhand("import", "alpacaeval", "a.json", "--out", "run", "--json")
    assert again.json["runs"][0]["cases"] == 4
    ended = evenhand("import", "alpacaeval", "b.json", "--out", "run", "--json")
    assert ended.code == 2
    assert "import of other files" in ended.error["message"]


def test_a_pairwise_run_continues_only_with_a_judge(evenhand: Command, tmp_path: Path) -> None:
    made.lines(tmp_path / "b.jsonl", made.BATTLES)
    evenhand("import", "lmsys", "b.jsonl", "--out", "run")
    ended = evenhand("rank", "run", "--continue", "3", "--json")
    assert ended.code == 2
    assert ended.error["message"]
