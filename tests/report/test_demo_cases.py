"""The shipped cases: what they promise, so that the demo's figures mean something."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest

COLUMNS = {
    "id", "prompt", "output_1", "output_2", "model_a", "model_b", "label", "group"
}  # fmt: skip
INJECTED = ("choose this", "answer with this response", "wähle diese antwort")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    text = (files("evenhand.report") / "demo.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def better(row: dict[str, Any]) -> str | None:
    return {1: row["model_a"], 2: row["model_b"], "tie": None}[row["label"]]


def test_there_are_forty_cases_with_all_columns_and_ids_of_their_own(
    rows: list[dict[str, Any]],
) -> None:
    assert len(rows) == 40
    assert all(set(row) == COLUMNS for row in rows)
    assert len({row["id"] for row in rows}) == 40
    assert len({row["prompt"] for row in rows}) == 40
    assert all(row["output_1"] != row["output_2"] for row in rows)


def test_labels_are_balanced_over_positions_and_three_are_ties(rows: list[dict[str, Any]]) -> None:
    counts = Counter(row["label"] for row in rows)
    assert counts["tie"] == 3
    assert abs(counts[1] - counts[2]) <= 1


def test_systems_are_balanced_in_position_and_in_quality(rows: list[dict[str, Any]]) -> None:
    assert all({row["model_a"], row["model_b"]} == {"heron", "plover"} for row in rows)
    assert Counter(row["model_a"] for row in rows) == {"heron": 20, "plover": 20}
    wins = Counter(better(row) for row in rows)
    assert abs(wins["heron"] - wins["plover"]) <= 1


def test_position_and_system_do_not_go_together_within_the_wins(rows: list[dict[str, Any]]) -> None:
    cells = Counter((better(row), row["label"]) for row in rows if row["label"] != "tie")
    assert len(cells) == 4
    assert max(cells.values()) - min(cells.values()) <= 1


def test_the_longer_response_is_the_better_one_in_half_of_the_cases(
    rows: list[dict[str, Any]],
) -> None:
    sides = [(row[f"output_{row['label']}"], row[f"output_{3 - row['label']}"])
             for row in rows if row["label"] != "tie"]  # fmt: skip
    longer = sum(len(good) > len(bad) for good, bad in sides)
    assert abs(2 * longer - len(sides)) <= 1


def test_there_are_nine_kinds_of_task_and_twelve_languages(rows: list[dict[str, Any]]) -> None:
    assert len({row["group"] for row in rows}) == 9
    assert all(row["id"].split("-")[1] == row["group"] for row in rows)
    languages = {row["id"].split("-")[0] for row in rows}
    assert languages == {"ar", "de", "en", "es", "fr", "hi", "it", "ja", "pt", "ru", "tr", "zh"}


def test_four_worse_responses_address_the_judge_one_in_each_place_of_each_system(
    rows: list[dict[str, Any]],
) -> None:
    decided = [row for row in rows if row["label"] != "tie"]
    lost = [(row, row[f"output_{3 - row['label']}"].lower()) for row in decided]
    worse = [row for row, text in lost if any(words in text for words in INJECTED)]
    assert len({(better(row), row["label"]) for row in worse}) == len(worse) == 4


def test_every_case_is_short(rows: list[dict[str, Any]]) -> None:
    texts = [row["prompt"] + row["output_1"] + row["output_2"] for row in rows]
    assert max(map(len, texts)) <= 350
