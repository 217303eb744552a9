from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tests.commands import Command, evenhand, write_model, write_rows

__all__ = ["evenhand"]
REPLY = "'[[' + request.messages[-1].text.split('GRADE-')[1].split()[0] + ']]'"


def judged(command: Command, n: int = 60) -> list[int]:
    rng = random.Random(3)
    truth = [rng.randint(1, 9) for _ in range(n)]
    rows = [
        {"id": f"q{i}", "prompt": f"ask {i}", "response": f"GRADE-{t} it is", "topic": f"t{i % 3}"}
        for i, t in enumerate(truth)
    ]
    data, model = write_rows("data.jsonl", rows), write_model(REPLY)
    ended = command("judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "run")
    assert ended.code == 0, ended.err
    return truth


def labelled(truth: list[int], name: str = "labels.csv", *, column: str = "label") -> str:
    with Path(name).open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "rater", column])
        out.writerows((f"q{i}", r, t) for i, t in enumerate(truth) for r in ("anna", "ben", "eva"))
    return name


def test_a_judge_that_says_what_people_say_passes_with_code_0(evenhand: Command) -> None:
    labels = labelled(judged(evenhand))
    ended = evenhand("trust", "run", "--labels", labels, "--by", "topic")
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.startswith("Yes: this judge may stand in for a human annotator.")
    form = evenhand("trust", "run", "--labels", labels, "--by", "topic", "--json").json
    assert form["result"] == "PASS"
    assert [one["name"] for one in form["slices"]] == ["t0", "t1", "t2"]
    again = evenhand("trust", "run", "--labels", labels, "--by", "topic", "--json").json
    assert again == form


def test_a_judge_that_says_the_opposite_fails_with_code_1(evenhand: Command) -> None:
    truth = judged(evenhand)
    ended = evenhand("trust", "run", "--labels", labelled([10 - t for t in truth]))
    assert ended.code == 1
    assert ended.out.startswith("No: this judge may not stand in for a human annotator.")


def test_three_labels_end_with_code_3(evenhand: Command) -> None:
    labels = labelled(judged(evenhand)[:3])
    for claim in ("replace", "level"):
        ended = evenhand("trust", "run", "--labels", labels, "--claim", claim)
        assert ended.code == 3
        assert ended.out.startswith("Not known:")
        assert "Traceback" not in ended.err


def test_columns_and_labels_can_be_mapped(evenhand: Command) -> None:
    truth = judged(evenhand)
    labels = labelled(truth, column="told")
    assert evenhand("trust", "run", "--labels", labels, "--map", "label=told").code == 0


def test_the_page_is_written_beside_the_json(evenhand: Command) -> None:
    labels = labelled(judged(evenhand))
    ended = evenhand("trust", "run", "--labels", labels, "--html", "card.html", "--json")
    assert ended.json["result"] == "PASS"
    assert "may stand in for a human annotator" in Path("card.html").read_text(encoding="utf-8")


def test_a_stricter_policy_decides_otherwise(evenhand: Command) -> None:
    labels = labelled(judged(evenhand))
    Path("hard.toml").write_text("least_clusters = 100\n")
    ended = evenhand("trust", "run", "--labels", labels, "--policy", "hard.toml", "--json")
    assert ended.code == 3
    assert ended.json["policy"]["file"] == "hard.toml"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--claim", "rank"), "--claim rank"),
        (("--map", "rater"), "--map rater"),
        (("--policy", "none.toml"), "none.toml cannot be read"),
        (("--cluster", "colour"), "no column 'colour'"),
        (("--labels", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_wrong_use_is_a_plain_message(evenhand: Command, words: tuple[str, ...], part: str) -> None:
    labels = labelled(judged(evenhand, 3))
    ended = evenhand("trust", "run", "--labels", labels, *words, "--json")
    assert ended.code == 2
    assert part in ended.error["message"]


def test_one_rater_twice_on_a_case_and_unknown_cases_are_named(evenhand: Command) -> None:
    judged(evenhand, 3)
    Path("twice.csv").write_text("id,rater,label\nq0,anna,3\nq0,anna,4\n")
    ended = evenhand("trust", "run", "--labels", "twice.csv", "--json")
    assert (ended.code, ended.error["kind"]) == (2, "DataError")
    Path("other.csv").write_text("id,rater,label\nx1,anna,3\nx2,anna,4\n")
    ended = evenhand("trust", "run", "--labels", "other.csv", "--json")
    assert "x1, x2" in ended.error["message"]
