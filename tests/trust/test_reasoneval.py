"""The 40 figures of ReasonEval's published evaluation of evaluators, from its stored scores.

Expected values: shared/data/reasoneval/expected.json, the output of the source's own script (Xia
et al. 2024, "Evaluating Mathematical Reasoning Beyond Accuracy", arXiv:2404.05692); the rules are
those of the data page.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand.trust.engine import How
from evenhand.trust.process import Detection, detection, step_figures

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/reasoneval"
FEW = How(method="bootstrap", replicates=200)
LEVELS = {"solution_level": "solutions", "step_level": "steps"}
FIGURES = {"macro_f1_score": "macro_f1", "AUC": "auc"}
Row = dict[str, Any]


def rows_of(name: str) -> list[Row]:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the shared data is not here: {path}")
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def solutions() -> list[Row]:
    return rows_of("mr-math_invalid_errors.jsonl")


@cache
def evaluators() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows_of("mr-math_invalid_errors_evaluators.jsonl.gz"):
        found.setdefault(row["evaluator"], []).append(row)
    for rows in found.values():
        assert [row["id"] for row in rows] == [case["id"] for case in solutions()]
    return found


def first_errors() -> list[int | None]:
    """From 0; the file counts from 1 and writes N/A."""
    told = [case["model_output_solution_first_error_step"] for case in solutions()]
    return [None if step == "N/A" else int(step) - 1 for step in told]


def step_scores(case: Row, scores: list[Any]) -> list[float]:
    """One a step: the least of its sub-steps; validity is all that is not "invalid"."""
    valid = iter([x[1] + x[2] if isinstance(x, list) else x for x in scores])
    return [min(next(valid) for _ in part) for part in case["model_output_step_format"]]


def gpt_steps(case: Row, said: Row) -> list[float]:
    """Right up to the step it names, wrong there, nothing after it."""
    n = len(case["model_output_step_format"])
    number = re.search(r"\d+", said["error_step_pred"])
    place = int(number[0]) if number else n + 1
    if said["correctness_pred"] in ("Correct", "correct") or place > n:
        return [1.0] * n
    return [1.0] * (place - 1) + [0.0] + [np.nan] * (n - place)


def gpt_verdict(said: Row) -> float:
    """Taken literally: any other spelling is no verdict."""
    literal = {"Correct": 1.0, "correct": 1.0, "Wrong": 0.0, "wrong": 0.0}
    return literal.get(said["correctness_pred"], np.nan)


@cache
def found_for(name: str) -> dict[str, Detection]:
    said, cases, first = evaluators()[name], solutions(), first_errors()
    if name.startswith("roscoe"):
        scores = [row["scores"] for row in said]
        sound = [error is None for error in first]
        return {"solutions": detection(scores, sound, threshold=0.025, how=FEW)}
    both = list(zip(cases, said, strict=True))
    whole = None
    if name.startswith("gpt"):
        steps = [gpt_steps(case, row) for case, row in both]
        whole = [gpt_verdict(row) for row in said]
    else:
        steps = [step_scores(case, row["scores"]) for case, row in both]
    found = step_figures(steps, first, solution_scores=whole, how=FEW)
    return {"solutions": found.solutions, "steps": found.steps}


def expected() -> list[tuple[str, str, float]]:
    path = FOLDER / "expected.json"
    if not path.exists():
        return []
    told = json.loads(path.read_text(encoding="utf-8"))
    return [
        (figure, name, value)
        for figure, values in told.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]


def test_all_forty_published_figures_come_out() -> None:
    wrong, told = [], expected()
    for figure, name, value in told:
        level, _, kind = figure.partition("_level_")
        interval = getattr(found_for(name)[LEVELS[f"{level}_level"]], FIGURES[kind])
        if round(interval.estimate, 3) != value:
            wrong.append((figure, name, value, interval.estimate))
        assert interval.low < interval.estimate < interval.high
        assert interval.n_clusters >= 150, "solutions are resampled, not steps"
    solutions()  # skips where the data are absent
    assert len(told) == 40
    assert not wrong


def test_verdicts_of_another_spelling_are_counted_as_undecided() -> None:
    """The data page: '**Correct**', '**Wrong**' and 'Wrong.' are misses; 'Incorrect' is another."""
    three, four = (found_for(name)["solutions"] for name in ("gpt3_5_turbo", "gpt4"))
    assert (three.n, three.n_undecided, four.n, four.n_undecided) == (159, 4, 159, 2)
    assert three.auc.n == 155


def test_reading_the_other_spellings_gives_the_figures_of_the_data_page() -> None:
    """.738 for GPT-4 and .603 for GPT-3.5 when '**Correct**', '**Wrong**', 'Wrong.' are read."""
    sound = [error is None for error in first_errors()]
    for name, value in (("gpt4", 0.738), ("gpt3_5_turbo", 0.603)):
        plain = [row["correctness_pred"].strip("*.").lower() for row in evaluators()[name]]
        scores = [{"correct": 1.0, "wrong": 0.0}.get(word, np.nan) for word in plain]
        assert round(detection(scores, sound, how=FEW).macro_f1.estimate, 3) == value
