"""What other tools recorded, as runs: what is written, written again, refused, and brought back."""

from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evenhand.errors import Misuse
from evenhand.report.battles import read_battles
from evenhand.report.board import Asked as BoardAsked
from evenhand.report.board import board
from evenhand.report.card import Asked, judge_card
from evenhand.report.export import export
from evenhand.report.imported import Imported, imported
from evenhand.report.people import LabelFiles, people
from evenhand.report.source import rows_again
from evenhand.report.summary import summarise
from evenhand.report.workshop import workshop
from evenhand.store import Signed, Store, read_signed
from tests import benches_by_hand as by_hand
from tests.data import foreign_files as made

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


def signed(run: Path) -> list[Signed]:
    with contextlib.closing(Store(run, read=True)) as store:
        return list(read_signed(store))


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())  # type: ignore[no-any-return]


def alpaca(folder: Path, *more: dict[str, Any]) -> list[Imported]:
    path = made.value(folder / "annotations.json", [*made.ALPACA, *more])
    return imported("alpacaeval", [path], folder / "run", command="evenhand import …")


def test_one_judge_is_the_folder_itself(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path)
    assert (one.judge, one.run, one.labels_file) == ("gpt", tmp_path / "run", None)
    assert (one.cases, one.decided, one.undecided, one.skipped) == (4, 3, 1, 0)
    assert sorted(path.name for path in one.run.iterdir()) == ["run.json", "run.lock", "run.sqlite"]


def test_the_manifest_says_where_the_verdicts_come_from(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path)
    told = manifest(one.run)
    assert told["judge"]["name"] == "imported: gpt"
    assert told["models"] == []
    assert told["data"]["path"].endswith("annotations.json")
    assert told["counts"]["undecided_by"] == {"unread": 1}
    assert told["invocations"][0]["command"] == "evenhand import …"
    assert told["invocations"][0]["ended"]
    mine = told["imported"]
    assert mine["format"] == "alpacaeval"
    assert len(mine["files"][0]["sha256"]) == 64
    assert mine["source"]["source"] == "github.com/tatsu-lab/alpaca_eval"


def test_the_identity_is_of_format_judge_and_data(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    alpaca(tmp_path / "a")
    alpaca(tmp_path / "b")
    alpaca(tmp_path / "c", {**made.ALPACA[0], "instruction": "other"})
    a, b, c = (manifest(tmp_path / name / "run")["judge"]["identity"] for name in "abc")
    assert a == b != c


def test_several_judges_are_a_folder_each_and_share_their_cases(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    found = imported("verdicts", [path], tmp_path / "out")
    assert [(one.judge, one.run.name, one.cases) for one in found] == [
        ("j1", "j1", 2), ("j2", "j2", 1)
    ]  # fmt: skip
    assert {one.case for one in signed(found[1].run)} < {one.case for one in signed(found[0].run)}


def test_gold_goes_to_the_case_and_people_to_a_file_of_labels(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "clone_responses.jsonl", made.CJE)
    [one] = imported("cje", [path], tmp_path / "out")
    assert [row.label for row in signed(one.run)] == ["0.7", None]
    assert one.labels_file == tmp_path / "out/labels.csv"
    with one.labels_file.open(newline="") as handle:
        assert list(csv.DictReader(handle)) == [
            {"id": "clone/p1/0", "rater": "oracle", "label": "0.7"}
        ]  # fmt: skip
    assert people(one.run, LabelFiles([one.labels_file])).ids == {"clone/p1/0"}


def test_rows_that_cannot_be_used_are_kept_apart_and_counted_once(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path, {**made.ALPACA[1], "preference": 7, "output_1": None})
    assert (one.cases, one.skipped) == (4, 1)
    bad = [json.loads(line) for line in (one.run / "rejected.jsonl").read_text().splitlines()]
    assert {(row["row"], row["field"]) for row in bad} == {(5, "output_1"), (5, "preference")}
    assert summarise(one.run).json()["skipped"] == 1


def test_a_second_verdict_of_one_judge_on_one_case_is_no_verdict(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path, {**made.ALPACA[0], "preference": 2})
    assert (one.cases, one.skipped) == (4, 1)
    assert "judged" in (one.run / "rejected.jsonl").read_text()
    first = next(row for row in signed(one.run) if row.row == 1)
    assert first.verdict is not None
    assert first.verdict.probs["B"] == pytest.approx(0.1)


def test_a_second_label_of_one_person_on_one_case_is_no_label(tmp_path: Path) -> None:
    votes = [*made.BATTLES, *made.VOTES, {**made.VOTES[0], "winner": "model_b"}]
    [one] = imported("lmsys", [made.lines(tmp_path / "b.jsonl", votes)], tmp_path / "out")
    assert one.labels_file is not None
    assert one.labels_file.read_text().splitlines()[1:] == [
        "q1/m1/m2/1,expert_1,tie", "q1/m1/m2/1,expert_2,A"
    ]  # fmt: skip
    assert one.skipped == 1
    assert "expert_1 labelled" in (one.run / "rejected.jsonl").read_text()


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    [before] = alpaca(tmp_path)
    state = {path: path.read_bytes() for path in before.run.iterdir()}
    [after] = alpaca(tmp_path)
    assert after == before
    assert {path: path.read_bytes() for path in after.run.iterdir()} == state


def test_other_files_are_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path)
    state = {path: path.read_bytes() for path in one.run.iterdir()}
    with pytest.raises(Misuse, match="holds an import of other files"):
        alpaca(tmp_path, {**made.ALPACA[0], "instruction": "other"})
    assert {path: path.read_bytes() for path in one.run.iterdir()} == state


def test_a_run_of_another_judge_is_not_overwritten(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "run")) as store:
        store.describe({"judge": {"name": "mine"}})
    with pytest.raises(Misuse, match="holds another run"):
        alpaca(tmp_path)


def test_an_import_that_lost_a_folder_is_not_taken_for_whole(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    found = imported("verdicts", [path], tmp_path / "out")
    for inner in found[1].run.iterdir():
        inner.unlink()
    with pytest.raises(Misuse, match="lacks runs of this import: j2"):
        imported("verdicts", [path], tmp_path / "out")


def test_a_failed_import_leaves_nothing(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "b.jsonl", made.VOTES)
    with pytest.raises(Misuse, match="2 labels by people"):
        imported("lmsys", [path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_judges_whose_names_make_one_folder_get_two(tmp_path: Path) -> None:
    rows = [{"id": "a", "judge": name, "score": 1} for name in ("A/b", "a b", "../..")]
    found = imported("verdicts", [made.lines(tmp_path / "v.jsonl", rows)], tmp_path / "out")
    assert [one.run.name for one in found] == ["A-b", "a-b-2", "judge"]
    assert all(one.run.parent == tmp_path / "out" for one in found)


def test_people_taken_for_judges_are_stopped(tmp_path: Path) -> None:
    rows = [{"id": "a", "judge": f"p{n}", "score": 1} for n in range(301)]
    with pytest.raises(Misuse, match="more than 300 judges"):
        imported("verdicts", [made.lines(tmp_path / "v.jsonl", rows)], tmp_path / "out")


def test_summary_and_board_read_an_import_like_any_run(tmp_path: Path) -> None:
    [one] = imported("lmsys", [made.lines(tmp_path / "b.jsonl", made.BATTLES)], tmp_path / "out")
    summary = summarise(one.run)
    assert summary.win_rates["m1"].estimate == pytest.approx(0.75)
    assert summary.json()["calls"] == 0
    fought = read_battles([one.run])
    assert fought.battles.systems == ("m1", "m2", "m3")


def test_boards_do_not_take_missing_texts_for_equal_answers(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "mine.jsonl", made.ARENA_HARD)
    [one] = imported("arena-hard", [path], tmp_path / "out")
    fought = read_battles([one.run])
    assert any("hold no responses" in notice for notice in fought.notices)


def test_texts_are_read_again_from_the_files(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path)
    with contextlib.closing(Store(one.run, read=True)) as store:
        texts = [row.case.responses[1].text for row in rows_again(store, "pairwise", purpose="it")]
    assert texts == [row["output_2"] for row in made.ALPACA]


# ---- there and back ------------------------------------------------------------------------------


def same(one: Path, other: Path) -> None:
    a, b = signed(one), signed(other)
    assert [(row.case, row.cluster, row.systems, row.label) for row in a] == [
        (row.case, row.cluster, row.systems, row.label) for row in b
    ]
    assert [row.verdict for row in a] == [row.verdict for row in b]
    assert [row.verdict and row.verdict.probs for row in a] == [
        row.verdict and row.verdict.probs for row in b
    ]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_alpacaeval_rows_come_back_field_by_field(tmp_path: Path, ending: str) -> None:
    [one] = alpaca(tmp_path)
    back = tmp_path / f"back.{ending}"
    assert export(one.run, back, form="alpacaeval") == 4
    text = back.read_text()
    rows = json.loads(text) if ending == "json" else [json.loads(t) for t in text.splitlines()]
    assert rows == made.ALPACA
    [again] = imported("alpacaeval", [back], tmp_path / "again")
    same(one.run, again.run)


def test_lmsys_rows_come_back_field_by_field(tmp_path: Path) -> None:
    [one] = imported("lmsys", [made.lines(tmp_path / "b.jsonl", made.BATTLES)], tmp_path / "out")
    assert export(one.run, tmp_path / "back.json", form="lmsys") == 3
    assert json.loads((tmp_path / "back.json").read_text()) == made.BATTLES
    [again] = imported("lmsys", [tmp_path / "back.json"], tmp_path / "again")
    same(one.run, again.run)


def test_battles_without_conversations_come_back_too(tmp_path: Path) -> None:
    votes = [{**made.VOTES[0], "judge": f"arena_user_{n}", "question_id": f"q{n}"} for n in "ab"]
    [one] = imported("lmsys", [made.lines(tmp_path / "b.jsonl", votes)], tmp_path / "out")
    export(one.run, tmp_path / "back.jsonl", form="lmsys")
    back = [json.loads(line) for line in (tmp_path / "back.jsonl").read_text().splitlines()]
    assert back == votes
    again = imported("lmsys", [tmp_path / "back.jsonl"], tmp_path / "again")
    same(one.run, again[0].run)
    assert (tmp_path / "again/labels.csv").read_text() == (tmp_path / "out/labels.csv").read_text()


def test_battles_leave_conversations_out_when_the_file_is_gone(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "b.jsonl", made.BATTLES)
    [one] = imported("lmsys", [path], tmp_path / "out")
    path.unlink()
    told: list[str] = []
    assert export(one.run, tmp_path / "back.jsonl", form="lmsys", say=told.append) == 3
    assert told
    assert told[0].startswith("conversations are left out")


def test_alpacaeval_without_its_texts_is_refused(tmp_path: Path) -> None:
    [one] = alpaca(tmp_path)
    (tmp_path / "annotations.json").unlink()
    with pytest.raises(Misuse, match=r"annotations\.json"):
        export(one.run, tmp_path / "back.json", form="alpacaeval")


def test_a_benchmark_exports_to_both_and_comes_back_with_the_same_shares(tmp_path: Path) -> None:
    rows = [
        {"pair_id": f"p{n}", "source": "livebench-math", "question": f"q{n}", "response_A": f"a{n}",
         "response_B": f"b{n}", "label": "A>B"}
        for n in range(3)
    ]  # fmt: skip
    games = [
        {"pair_id": f"p{n}", "judgments": [{"decision": d} for d in both]}
        for n, both in enumerate((("A>B", "B>A"), ("A>B", "A>B"), ("B>A", "B>A")))
    ]
    made.lines(tmp_path / "pairs_mine.jsonl", rows)
    made.lines(tmp_path / "judgments_j_on_mine.jsonl", games)
    [one] = imported("judgebench", [tmp_path], tmp_path / "out")
    assert [row.label for row in signed(one.run)] == ["A", "A", "A"]
    export(one.run, tmp_path / "a.json", form="alpacaeval")
    [again] = imported("alpacaeval", [tmp_path / "a.json"], tmp_path / "again")
    shares = [[r.verdict.score for r in signed(run) if r.verdict] for run in (one.run, again.run)]
    assert shares[0] == shares[1]
    export(one.run, tmp_path / "b.json", form="lmsys")
    winners = [row["winner"] for row in json.loads((tmp_path / "b.json").read_text())]
    assert winners == ["model_a", "tie", "tie"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"form": "csv"}, "--as csv"),
        ({"form": "lmsys", "calls": True}, "exclude each other"),
    ],
)
def test_export_refuses_what_it_cannot_write(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    [one] = alpaca(tmp_path)
    with pytest.raises(Misuse, match=words):
        export(one.run, tmp_path / "back.json", **options)


def test_grades_are_no_pairs(tmp_path: Path) -> None:
    [one] = imported("mt-bench", [made.lines(tmp_path / "s.jsonl", made.SINGLE)], tmp_path / "out")
    with pytest.raises(Misuse, match="holds no pairs"):
        export(one.run, tmp_path / "back.json", form="lmsys")


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not there")
def test_recorded_judges_of_a_benchmark_become_runs(tmp_path: Path) -> None:
    found = imported("judgebench", [SHARED / "judgebench"], tmp_path / "out")
    assert [one.cases for one in found] == [350] * len(found)
    agreement = summarise(found[0].run).agreement
    assert agreement is not None
    assert all((one.run / "run.sqlite").exists() for one in found)


def test_where_a_source_names_nobody_its_gold_is_the_labels_to_trust_by(tmp_path: Path) -> None:
    folder = by_hand.judgebench(tmp_path)
    by_hand.judgments(folder, "echo", [("A>B", "B>A") if at % 3 == 0 else ("B>A", "A>B")
                                       for at in range(24)])  # fmt: skip
    [one] = imported("judgebench", [folder], tmp_path / "run")
    assert one.labels_file is not None
    with one.labels_file.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["rater"] for row in rows} == {"gold (objective)"}
    assert [row["label"] for row in rows[:3]] == ["A", "B", "B"]
    card = judge_card(one.run, [one.labels_file], Asked("compare"))
    assert card.agreement["accuracy (strict)"].estimate == 1.0


@pytest.mark.slow
def test_an_import_of_alpacaeval_flags_the_null_model_and_no_other(tmp_path: Path) -> None:
    """Its one length in 805 answers; the figure of 76.92 % is that of the leaderboard."""
    if not (SHARED / "alpacaeval").exists():
        pytest.skip(f"the shared data is not here: {SHARED}")
    [one] = imported("alpaca-eval", [SHARED / "alpacaeval"], tmp_path / "run")
    made = board(read_battles([one.run]), BoardAsked())
    assert made.constant == ("NullModel",)
    assert any("NullModel gave answers of one length" in text for text in made.warnings)
    first = made.whole.rows[0]
    assert (first.system, round(100 * first.win_rate.estimate, 2)) == ("NullModel", 76.92)


def test_a_label_that_stands_beside_each_judge_counts_once_and_is_no_fault(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "judge": name, "score": 1, "human_label": "1", "human": "Ann"}
        for name in ("j1", "j2")
    ]
    one, _ = imported("verdicts", [made.lines(tmp_path / "v.jsonl", rows)], tmp_path / "out")
    assert one.labels_file is not None
    assert one.labels_file.read_text().splitlines()[1:] == ["a,Ann,1"]
    assert one.skipped == 0


def test_a_judge_called_like_a_file_of_the_import_gets_a_folder(tmp_path: Path) -> None:
    names = ("labels.csv", "run.json", "Run.SQLite")
    rows = [{"id": "a", "judge": name, "score": 1, "human_label": "1"} for name in names]
    path = made.lines(tmp_path / "v.jsonl", rows)
    found = imported("verdicts", [path], tmp_path / "out")
    assert [one.run.name for one in found] == ["labels.csv-2", "run.json-2", "Run.SQLite-2"]
    assert imported("verdicts", [path], tmp_path / "out") == found


def test_a_second_import_at_once_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    with workshop(tmp_path / "out") as place:
        (place / "mine").mkdir()
        with pytest.raises(Misuse, match="another import"):
            imported("verdicts", [path], tmp_path / "out")
        assert (place / "mine").is_dir()
    assert not (tmp_path / "out").exists()


def test_what_a_killed_import_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "out/.import/j1").mkdir(parents=True)
    (tmp_path / "out/.import/rejected.jsonl").write_text("{}\n")
    path = made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    imported("verdicts", [path], tmp_path / "out")
    there = sorted(one.name for one in (tmp_path / "out").iterdir())
    assert ".import" not in there
    assert "rejected.jsonl" not in there


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "v.jsonl", made.VERDICTS)
    with pytest.raises(Misuse, match="cannot be written"):
        imported("verdicts", [path], path / "out")


def test_lone_surrogates_leave_as_escapes_in_battles(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "\ud83d?"}, {"role": "assistant", "content": "a"}]
    battle = {**made.BATTLES[0], "conversation_a": turns, "conversation_b": turns}
    path = made.value(tmp_path / "b.json", [battle])
    [one] = imported("lmsys", [path], tmp_path / "run")
    export(one.run, tmp_path / "back.json", form="lmsys")
    [row] = json.loads((tmp_path / "back.json").read_text("utf-8"))
    assert row["conversation_a"][0]["content"] == "\\ud83d?"
