"""Pairs in which one output follows the instruction and the other one only looks better."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, in_orders, one_of, read, said, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict

CASES, RECORDED, FIGURES = "datasets.jsonl*", "judgements_*.jsonl*", "expected_statistics.json"
SIDES: dict[Any, str] = {1: "A", 2: "B", "1": "A", "2": "B"}
TOLD = {"correct_average": "mean_accuracy", "correct_both": "consistent_accuracy",
        "equal": "consistency"}  # fmt: skip

CARD = Card(
    name="llmbar",
    about="which of two outputs follows the instruction, adversarial pairs included",
    source="github.com/princeton-nlp/LLMBar",
    revision="900616bff90b6c6c8e1681f7d079250637c55992",
    licence="MIT",
    gold="human",
    view="pairwise",
    metric=Metric("mean_accuracy", orders=2, ties="half"),
    files=(
        File("datasets.jsonl.gz", needed=False,
             sha256="28b23d41f4178b01da26c81782f109ecff0c38b8731d122ce57a01176014c464"),
        File(CASES),
        File(RECORDED, needed=False),
        File(FIGURES, needed=False),
    ),
    rows=685,
    split="Natural, four adversarial ones, processed FairEval and MT-Bench",
    paper="Zeng et al. 2023, Evaluating Large Language Models at Following Instructions, "
    "arXiv:2310.07641",
    status="verified",
    notes="one file a subset in the source, joined here; in its Rating strategies equal scores "
    "count as 2 in the order given and as 1 in the other",
)  # fmt: skip


def ident(raw: Any) -> str:
    return f"{text(raw, 'subset')}/{text(raw, 'idx')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        outputs = (text(raw, "output_1", empty=True), text(raw, "output_2", empty=True))
        label, group = one_of(raw, "label", SIDES), text(raw, "subset")
        return case_row(ident(raw), text(raw, "input"), outputs, label=label, at=at, group=group)

    columns = ("subset", "idx", "input", "output_1", "output_2", "label")
    return read(files, CASES, make, columns=columns)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """The last stage of each case holds both orders, with winners turned back already."""

    def make(raw: Any, _at: int) -> Verdict:
        judge = f"{text(raw, 'judge')} {text(raw, 'strategy')}"
        try:
            both = [raw["results"][-1][f"swap = {order}"] for order in (False, True)]
        except (KeyError, IndexError, TypeError) as error:
            raise Wrong("results", "no verdict in both orders", "a last stage with both") from error
        given, swapped = (said(ident(raw), judge, SIDES.get(one.get("winner"))) for one in both)
        return in_orders(given, swapped, "mean")

    columns = ("subset", "idx", "judge", "strategy", "results")
    return read(files, RECORDED, make, columns=columns)


def published(files: Files) -> Iterator[Published]:
    rule = "two unread verdicts agree"
    for cell, figures in whole(files.path(FIGURES)).items():
        subset, judge, strategy = cell.split("|")
        for key, name in TOLD.items():
            percent = float(figures[key].rpartition("= ")[2].rstrip("%"))
            yield Published(
                f"{judge} {strategy}", name, percent, 1, subset, unit="%",
                rule=rule if key == "equal" else "",
                options={"unread": "same"} if key == "equal" else {},
            )  # fmt: skip


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
