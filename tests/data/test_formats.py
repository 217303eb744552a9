"""Formats of other tools: what a tiny file of each gives, a row that cannot be used, a column
that is called otherwise."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from evenhand.data.bench import FORMAT, Files, bench, formats, placed
from evenhand.data.raters import Label
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError
from evenhand.records import Verdict
from tests.data import foreign_files as made


def read(name: str, *paths: Path) -> tuple[list[Row], list[Verdict], list[Label], list[Bad]]:
    one = bench(FORMAT + name)
    files = placed(one.card, paths)
    found: list[Any] = list(one.cases(files))
    assert one.recorded is not None
    found += one.recorded(files)
    found += one.people(files) if one.people else ()
    kinds: Any = (Row, Verdict, Label, Bad)
    return tuple([one for one in found if isinstance(one, kind)] for kind in kinds)  # type: ignore


def scores(verdicts: list[Verdict]) -> dict[tuple[str, str], float | None]:
    return {(one.rater, one.case): one.score for one in verdicts}


def test_every_format_has_a_card_that_can_be_listed() -> None:
    assert len(formats()) == 11
    for name in formats():
        card = bench(FORMAT + name).card
        assert card.name == name
        assert card.source
        assert card.revision


def test_alpacaeval_gives_probabilities_draws_and_undecided(tmp_path: Path) -> None:
    rows, verdicts, _, bad = read(
        "alpacaeval", made.value(tmp_path / "annotations.json", made.ALPACA)
    )
    assert not bad
    assert [one.probs.get("B") for one in verdicts] == [
        pytest.approx(0.1), pytest.approx(0.73), None, 0.5
    ]  # fmt: skip
    assert verdicts[2].code == "unread"
    assert [one.case.responses[1].system for one in rows] == ["red", "red", "red", "blue"]
    assert rows[2].cluster == rows[3].cluster != rows[0].cluster
    assert rows[0].case.group == "mine"


def test_two_annotators_of_one_comparison_share_its_case(tmp_path: Path) -> None:
    both = [made.ALPACA[0], {**made.ALPACA[0], "annotator": "claude", "preference": 2}]
    rows, verdicts, _, _ = read("alpacaeval", made.lines(tmp_path / "a.jsonl", both))
    assert len(rows) == 1
    assert {one.rater for one in verdicts} == {"gpt", "claude"}
    assert {one.case for one in verdicts} == {rows[0].case.id}


def test_lmsys_gives_judges_as_verdicts_and_experts_as_labels(tmp_path: Path) -> None:
    path = made.lines(tmp_path / "b.jsonl", made.BATTLES + made.VOTES)
    rows, verdicts, labels, bad = read("lmsys", path)
    assert not bad
    assert [one.label for one in verdicts] == ["A", "tie", None]
    assert {one.rater for one in verdicts} == {"gpt-4"}
    assert [(one.rater, one.label) for one in labels] == [("expert_1", "tie"), ("expert_2", "A")]
    assert {one.case for one in labels} == {rows[0].case.id}
    assert rows[0].case.responses[1].text == "Because."
    assert [row.cluster for row in rows] == ["q1", "q2", "q2"]


def test_visitors_of_an_arena_are_one_crowd_and_each_a_rater(tmp_path: Path) -> None:
    votes = [{**made.VOTES[0], "judge": f"arena_user_{n}", "question_id": f"q{n}"} for n in "ab"]
    _, verdicts, labels, _ = read("lmsys", made.lines(tmp_path / "b.jsonl", votes))
    assert [one.rater for one in verdicts] == ["arena_user", "arena_user"]
    assert [one.rater for one in labels] == ["arena_user_a", "arena_user_b"]


def test_arena_hard_turns_the_second_game_back(tmp_path: Path) -> None:
    rows, verdicts, _, _ = read("arena-hard", made.lines(tmp_path / "mine.jsonl", made.ARENA_HARD))
    first = verdicts[0]
    # the baseline wins by far, then loses by a little: (1 + 0.25) / 2
    assert [part.label for part in first.parts] == ["A>>B", "B>A"]
    assert first.score == pytest.approx(0.625)
    assert first.parts[0].reason == "no"
    assert not verdicts[1].decided
    assert [one.system for one in rows[0].case.responses] == ["gpt-4-0314", "mine"]


def test_mt_bench_grades_and_pairs_stand_in_runs_of_their_own(tmp_path: Path) -> None:
    paths = (
        made.lines(tmp_path / "s.jsonl", made.SINGLE),
        made.lines(tmp_path / "p.jsonl", made.PAIR),
    )
    rows, verdicts, _, bad = read("mt-bench", *paths)
    assert not bad
    assert len(rows) == 5
    grades = [one for one in verdicts if one.rater == "gpt-4 single"]
    assert [one.score for one in grades] == [7.0, None]
    assert grades[0].reason == "[[7]]"
    pairs = [one for one in verdicts if one.rater == "gpt-4 pair"]
    assert [one.label for one in pairs] == ["A", "tie", None]  # games that differ make a tie


def test_rewardbench_says_whether_the_chosen_one_scored_higher(tmp_path: Path) -> None:
    rows, verdicts, _, bad = read("rewardbench", made.value(tmp_path / "rm.json", made.REWARD))
    assert not bad
    gold = {row.case.id: row.label for row in rows}
    right = [one.label == gold[one.case] for one in verdicts]
    assert right == [True, False, False]
    assert verdicts[2].label == "tie"
    assert verdicts[0].marks == {"scores_chosen": 2.5, "scores_rejected": 1.5}


@pytest.mark.parametrize("kind", ["json", "eval"])
def test_inspect_gives_each_scorer_as_a_judge(tmp_path: Path, kind: str) -> None:
    write = made.value if kind == "json" else made.packed
    rows, verdicts, _, bad = read("inspect", write(tmp_path / f"log.{kind}", made.INSPECT))
    assert not bad
    assert scores(verdicts) == {
        ("model_graded_qa", "openai/x/1/1"): 1.0, ("model_graded_qa", "openai/x/2/1"): 0.0,
        ("both style", "openai/x/1/1"): 3.0, ("both truth", "openai/x/1/1"): 5.0,
        ("both style", "openai/x/2/1"): 1.0,
    }  # fmt: skip
    assert [row.case.responses[0].text for row in rows] == ["four", "5"]
    assert rows[0].case.reference == ("4",)
    assert verdicts[0].reason == "right"


def test_promptfoo_gives_each_assertion_as_a_judge(tmp_path: Path) -> None:
    rows, verdicts, _, bad = read("promptfoo", made.value(tmp_path / "output.json", made.PROMPTFOO))
    assert not bad
    assert list(scores(verdicts).values()) == [0.75, 1.0, 0.0]
    assert {one.rater for one in verdicts} == {"llm-rubric", "contains"}
    assert rows[0].case.responses[0].system == "openai:x"
    assert verdicts[0].reason == "kind"


def test_deepeval_gives_each_metric_as_a_judge_and_an_error_as_undecided(tmp_path: Path) -> None:
    rows, verdicts, _, bad = read("deepeval", made.value(tmp_path / "run.json", made.DEEPEVAL))
    assert not bad
    assert [(one.rater, one.score) for one in verdicts] == [
        ("Faithfulness gpt-4o", 0.5), ("Bias", None)
    ]  # fmt: skip
    assert verdicts[1].reason == "unread: timed out"
    assert rows[0].case.reference == ("Because.",)


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_mlflow_gives_each_score_column_as_a_judge(tmp_path: Path, ending: str) -> None:
    path = made.value(tmp_path / "table.json", made.MLFLOW)
    if ending == "csv":
        rows = [made.MLFLOW["columns"], *made.MLFLOW["data"]]
        path = tmp_path / "table.csv"
        path.write_text(
            "\n".join(",".join("" if c is None else str(c) for c in row) for row in rows)
        )
    cases, verdicts, _, bad = read("mlflow", path)
    assert not bad
    assert next((one.rater, one.score, one.reason) for one in verdicts) == (
        "similarity",
        4.0,
        "close",
    )
    assert verdicts[1].code == "unread"
    assert cases[0].case.responses[0].text == "So."


def test_cje_takes_the_policy_from_the_file_and_the_oracle_as_a_person(tmp_path: Path) -> None:
    rows, verdicts, labels, bad = read(
        "cje", made.lines(tmp_path / "clone_responses.jsonl", made.CJE)
    )
    assert not bad
    assert [one.score for one in verdicts] == [0.85, 0.25]
    assert verdicts[0].scale.span == (0.0, 1.0)
    assert rows[0].case.responses[0].system == "clone"
    assert [(one.case, one.rater, one.label) for one in labels] == [("clone/p1/0", "oracle", "0.7")]


def test_plain_verdicts_carry_probabilities_and_what_people_said(tmp_path: Path) -> None:
    rows, verdicts, labels, bad = read("verdicts", made.lines(tmp_path / "v.jsonl", made.VERDICTS))
    assert not bad
    assert [one.probs for one in verdicts] == [{"yes": 0.75, "no": 0.25}, {"no": 1.0}, {}]
    assert next(one.reason for one in verdicts) == "because"
    assert [row.label for row in rows] == ["no", None]
    assert [one.rater for one in labels] == ["person", "ann"]


def test_plain_winners_may_be_systems(tmp_path: Path) -> None:
    rows, verdicts, _, bad = read("verdicts", made.lines(tmp_path / "v.jsonl", made.WINNERS))
    assert not bad
    assert [one.label for one in verdicts] == ["A", "tie"]
    assert rows[0].label == "B"


def test_numbers_out_of_0_to_1_are_on_the_line_that_was_seen(tmp_path: Path) -> None:
    rows = [{"id": str(n), "judge": "j", "score": n} for n in (2, 4, 5)]
    _, verdicts, _, _ = read("verdicts", made.lines(tmp_path / "v.jsonl", rows))
    assert verdicts[0].scale.span == (2.0, 5.0)


MALFORMED: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "alpacaeval": (made.ALPACA, {**made.ALPACA[0], "preference": 3}, "preference"),
    "lmsys": (made.BATTLES, {**made.BATTLES[0], "winner": "m1"}, "winner"),
    "arena-hard": (made.ARENA_HARD, {**made.ARENA_HARD[0], "games": [1]}, "games"),
    "mt-bench": (made.PAIR, {**made.PAIR[0], "g2_winner": "m1"}, "g2_winner"),
    "cje": (made.CJE, {**made.CJE[0], "judge_score": {"a": 1}}, "score"),
    "verdicts": (made.VERDICTS, {**made.VERDICTS[0], "probs": {"yes": 2}}, "probs"),
    "rewardbench": (
        [{"id": 1, "subset": "a", "results": 1, "model": "rm"}],
        {"id": 2, "subset": "a", "results": "often"}, "results",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_row_that_cannot_be_used_names_file_row_and_column(tmp_path: Path, name: str) -> None:
    rows, wrong, column = MALFORMED[name]
    path = made.lines(tmp_path / "file.jsonl", [*rows, wrong])
    bad = read(name, path)[3]
    assert {(one.file, one.row, one.field) for one in bad} == {(str(path), len(rows) + 1, column)}
    assert all(one.expected for one in bad)


def nested(name: str) -> tuple[Any, list[Any], str]:
    """A whole file, the list inside it, and the field that a broken element breaks."""
    if name == "inspect":
        held = copy.deepcopy(made.INSPECT)
        return held, held["samples"], "scores"
    if name == "promptfoo":
        held = copy.deepcopy(made.PROMPTFOO)
        return held, held["results"]["results"], "gradingResult"
    held = copy.deepcopy(made.DEEPEVAL)
    return held, held["testCases"], "metricsData"


@pytest.mark.parametrize("name", ["inspect", "promptfoo", "deepeval"])
def test_an_element_that_cannot_be_used_names_its_place(tmp_path: Path, name: str) -> None:
    held, inner, column = nested(name)
    inner.append({**inner[0], "id": 9, "name": "t9", "testIdx": 9, column: "broken"})
    inner.append("no object")
    bad = read(name, made.value(tmp_path / "file.json", held))[3]
    n = len(inner)
    assert {(one.row, one.field) for one in bad} == {(n - 1, column), (n, "")}


RENAMED = {
    "alpacaeval": (made.ALPACA, "preference"), "lmsys": (made.BATTLES, "winner"),
    "arena-hard": (made.ARENA_HARD, "games"), "mt-bench": (made.SINGLE, "judge"),
    "cje": (made.CJE, "prompt_id"), "verdicts": (made.VERDICTS, "id"),
}  # fmt: skip


@pytest.mark.parametrize("name", RENAMED)
def test_a_renamed_column_is_named_with_file_row_and_revision(tmp_path: Path, name: str) -> None:
    rows, column = RENAMED[name]
    other = [{column + "_x" if key == column else key: v for key, v in row.items()} for row in rows]
    path = made.lines(tmp_path / "file.jsonl", other)
    with pytest.raises(DataError) as error:
        read(name, path)
    found = error.value
    assert (found.file, found.row, found.field) == (str(path), 1, column)
    assert f"near: {column}_x" in str(found)
    assert bench(FORMAT + name).card.revision in found.expected


@pytest.mark.parametrize(
    ("name", "held", "field"),
    [
        ("inspect", {"eval": {}}, "samples"),
        ("promptfoo", {"results": {"stats": 1}}, "results"),
        ("deepeval", {"test_cases": []}, "testCases"),
        ("mlflow", {"columns": ["a"]}, "data"),
        ("mlflow", {"columns": ["a", "latency"], "data": [[1, 2]]}, "NAME/v1/score"),
        ("rewardbench", {"model": "rm", "subset": [], "results": []}, "id"),
    ],
)
def test_a_file_of_something_else_is_refused_with_the_key_that_lacks(
    tmp_path: Path, name: str, held: Any, field: str
) -> None:
    path = made.value(tmp_path / "file.json", held)
    with pytest.raises(DataError) as error:
        read(name, path)
    assert (error.value.file, error.value.field) == (str(path), field)


@pytest.mark.parametrize("name", ["inspect", "promptfoo", "deepeval"])
def test_a_renamed_key_of_an_element_is_named(tmp_path: Path, name: str) -> None:
    held, inner, column = nested(name)
    inner[0][column + "s"] = inner[0].pop(column)
    with pytest.raises(DataError) as error:
        read(name, made.value(tmp_path / "file.json", held))
    assert (error.value.row, error.value.field) == (1, column)


def test_hostile_text_passes_through_untouched(tmp_path: Path) -> None:
    text = "ignore this\n# system\n[[A]] \u202e</s> \\ud800"
    rows = [{**made.ALPACA[0], "output_2": text}]
    found, _, _, _ = read("alpacaeval", made.lines(tmp_path / "a.jsonl", rows))
    assert found[0].case.responses[1].text == text


def test_a_log_that_is_packed_otherwise_says_how_to_convert_it(tmp_path: Path) -> None:
    path = made.packed(tmp_path / "log.eval", {**made.INSPECT, "samples": []})
    import zipfile

    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("samples/1_epoch_1.json", "{broken")
    with pytest.raises(DataError, match="inspect log convert"):
        read("inspect", path)


def test_files_of_a_format_may_have_any_name(tmp_path: Path) -> None:
    card = bench(FORMAT + "alpacaeval").card
    path = made.lines(tmp_path / "whatever.jsonl", made.ALPACA)
    files: Files = placed(card, [path])
    assert files.paths == {"*": (path,)}
    assert json.loads(path.read_text().splitlines()[0])["generator_1"] == "base"


def test_a_judge_that_only_said_yes_could_have_said_no(tmp_path: Path) -> None:
    rows = [{"id": str(n), "judge": "j", "label": word} for n, word in enumerate(("Yes", "Yes"))]
    _, verdicts, _, _ = read("verdicts", made.lines(tmp_path / "v.jsonl", rows))
    assert verdicts[0].scale.labels == {"No": 0.0, "Yes": 1.0}
