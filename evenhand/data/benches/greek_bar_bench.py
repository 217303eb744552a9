"""Answers to Greek bar exams, scored by lawyers on facts, articles and analysis."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, number, read_many, rows, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict, line

RATED, ASKED, JUDGED = "*gbb*jme*", "greekbarbench*", "jme_judgements_*.json"
ASPECTS, SCALE = ("facts", "articles", "analysis"), line("1-10", 1, 10)
QUESTION = ("facts", "question", "answer")
COLUMNS = ("number", "model", "response", *ASPECTS, "area", "date", "index")

CARD = Card(
    name="greek-bar-bench",
    about="facts, cited law and analysis of a legal answer, 1 to 10 each",
    source="huggingface.co/datasets/AUEB-NLP/greek-bar-bench, github.com/nlpaueb/greek-bar-bench",
    revision="79aa4a86dd092b1bb41e89d19bb081a41ee9c190",
    licence="unstated", gold="human", view="pointwise",
    metric=Metric("soft_pairwise_accuracy"),
    files=(File(RATED), File(ASKED), File(JUDGED, needed=False)),
    rows=915,
    split="gbb-jme: 61 questions, five systems, three scores",
    paper="Chlapanis et al. 2025, GreekBarBench: A Challenging Benchmark for Free-Text Legal "
    "Reasoning and Citations, arXiv:2505.17267",
    notes="columns as the repository's notebook shows them; of the files only verdicts of one "
    "judge were seen. `index` counts the questions from 0; two lawyers' scores are one there. "
    "Verdicts name no area: where date, number and system fit several cases, they are not used",
)  # fmt: skip


def scores(raw: Any) -> dict[str, str]:
    found = {aspect: number(raw, aspect) for aspect in ASPECTS}
    for aspect, given in found.items():
        if not 1 <= given <= 10:
            raise Wrong(aspect, str(given), "1 to 10")
    return {aspect: f"{given:g}" for aspect, given in found.items()}


def place(raw: Any) -> str:
    return "/".join(text(raw, name) for name in ("date", "area", "number"))


def cases(files: Files) -> Iterator[Row | Bad]:
    asked = {str(n): raw for n, (_, raw) in enumerate(rows(files, ASKED, QUESTION))}

    def make(raw: Any, at: int) -> list[Row]:
        one = asked.get(text(raw, "index"))
        if one is None or isinstance(one, Bad):
            raise Wrong("index", str(raw["index"]), "the place of a question, from 0")
        prompt, who = f"{text(one, 'facts')}\n\n{text(one, 'question')}", text(raw, "model")
        known: dict[str, Any] = {
            "reference": (text(one, "answer"),),
            "notes": {"spans": one.get("spans")},
        }
        return [
            case_row(f"{place(raw)}/{who}/{aspect}", prompt, (text(raw, "response", empty=True),),
                label=label, at=at, cluster=place(raw), systems=(who,), group=aspect,
                rubric=aspect, **known)
            for aspect, label in scores(raw).items()
        ]  # fmt: skip

    return read_many(files, RATED, make, columns=COLUMNS)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    places = defaultdict[tuple[str, ...], set[str]](set)
    for _, raw in rows(files, RATED, COLUMNS):
        if not isinstance(raw, Bad):
            key = tuple(str(raw.get(name)) for name in ("date", "number", "model"))
            places[key].add(str(raw.get("area")))

    def make(raw: Any, _at: int) -> list[Verdict]:
        key = tuple(text(raw, name) for name in ("date", "number", "model"))
        if len(places[key]) != 1:
            raise Wrong("number", key[1], f"one area, not {len(places[key])}, of {key[0]}")
        where = f"{key[0]}/{next(iter(places[key]))}/{key[1]}/{key[2]}"
        judge = f"{text(raw, 'judge_model')} {text(raw, 'judge_type')}"
        return [said(f"{where}/{a}", judge, number(raw, a), scale=SCALE) for a in ASPECTS]

    columns = ("number", "date", "model", "judge_model", "judge_type", *ASPECTS)
    for _, one in apart(files, JUDGED):
        yield from read_many(one, JUDGED, make, columns=columns)


BENCH = Bench(CARD, cases, recorded=recorded)
