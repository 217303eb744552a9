"""Answers in text, images, sound or film, scored by people on seven rubrics."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.benches.judge_anything import (
    ANSWERS,
    NOTES,
    PAPER,
    REVISION,
    SOURCE,
    TASKS,
    Known,
)
from evenhand.data.reading import case_row, one_of, read, text
from evenhand.data.rows import Bad, Row

SCORED = "dataset/Preference/Human_Scoring.json"
SCORES: dict[Any, str] = {n: str(n) for n in range(1, 6)} | {str(n): str(n) for n in range(1, 6)}

CARD = Card(
    name="judge-anything-score",
    about="how good people find an answer of any kind, overall and on six rubrics, 1 to 5",
    source=SOURCE,
    revision=REVISION,
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(TASKS), File(ANSWERS), File(SCORED)),
    split="scoring, 1,500 tasks of fifteen kinds",
    paper=PAPER,
    notes=NOTES,
)


def cases(files: Files) -> Iterator[Row | Bad]:
    known = Known(files)

    def make(raw: Any, at: int) -> Row:
        model, rubric, ident = (text(raw, x) for x in ("model_name", "rubric_name", "uniq_id"))
        return case_row(f"{ident}/{model}/{rubric}", known.asked(raw), [known.answer(raw, model)],
            label=one_of(raw, "score", SCORES), at=at, cluster=ident, rubric=rubric,
            group=text(raw, "task_name"))  # fmt: skip

    columns = ("uniq_id", "task_name", "model_name", "rubric_name", "score")
    return read(files, SCORED, make, columns=columns)


BENCH = Bench(CARD, cases)
