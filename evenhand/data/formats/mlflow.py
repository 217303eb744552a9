"""MLflow's table of evaluation results, CSV or JSON: every column NAME/v1/score is a judge.

Read are `eval_results_table` (columns and data) and tables with NAME/value; beside them
NAME/justification or NAME/rationale. The names are those of the tool's documentation; a table was
not read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROWS, Told, answer, each, first, form_card, inside, scaled, short
from evenhand.data.reading import case_row, rows, whole
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import as_text, texts
from evenhand.errors import DataError
from evenhand.records import Verdict

SCORE = re.compile(r"(?P<judge>.+?)(?:/v\d+)?/(?:score|value)")
WHY = ("justification", "rationale")
ASKED = ("inputs", "input", "question", "prompt", "request")
ANSWERED = ("outputs", "output", "prediction", "predictions", "response", "answer")
TRUTH = ("targets", "target", "ground_truth", "expectations")

CARD = form_card(
    "mlflow",
    "MLflow: eval_results_table.json or the table as CSV",
    source="github.com/mlflow/mlflow",
    revision="documentation of 2026",
    view="pointwise",
)


def listed(files: Files, path: Path) -> Iterator[Any]:
    held = whole(path) if path.suffix == ".json" else None
    if isinstance(held, dict):
        names = inside(path, held, "columns", source=CARD.source)
        found: Any = (dict(zip(names, one, strict=False))
                      for one in inside(path, held, "data", source=CARD.source))  # fmt: skip
    else:
        found = (raw for _, raw in rows(Files(files.card, {ROWS: (path,)}), ROWS))
    for at, raw in enumerate(found, 1):
        if at == 1 and isinstance(raw, dict) and not any(map(SCORE.fullmatch, raw)):
            raise DataError(
                f"no column is a score; there are {', '.join(raw)}",
                expected="NAME/v1/score or NAME/value",
                do="give the table as the tool writes it",
                file=str(path), row=1, field="NAME/v1/score",
            )  # fmt: skip
        yield raw


def ident(raw: Any, at: int) -> str:
    named = first(raw, "id", "trace_id", "request_id")
    return str(named if named is not None else f"row {at}")


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Iterator[Row]:
        prompt, answered = first(raw, *ASKED), first(raw, *ANSWERED)
        yield case_row(
            ident(raw, at), as_text(prompt or ""), [as_text(answered or "")], label=None, at=at,
            cluster=short(prompt) if prompt else None, reference=texts(first(raw, *TRUTH)),
            systems=[first(raw, "model", "system")],
        )  # fmt: skip

    yield from each(files, lambda path: listed(files, path), make)


def scores(raw: Any, at: int) -> Iterator[Told]:
    for column in raw:
        if found := SCORE.fullmatch(column):
            stem = column.rpartition("/")[0]
            why = first(raw, *(f"{stem}/{name}" for name in WHY))
            yield ident(raw, at), found["judge"], answer(raw[column]), why


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return scaled(lambda: each(files, lambda path: listed(files, path), scores))


BENCH = Bench(CARD, cases, recorded=recorded)
