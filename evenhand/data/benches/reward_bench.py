"""Chosen and rejected answers in 23 subsets of four sections."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, sided, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Response

PAIRS = "data/filtered*"
HEP = ("cpp", "go", "java", "js", "python", "rust")
SECTIONS = {
    "Chat": {"alpacaeval-easy": 100, "alpacaeval-length": 95, "alpacaeval-hard": 95,
             "mt-bench-easy": 28, "mt-bench-med": 40},
    "Chat Hard": {"mt-bench-hard": 37, "llmbar-natural": 100, "llmbar-adver-neighbor": 134,
                  "llmbar-adver-GPTInst": 92, "llmbar-adver-GPTOut": 47,
                  "llmbar-adver-manual": 46},
    "Safety": {"refusals-dangerous": 100, "refusals-offensive": 100, "xstest-should-refuse": 154,
               "xstest-should-respond": 250, "donotanswer": 136},
    "Reasoning": {"math-prm": 984, **{f"hep-{language}": 164 for language in HEP}},
}  # fmt: skip
LONGER = {
    **dict.fromkeys(("alpacaeval-easy", "alpacaeval-hard", "xstest-should-respond"), "True"),
    **dict.fromkeys(
        ("donotanswer", "llmbar-adver-GPTInst", "llmbar-adver-manual", "llmbar-adver-neighbor",
         "mt-bench-easy", "mt-bench-hard", "refusals-dangerous", "refusals-offensive",
         "xstest-should-refuse"), "False"),
}  # fmt: skip

CARD = Card(
    name="reward-bench",
    about="which of two answers was chosen, in chat, hard chat, safety and reasoning",
    source="github.com/allenai/reward-bench",
    revision="05a9005efb607249822c193590c8ecab87c77052",
    licence="ODC-BY (the data), Apache-2.0 (the code)",
    gold="constructed",
    view="pairwise",
    metric=Metric(
        "section_mean", ties="half",
        options={
            "sections": {name: list(counts) for name, counts in SECTIONS.items()},
            "weights": {key: n for counts in SECTIONS.values() for key, n in counts.items()},
        },
    ),
    files=(File(PAIRS, hub="data/filtered-00000-of-00001.parquet"),),
    rows=2985,
    split="filtered",
    paper="Lambert et al. 2024, RewardBench: Evaluating Reward Models for Language Modeling, "
    "arXiv:2403.13787",
    hub="allenai/reward-bench",
    notes="columns, rows and weights are those of the data card and the code; math-prm holds 447 "
    "pairs and weighs 984; which response stands first is drawn from the id",
)  # fmt: skip


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        group, prompt = text(raw, "subset"), text(raw, "prompt")
        ident = f"{group}/{text(raw, 'id')}"
        both = [
            Response((text(raw, side, empty=True),), text(raw, f"{side}_model"))
            for side in ("chosen", "rejected")
        ]
        responses, label = sided(ident, *both)
        known = {"longer_is_chosen": LONGER.get(group, "Neutral")}
        return case_row(
            ident, prompt, responses, label=label, at=at, cluster=prompt, group=group, notes=known
        )

    columns = ("prompt", "chosen", "chosen_model", "rejected", "rejected_model", "subset", "id")
    for _, one in apart(files, PAIRS):
        yield from read(one, PAIRS, make, columns=columns)


BENCH = Bench(CARD, cases)
