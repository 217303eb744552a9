"""Proofs of inequalities, judged on the answer and on four ways to go wrong."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, one_of, read, read_many, said, text
from evenhand.data.rows import Bad, Row
from evenhand.records import YES_NO, Verdict

RESULTS, JUDGED = "*/results.json", "*/judgments.jsonl*"
FIVE = ("answer", "toy_case", "logical_gap", "numerical_approximation", "numerical_calculation")
KINDS = {"bound": "bound", "relation": "relation"}
COLUMNS = ("data_id", "problem", "type", "response")

CARD = Card(
    name="ineq-math",
    about="is a solution right, and free of toy cases, gaps, rounding and slips?",
    source="github.com/lupantech/ineqmath",
    revision="f572cc9c6d2f33e590cb212d0c8b1c1b1d4195ea",
    licence="CC-BY-SA-4.0",
    gold="none",
    view="pointwise",
    metric=Metric("pass_rate", options={"positive": "yes"}),
    files=(File(RESULTS), File(JUDGED, needed=False)),
    rows=200,
    split="test (dev: 100), one folder a system",
    paper="Lu et al. 2025, Solving Inequality Proofs with Large Language Models, arXiv:2506.07927",
    notes="one file of responses was seen; results.json is a list of such objects, as it is sent "
    "to the board. The verdicts of the five judges are not published: they are read from "
    "judgments.jsonl, one row a solution with data_id and true, false or null for answer, "
    "toy_case, logical_gap, numerical_approximation and numerical_calculation (true: no fault). "
    "The test answers are not public, so references can be missing",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, RESULTS):

        def make(raw: Any, at: int, system: str = path.parent.name) -> Row:
            known = raw.get("answer")
            ident = text(raw, "data_id")
            return case_row(f"{system}/{ident}", text(raw, "problem"),
                (text(raw, "response", empty=True),), label=None, at=at, cluster=ident,
                systems=(system,), group=one_of(raw, "type", KINDS),
                reference=(str(known),) if known else ())  # fmt: skip

        yield from read(one, RESULTS, make, columns=COLUMNS)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """Each judge, and 'all five', which is undecided when one is and none found a fault."""
    for path, one in apart(files, JUDGED):

        def make(raw: Any, _at: int, system: str = path.parent.name) -> list[Verdict]:
            ident = f"{system}/{text(raw, 'data_id')}"
            known = {True: "yes", False: "no", None: None}
            five = [one_of(raw, name, known) for name in FIVE]
            whole = "no" if "no" in five else None if None in five else "yes"
            pairs = [*zip(FIVE, five, strict=True), ("all five", whole)]
            return [said(ident, judge, label, scale=YES_NO) for judge, label in pairs]

        yield from read_many(one, JUDGED, make, columns=("data_id", *FIVE))


BENCH = Bench(CARD, cases, recorded=recorded)
