from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand import Completion, Misuse, Request
from evenhand.models.replay import Replay
from evenhand.models.scripted import Scripted
from evenhand.report.export import export
from evenhand.store import Store, read_calls
from tests.report.made import better, case, rating

PAIRS = [
    {"id": "a", "prompt": "ask a", "output_1": "1", "output_2": "2", "winner": "model_b"},
    {"id": "b", "prompt": "ask b", "output_1": "9", "output_2": "2", "winner": "model_b"},
    {"id": "c", "prompt": "ask c", "output_1": "5", "output_2": "5", "winner": "tie"},
]


def made(
    folder: Path, answer: Any = better, judge: str = "mt-bench-pair", data: Any = PAIRS
) -> Any:
    return evenhand.judge(data, judge, Scripted("m", answer), out=folder)


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# ---- verdicts --------------------------------------------------------------------------------


def test_jsonl_holds_the_rows_of_the_table(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    assert export(run.folder, tmp_path / "new" / "rows.jsonl") == 3
    assert lines(tmp_path / "new" / "rows.jsonl") == run.table()


def test_csv_holds_them_as_text(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        return 'odd, "quoted"\nreply' if "ask b" in request.messages[-1].text else better(request)

    run = made(tmp_path / "run", answer)
    export(run.folder, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["label"] for row in found] == ["B", "", "tie"]
    assert [row["state"] for row in found] == ["decided", "undecided", "decided"]
    assert found[1]["reason"] == run.table()[1]["reason"]
    assert json.loads(found[0]["scores"]) == [0.0, 1.0]
    assert json.loads(found[0]["probs"]) == {"B": 1.0}


def test_parquet_holds_the_rows_of_the_table(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run = made(tmp_path / "run")
    export(run.folder, tmp_path / "rows.parquet")
    assert parquet.read_table(tmp_path / "rows.parquet").to_pylist() == run.table()


def test_an_ending_that_is_not_known_is_told_with_those_that_are(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    with pytest.raises(Misuse, match=r"cannot export to 'rows\.xlsx'") as raised:
        export(run.folder, tmp_path / "rows.xlsx")
    assert ".parquet" in raised.value.expected
    assert not (tmp_path / "rows.xlsx").exists()


# ---- calls -----------------------------------------------------------------------------------


def priced(request: Request) -> Completion:
    tops = ({"A": -0.5, "B": -1.0},)
    return Completion(better(request), tops, tokens_in=70, tokens_out=3, usd=0.25, seconds=1.5)


def test_a_recording_played_back_gives_the_same_verdicts_at_no_price(tmp_path: Path) -> None:
    first = made(tmp_path / "first", priced)
    assert export(first.folder, tmp_path / "calls.jsonl", calls=True) == 5  # c is equal both ways
    again = evenhand.judge(
        PAIRS, "mt-bench-pair", f"replay:{tmp_path / 'calls.jsonl'}", out=tmp_path / "again"
    )
    volatile = {"seconds": 0}
    assert [{**r, **volatile} for r in again.table()] == [{**r, **volatile} for r in first.table()]
    assert first.manifest["counts"]["usd"] == pytest.approx(1.25)
    assert again.manifest["counts"]["usd"] == 0
    assert again.manifest["counts"]["tokens"] == first.manifest["counts"]["tokens"]


def test_a_recording_keeps_every_field_of_a_call(tmp_path: Path) -> None:
    run = made(tmp_path / "run", priced, data=PAIRS[:1])
    export(run.folder, tmp_path / "calls.jsonl", calls=True)
    with contextlib.closing(Store(run.folder, read=True)) as store:
        calls = list(read_calls(store))
    found = lines(tmp_path / "calls.jsonl")
    for line, call in zip(found, calls, strict=True):
        assert line["model"]["name"] == "m"
        assert line["request"] == call.request
        assert line["completion"]["tops"] == [{"A": -0.5, "B": -1.0}]
        assert line["completion"]["text"] == call.completion.text
    assert Replay(str(tmp_path / "calls.jsonl")).name == "m"


def test_a_recording_is_jsonl_and_nothing_else(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    with pytest.raises(Misuse, match="JSONL") as raised:
        export(run.folder, tmp_path / "calls.csv", calls=True)
    assert "calls.jsonl" in raised.value.do


# ---- preferences -----------------------------------------------------------------------------


def written(folder: Path, data: list[dict[str, Any]]) -> Path:
    file = folder / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in data), encoding="utf-8")
    return file


def test_preference_rows_hold_the_winner_first_and_leave_ties_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, PAIRS)
    made(tmp_path / "run", data="pairs.jsonl")
    assert export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True) == 2
    assert lines(tmp_path / "trl.jsonl") == [
        {"prompt": "ask a", "chosen": "2", "rejected": "1", "confidence": 1.0},
        {"prompt": "ask b", "chosen": "9", "rejected": "2", "confidence": 1.0},
    ]


def test_conversations_become_conversational_preference_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"},
             {"role": "user", "content": "1 or 2? \ud800"}]  # fmt: skip
    written(tmp_path, [{"id": "q", "prompt": turns, "output_1": "1", "output_2": "2"}])
    made(tmp_path / "run", data="pairs.jsonl")
    export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True)
    (row,) = lines(tmp_path / "trl.jsonl")
    assert [turn["role"] for turn in row["prompt"]] == ["user", "assistant", "user"]
    assert row["prompt"][2]["content"] == r"1 or 2? \ud800"
    assert row["chosen"] == [{"role": "assistant", "content": "2"}]


def test_a_changed_file_is_refused_and_the_old_export_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, PAIRS)
    made(tmp_path / "run", data="pairs.jsonl")
    (tmp_path / "trl.jsonl").write_text("old")
    file.write_text(file.read_text().replace("9", "8"))
    with pytest.raises(Misuse, match="is not the file that") as raised:
        export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True)
    assert "sha256" in raised.value.expected
    file.unlink()
    with pytest.raises(Misuse, match="are not at"):
        export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True)
    assert (tmp_path / "trl.jsonl").read_text() == "old"


def test_rows_that_were_left_out_of_the_run_stay_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, [*PAIRS, {"id": "d", "prompt": "ask", "output_1": 3, "output_2": "4"}])
    evenhand.judge(
        "pairs.jsonl", "mt-bench-pair", Scripted("m", better), out=tmp_path / "run", skip_bad=True
    )
    assert export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True) == 2


def test_a_run_without_pairs_has_no_preferences(tmp_path: Path) -> None:
    made(tmp_path / "run", rating, "mt-bench-single", [case("q", "7")])
    with pytest.raises(Misuse, match="no decided pair"):
        export(tmp_path / "run", tmp_path / "trl.jsonl", preferences=True)
    assert not (tmp_path / "trl.jsonl").exists()
