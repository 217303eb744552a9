"""Answers written to earn a given score by a rubric of their own."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, one_of, read, text
from evenhand.data.rows import Bad, Row

RATED = "data/*-0*"
SCORES: dict[Any, str] = {
    **{str(n): str(n) for n in range(1, 6)},
    **{n: str(n) for n in range(1, 6)},
}
COLUMNS = ("orig_instruction", "orig_response", "orig_reference_answer", "orig_criteria",
           "orig_score", *(f"orig_score{n}_description" for n in range(1, 6)))  # fmt: skip

CARD = Card(
    name="feedback-bench",
    about="which score an answer has by its rubric, 1 to 5",
    source="huggingface.co/datasets/prometheus-eval/Feedback-Bench",
    revision="main of May 2024, the 1,000 rows with one answer each",
    licence="Apache-2.0 (by the card of a copy)",
    gold="constructed",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(RATED, hub="data/train-00000-of-00001.parquet"),),
    rows=1000,
    split="train, the only one",
    paper="Kim et al. 2024, Prometheus 2: An Open Source Language Model Specialized in Evaluating "
    "Other Language Models, arXiv:2405.01535",
    hub="prometheus-eval/Feedback-Bench",
    notes="columns by the card of a copy (flowaicom/Feedback-Bench); the gold is the score that "
    "GPT-4 wrote the answer for. An earlier revision held pairs (orig_response_A, orig_response_B) "
    "and is not read",
)  # fmt: skip


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        rubric = {"criteria": text(raw, "orig_criteria")}
        for n in range(1, 6):
            rubric[f"score{n}_description"] = text(raw, f"orig_score{n}_description")
        prompt = text(raw, "orig_instruction")
        return case_row(f"feedback/{at}", prompt, (text(raw, "orig_response", empty=True),),
            label=one_of(raw, "orig_score", SCORES), at=at, cluster=prompt, rubric=rubric,
            reference=(text(raw, "orig_reference_answer"),))  # fmt: skip

    return read(files, RATED, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
