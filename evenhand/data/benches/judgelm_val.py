"""Pairs of answers, graded by GPT-4 from 1 to 10 each."""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown

GRADED = "judgelm_val_5k_gpt4.jsonl"

CARD = Card(
    name="judgelm-val",
    about="which of two answers GPT-4 graded higher",
    source="huggingface.co/datasets/BAAI/JudgeLM-100K",
    revision="16f7d72; code at github.com/baaivision/JudgeLM 00c45169",
    licence="CC-BY-NC-4.0",
    gold="judge",
    view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(File(GRADED),),
    rows=5000,
    split="val, without references",
    paper="Zhu et al. 2023, JudgeLM: Fine-tuned Large Language Models are Scalable Judges, "
    "arXiv:2310.17631",
    hub="BAAI/JudgeLM-100K",
    notes="the gold is GPT-4's, so that every figure is agreement with GPT-4; columns are those of "
    "the data card and of the source's script, which takes both grades from the first line of the "
    "text; a line that holds no two grades leaves the pair without a label, as there",
)


def grades(raw: Any) -> tuple[float, float] | None:
    """None where the source's script reads none; below 0 is its own mark for that."""
    first = text(raw, "text").split("\n")[0].replace(",", " ")
    if not re.fullmatch(r"-?\d+(\.\d+)? -?\d+(\.\d+)?", first):
        return None
    one, two = map(float, first.split(" "))
    return None if -1 in (one, two) else (one, two)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        both = (text(raw, "answer1_body", empty=True), text(raw, "answer2_body", empty=True))
        who = (raw.get("answer1_model_id") or None, raw.get("answer2_model_id") or None)
        listed = raw.get("score")
        if listed is not None and not (isinstance(listed, list) and len(listed) == 2):
            raise Wrong("score", f"{kind(listed)}: {shown(listed)}", "two grades")
        given = grades(raw)
        label = ("tie", "A", "B")[(given[0] > given[1]) - (given[0] < given[1])] if given else None
        return case_row(
            text(raw, "question_id"), text(raw, "question_body").strip(), both, label=label,
            at=at, systems=who, notes={"grades": given},
        )  # fmt: skip

    columns = ("question_id", "question_body", "answer1_body", "answer2_body", "text")
    for _, one in apart(files, GRADED):
        yield from read(one, GRADED, make, columns=columns)


BENCH = Bench(CARD, cases)
