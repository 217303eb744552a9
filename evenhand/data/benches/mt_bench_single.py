"""GPT-4's grades of two systems in the form that MT-Bench keeps them."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, read, said, text
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent
from evenhand.records import Verdict, line

GRADES, QUESTIONS = "gpt*_single*.jsonl", "question.jsonl"
SCALE = line("1-10", 1, 10)

CARD = Card(
    name="mt-bench-single",
    about="recorded grades of answers to two-turn questions, 1 to 10",
    source="github.com/muhan421/fastchat-eval",
    revision="a5c1f25eb61f108bec11d97d5cb2616ff9df03fe",
    licence="Apache-2.0",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(GRADES), File(QUESTIONS, needed=False)),
    rows=320,
    folder="mtbench_gpt4_single",
    paper="Zheng et al. 2023, Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, "
    "arXiv:2306.05685",
    status="verified",
    notes="the answers are not among the files; questions are of lm-sys/FastChat",
)


def ident(raw: Any) -> str:
    return f"{text(raw, 'question_id')}/{text(raw, 'model')}/{text(raw, 'turn')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    asked = dict[str, list[str]]()
    if files.has(QUESTIONS):
        for found in read(files, QUESTIONS, lambda raw, _: (text(raw, "question_id"), raw)):
            if not isinstance(found, Bad):
                asked[found[0]] = list(found[1].get("turns", ()))

    def make(raw: Any, at: int) -> Row:
        question, turn = text(raw, "question_id"), int(text(raw, "turn"))
        return case_row(
            ident(raw), "\n\n".join(asked.get(question, [])[:turn]), ("",), label=None, at=at,
            cluster=question, systems=(text(raw, "model"),), group=f"turn {turn}",
        )  # fmt: skip

    return read(files, GRADES, make, columns=("question_id", "model", "turn"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """A score of -1 is what the source writes when it could not read one."""

    def make(raw: Any, _at: int) -> Verdict:
        judge, score = raw["judge"], raw["score"]
        name = str(judge[0] if isinstance(judge, list) else judge)
        grade = None if absent(score) or float(score) < 0 else float(score)
        return said(ident(raw), name, grade, scale=SCALE)

    return read(files, GRADES, make, columns=("question_id", "model", "turn", "judge", "score"))


def published(_files: Files) -> Iterator[Published]:
    means = {"claude-3-5-sonnet-20240620": (9.24, 9.18), "claude-3-opus-20240229": (9.04, 8.31)}
    for system, both in means.items():
        for turn, value in enumerate(both, 1):
            yield Published("gpt-4", "mean_score", value, 2, f"turn {turn}",
                standing="computed", options={"system": system})  # fmt: skip


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
