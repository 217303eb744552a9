"""Open questions of law exams with a reference answer."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import RESPONSES, answered, case_row, text
from evenhand.data.rows import Bad, Row

ASKED = "open_question*/*"
COLUMNS = ("question", "answer", "course", "language", "area", "jurisdiction", "year", "id")

CARD = Card(
    name="lexam",
    about="how right an answer to a law exam is beside the reference, 0 to 1 in tenths",
    source="huggingface.co/datasets/LEXam-Benchmark/LEXam",
    revision="main; code: github.com/LEXam-Benchmark/LEXam at "
    "487f729e85725e5d3e00c0b25142de1e86cda643",
    licence="CC-BY-4.0",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(ASKED), File(RESPONSES)),
    rows=2541,
    split="open questions, test (dev: 300)",
    paper="Fan et al. 2025, LEXam: Benchmarking Legal Reasoning on 340 Law Exams, arXiv:2505.12864",
    notes="questions alone: the answers of your systems come from responses.jsonl (id, response, "
    "system). Columns by the card; the file was not seen, and the repository holds spreadsheets, "
    "which are not read. The multiple-choice parts need no judge and are not read",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        notes = {name: raw.get(name) for name in ("language", "area", "jurisdiction", "year")}
        return case_row(text(raw, "id"), text(raw, "question"), (), label=None, at=at,
            reference=(text(raw, "answer"),), group=text(raw, "course"), notes=notes)  # fmt: skip

    return answered(files, ASKED, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
