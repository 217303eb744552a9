"""Summaries of news: faithful and factual by three workers, beside automatic metrics."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, number, read, read_many, said, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict, line

SCORES, WORKERS = "*eval_scores*.csv", "*factuality_annotations*.csv"
FIGURES = "expected.json"
JUDGES = ("R1", "R2", "RL", "BERTScore", "Entailment")
KINDS = {"faithful": "Faithful", "factual": "Factual"}

CARD = Card(
    name="xsum-factuality",
    about="automatic metrics against people's share of faithful and of factual summaries",
    source="github.com/google-research-datasets/xsum_hallucination_annotations",
    revision="4abdbb2c807cb93c1df1188a1992d20a55cdcc34",
    licence="CC-BY-4.0",
    gold="human",
    view="pointwise",
    metric=Metric("spearman", options={"absolute": True}, mean="subsets"),
    files=(File(SCORES), File(WORKERS, needed=False), File(FIGURES, needed=False)),
    rows=5853,
    split="1,992 summaries, two questions each; 1,869 for the workers",
    paper="Maynez et al. 2020, On Faithfulness and Factuality in Abstractive Summarization, "
    "arXiv:2005.00661",
    status="verified",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    """Scores of metrics first; then the summaries of the workers, who are the only labels."""

    def make(raw: Any, at: int) -> list[Row]:
        name = text(raw, "system_bbcid")
        system, _, document = name.rpartition("_")
        return [
            case_row(f"{name}/{kind}", "", ("",), label=repr(number(raw, column)), at=at,
                cluster=document, systems=(system,), group=kind)
            for kind, column in KINDS.items()
        ]  # fmt: skip

    yield from read_many(files, SCORES, make, columns=("system_bbcid", *KINDS.values()))
    seen = set[str]()

    def summary(raw: Any, at: int) -> list[Row]:
        ident, system = f"{text(raw, 'bbcid')}/{text(raw, 'system')}/worker", text(raw, "system")
        if ident in seen:
            return []
        seen.add(ident)
        return [case_row(ident, "", (text(raw, "summary", empty=True),), label=None, at=at,
            cluster=text(raw, "bbcid"), systems=(system,), group="workers")]  # fmt: skip

    if files.has(WORKERS):
        yield from read_many(files, WORKERS, summary, columns=("bbcid", "system", "summary"))


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, _at: int) -> Label:
        ident, label = f"{raw['bbcid']}/{raw['system']}/worker", str(raw.get("is_factual"))
        given = label if label in ("yes", "no") else None
        return Label(ident, text(raw, "worker_id"), given, "" if given else "missing")

    columns = ("bbcid", "system", "is_factual", "worker_id")
    return read(files, WORKERS, make, columns=columns) if files.has(WORKERS) else iter(())


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> list[Verdict]:
        name, scale = text(raw, "system_bbcid"), line("score", -1e9, 1e9)
        return [said(f"{name}/{kind}", judge, number(raw, judge), scale=scale)
                for kind in KINDS for judge in JUDGES]  # fmt: skip

    return read_many(files, SCORES, make, columns=("system_bbcid", *JUDGES))


def published(files: Files) -> Iterator[Published]:
    for judge, values in whole(files.path(FIGURES)).items():
        for kind, value in zip(KINDS, values, strict=True) if judge in JUDGES else ():
            rule = "the paper's table, quoted from memory"
            yield Published(judge, "spearman", value, 3, kind, "", "computed", rule,
                {"absolute": True})  # fmt: skip


BENCH = Bench(CARD, cases, people=people, recorded=recorded, published=published)
