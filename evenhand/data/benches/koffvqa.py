"""Korean questions about images, each with rules for its points."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import RESPONSES, answered, case_row, text
from evenhand.data.rows import Bad, Row

ASKED = "*KOFFVQA*"

CARD = Card(
    name="koffvqa",
    about="the points of an answer in Korean by the rules of its question, 0 to 10",
    source="huggingface.co/datasets/maum-ai/KOFFVQA_Data",
    revision="main; code: github.com/maum-ai/KOFFVQA at c6a861dd358d8220c802d52dfd0acf1a58a1f39b",
    licence="Apache-2.0",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(ASKED), File(RESPONSES)),
    rows=275,
    paper="Kim et al. 2025, KOFFVQA: An Objectively Evaluated Free-form VQA Benchmark for Large "
    "Vision-Language Models in the Korean Language, arXiv:2503.23730",
    notes="questions alone: the answers of your systems come from responses.jsonl (id, response, "
    "system). Columns as the code reads them (index, question, answer, category); the file was "
    "not seen. `answer` holds the rules. The judge sees no image, as in the source, which shows "
    "the mean times ten and gives 0 for another language and for a reply without a number",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        return case_row(text(raw, "index"), text(raw, "question"), (), label=None, at=at,
            rubric=text(raw, "answer"), group=text(raw, "category"))  # fmt: skip

    return answered(files, ASKED, make, columns=("index", "question", "answer", "category"))


BENCH = Bench(CARD, cases)
