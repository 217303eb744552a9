"""Relevance of passages to queries: one assessor and seventeen submitted judges."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, one_of, read, read_many, said, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.records import Scale, Verdict

LABELS, FIGURES = "test_labels.tsv*", "expected.json"
GRADES = {str(grade): str(grade) for grade in range(4)}
WRITTEN = Scale("grade as written", {str(grade): float(grade) for grade in range(11)})
FIXED = ("query_id", "doc_id", "gold")
CUTS = {f"kappa_{left}|{right}": [list(left), [*right, "10"]] for left, right in
        (("0", "123"), ("01", "23"), ("012", "3"))}  # fmt: skip

CARD = Card(
    name="llmjudge",
    about="how relevant a passage is to a query, 0 to 3",
    source="github.com/llm4eval/LLMJudge-benchmark",
    revision="968a1f9c962fddfc6508faa2d45e3e7edd1c3829",
    licence="MIT (submissions); the assessor's labels are TREC 2023 and unstated",
    gold="human",
    view="pointwise",
    metric=Metric("cohen_kappa"),
    files=(File(LABELS), File(FIGURES, needed=False)),
    rows=4423,
    split="test",
    folder="llmjudge_relevance",
    paper="Rahmani et al. 2025, Judging the Judges: A Collection of LLM-Generated Relevance "
    "Judgements, arXiv:2502.13908",
    status="verified",
    notes="labels alone: texts of queries and passages are TREC's; a label outside 0 to 3 is kept "
    "as a category of its own, as the source counts it",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        query, document = text(raw, "query_id"), text(raw, "doc_id")
        label = one_of(raw, "gold", GRADES)
        return case_row(f"{query}/{document}", query, (document,), label=label, at=at,
            cluster=query)  # fmt: skip

    return read(files, LABELS, make, columns=FIXED)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> list[Verdict]:
        ident = f"{text(raw, 'query_id')}/{text(raw, 'doc_id')}"
        judges = [name for name in raw if name not in FIXED]
        return [said(ident, name, raw[name] or None, scale=WRITTEN) for name in judges]

    return read_many(files, LABELS, make, columns=FIXED)


def published(files: Files) -> Iterator[Published]:
    form = whole(files.path(FIGURES))
    for judge, values in form["submissions"].items():
        for column, value in zip(form["columns"], values, strict=True):
            if column.startswith("krippendorff"):
                options: dict[str, object] = {"level": "ordinal"}
                yield Published(judge, "krippendorff_alpha", value, 4, options=options)
                continue
            options = {"cut": CUTS[column]} if column in CUTS else {}
            yield Published(judge, "cohen_kappa", value, 4, options=options)


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
