"""Pairs of answers to everyday instructions, each labelled by three people."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, one_of, read, read_many, said, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict

CASES, GPT, OWN = "testset-v1.json", "gpt-3.5-turbo-testset-v1.json", "pandalm-7b-testset-v1.json"
PEOPLE = ("annotator1", "annotator2", "annotator3")
LABELS: dict[Any, str] = {"0": "tie", "1": "A", "2": "B", 0: "tie", 1: "A", 2: "B", "Tie": "tie"}
JUDGES = {GPT: ("gpt-3.5-turbo", "gpt_result"), OWN: ("pandalm-7b", "pandalm_result")}

CARD = Card(
    name="pandalm",
    about="which of two answers is better, ties allowed",
    source="github.com/WeOpenML/PandaLM",
    revision="3871806e72b4832f815ecafd24d3503c73403f48",
    licence="Apache-2.0",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(
        File(CASES, "cc154f9067c7382d7ea86f8f246511a5e1ac87e1fddd845c5938d789505b07a4"),
        File(GPT, "4c00aa7b3eeae504050a037422ba6f5b0a2ee041680f47bb77b8a4b549b128e3", needed=False),
        File(OWN, "9a40b62a7bb2aa87ca77eb8bfcb51539b5a62f974ce91678d30e834d65ed0a7e", needed=False),
    ),
    rows=999,
    split="testset-v1",
    paper="Wang et al. 2023, PandaLM: An Automatic Evaluation Benchmark for LLM Instruction "
    "Tuning Optimization, arXiv:2306.05087",
    status="verified",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        votes = Counter(one_of(raw, column, LABELS) for column in PEOPLE).most_common(2)
        label = votes[0][0] if len(votes) == 1 or votes[0][1] > votes[1][1] else None
        asked = "\n\n".join(filter(None, (raw["instruction"], raw["input"])))
        answers = (text(raw, "response1", empty=True), text(raw, "response2", empty=True))
        systems = str(raw.get("cmp_key", "")).split("_")
        who = systems if len(systems) == 2 else (None, None)
        return case_row(text(raw, "idx"), asked, answers, label=label, at=at, systems=who)

    columns = ("idx", "instruction", "input", "response1", "response2", *PEOPLE)
    return read(files, CASES, make, columns=columns)


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, _at: int) -> list[Label]:
        return [Label(text(raw, "idx"), who, one_of(raw, who, LABELS)) for who in PEOPLE]

    return read_many(files, CASES, make, columns=("idx", *PEOPLE))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for name, (judge, column) in JUDGES.items():

        def make(raw: Any, _at: int, *, judge: str = judge, column: str = column) -> Verdict:
            return said(text(raw, "idx"), judge, LABELS.get(raw[column]))

        yield from read(files, name, make, columns=("idx", column))


def published(_files: Files) -> Iterator[Published]:
    for one, other, value in ((1, 2, 0.85), (1, 3, 0.88), (2, 3, 0.86)):
        both = [f"annotator{one}", f"annotator{other}"]
        yield Published("", "cohen_kappa", value, 2, options={"raters": both})
    for label, count in (("tie", 105), ("A", 422), ("B", 472)):
        yield Published("", "label_count", count, 0, options={"label": label})
    names = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
    for judge, values in {
        "pandalm-7b": (0.6677, 0.5738, 0.575, 0.5743),
        "gpt-3.5-turbo": (0.6977, 0.5365, 0.5324, 0.5274),
    }.items():
        for name, value in zip(names, values, strict=True):
            rule = "25 unreadable verdicts are wrong" if judge != "pandalm-7b" else ""
            yield Published(judge, name, value, 4, standing="computed", rule=rule)


BENCH = Bench(CARD, cases, people=people, recorded=recorded, published=published)
