"""Pairs of answers to be judged against a context, in eight splits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, sided, split_name, text
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError

PAIRS = "data/[cfr]*_[aqsu]*"
SPLITS = (
    *("refusal_answerable", "refusal_unanswerable", "faithfulness_qa", "faithfulness_summ"),
    *("completeness_qa", "completeness_summ", "conciseness_qa", "conciseness_summ"),
)
ORDER = "refusal, then faithfulness, then completeness, then conciseness"

CARD = Card(
    name="contextual-judge-bench",
    about="which of two answers serves the context better: refusal, faithfulness, completeness, "
    "conciseness",
    source="huggingface.co/datasets/Salesforce/ContextualJudgeBench",
    revision="unknown; code at github.com/SalesforceAIResearch/ContextualJudgeBench 4d480a9d",
    licence="unstated (the data), Apache-2.0 (the code)",
    gold="human",
    view="pairwise",
    metric=Metric("consistent_accuracy", orders=2, ties="wrong"),
    files=(File(PAIRS),),
    rows=2000,
    split=", ".join(SPLITS),
    paper="Xu et al. 2025, Does Context Matter? ContextualJudgeBench for Evaluating LLM-based "
    "Judges in Contextual Settings, arXiv:2503.15620",
    hub="Salesforce/ContextualJudgeBench",
    notes="columns and splits are those of the source's code; a judge that guesses has 25 %; a "
    "later criterion counts only where the earlier ones are equal; which response stands first is "
    "drawn from the id; unchecked: the files' names",
)


def split_of(path: Path) -> str:
    name = split_name(path)
    if name not in SPLITS:
        raise DataError(
            f"the split {name!r} is not known",
            expected=f"one of {', '.join(SPLITS)}, as in {CARD.source} at {CARD.revision}",
            do="take a file of that source, named after its split",
            file=str(path),
        )
    return name


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, PAIRS):

        def make(raw: Any, at: int, split: str = split_of(path)) -> Row:
            ident, question = f"{split}/{at}", text(raw, "question", empty=True)
            both = [text(raw, f"{sign}_response", empty=True) for sign in ("positive", "negative")]
            responses, label = sided(ident, *both)
            return case_row(
                ident, question, responses, label=label, at=at, group=split,
                cluster=str(raw.get("question_id") or ident), context=(text(raw, "context"),),
                rubric=ORDER, notes={"question_id": raw.get("question_id")},
            )  # fmt: skip

        columns = ("question", "context", "positive_response", "negative_response")
        yield from read(one, PAIRS, make, columns=columns)


BENCH = Bench(CARD, cases)
