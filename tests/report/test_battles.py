from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evenhand
from evenhand import Request
from evenhand.errors import DataError, Misuse
from evenhand.models.scripted import Scripted
from evenhand.report.battles import read_battles
from evenhand.report.fought import Fought
from evenhand.report.style import counted, set_off
from tests.commands import write_rows
from tests.report.made import better, case, rating

CSV = "model_a,model_b,winner,question_id\n"


def table(folder: Path, text: str, **asked: Any) -> Fought:
    file = folder / "battles.csv"
    file.write_text(text, encoding="utf-8")
    return read_battles([file], **asked)


def told(fought: Fought) -> list[tuple[str, str, float]]:
    """Each battle from the side of the name that stands first in the alphabet."""
    battles, found = fought.battles, []
    rows = zip(battles.a.tolist(), battles.b.tolist(), battles.outcome.tolist(), strict=True)
    for a, b, share in rows:
        one, other = battles.systems[a], battles.systems[b]
        found.append((one, other, share) if one < other else (other, one, 1 - share))
    return found


def pairs(n: int = 4) -> list[evenhand.Case]:
    return [case(f"q{i}", f"{i % 3}", "1", systems=("new", "old")) for i in range(n)]


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("model_a", 1.0), ("model_b", 0.0), ("tie", 0.5), ("tie (bothbad)", 0.5),
        ("tie_both_bad", 0.5), ("A", 1.0), ("b", 0.0), ("[[C]]", 0.5), ("x", 1.0), ("y", 0.0),
        ("A>B", 1.0), ("B>>A", 0.0), ("A=B", 0.5),
    ],
)  # fmt: skip
def test_a_winner_may_be_written_in_the_field_s_ways(
    tmp_path: Path, written: str, share: float
) -> None:
    fought = table(tmp_path, f"{CSV}x,y,{written},q1\n")
    assert fought.battles.outcome.tolist() == [share]


def test_an_empty_winner_is_undecided_and_no_tie(tmp_path: Path) -> None:
    fought = table(tmp_path, f"{CSV}x,y,,q1\nx,y,undecided,q2\nx,y,A,q3\n")
    assert np.isnan(fought.battles.outcome[:2]).all()
    assert fought.battles.outcome[2] == 1


def test_grades_count_as_graded_wins_once_the_file_has_double_ones(tmp_path: Path) -> None:
    rows = "".join(f"x,y,{grade},q{i}\n" for i, grade in enumerate(("A>>B", "A>B", "A=B", "B>A")))
    assert table(tmp_path, CSV + rows).battles.outcome.tolist() == [1.0, 0.75, 0.5, 0.25]


def test_a_share_and_weights_are_read(tmp_path: Path) -> None:
    fought = table(tmp_path, "model_a,model_b,share,weight\nx,y,0.8,2\ny,x,0.5,1\nx,y,,1\n")
    assert fought.battles.outcome[:2].tolist() == [0.8, 0.5]
    assert math.isnan(fought.battles.outcome[2])
    assert fought.battles.weights.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "field", "found", "expected"),
    [
        (f"{CSV}x,y,A,q1\nx,y,perhaps,q2\n", "winner", "perhaps", "model_a"),
        (f"{CSV}x,y,A,q1\n,y,A,q2\n", "model_a", "nothing|text", "a name"),
        ("model_a,model_b,share\nx,y,0.5\nx,y,1.4\n", "share", "1.4", "from 0 to 1"),
        ("model_a,model_b,winner,weight\nx,y,A,1\nx,y,A,-2\n", "weight", "-2", "at least 0"),
    ],
)
def test_a_bad_row_is_named_with_file_row_and_field(
    tmp_path: Path, text: str, field: str, found: str, expected: str
) -> None:
    with pytest.raises(DataError) as raised:
        table(tmp_path, text)
    assert (raised.value.row, raised.value.field) == (2, field)
    assert raised.value.file.endswith("battles.csv")
    assert any(one in raised.value.happened for one in found.split("|"))
    assert expected in raised.value.expected


def test_a_file_without_systems_or_outcome_says_which_column_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="model_a and model_b"):
        table(tmp_path, "one,two,winner\nx,y,A\n")
    with pytest.raises(DataError, match="winner, share or score"):
        table(tmp_path, "model_a,model_b\nx,y\n")
    with pytest.raises(DataError, match="colour"):
        table(tmp_path, f"{CSV}x,y,A,q1\n", by="colour")


def test_rows_of_one_question_are_one_cluster_and_the_column_can_be_named(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,question_id,user\nx,y,A,q1,u1\nx,y,B,q1,u2\nx,y,A,q2,u2\n"
    assert table(tmp_path, text).battles.clusters.tolist() == [0, 0, 1]
    assert table(tmp_path, text, cluster="user").battles.clusters.tolist() == [0, 1, 1]
    none = table(tmp_path, "model_a,model_b,winner\nx,y,A\nx,y,B\n")
    assert none.battles.clusters.tolist() == [0, 1]
    assert any("says nothing of prompts" in text for text in none.notices)


def test_judges_and_slices_are_columns(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,judge,topic\nx,y,A,gpt-4,maths\ny,x,A,eva,law\n"
    fought = table(tmp_path, text, by="topic")
    assert [one["name"] for one in fought.judges] == ["gpt-4", "eva"]
    assert fought.slice("law").battles.a.size == 1


def test_a_system_against_itself_is_left_out_and_counted(tmp_path: Path) -> None:
    fought = table(tmp_path, f"{CSV}x,x,A,q1\nx,y,A,q2\n")
    assert fought.battles.a.size == 1
    assert any("against itself" in text for text in fought.notices)


def test_numbers_of_both_sides_are_columns_to_control(tmp_path: Path) -> None:
    text = "model_a,model_b,winner,len_a,len_b,emoji_a,emoji_b\nx,y,A,30,10,2,\n"
    fought = table(tmp_path, text)
    length, emoji = fought.sides("length"), fought.sides("emoji")
    assert length is not None
    assert emoji is not None
    assert set_off("length", length, None).tolist() == [0.5]
    assert np.isnan(set_off("emoji", emoji, None)).all()


def test_jsonl_with_responses_counts_their_length_and_markdown(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "winner": "model_b", "response_a": "# One\n- **two**",
           "response_b": "plain"}  # fmt: skip
    file = write_rows(str(tmp_path / "b.jsonl"), [row])
    fought = read_battles([Path(file)], control=("style",))
    for name, seen in (("header", [1, 0]), ("list", [1, 0]), ("bold", [1, 0]), ("length", [15, 5])):
        sides = fought.sides(name)
        assert sides is not None
        assert sides[0].tolist() == seen


def test_marks_inside_code_blocks_are_not_style() -> None:
    text = "```\n# no\n- no\n```\n* yes\n1. yes"
    assert counted(text, ("header", "list")) == {"length": float(len(text)), "header": 0, "list": 2}


def test_style_told_from_the_other_side_is_the_opposite() -> None:
    both = np.array([[3.0, 1.0], [0.0, 2.0]])
    lengths = np.array([[100.0, 50.0], [10.0, 20.0]])
    for name in ("length", "header", "emoji"):
        swapped = set_off(name, both[:, ::-1], lengths[:, ::-1])
        assert np.allclose(set_off(name, both, lengths), -swapped)


# ---- runs ----------------------------------------------------------------------------------------


def test_pairwise_verdicts_are_battles_by_prompt(tmp_path: Path) -> None:
    evenhand.judge(pairs(), "mt-bench-pair", Scripted("m", better), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert told(fought) == [("new", "old", share) for share in (0.0, 0.5, 1.0, 0.0)]
    assert np.unique(fought.battles.clusters).size == 4
    assert fought.judges[0]["models"] == ["m"]
    assert fought.view == "pairwise"


def test_both_battles_are_two_of_one_cluster_and_an_undecided_whole_is_one(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        return "no idea" if "prompt q1" in request.messages[-1].text else "[[A>B]]"

    judge = {"is": "Swap", "pool": "both_battles", "judge": {"is": "ArenaHard"}}
    evenhand.judge(pairs(2), judge, Scripted("m", answer), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert sorted(share for share in fought.battles.outcome.tolist() if share == share) == [
        0.25,
        0.75,
    ]
    assert np.isnan(fought.battles.outcome).sum() == 1
    assert np.unique(fought.battles.clusters).size == 2


def test_a_failed_case_is_no_battle_and_is_counted(tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        broken = "prompt q1" in request.messages[-1].text
        return ValueError("broken") if broken else better(request)

    evenhand.judge(pairs(), "mt-bench-pair", Scripted("m", answer), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert (fought.battles.a.size, fought.failed) == (3, 1)


def test_grades_make_battles_of_every_two_systems_on_a_prompt(tmp_path: Path) -> None:
    rows = [case("q1", "9", "2", "2", systems=("x", "y", "z")),
            case("q2", "1", "none", "5", systems=("x", "y", "z"))]  # fmt: skip
    evenhand.judge(rows, "mt-bench-single", Scripted("m", rating), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert told(fought)[:3] == [("x", "y", 1.0), ("x", "z", 1.0), ("y", "z", 0.5)]
    assert np.isnan(fought.battles.outcome).sum() == 2
    assert np.unique(fought.battles.clusters).size == 2
    assert any("drawn from grades" in text for text in fought.notices)


def test_grades_of_one_system_alone_are_no_battle(tmp_path: Path) -> None:
    rows = [case("q1", "9", systems=("x",))]
    evenhand.judge(rows, "mt-bench-single", Scripted("m", rating), out=tmp_path / "run")
    with pytest.raises(Misuse, match="no battle"):
        read_battles([tmp_path / "run"])


def test_orders_make_battles_and_shared_places_are_ties(tmp_path: Path) -> None:
    rows = [case("q1", "1", "3", "3", systems=("x", "y", "z"))]
    judge = {"is": "Each", "over": "responses", "pool": "rank", "judge": {"is": "Pointwise"}}
    evenhand.judge(rows, judge, Scripted("m", rating), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert told(fought) == [("x", "y", 0.0), ("x", "z", 0.0), ("y", "z", 0.5)]


def test_two_runs_of_the_same_data_share_clusters_and_are_two_judges(tmp_path: Path) -> None:
    rows = [{"id": f"q{i}", "prompt": "ask", "output_1": "1", "output_2": "2", "model_a": "old",
             "model_b": "new"} for i in range(3)]  # fmt: skip
    data = write_rows(str(tmp_path / "d.jsonl"), rows)
    for name in ("one", "two"):
        evenhand.judge(data, "mt-bench-pair", Scripted(name, better), out=tmp_path / name)
    fought = read_battles([tmp_path / "one", tmp_path / "two"])
    assert fought.battles.a.size == 6
    assert np.unique(fought.battles.clusters).size == 3
    assert len(fought.battles.judge_names) == 2


def test_without_the_data_constant_answers_are_not_looked_for_and_it_is_said(
    tmp_path: Path,
) -> None:
    evenhand.judge(pairs(), "mt-bench-pair", Scripted("m", better), out=tmp_path / "run")
    fought = read_battles([tmp_path / "run"])
    assert any("constant answers were not looked for" in text for text in fought.notices)
    with pytest.raises(Misuse, match="the data of"):
        read_battles([tmp_path / "run"], control=("length",))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is not a run"):
        read_battles([tmp_path])


def test_a_weight_beyond_counting_is_a_bad_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="weight"):
        table(tmp_path, "model_a,model_b,winner,weight\nx,y,A,1e300\n")
