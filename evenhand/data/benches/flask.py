"""Answers rated on three of twelve skills each, by GPT-4."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response, Verdict, ints

REVIEWS, SCALE, JUDGE = "gpt_review/outputs/*.jsonl", ints("1-5", 1, 5), "gpt-4"
COLUMNS = ("question_id", "text", "answer", "target_txt", "score")

CARD = Card(
    name="flask",
    about="twelve skills of answers, three for each instruction, 1 to 5",
    source="github.com/kaistAI/FLASK",
    revision="3b4e22bc34aa9dc15ea0c51be3cbf5f3c8b1b5e5",
    licence="unstated",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(REVIEWS),),
    split="1,740 instructions, one file of reviews a system",
    paper="Ye et al. 2023, FLASK: Fine-grained Language Model Evaluation based on Alignment Skill "
    "Sets, arXiv:2307.10928",
    notes="columns are those that gpt_review/gpt4_eval.py writes; its review files could not be "
    "opened. People's ratings are not published, so there is no gold; N/A is no verdict",
)


def each(files: Files) -> Iterator[tuple[int, Any, str, str, Any] | Bad]:
    """(row, columns, case, skill, score as written) of each skill of each review."""
    for path, one in apart(files, REVIEWS):
        system = path.stem.removesuffix("_review")

        def make(raw: Any, at: int, system: str = system) -> list[tuple[int, Any, str, str, Any]]:
            if not isinstance(raw.get("score"), dict):
                raise Wrong("score", str(raw.get("score"))[:60], "an object of skill: score")
            where = f"{system}/{text(raw, 'question_id')}"
            known = {**raw, "system": system}
            return [(at, known, f"{where}/{name}", name, n) for name, n in raw["score"].items()]

        yield from read_many(one, REVIEWS, make, columns=COLUMNS)


def cases(files: Files) -> Iterator[Row | Bad]:
    for one in each(files):
        if isinstance(one, Bad):
            yield one
            continue
        at, raw, ident, skill, _ = one
        answer = Response((str(raw.get("target_txt") or ""),), raw["system"])
        known = (str(raw["answer"]),) if raw.get("answer") else ()
        yield case_row(ident, str(raw["text"]), (answer,), label=None, at=at, group=skill,
            cluster=str(raw["question_id"]), rubric=skill, reference=known)  # fmt: skip


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for one in each(files):
        if isinstance(one, Bad):
            yield one
            continue
        _, _, ident, _, score = one
        refused = str(score).strip().casefold() in ("n/a", "na", "not applicable")
        try:
            label = None if refused else float(score)
        except (TypeError, ValueError):
            label = None
        yield said(ident, JUDGE, label, scale=SCALE, why="refused" if refused else "unread")


BENCH = Bench(CARD, cases, recorded=recorded)
