"""Step-by-step solutions with the first wrong step named by people, and twelve evaluators."""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, one_of, read, said, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response, Scale, Verdict, line

CASES, RECORDED, FIGURES = "mr-math_*errors.json*", "*_evaluators.jsonl*", "expected.json"
SOUND, SCORE = Scale("sound", {"correct": 1.0, "wrong": 0.0}), line("validity", -1, 1)
LITERAL = {"Correct": "correct", "correct": "correct", "Wrong": "wrong", "wrong": "wrong"}

CARD = Card(
    name="reason-eval",
    about="is a solution right, and which step is the first wrong one?",
    source="github.com/GAIR-NLP/ReasonEval",
    revision="6c91c7a16e2b0e12ebc89685207cd091fb411478",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("solution_macro_f1"),
    files=(File(CASES), File(RECORDED, needed=False), File(FIGURES, needed=False)),
    rows=159,
    folder="reasoneval",
    paper="Xia et al. 2024, Evaluating Mathematical Reasoning Beyond Accuracy, arXiv:2404.05692",
    status="verified",
    notes="steps after the first error are not scored",
)


def steps(raw: Any) -> list[list[str]]:
    found = raw.get("model_output_step_format")
    if not isinstance(found, list) or not all(isinstance(one, list) for one in found):
        raise Wrong("model_output_step_format", str(found)[:60], "a list of lists of sub-steps")
    return found


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        parts, named = steps(raw), text(raw, "model_output_solution_first_error_step")
        first = None if named == "N/A" else int(named)
        label = one_of(raw, "model_output_solution_correctness", {**LITERAL, "incorrect": "wrong"})
        answer = Response((text(raw, "model_output"),), text(raw, "generator"),
            tuple("\n".join(part) for part in parts))  # fmt: skip
        return case_row(text(raw, "id"), text(raw, "question"), (answer,), label=label, at=at,
            notes={"first_error": first, "n_steps": len(parts)})  # fmt: skip

    return read(files, CASES, make, columns=("id", "question", "model_output"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """A step is as valid as its least sub-step; after the step that is named none was judged."""
    found = read(files, CASES, lambda raw, _: (text(raw, "id"), [len(s) for s in steps(raw)]))
    sizes = dict(one for one in found if not isinstance(one, Bad))

    def make(raw: Any, _at: int) -> Verdict:
        ident, judge = text(raw, "id"), text(raw, "evaluator")
        if "scores" not in raw:
            word = said(ident, judge, LITERAL.get(raw["correctness_pred"]), scale=SOUND)
            return word.marked(steps=_named(raw, len(sizes[ident])))
        if not isinstance(raw["scores"], list):
            return said(ident, judge, float(raw["scores"]), scale=SCORE)
        valid = iter([x[1] + x[2] if isinstance(x, list) else x for x in raw["scores"]])
        found = [min(next(valid) for _ in range(size)) for size in sizes[ident]]
        return said(ident, judge, float(min(found)), scale=SCORE).marked(steps=found)

    return read(files, RECORDED, make, columns=("id", "evaluator"))


def _named(raw: Any, n: int) -> list[float | None]:
    number = re.search(r"\d+", raw["error_step_pred"])
    place = int(number[0]) if number else n + 1
    if raw["correctness_pred"] in ("Correct", "correct") or place > n:
        return [1.0] * n
    return [1.0] * (place - 1) + [0.0] + [None] * (n - place)


def published(files: Files) -> Iterator[Published]:
    for title, values in whole(files.path(FIGURES)).items():
        for judge, value in values.items() if isinstance(values, dict) else ():
            name = title.replace("_level", "").removesuffix("_score").lower()
            options = {"threshold": 0.025 if judge.startswith("roscoe") else 0.5}
            yield Published(judge, name, value, 3, standing="script", options=options)


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
