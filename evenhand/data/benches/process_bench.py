"""Solutions of mathematical problems with the first wrong step named by people."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response, Scale, Verdict

CASES, RECORDED = "*.json", "outputs/*/*.jsonl"
SOUND = Scale("sound", {"correct": 1.0, "wrong": 0.0})

CARD = Card(
    name="process-bench",
    about="is there a wrong step in a solution, and which is the first?",
    source="huggingface.co/datasets/Qwen/ProcessBench",
    revision="3bdcd53",
    licence="Apache-2.0",
    gold="human",
    view="pointwise",
    metric=Metric("process_f1", mean="subsets"),
    files=(File(CASES), File(RECORDED, needed=False)),
    rows=3400,
    split="gsm8k, math, olympiadbench, omnimath",
    paper="Zheng et al. 2024, ProcessBench: Identifying Process Errors in Mathematical Reasoning, "
    "arXiv:2412.06559",
    hub="Qwen/ProcessBench",
    notes="the four files are not fetched by name: put them into one folder. Verdicts are those "
    "that code/run_eval.py of github.com/QwenLM/ProcessBench writes to outputs/MODEL; none seen",
)  # fmt: skip


def place(raw: Any, column: str, least: int = -1) -> int | None:
    """From 1; None where no step is wrong."""
    found = raw.get(column)
    n = len(raw["steps"]) if isinstance(raw.get("steps"), list) else 0
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found < n:
        raise Wrong(column, repr(found), f"-1, or a place from 0 to {n - 1}")
    return None if found == -1 else found + 1


def cases(files: Files) -> Iterator[Row | Bad]:
    """`label` counts from 0 in the source, -1 is none; `first_error` counts from 1."""
    for path, one in apart(files, CASES):

        def make(raw: Any, at: int, split: str = path.stem) -> Row:
            first, steps = place(raw, "label"), tuple(map(str, raw["steps"]))
            answer = Response(("\n\n".join(steps),), text(raw, "generator"), steps)
            notes = {"first_error": first, "n_steps": len(steps),
                     "final_answer_correct": raw.get("final_answer_correct")}  # fmt: skip
            return case_row(text(raw, "id"), text(raw, "problem"), (answer,), at=at, group=split,
                label="correct" if first is None else "wrong", cluster=text(raw, "problem"),
                notes=notes)  # fmt: skip

        columns = ("id", "generator", "problem", "steps", "label")
        yield from read(one, CASES, make, columns=columns)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, RECORDED):

        def make(raw: Any, _at: int, judge: str = path.parent.name) -> Verdict:
            ident = text(raw, "id")
            if raw.get("prediction") is None:
                return said(ident, judge, None, scale=SOUND)
            try:
                first = place(raw, "prediction")
            except Wrong:  # a step that the solution does not have
                return said(ident, judge, None, scale=SOUND)
            label = "correct" if first is None else "wrong"
            return said(ident, judge, label, scale=SOUND).marked(first_error=first)

        yield from read(one, RECORDED, make, columns=("id", "steps", "prediction"))


BENCH = Bench(CARD, cases, recorded=recorded)
