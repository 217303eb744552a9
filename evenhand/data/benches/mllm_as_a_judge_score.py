"""Answers about images, scored by people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.benches.mllm_as_a_judge import PAPER, REVISION, SOURCE, asked
from evenhand.data.reading import apart, case_row, one_of, read, text
from evenhand.data.rows import Bad, Row

SCORED = "Dataset/Benchmark*/score*.jsonl"
SCORES: dict[Any, str] = {n: str(n) for n in range(1, 6)} | {str(n): str(n) for n in range(1, 6)}

CARD = Card(
    name="mllm-as-a-judge-score",
    about="how good people find an answer about an image, 1 to 5",
    source=SOURCE,
    revision=REVISION,
    licence="MIT",
    gold="human",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(SCORED),),
    split="score",
    paper=PAPER,
    notes="columns as seen in score_lite.jsonl of the repository, where people's score is `human`; "
    "other files may call it `human_answer`, which is read too. Whole files were not read",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, SCORED):

        def make(raw: Any, at: int, path: Path = path) -> Row:
            column = "human_answer" if "human_answer" in raw else "human"
            return case_row(f"{path.stem}/{text(raw, 'score_id')}", asked(raw, path),
                (text(raw, "answer", empty=True),), label=one_of(raw, column, SCORES), at=at,
                cluster=text(raw, "image_path"), systems=(text(raw, "name"),),
                group=text(raw, "original_dataset"))  # fmt: skip

        columns = ("score_id", "name", "answer", "instruction", "image_path", "original_dataset")
        yield from read(one, SCORED, make, columns=columns)


BENCH = Bench(CARD, cases)
