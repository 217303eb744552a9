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
    assert "'x1', 'x2'" in ended.error["message"]


# ---- grades from 1 to 5, end to end --------------------------------------------------------------

TYPED = (
    "Completion('', answer=(lambda text: (lambda t, p: {str(t): p, str(t % 5 + 1): 1 - p})"
    "(int(text.split('GRADE-')[1][0]), 0.4 if 'HARD' in text else 0.9))"
    "(' '.join(one.text for one in request.messages)))"
)


def graded(command: Command, n: int = 120) -> list[int]:
    """A judge that is sure and right, but on every fifth case unsure and wrong."""
    rng = random.Random(4)
    truth = [rng.randint(1, 5) for _ in range(n)]
    rows = [
        {"id": f"q{i}", "prompt_id": i // 2, "prompt": f"ask {i // 2}",
         "system": ("old", "new")[i % 2],
         "response": f"GRADE-{t} it is{' HARD' if i % 5 == 0 else ''}", "reference": f"GRADE-{t}",
         "topic": "hard" if i % 5 == 0 else "easy"}
        for i, t in enumerate(truth)
    ]  # fmt: skip
    data, model = write_rows("data.jsonl", rows), write_model(TYPED)
    ended = command("judge", data, "--judge", "choice", "--model", model, "--out", "run")
    assert ended.code == 0, ended.err
    return truth


def test_grades_from_1_to_5_make_a_card_with_every_figure(evenhand: Command) -> None:
    labels = labelled(graded(evenhand))
    ended = evenhand(
        "trust", "run", "--labels", labels, "--claim", "level", "--by", "topic", "--json"
    )
    form = ended.json
    gates = {gate["name"]: gate for gate in form["gates"]}
    assert ended.code in (0, 3)
    assert 0.4 < form["agreement"]["weighted kappa (quadratic)"]["estimate"] < 0.98
    assert gates["agreement"]["result"] == "PASS"
    assert gates["transport"]["result"] in ("PASS", "INCONCLUSIVE")
    assert gates["transport"]["low"] < 0 < gates["transport"]["high"]
    assert gates["precision"]["result"] == "PASS"
    assert gates["ceiling"]["result"] != "NOT RUN"
    assert gates["coverage"]["estimate"] == 1.0
    assert 2 < form["estimates"]["new"]["interval"]["estimate"] < 4
    assert form["estimates"]["new minus old"]["interval"]["low"] is not None
    assert form["agreement"]["accuracy (strict)"]["estimate"] == pytest.approx(0.8, abs=0.01)
    assert "trivial judge: length alone (Spearman)" in form["agreement"]
    assert "trivial judge: words in common alone (Spearman)" in form["agreement"]


def test_a_judge_that_is_unsure_where_it_errs_knows_when_it_is_right(evenhand: Command) -> None:
    labels = labelled(graded(evenhand))
    form = evenhand("trust", "run", "--labels", labels, "--json").json
    assert set(form["confidence"]) == {"probabilities"}
    found = form["confidence"]["probabilities"]
    assert found["auroc"]["estimate"] == 1.0
    assert found["n"] == 120
    assert {"brier", "debiased_ece"} <= set(found)


def test_slices_name_the_topic_on_which_the_judge_is_worse(evenhand: Command) -> None:
    labels = labelled(graded(evenhand))
    ended = evenhand("trust", "run", "--labels", labels, "--by", "topic", "--html", "card.html")
    form = evenhand("trust", "run", "--labels", labels, "--by", "topic", "--json").json
    easy, hard = form["slices"]
    assert set(hard) == {"name", "measure", "accuracy", "difference", "flagged"}
    assert (easy["name"], hard["name"]) == ("easy", "hard")
    assert hard["flagged"]
    assert hard["difference"]["estimate"] == pytest.approx(-1.0)
    assert "1.00 below the rest" in " ".join(ended.out.split())
    assert "1.00 below the rest" in Path("card.html").read_text(encoding="utf-8")


# ---- what only counts ----------------------------------------------------------------------------


def test_data_that_are_gone_or_changed_leave_out_two_baselines_and_say_so(
    evenhand: Command,
) -> None:
    labels = labelled(judged(evenhand))
    form = evenhand("trust", "run", "--labels", labels, "--json").json
    assert "trivial judge: length alone (Spearman)" in form["agreement"]
    Path("data.jsonl").rename("moved.jsonl")
    gone = evenhand("trust", "run", "--labels", labels, "--json")
    assert gone.code == 0
    assert any("no baselines by length" in one for one in gone.json["warnings"])
    assert "trivial judge: length alone (Spearman)" not in gone.json["agreement"]
    Path("data.jsonl").write_text('{"id": "q0", "prompt": "x", "response": "y"}\n')
    changed = evenhand("trust", "run", "--labels", labels, "--json")
    assert any("is not the file" in one for one in changed.json["warnings"])
    by = evenhand("trust", "run", "--labels", labels, "--by", "topic", "--json")
    assert (by.code, by.error["kind"]) == (2, "Misuse")


def test_a_judge_of_pairs_stands_beside_length_and_common_words(evenhand: Command) -> None:
    rng = random.Random(8)
    truth = [rng.randint(0, 1) for _ in range(60)]
    texts = ("GOOD lorem ipsum", "bad and a good deal longer than the other one")
    rows = [
        {"id": f"q{i}", "prompt": f"ask {i}", "model_a": "old", "model_b": "new",
         "output_1": texts[1 - t], "output_2": texts[t], "reference": "lorem ipsum dolor"}
        for i, t in enumerate(truth)
    ]  # fmt: skip
    reply = "'[[A]]' if 'GOOD' in request.messages[-1].text.split('response_b')[0] else '[[B]]'"
    model = write_model(reply)
    data = write_rows("data.jsonl", rows)
    done = evenhand("judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "run")
    assert done.code == 0, done.err
    right = [("B", "A")[t] for t in truth]
    with Path("labels.csv").open("w", encoding="utf-8") as stream:
        stream.write("id,rater,label\n")
        stream.writelines(f"q{i},{who},{one}\n" for i, one in enumerate(right) for who in "xy")
    form = evenhand("trust", "run", "--labels", "labels.csv", "--json").json
    assert form["agreement"]["trivial judge: longer wins"]["estimate"] == 0.0
    assert form["agreement"]["trivial judge: more common words win"]["estimate"] == 1.0
    gate = next(one for one in form["gates"] if one["name"] == "baseline")
    assert "(lexical)" in gate["reason"]
    assert gate["estimate"] == pytest.approx(form["agreement"]["accuracy (strict)"]["estimate"] - 1)


# ---- input that cannot be meant ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        (["q0,anna,3", "q1,anna,99"], "not on the judge's scale: '99'"),
        (["q0,anna,good", "q1,anna,bad"], "--map-labels"),
        (["q0,anna,", "q1,anna,skip"], "hold no label"),
        (["q0,anna,3", "q0,anna,3"], "already"),
        (["x,anna,3"], "labelled cases is in run: 'x'"),
    ],
)
def test_bad_labels_are_a_plain_message(evenhand: Command, rows: list[str], part: str) -> None:
    judged(evenhand, 3)
    Path("bad.csv").write_text("\n".join(["id,rater,label", *rows]) + "\n")
    ended = evenhand("trust", "run", "--labels", "bad.csv")
    assert (ended.code, ended.out) == (2, "")
    assert part in ended.err
    assert "Traceback" not in ended.err


def test_labels_of_the_fit_are_refused_for_the_report(evenhand: Command) -> None:
    labels = labelled(graded(evenhand))
    made = evenhand("fit", "run", "--labels", labels, "--kind", "calibrate", "--to", "fit.json")
    assert made.code == 0, made.err
    again = evenhand("judge", "data.jsonl", "--judge", "choice", "--model", "m.py:it",
                     "--fit", "fit.json", "--out", "fitted")  # fmt: skip
    assert again.code == 0, again.err
    ended = evenhand("trust", "fitted", "--labels", labels, "--json")
    assert (ended.code, ended.error["kind"]) == (2, "Misuse")
    assert "120 of the 120 labelled cases" in ended.error["message"]


def test_labels_drawn_by_a_plan_correct_the_level_with_their_chances(evenhand: Command) -> None:
    truth = graded(evenhand)
    with Path("labels.csv").open("w", encoding="utf-8") as stream:
        stream.write("id,rater,label,probability\n")
        stream.writelines(f"q{i},anna,{t},{0.5 if i % 5 == 0 else 0.25}\n"
                          for i, t in enumerate(truth) if i % 3 == 0)  # fmt: skip
    form = evenhand("trust", "run", "--labels", "labels.csv", "--claim", "level", "--json").json
    assert form["estimates"]["new"]["method"] == "active"
    assert any("unequal chances" in one for one in form["warnings"])
