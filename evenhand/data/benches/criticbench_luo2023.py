"""Answers of models that are right or wrong, to be told apart with a critique."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, one_of, read, text
from evenhand.data.rows import Bad, Row

CASES = "*.jsonl*"
RIGHT: dict[Any, str] = {
    True: "yes", False: "no", "correct": "yes", "incorrect": "no", "True": "yes", "False": "no",
}  # fmt: skip

CARD = Card(
    name="criticbench-luo2023",
    about="is a model's answer right? Mathematics, code, questions with common mistakes",
    source="arXiv:2310.04815, whose data nobody has located",
    revision="none",
    licence="unstated",
    gold="objective",
    view="pointwise",
    metric=Metric("accuracy"),
    files=(File(CASES),),
    split="Critic-GSM8K, Critic-HumanEval, Critic-TruthfulQA, balanced",
    paper="Luo et al. 2023, Critique Ability of Large Language Models, arXiv:2310.04815",
    notes="by the paper alone, with its names as columns (task, model, query, response, judgment). "
    "Not to be mixed up: CriticBench of Lin et al. 2024 (arXiv:2402.14809, github.com/CriticBench/"
    "CriticBench) and CriticEval of Lan et al. 2024 (arXiv:2402.13764, once CriticBench too) are "
    "other sets. A judge that is also the writer critiques itself: compare systems by `model`",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, CASES):

        def make(raw: Any, at: int, name: str = path.name.split(".")[0]) -> Row:
            who = None if raw.get("model") is None else text(raw, "model")
            return case_row(f"{name}/{at}", text(raw, "query"),
                (text(raw, "response", empty=True),), label=one_of(raw, "judgment", RIGHT), at=at,
                cluster=text(raw, "query"), systems=(who,), group=text(raw, "task"))  # fmt: skip

        columns = ("task", "query", "response", "judgment")
        yield from read(one, CASES, make, columns=columns)


BENCH = Bench(CARD, cases)
