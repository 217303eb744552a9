"""Pairs of one model's answers, one of them verified to be right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, in_orders, one_of, read, said, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict

PAIRS, RECORDED, FIGURES = "pairs_*.jsonl*", "judgments_*.jsonl*", "expected.json"
WINS = {"A>B": "A", "B>A": "B", "A=B": "tie"}
TURNED = {"A": "B", "B": "A", "tie": "tie", None: None}

CARD = Card(
    name="judgebench",
    about="which of two answers to a hard question is right",
    source="github.com/ScalerLab/JudgeBench",
    revision="e2c52c284e735e139b3daa61c206ee208f36c461",
    licence="unstated",
    gold="objective",
    view="pairwise",
    metric=Metric("net_vote_accuracy", orders=2, ties="wrong"),
    files=(File(PAIRS), File(RECORDED, needed=False), File(FIGURES, needed=False)),
    rows=350,
    paper="Tan et al. 2024, JudgeBench: A Benchmark for Evaluating LLM-based Judges, "
    "arXiv:2410.12784",
    status="verified",
)


def subset(source: str) -> str:
    if source.startswith("mmlu-pro"):
        return "knowledge"
    names = {
        "livebench-reasoning": "reasoning",
        "livebench-math": "math",
        "livecodebench": "coding",
    }
    return names.get(source, source)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        return case_row(
            text(raw, "pair_id"), text(raw, "question"),
            (text(raw, "response_A", empty=True), text(raw, "response_B", empty=True)),
            label=one_of(raw, "label", WINS), at=at, group=subset(text(raw, "source")),
        )  # fmt: skip

    columns = ("pair_id", "source", "question", "response_A", "response_B", "label")
    return read(files, PAIRS, make, columns=columns)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """The second game shows the responses swapped, and its verdict is not turned back."""
    for path in files.paths[RECORDED]:
        rater = _judge(path)

        def make(raw: Any, _at: int, rater: str = rater) -> Verdict:
            first, second = (
                WINS.get(str((game or {}).get("decision"))) for game in raw["judgments"]
            )
            ids = text(raw, "pair_id"), rater
            return in_orders(said(*ids, first), said(*ids, TURNED[second]))

        one = Files(files.card, {RECORDED: (path,)})
        yield from read(one, RECORDED, make, columns=("pair_id", "judgments"))


def _judge(path: Path) -> str:
    return path.name.removeprefix("judgments_").split("_on_")[0]


def published(files: Files) -> Iterator[Published]:
    rule = "a tie or null counts 0; right if the sum over both orders is above 0"
    for title, figures in whole(files.path(FIGURES)).items():
        if not isinstance(figures, dict):
            continue
        short = title.split(" on ")[0].split(" ", 1)[1]
        judge = next(_judge(path) for path in files.paths[RECORDED] if short in path.name)
        for part, value in figures.items():
            yield Published(
                judge, "net_vote_accuracy", value, 2, "" if part == "overall" else part,
                unit="%", standing="script", rule=rule, options={"ties": "wrong"},
            )  # fmt: skip


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
