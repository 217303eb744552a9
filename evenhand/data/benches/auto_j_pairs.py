"""Pairs of answers in 58 scenarios, labelled by people."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, in_orders, one_of, read, rows, said, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict

PAIRS = "data/test/testdata_pairwise.jsonl"
GIVEN = "data/outputs/pairwise_example_output.jsonl"
SWAPPED = "data/outputs/pairwise_exchange_example_output.jsonl"
LABELS: dict[Any, str] = {0: "A", 1: "B", 2: "tie", "0": "A", "1": "B", "2": "tie"}
JUDGE = "Auto-J"
TURNED = {"A": "B", "B": "A", "tie": "tie", None: None}

CARD = Card(
    name="auto-j-pairs",
    about="which of two answers people preferred, in 58 scenarios",
    source="github.com/GAIR-NLP/auto-j",
    revision="2ae17a3965d933232e9cd50302aa0f176249c83b",
    licence="unstated",
    gold="human",
    view="pairwise",
    metric=Metric("consistent_accuracy", orders=2, ties="separate"),
    files=(
        File(PAIRS, "56f32fad71d9b6b33bc4d51794c324981e26355bcbf3ce4908d7f8ddcc61f80e"),
        File(
            GIVEN, "bbf9a67b39cef50d15dccbcfc5816dc83241b80493064e615695ce002c0bcb61", needed=False
        ),
        File(
            SWAPPED,
            "0b3a4ef917edc1df0b8f48ef376f8065651d9bcb2375eddd0e844a7c992daaad",
            needed=False,
        ),
    ),
    rows=1392,
    split="test, English",
    paper="Li et al. 2023, Generative Judge for Evaluating Alignment, arXiv:2310.05470",
    status="verified",
    notes="the outputs that the source stores as an example give the figures that it prints for "
    "Auto-J 13B",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        both = (text(raw, "response 1", empty=True), text(raw, "response 2", empty=True))
        prompt, group = text(raw, "prompt"), text(raw, "scenario")
        label = one_of(raw, "label", LABELS)
        return case_row(str(at), prompt, both, label=label, at=at, cluster=prompt, group=group)

    columns = ("scenario", "label", "prompt", "response 1", "response 2")
    return read(files, PAIRS, make, columns=columns)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """Lines stand in the order of the pairs; the second file has the responses swapped."""
    if not (files.has(GIVEN) and files.has(SWAPPED)):
        return
    swapped = {at: raw for at, raw in rows(files, SWAPPED, ("output",)) if not isinstance(raw, Bad)}

    def make(raw: Any, at: int) -> Verdict:
        turned = TURNED[LABELS.get(str(swapped.get(at, {}).get("output")))]
        ids = str(at), JUDGE
        return in_orders(said(*ids, LABELS.get(str(raw["output"]))), said(*ids, turned))

    yield from read(files, GIVEN, make, columns=("output",))


def published(_files: Files) -> Iterator[Published]:
    for name, value in (("consistent_accuracy", 54.96), ("consistency", 83.41)):
        yield Published(JUDGE, name, value, 2, unit="%", options={"ties": "separate"})


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
