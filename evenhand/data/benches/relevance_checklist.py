"""Checklist and nugget ratings of passages by a small model, beside human relevance."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, one_of, read, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict, line

CASES = "train_ratings.tsv*"
GRADES = {str(grade): str(grade) for grade in range(4)}
SCALE = line("rating", 0, 10)
COLUMNS = ("query_id", "doc_id", "gold", "question_self_ratings", "nugget_self_ratings")

CARD = Card(
    name="relevance-checklist",
    about="how relevant is a passage, by ten questions about it?",
    source="github.com/TREMA-UNH/rubric-llm-judge",
    revision="033939c3eb8e96810aab4491c321e818b44a3e60",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("spearman"),
    files=(File(CASES),),
    rows=7263,
    split="training part",
    folder="relevance_checklist",
    paper="Farzi and Dietz 2024, Best in Tau@LLMJudge: Criteria-Based Relevance Evaluation with "
    "Llama3, arXiv:2410.14044",
    status="verified",
    notes="ratings alone, 0 to 5 by google/flan-t5-large",
)


def ident(raw: Any) -> str:
    return f"{text(raw, 'query_id')}/{text(raw, 'doc_id')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        return case_row(ident(raw), text(raw, "query_id"), (text(raw, "doc_id"),),
            label=one_of(raw, "gold", GRADES), at=at, cluster=text(raw, "query_id"))  # fmt: skip

    return read(files, CASES, make, columns=COLUMNS)


def ratings(raw: Any, column: str) -> list[int]:
    try:
        return [int(one) for one in str(raw[column]).split("|")]
    except ValueError:
        raise Wrong(column, str(raw[column])[:60], "whole numbers joined by |") from None


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> list[Verdict]:
        asked, nuggets = (ratings(raw, column) for column in COLUMNS[3:])
        told = {
            "best question": max(asked),
            "mean question": sum(asked) / len(asked),
            "questions rated 4 or 5": sum(one >= 4 for one in asked),
            "best nugget": max(nuggets),
        }
        return [said(ident(raw), name, float(n), scale=SCALE) for name, n in told.items()]

    return read_many(files, CASES, make, columns=COLUMNS)


def published(_files: Files) -> Iterator[Published]:
    told = {"best question": 0.3224, "mean question": 0.3392, "questions rated 4 or 5": 0.3420,
            "best nugget": 0.1671}  # fmt: skip
    for judge, value in told.items():
        yield Published(judge, "spearman", value, 4, standing="computed")


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
