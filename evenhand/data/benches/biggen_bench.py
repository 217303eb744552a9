"""Answers with a rubric of their own, rated by people and by five judges."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, number, read, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import texts
from evenhand.records import Message, Verdict, ints

RATED, SCALE = "data/human_eval-*", ints("1-5", 1, 5)
JUDGES = ("gpt4", "gpt4_04_turbo", "claude", "prometheus_8x7b", "prometheus_8x7b_bgb")
COLUMNS = ("id", "capability", "task", "system_prompt", "input", "reference_answer",
           "score_rubric", "model_name", "response", "human_score")  # fmt: skip

CARD = Card(
    name="biggen-bench",
    about="77 tasks of nine capabilities, each answer by a rubric of its own, 1 to 5",
    source="huggingface.co/datasets/prometheus-eval/BiGGen-Bench-Results",
    revision="f34b56e",
    licence="unstated (the questions: CC-BY-SA-4.0)",
    gold="human",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(RATED, hub="data/human_eval-00000-of-00001.parquet"),),
    split="human_eval",
    paper="Kim et al. 2024, The BiGGen Bench: A Principled Benchmark for Fine-grained Evaluation "
    "of Language Models with Language Models, arXiv:2406.05761",
    hub="prometheus-eval/BiGGen-Bench-Results",
    notes="columns as other public code reads them; the file was not seen. A human_score of -1 is "
    "none. Prometheus has five scores a case, which are its probabilities",
)  # fmt: skip


def ident(raw: Any) -> str:
    return f"{text(raw, 'model_name')}/{text(raw, 'id')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        given = number(raw, "human_score")
        if given != -1 and not SCALE.has(f"{given:.0f}"):
            raise Wrong("human_score", str(given), "1 to 5, or -1")
        told = raw.get("system_prompt")
        prompt = [Message("system", (told,))] if told else []
        prompt.append(Message("user", (text(raw, "input"),)))
        return case_row(ident(raw), prompt, (text(raw, "response", empty=True),), at=at,
            label=None if given == -1 else f"{given:.0f}", cluster=text(raw, "id"),
            systems=(text(raw, "model_name"),), group=text(raw, "capability"),
            rubric=raw.get("score_rubric"), reference=texts(raw.get("reference_answer")),
            notes={"task": raw.get("task")})  # fmt: skip

    return read(files, RATED, make, columns=COLUMNS)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> list[Verdict]:
        return [
            verdict(ident(raw), judge, raw[f"{judge}_score"])
            for judge in JUDGES
            if f"{judge}_score" in raw
        ]

    return read_many(files, RATED, make, columns=COLUMNS)


def verdict(case: str, judge: str, score: Any) -> Verdict:
    several = score if isinstance(score, list) else ()
    given = [f"{one:.0f}" for one in several if isinstance(one, int | float)]
    read_of = [one for one in given if SCALE.has(one)]
    if read_of:
        probs = {label: read_of.count(label) / len(read_of) for label in sorted(set(read_of))}
        return Verdict(SCALE, probs, case=case, rater=judge)
    whole = isinstance(score, int | float) and score == score
    return said(case, judge, float(score) if whole else None, scale=SCALE)


BENCH = Bench(CARD, cases, recorded=recorded)
