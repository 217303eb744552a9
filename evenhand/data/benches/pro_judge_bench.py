"""Solutions of scientific problems, every step labelled by experts with its kind of error."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import media
from evenhand.records import Message, Response

CASES = "test.*"
COLUMNS = ("id", "question", "subject", "data_type", "image_paths", "student_solution",
           "process_evaluation")  # fmt: skip

CARD = Card(
    name="pro-judge-bench",
    about="which steps of a solution are wrong, and in which of seven ways?",
    source="huggingface.co/datasets/julyai/ProJudgeBench",
    revision="03b46dab29c1a5117af6742e4c15598b88f79e7f",
    licence="CC-BY-NC-4.0",
    gold="human",
    view="pointwise",
    metric=Metric("step_accuracy"),
    files=(File(CASES, hub="test.parquet"),),
    rows=2400,
    split="test",
    paper="Ai et al. 2025, ProJudge: A Multi-Modal Multi-Discipline Benchmark and "
    "Instruction-Tuning Dataset for MLLM-based Process Judges, arXiv:2503.06553",
    hub="julyai/ProJudgeBench",
    notes="columns as other public code reads them; the file was not seen. Steps are those of "
    "process_evaluation, not the lines of student_solution. Images lie beside the file",
)  # fmt: skip


def steps(raw: Any) -> tuple[list[str], list[int], list[str | None]]:
    """Texts, 1 where right, and the kind of error where wrong."""
    found = raw.get("process_evaluation")
    if not isinstance(found, list) or not found:
        raise Wrong("process_evaluation", str(found)[:60], "a list of judged steps")
    for at, one in enumerate(found, 1):
        if not isinstance(one, list) or len(one) < 3 or str(one[1]) not in ("0", "1"):
            due = "[text, '0' or '1', kind of error, explanation]"
            raise Wrong("process_evaluation", f"step {at}: {str(one)[:40]}", due)
    right = [int(one[1]) for one in found]
    kinds = [None if ok else str(one[2]) for one, ok in zip(found, right, strict=True)]
    return [str(one[0]) for one in found], right, kinds


def cases(files: Files) -> Iterator[Row | Bad]:
    folder = str(files.path(CASES).parent)

    def make(raw: Any, at: int) -> Row:
        texts, right, kinds = steps(raw)
        given = raw.get("image_paths") or {}
        named = given.values() if isinstance(given, dict) else [given]
        paths = [str(path) for path in named if path]
        images = [media(path, "image_paths", folder) for path in paths]
        first = None if all(right) else right.index(0) + 1
        notes = {"first_error": first, "n_steps": len(texts), "step_labels": right,
                 "error_types": kinds}  # fmt: skip
        answer = Response((text(raw, "student_solution", empty=True),), None, tuple(texts))
        question = text(raw, "question")
        return case_row(text(raw, "id"), (Message("user", (question, *images)),), (answer,),
            label="correct" if first is None else "wrong", at=at, cluster=question,
            group=text(raw, "subject"), notes=notes)  # fmt: skip

    return read(files, CASES, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
