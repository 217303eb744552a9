"""Pairs of Korean answers, and pairs of which one had false statements put in."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, one_of, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import shown
from evenhand.records import Verdict

PAIRS, RECORDED = "data/k2-eval-pairwise*.csv", "results/*/_pairwise_*.csv"
FALSE = "-falseinfo"
SIDES = {"A": "A", "B": "B"}
BETTER = {"": ("chosen_response", "rejected_response"),
          FALSE: ("original_response", "response_with_false_info")}  # fmt: skip

CARD = Card(
    name="kudge",
    about="which of two Korean answers is better; which one has no false statement",
    source="github.com/guijinSON/kudge",
    revision="09e13166f9f6a227cabaf82b177342a53c507d40",
    licence="MIT (the repository); unstated on the hub",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="wrong"),
    files=(File(PAIRS), File(RECORDED, needed=False)),
    rows=818,
    split="k2-eval-pairwise, without the 54 pairs of k2-eval-pairwise-falseinfo",
    paper="Son et al. 2024, LLM-as-a-Judge & Reward Model: What They Can and Cannot Do, "
    "arXiv:2409.11239",
    notes="the 54 pairs with false statements and two judges' verdicts on them were read as they "
    "are; unchecked: the file of the 818, whose columns are those of the hub; the instruction is "
    "cut out of judge_query; the source leaves unread verdicts out, here they are wrong",
)


def kind_of(path: Path) -> str:
    return FALSE if "false" in path.name else ""


def instruction(raw: Raw) -> str:
    if "instruction" in raw:
        return text(raw, "instruction")
    query = text(raw, "judge_query")
    if found := re.search(r"###\s*Instruction:\s*(.*?)\s*###\s*Response A:", query, re.DOTALL):
        return found[1]
    raise Wrong("judge_query", shown(query), "'### Instruction:' and '### Response A:' in it")


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, PAIRS):
        kind = kind_of(path)

        def make(raw: Any, at: int, kind: str = kind) -> Row:
            label = one_of(raw, "winner", SIDES)
            better, worse = (text(raw, column, empty=True) for column in BETTER[kind])
            both = (better, worse) if label == "A" else (worse, better)
            who = (raw.get("chosen_model"), raw.get("rejected_model"))
            prompt = instruction(raw)
            return case_row(
                f"pairwise{kind}/{at}", prompt, both, label=label, at=at, cluster=prompt,
                group=f"pairwise{kind}", systems=who if label == "A" else who[::-1],
            )  # fmt: skip

        yield from read(one, PAIRS, make, columns=("judge_query", *BETTER[kind], "winner"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """Rows stand in the order of the pairs; those of the challenge set have no pairs here."""
    for path, one in apart(files, RECORDED):
        if "challenge" in path.name:
            continue
        turn = "".join(re.findall(r"iteration_\d+", path.name)).replace("_", " ")

        def make(raw: Any, at: int, *, who: str = f"{path.parent.name} {turn}",
                 kind: str = kind_of(path)) -> Verdict:  # fmt: skip
            return said(f"pairwise{kind}/{at}", who, SIDES.get(raw["decision"]))

        yield from read(one, RECORDED, make, columns=("decision",))


BENCH = Bench(CARD, cases, recorded=recorded)
