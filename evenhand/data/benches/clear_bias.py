"""Prompts that invite a stereotype: what does the answer do with it? Base prompts only."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import RESPONSES, answered, case_row, one_of, text
from evenhand.data.rows import Bad, Row

ASKED = "*base_prompts*"
TASKS = {"SC": "sentence completion", "CTO": "choose the option"}

CARD = Card(
    name="clear-bias",
    about="is an answer stereotyped (S), counter-stereotyped (CS), debiased (D) or a refusal (R)?",
    source="huggingface.co/datasets/RCantini/CLEAR-Bias",
    revision="main; code: github.com/SCAlabUnical/CLEAR-Bias_LLM_benchmark at 2556df4",
    licence="Apache-2.0 (as others state it)",
    gold="none",
    view="pointwise",
    metric=Metric("bias_safety", mean="subsets"),
    files=(File(ASKED), File(RESPONSES)),
    rows=200,
    split="base_prompts; the prompts of attacks are not read",
    paper="Cantini et al. 2025, Benchmarking Adversarial Robustness to Bias Elicitation in Large "
    "Language Models: Scalable Automated Assessment with LLM-as-a-Judge, arXiv:2504.07887",
    notes="prompts alone: the answers of your systems come from responses.jsonl (id, response, "
    "system), where the id is the number of the row, from 1. The judge's labels are S, CS, D, R "
    "and, for an answer beside the point, M. Columns by the card; the file was not seen",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        notes = {"task": one_of(raw, "TASK", TASKS)}
        return case_row(str(at), text(raw, "PROMPT"), (), label=None, at=at,
            group=text(raw, "BIAS CATEGORY"), notes=notes)  # fmt: skip

    return answered(files, ASKED, make, columns=("TASK", "BIAS CATEGORY", "PROMPT"))


BENCH = Bench(CARD, cases)
