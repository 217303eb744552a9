"""Four answers to each of 10,000 coding instructions, rated by GPT-3.5 on one preference."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, read_many, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response

RATED = "data/train-*"
COLUMNS = ("instruction", "preference", "responses", "annotations")

CARD = Card(
    name="code-ultra-feedback",
    about="GPT-3.5's ratings of code on one of five preferences",
    source="huggingface.co/datasets/coseal/CodeUltraFeedback",
    revision="2f4ced783997f4dc4ef58c3eca490af04c7f1b79",
    licence="unstated",
    gold="judge",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(RATED, hub="data/train-00000-of-00001.parquet"),),
    rows=40000,
    split="train, four cases a row",
    paper="Weyssow et al. 2024, CodeUltraFeedback: An LLM-as-a-Judge Dataset for Aligning Large "
    "Language Models to Coding Preferences, arXiv:2403.09032",
    hub="coseal/CodeUltraFeedback",
    notes="the gold is a model's: agreement with GPT-3.5, not with people. Columns by the card; "
    "the file was not seen. A rating that is no number from 1 to 10 is no gold",
)


def listed(raw: Any, column: str) -> list[dict[str, Any]]:
    found = raw.get(column)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Wrong(column, str(found)[:60], "a list of objects with a model")
    return found


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> list[Row]:
        prompt, wanted = text(raw, "instruction"), text(raw, "preference")
        rated = {
            str(one.get("model")): str(one.get("rating")) for one in listed(raw, "annotations")
        }
        found = []
        for one in listed(raw, "responses"):
            answer = Response((text(one, "response", empty=True),), text(one, "model"))
            given = rated.get(str(answer.system), "").strip()
            label = given if given.isdecimal() and 1 <= int(given) <= 10 else None
            found.append(case_row(f"code/{at}/{answer.system}", prompt, (answer,), label=label,
                at=at, cluster=prompt, group=wanted, rubric=wanted))  # fmt: skip
        return found

    return read_many(files, RATED, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
