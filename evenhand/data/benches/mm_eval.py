"""Chosen and rejected answers in 18 languages, and in 122 for one subset."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, sided, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Response

PAIRS = "data/test*"
CORE = ("chat", "reasoning", "safety", "linguistics", "language_hallucination")

CARD = Card(
    name="mm-eval",
    about="which of two answers was chosen, in 18 languages",
    source="huggingface.co/datasets/prometheus-eval/MM-Eval",
    revision="unknown; code at github.com/guijinSON/MM-Eval 746fb7d0",
    licence="unstated (the data), Apache-2.0 (the code)",
    gold="constructed",
    view="pairwise",
    metric=Metric("section_mean", ties="half", options={
        "sections": {name: [name] for name in CORE}}),
    files=(File(PAIRS, hub="data/test-00000-of-00001.parquet"),),
    split="test",
    paper="Son et al. 2024, MM-Eval: A Multilingual Meta-Evaluation Benchmark for LLM-as-a-Judge "
    "and Reward Models, arXiv:2410.17578",
    hub="prometheus-eval/MM-Eval",
    notes="the mean is that of the five core subsets, without lang_resource (122 languages); the "
    "language of a case is in its notes; which response stands first is drawn from the id; "
    "unchecked: the columns and the spelling of the subsets",
)  # fmt: skip


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        group, language = text(raw, "subset"), text(raw, "language")
        ident, prompt = f"{group}/{language}/{text(raw, 'id')}/{at}", text(raw, "prompt")
        both = [
            Response((text(raw, side, empty=True),), raw.get(f"{side}_model") or None)
            for side in ("chosen", "rejected")
        ]
        responses, label = sided(ident, *both)
        return case_row(
            ident, prompt, responses, label=label, at=at, cluster=prompt, group=group,
            notes={"language": language},
        )  # fmt: skip

    columns = ("prompt", "chosen", "rejected", "language", "subset", "id")
    for _, one in apart(files, PAIRS):
        yield from read(one, PAIRS, make, columns=columns)


BENCH = Bench(CARD, cases)
