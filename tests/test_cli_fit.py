"""`evenhand fit` and `evenhand plan`, from label files to a judge that is better for them."""

from __future__ import annotations

import contextlib
import json
import math
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evenhand.fits import Fit
from evenhand.store import Store, read_signed
from tests.commands import Command, evenhand, write_rows

__all__ = ["evenhand"]  # the fixture

# A judge whose log-odds are three times too large: the prompt says what it should believe.
BOASTFUL = """
import math, re
from dataclasses import dataclass
from typing import ClassVar
from evenhand import Completion
from evenhand.records import YES_NO, PAIR_NO_TIE, Case, Verdict, line
from evenhand.models.scripted import Scripted

def odds(case):
    return float(re.search(r"odds=(-?[0-9.]+)", case.prompt[0].text)[1])

@dataclass(frozen=True, slots=True)
class Boastful:
    times: float = 3.0
    view: ClassVar = "pointwise"
    async def __call__(self, case):
        p = 1 / (1 + math.exp(-self.times * odds(case)))
        return Verdict(YES_NO, {"yes": p, "no": 1 - p})

@dataclass(frozen=True, slots=True)
class Pair:
    view: ClassVar = "pairwise"
    async def __call__(self, case):
        p = 1 / (1 + math.exp(-3.0 * odds(case)))
        return Verdict(PAIR_NO_TIE, {"A": p, "B": 1 - p})

@dataclass(frozen=True, slots=True)
class Flat:
    view: ClassVar = "pointwise"
    async def __call__(self, case):
        return Verdict(line("points", 1, 10), {"5": 1.0})

@dataclass(frozen=True, slots=True)
class Silent:
    view: ClassVar = "pointwise"
    async def __call__(self, case):
        return Verdict(YES_NO, {}, "unread: nothing")
"""


def planted(n: int, name: str, *, seed: int = 1) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows, and labels that come true with the chance that the prompt tells."""
    rng, rows, labels = random.Random(seed), [], []
    for i in range(n):
        odds = round(rng.gauss(0, 1.5), 3)
        rows.append({"id": f"{name}{i}", "prompt": f"odds={odds} {i}", "response": f"r{i}"})
        labels.append("yes" if rng.random() < 1 / (1 + math.exp(-odds)) else "no")
    return rows, labels


def label_file(name: str, ids: Sequence[str], labels: Sequence[Any], rater: str = "ann") -> str:
    return write_rows(
        name,
        [{"id": i, "rater": rater, "label": label} for i, label in zip(ids, labels, strict=True)],
    )


def judged(evenhand: Command, rows: list[dict[str, Any]], judge: str, *more: object) -> str:
    Path("j.py").write_text(BOASTFUL)
    name = f"run-{rows[0]['id']}" + "-fit" * bool(more)
    data = write_rows(f"{name}.jsonl", rows)
    ended = evenhand("judge", data, "--judge", f"j.py:{judge}", "--out", name, *more)
    assert ended.code == 0, ended.err
    return name


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def yes_run(evenhand: Command, n: int = 120, judge: str = "Boastful") -> tuple[str, str]:
    rows, labels = planted(n, "a")
    return judged(evenhand, rows, judge), label_file("people.jsonl", ids_of(rows), labels)


def log_loss(run: str, labels: dict[str, str]) -> float:
    with contextlib.closing(Store(Path(run), read=True)) as store:
        verdicts = [s.verdict for s in read_signed(store)]
    losses = [-math.log(max(v.probs.get(labels[v.case], 0.0), 1e-6)) for v in verdicts if v]
    return sum(losses) / len(losses)


# ---- fit -------------------------------------------------------------------------------------


def test_a_judge_calibrated_on_some_cases_has_a_lower_log_loss_on_others(
    evenhand: Command,
) -> None:
    run, people = yes_run(evenhand, 150)
    made = evenhand(
        "fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json", "--json"
    )
    assert (made.code, made.err) == (0, "")
    told = made.json
    assert told["gain"]["low"] > 0
    assert (told["n"], told["raters"], told["left_out"]) == (150, ["ann"], {})
    assert Fit.read("f.json").data["a"] == pytest.approx(1 / 3, abs=0.15)
    rows, labels = planted(150, "b", seed=2)
    truth = dict(zip(ids_of(rows), labels, strict=True))
    raw = judged(evenhand, rows, "Boastful")
    mended = judged(evenhand, rows, "Boastful", "--fit", "f.json")
    assert log_loss(mended, truth) < log_loss(raw, truth) - 0.1


def test_what_was_chosen_and_why_is_told_in_the_terminal(evenhand: Command) -> None:
    run, people = yes_run(evenhand)
    made = evenhand("fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json")
    assert made.code == 0
    assert "temperature: the chance that the label is 'yes'" in made.out
    assert "the usual one below 200 labels" in made.out
    assert "120 cases, 120 independent" in made.out
    assert "cross-validated" in made.out
    assert max(map(len, made.out.splitlines())) <= 80


def test_cases_that_a_fit_was_learnt_from_are_refused_when_judged_with_it(
    evenhand: Command,
) -> None:
    run, people = yes_run(evenhand)
    command = ["fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json"]
    evenhand(*command)
    rows, _ = planted(120, "a")
    again = judged(evenhand, rows, "Boastful", "--fit", "f.json")
    ended = evenhand("fit", again, *command[2:])
    assert ended.code == 2
    assert "judged with a fit of kind calibrate already" in ended.err
    other = evenhand(
        "fit", again, "--labels", people, "--kind", "quantitative", "--to", "g.json",
        "--map-labels", "yes=1 no=0", "--json",
    )  # fmt: skip
    assert "120 of the 120 labelled cases are those that the judge's fit" in other.error["message"]
    assert not Path("g.json").exists()
    plan = evenhand("plan", "level", "--pilot", again, "--labels", people)
    assert (plan.code, plan.out) == (2, "")
    assert "labels of other cases" in plan.err


def test_a_pair_judge_is_calibrated_on_whether_its_label_is_right(evenhand: Command) -> None:
    rows, labels = planted(150, "p")
    pairs = [{"id": r["id"], "prompt": r["prompt"], "output_1": "x", "output_2": "y"} for r in rows]
    run = judged(evenhand, pairs, "Pair")
    said = [{"yes": "A", "no": "B"}[label] for label in labels]
    said[0] = "tie"
    people = label_file("p.jsonl", ids_of(rows), said)
    made = evenhand(
        "fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json", "--json"
    )
    assert Fit.read("f.json").data["of"] == "mode"
    assert made.json["left_out"] == {"off the judge's scale": 1}
    assert made.json["gain"]["estimate"] > 0


def test_a_planted_word_in_the_judges_text_is_learnt(evenhand: Command) -> None:
    Path("m.py").write_text(
        "from evenhand import Completion\n"
        "from evenhand.models.scripted import Scripted\n"
        "def say(request):\n"
        "    good = 'GOOD' in request.messages[-1].text\n"
        "    return ('clear and correct' if good else 'wrong and muddled') + ' [[5]]'\n"
        "it = Scripted('m', say)\n"
    )
    rng = random.Random(3)

    def run(name: str, *more: object) -> tuple[str, list[float]]:
        good = [rng.random() < 0.5 for _ in range(80)]
        rows = [
            {"id": f"{name}{i}", "prompt": f"ask {i}", "response": "GOOD" if one else "BAD"}
            for i, one in enumerate(good)
        ]
        data = write_rows(f"{name}.jsonl", rows)
        command = ["judge", data, "--judge", "mt-bench-single", "--model", "m.py:it"]
        assert evenhand(*command, "--out", name, *more).code == 0
        ratings = [round((8 if one else 3) + rng.gauss(0, 0.5), 2) for one in good]
        return name, ratings

    first, ratings = run("t")
    people = label_file("t-people.jsonl", [f"t{i}" for i in range(80)], ratings)
    made = evenhand(
        "fit", first, "--labels", people, "--kind", "quantitative", "--to", "q.json", "--json"
    ).json
    assert made["chosen"] == "LS, full: people's labels from its score and its text"
    assert made["gain"]["low"] > 3
    second, fresh = run("u", "--fit", "q.json")
    with contextlib.closing(Store(Path(second), read=True)) as store:
        scores = {s.case: s.verdict.score for s in read_signed(store) if s.verdict}
    errors = [(scores[f"u{i}"] - rating) ** 2 for i, rating in enumerate(fresh)]  # type: ignore[operator]
    assert sum(errors) / len(errors) < 0.6


TALKS = """
import re
from evenhand.models.scripted import Scripted

def say(request):
    number = re.search(r"note (\\d+)", request.messages[-1].text)
    return f"See note {number[1] if number else 0}. [[5]]"

it = Scripted("m", say)
"""
RULE = """
import numpy as np, re

def embed(texts):
    return np.array([[int(re.search(r"note (\\d+)", t)[1]) * 37 % 101] for t in texts])
"""


def test_an_embedder_from_a_file_is_kept_in_the_fit_and_used_by_the_judge(
    evenhand: Command,
) -> None:
    Path("m.py").write_text(TALKS)
    Path("e.py").write_text(RULE)
    numbers = random.Random(5).sample(range(1000, 9999), 120)
    rows = [{"id": f"n{i}", "prompt": f"note {n}", "response": "x"} for i, n in enumerate(numbers)]
    ratings = [round(1 + n * 37 % 101 * 0.09, 2) for n in numbers]
    judge = ["--judge", "mt-bench-single", "--model", "m.py:it", "--out"]
    first, second = write_rows("one.jsonl", rows[:80]), write_rows("two.jsonl", rows[80:])
    assert evenhand("judge", first, *judge, "one").code == 0
    people = label_file("people.jsonl", ids_of(rows[:80]), ratings[:80])
    command = ["fit", "one", "--labels", people, "--to", "q.json", "--embedder", "e.py:embed"]
    made = evenhand(*command, "--kind", "quantitative", "--json").json
    assert made["chosen"].endswith("its score and its text, embedded by e.py:embed")
    one = Fit.read("q.json").data["embedder"]
    assert (one["name"], one["size"]) == ("e.py:embed", 1)
    assert one["sha256"] == sha256(Path("e.py").read_bytes()).hexdigest()
    ended = evenhand("judge", second, *judge, "two", "--fit", "q.json")
    assert ended.code == 0, ended.err
    with contextlib.closing(Store(Path("two"), read=True)) as store:
        scores = {s.case: s.verdict.score for s in read_signed(store) if s.verdict}
        assert one["sha256"] in json.dumps(store.manifest["judge"]["plain"])
    assert [scores[row["id"]] for row in rows[80:]] == pytest.approx(ratings[80:], abs=0.1)

    Path("e.py").write_text(RULE + "# changed\n")
    ended = evenhand("judge", second, *judge, "three", "--fit", "q.json")
    assert ended.code == 2
    assert "is not the file that the fit was made with" in " ".join(ended.err.split())
    assert not Path("three/run.sqlite").exists()
    ended = evenhand(*command, "--kind", "calibrate", "--json")
    assert "--embedder e.py:embed with --kind calibrate" in ended.error["message"]
    ended = evenhand(*command[:-1], "glove", "--kind", "quantitative", "--json")
    assert "no embedder is called 'glove'" in ended.error["message"]


def test_an_embedder_of_another_size_stops_the_run_with_its_reason(evenhand: Command) -> None:
    Path("m.py").write_text(TALKS)
    Path("e.py").write_text("def embed(texts):\n    return [[1.0] * 3 for _ in texts]\n")
    digest = sha256(Path("e.py").read_bytes()).hexdigest()
    one = {"name": "e.py:embed", "size": 2, "sha256": digest}
    data = {"head": "LS", "labels": [], "span": [1, 9], "weights": [[1.0, 0.0, 0.0]]}
    data |= {"embedder": one, "intercept": [0.0]}
    Fit("quantitative", data, {"what": "x", "hash": None, "n": None}).write("q.json")
    rows = write_rows("d.jsonl", [{"id": "a", "prompt": "note 1", "response": "x"}])
    ended = evenhand(
        "judge", rows, "--judge", "mt-bench-single", "--model", "m.py:it", "--out", "r",
        "--fit", "q.json", "--json",
    )  # fmt: skip
    assert ended.code == 2
    assert "e.py:embed returned 3 numbers a text\nExpected: 2" in ended.error["message"]
    assert "evenhand fit" in ended.error["next"]


def test_the_question_that_matters_to_people_gets_the_weight(evenhand: Command) -> None:
    Path("m.py").write_text(
        "from evenhand import Completion\n"
        "from evenhand.models.scripted import Scripted\n"
        "def say(request):\n"
        "    if request.question is None:\n"
        "        return '1. Is it right?\\n2. Is it polite?\\n'\n"
        "    text = ''.join(m.text for m in request.messages)\n"
        "    word = 'RIGHT' if 'right?' in request.question.text else 'POLITE'\n"
        "    p = 0.9 if word in text else 0.1\n"
        "    return Completion('', answer={'yes': p, 'no': 1 - p})\n"
        "it = Scripted('m', say)\n"
    )
    rng, rows, ratings = random.Random(4), [], []
    for i in range(60):
        right, polite = rng.random() < 0.5, rng.random() < 0.5
        text = f"{'RIGHT' if right else 'off'} {'POLITE' if polite else 'rude'} {i}"
        rows.append({"id": f"c{i}", "prompt": "one prompt", "response": text})
        ratings.append(rng.choice([7, 8, 9, 10]) if right else rng.choice([1, 2, 3, 4]))
    data = write_rows("c.jsonl", rows)
    command = ["judge", data, "--judge", "rocketeval", "--model", "m.py:it", "--out", "c"]
    assert evenhand(*command).code == 0
    people = label_file("c-people.jsonl", ids_of(rows), ratings)
    made = evenhand(
        "fit", "c", "--labels", people, "--kind", "rocketeval", "--to", "r.json", "--json"
    ).json
    assert made["chosen"] == "one weight a question for 1 of 1 checklists"
    assert made["gain"]["low"] > 0
    (one,) = Fit.read("r.json").data.values()
    assert one["weights"][0] > 2 * one["weights"][1]
    assert evenhand(*command[:-1], "again", "--fit", "r.json").code == 0


def test_trees_of_a_checklist_are_saved_as_plain_lists_and_applied(evenhand: Command) -> None:
    pytest.importorskip("sklearn", reason="needs the extra ml")
    Path("m.py").write_text(
        "from evenhand import Completion\n"
        "from evenhand.models.scripted import Scripted\n"
        "def say(request):\n"
        "    text = ''.join(m.text for m in request.messages)\n"
        "    if request.question is None:\n"
        "        more = '3. Is it new?\\n' * ('ask 2' in text)\n"
        "        return '1. Is it right?\\n2. Is it polite?\\n' + more\n"
        "    word = 'RIGHT' if 'right?' in request.question.text else 'POLITE'\n"
        "    p = 0.9 if word in text else 0.1\n"
        "    return Completion('', answer={'yes': p, 'no': 1 - p})\n"
        "it = Scripted('m', say)\n"
    )
    rng, rows, ratings = random.Random(4), [], []
    for i in range(62):
        right, polite = rng.random() < 0.5, rng.random() < 0.5
        text = f"{'RIGHT' if right else 'off'} {'POLITE' if polite else 'rude'} {i}"
        prompt = "ask 1" if i < 59 else "ask 2"  # three responses to the second teach no trees
        rows.append({"id": f"c{i}", "prompt": prompt, "response": text})
        ratings.append(rng.choice([7, 8, 9, 10]) if right else rng.choice([1, 2, 3, 4]))
    data = write_rows("c.jsonl", rows)
    command = ["judge", data, "--judge", "rocketeval", "--model", "m.py:it", "--out"]
    assert evenhand(*command, "c").code == 0
    people = label_file("c-people.jsonl", ids_of(rows), ratings)
    words = ["fit", "c", "--labels", people, "--kind", "rocketeval-trees", "--to", "r.json"]
    made = evenhand(*words, "--json").json
    assert made["chosen"] == "ten trees for 1 of 2 checklists"
    assert made["losses"]["trees"]["estimate"] < made["losses"]["as it is"]["estimate"]
    assert made["gain"]["estimate"] > 0
    fit = Fit.read("r.json")
    assert (fit.kind, fit.made_from["n"]) == ("rocketeval-trees", 59)
    ended = evenhand(*command, "again", "--fit", "r.json")
    assert ended.code == 0, ended.err
    scores = {}
    for run in ("c", "again"):
        with contextlib.closing(Store(Path(run), read=True)) as store:
            scores[run] = [one.verdict.score for one in read_signed(store) if one.verdict]
    assert scores["c"][59:] == scores["again"][59:]
    off = {run: sum((s - r) ** 2 for s, r in zip(scores[run], ratings, strict=True))  # type: ignore[operator]
           for run in scores}  # fmt: skip
    assert off["again"] < off["c"]
    few = label_file("few.jsonl", ids_of(rows)[:3], [1, 5, 9])
    ended = evenhand("fit", "c", "--labels", few, *words[4:-1], "x.json")
    assert ended.code == 3
    assert "3 independent ratings are too few" in ended.err
    assert not Path("x.json").exists()


def test_several_files_of_raters_are_pooled_and_that_is_told(evenhand: Command) -> None:
    run, people = yes_run(evenhand)
    rows, labels = planted(120, "a")
    files: list[str] = ["--labels", people]
    for rater in ("ben", "cat"):
        files += ["--labels", label_file(f"{rater}.jsonl", ids_of(rows), labels, rater)]
    odd = ["yes" if label == "no" else "no" for label in labels[:10]]
    files += ["--labels", label_file("dan.jsonl", ids_of(rows)[:10], odd, "dan")]
    made = evenhand("fit", run, *files, "--kind", "calibrate", "--to", "f.json", "--json").json
    assert made["raters"] == ["ann", "ben", "cat", "dan"]
    assert made["left_out"] == {}
    assert "120 cases have labels by several raters: the majority's was taken" in made["warnings"]
    two = ["--labels", people, "--labels", files[-1]]
    made = evenhand("fit", run, *two, "--kind", "calibrate", "--to", "f.json", "--json").json
    assert made["left_out"] == {"without a majority": 10}


# ---- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "labels", "kind", "message"),
    [
        (["x1", "x2", "x3", "x4"], ["yes"] * 4, "calibrate", "'x1', 'x2', 'x3'"),
        (["a0", "a1"], ["", ""], "calibrate", "hold no label"),
        (["a0", "a1"], ["skip", ""], "calibrate", "hold no label"),
        (["a0", "a1", "a2"], ["yes"] * 3, "calibrate", "all 3 labels are 'yes'"),
        (["a0", "a1", "a2"], ["yes", "no", "yes"], "calibrate", "3 independent labels are too few"),
        (["a0", "a1"], ["good", "bad"], "calibrate", "no label is on the judge's scale"),
        (["a0", "a1"], ["good", "bad"], "quantitative", "the label 'good' is no number"),
        (["a0", "a1"], ["1", "2"], "quantitative", "2 independent labels are too few"),
        (["a0", "a1"], ["1", "2"], "rocketeval", "was judged by"),
        (["a0", "a0"], ["yes", "no"], "calibrate", "rater 'ann' has a label of case 'a0'"),
        (["a0", "a1"], ["yes", "no"], "jury", "calibrate, quantitative, rocketeval"),
    ],
)  # fmt: skip
def test_labels_that_teach_nothing_get_a_plain_message(
    evenhand: Command, ids: list[str], labels: list[str], kind: str, message: str
) -> None:
    run, _ = yes_run(evenhand, 12)
    people = label_file("bad.jsonl", ids, labels)
    ended = evenhand("fit", run, "--labels", people, "--kind", kind, "--to", "f.json")
    assert (ended.code, ended.out) == (3 if "too few" in message else 2, "")
    assert message in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
    assert not Path("f.json").exists()


def test_a_run_without_a_decided_verdict_teaches_nothing(evenhand: Command) -> None:
    run, people = yes_run(evenhand, 12, "Silent")
    for command in (
        ["fit", run, "--kind", "calibrate", "--to", "f.json"],
        ["plan", "level", "--pilot", run],
    ):
        ended = evenhand(*command, "--labels", people, "--json")
        assert ended.code == 2
        assert "none of the 12 cases of run-a0" in ended.error["message"]


def test_numbers_on_a_line_are_not_calibrated(evenhand: Command) -> None:
    run, people = yes_run(evenhand, 12, "Flat")
    ended = evenhand("fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json")
    assert ended.code == 2
    assert "--kind quantitative" in ended.err


def test_labels_of_cases_that_are_not_in_the_run_are_counted(evenhand: Command) -> None:
    run, people = yes_run(evenhand)
    with open(people, "a") as file:
        file.writelines(
            json.dumps({"id": f"z{i}", "rater": "ann", "label": "yes"}) + "\n" for i in range(4)
        )
    made = evenhand(
        "fit", run, "--labels", people, "--kind", "calibrate", "--to", "f.json", "--json"
    ).json
    assert "4 labelled cases are not in the run: 'z0', 'z1', 'z2', …" in made["warnings"]


def test_columns_and_words_of_ones_own_are_mapped(evenhand: Command) -> None:
    run, _ = yes_run(evenhand)
    rows, labels = planted(120, "a")
    said = [{"yes": "good", "no": "bad"}[label] for label in labels]
    write_rows(
        "own.jsonl",
        [{"which": i, "gut": s} for i, s in zip(ids_of(rows), said, strict=True)],
    )
    made = evenhand(
        "fit", run, "--labels", "own.jsonl", "--kind", "calibrate", "--to", "f.json", "--json",
        "--map", "id=which", "--map", "label=gut", "--map-labels", "good=yes bad=no",
    )  # fmt: skip
    assert (made.json["n"], made.json["raters"]) == (120, ["own"])


# ---- plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["replace", "level", "compare"])
def test_a_plan_without_data_says_what_it_assumes(evenhand: Command, claim: str) -> None:
    ended = evenhand("plan", claim)
    assert (ended.code, ended.err) == (0, "")
    assert "assumed, not measured" in ended.out
    assert "assumptions, not data" in " ".join(ended.out.split())
    assert evenhand("plan", claim, "--json").json["n_labels"] > 0


def test_a_plan_from_a_pilot_says_what_it_measured(evenhand: Command) -> None:
    run, people = yes_run(evenhand)
    ended = evenhand("plan", "level", "--pilot", run, "--labels", people, "--effect", "0.1")
    assert ended.code == 0
    assert f"measured in {run}" in ended.out
    assert "to be safe" in ended.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fame"], "replace, level, compare"),
        (["level", "--pilot", "run-a0"], "--labels is missing"),
        (["level", "--labels", "people.jsonl"], "--pilot is missing"),
        (["level", "--effect", "0"], "--effect 0"),
        (["level", "--effect", "nan"], "--effect nan"),
        (["replace", "--pilot", "run-a0", "--labels", "people.jsonl"], "two raters or more"),
        (["compare", "--pilot", "run-a0", "--labels", "people.jsonl"], "two systems"),
        (["level", "--pilot", "nope", "--labels", "people.jsonl"], "nope is not a run"),
    ],
)
def test_a_plan_that_cannot_be_made_says_why(
    evenhand: Command, words: list[str], message: str
) -> None:
    yes_run(evenhand, 12)
    ended = evenhand("plan", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())
